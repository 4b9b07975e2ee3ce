"""Who has stopped all sending by hand.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("halt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by", sa.String(length=120), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("halt", schema=None) as batch_op:
        batch_op.drop_column("by")
