"""Sign-ups count to caps and may be held; proofs of work that have been used.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_HELD = sa.text("outcome = 'held'")
_COLUMNS = ("network", "network_until", "proof", "proven", "held", "again_at", "counted_at", "decided_by")
_INDEXED = ("counted_at", "again_at", "network_until")


def upgrade() -> None:
    """Add columns, indexes and the table."""
    with op.batch_alter_table("sign_up", schema=None) as batch_op:
        batch_op.add_column(sa.Column("network", sa.String(length=45), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("network_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("proof", sa.String(length=2000), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("proven", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("held", sa.String(length=16), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("again_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.String(length=120), nullable=False, server_default=""))
    for column in _INDEXED:
        op.create_index(op.f(f"ix_sign_up_{column}"), "sign_up", [column])
    op.create_index("ix_sign_up_held", "sign_up", ["id"], sqlite_where=_HELD, postgresql_where=_HELD)
    op.create_table(
        "spent_proof",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_spent_proof")),
    )
    op.create_index(op.f("ix_spent_proof_until"), "spent_proof", ["until"])


def downgrade() -> None:
    """Drop them. What is held stays unanswered, and goes with the other old rows: a flood must not leave after all."""
    op.drop_table("spent_proof")
    op.drop_index("ix_sign_up_held", table_name="sign_up")
    for column in _INDEXED:
        op.drop_index(op.f(f"ix_sign_up_{column}"), table_name="sign_up")
    with op.batch_alter_table("sign_up", schema=None) as batch_op:
        for column in _COLUMNS:
            batch_op.drop_column(column)
