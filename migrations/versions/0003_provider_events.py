"""Events of the providers.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SIGNALS = (
    "'accepted', 'deferred', 'delivered', 'bounced_hard', 'bounced_soft', 'blocked', 'dropped', 'dropped_bounced', "
    "'dropped_unsubscribed', 'dropped_complained', 'complained', 'unsubscribed', 'opened_machine', 'opened_unknown', "
    "'opened_human', 'clicked', 'other'"
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "provider_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("provider", sa.String(length=24), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("signal", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("raw", sa.String(), nullable=False),
        sa.CheckConstraint(f"signal IN ({SIGNALS})", name=op.f("ck_provider_event_signal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_provider_event_event_id")),
    )
    waiting = sa.text("applied_at IS NULL")
    op.create_index(
        "ix_provider_event_waiting", "provider_event", ["id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_provider_event_public_id", "provider_event", ["public_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("provider_event")
