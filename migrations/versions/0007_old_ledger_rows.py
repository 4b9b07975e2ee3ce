"""Counters for old rows of the ledger. Going down forgets the counters, and brings no row back.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "'due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced', 'failed', 'skipped'"
KINDS = "'confirmation', 'already_subscribed', 'video', 'finished', 'reminder'"

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "delivery_count",
        sa.Column("sent_day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("step_id", BIG, autoincrement=False, nullable=False),
        sa.Column("text_slug", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("skip_reason", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=24), nullable=False),
        sa.Column("emails", BIG, nullable=False),
        sa.Column("sent_again", BIG, nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_delivery_count_kind")),
        sa.CheckConstraint(f"status IN ({STATES})", name=op.f("ck_delivery_count_status")),
        sa.PrimaryKeyConstraint(
            "sent_day",
            "due_day",
            "kind",
            "step_id",
            "text_slug",
            "status",
            "skip_reason",
            "provider",
            name=op.f("pk_delivery_count"),
        ),
    )
    op.create_index("ix_delivery_count_step_id", "delivery_count", ["step_id"])
    op.create_table(
        "roll_up",
        sa.Column("id", BIG, nullable=False),
        sa.Column("after_id", BIG, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_up")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("roll_up")
    op.drop_table("delivery_count")
