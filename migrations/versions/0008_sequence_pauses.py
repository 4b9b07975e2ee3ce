"""Who paused a sequence, and who let it go on. Going down lets what is held go on, and forgets who did it.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sequence_pause",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sequence_id", BIG, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_by", sa.String(length=120), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["sequence_id"], ["sequence.id"], name=op.f("fk_sequence_pause_sequence_id_sequence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequence_pause")),
    )
    op.create_index("ix_sequence_pause_sequence_id_id", "sequence_pause", ["sequence_id", "id"])


def downgrade() -> None:
    """Drop it. The program before knows no pause of a sequence: its planner dates what was held, and lets it go."""
    op.execute(
        "UPDATE enrollment SET wants_plan = true WHERE id IN "
        "(SELECT enrollment_id FROM delivery WHERE status = 'due' AND held = 'sequence_paused')"
    )
    op.execute("UPDATE sequence SET paused_at = NULL")
    op.drop_table("sequence_pause")
