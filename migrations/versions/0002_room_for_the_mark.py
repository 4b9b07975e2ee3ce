"""Room in the ledger's pages, and no Message-ID that nobody reads.

A call's beginning is marked on each row of a batch. Where the page has room, PostgreSQL writes the new version beside
the old one and touches no index. The Message-ID is made from the public id.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave room, and drop the column."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery SET (fillfactor = 70)")
    op.execute("ALTER TABLE delivery DROP COLUMN message_id")


def downgrade() -> None:
    """Bring the column back, empty."""
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("message_id", sa.String(length=200), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery RESET (fillfactor)")
