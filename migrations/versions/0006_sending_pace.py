"""The pace of sending, where a limit is set.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sending_pace",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sent", _ID, nullable=False),
        sa.Column("ramp_began", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_pace")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sending_pace")
