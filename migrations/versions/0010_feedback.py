"""Batches of events as they come, what came back of what was sent, mailboxes that are full or away.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the mark on people whose mailbox does not take anything."""
    op.create_table(
        "event_batch",
        sa.Column("id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=24), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_batch")),
    )
    op.create_table(
        "outcome_count",
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("slot", "what", name=op.f("pk_outcome_count")),
    )
    op.create_table(
        "brake_release",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brake_release")),
    )
    op.add_column("subscriber", sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True))
    marked = sa.text("unreachable_at IS NOT NULL")
    op.create_index("ix_subscriber_unreachable", "subscriber", ["id"], sqlite_where=marked, postgresql_where=marked)


def downgrade() -> None:
    """Drop them. The program before knows no such mark: who was marked is written to again.

    Events that were not taken in yet are lost; a provider sends what it got no answer for again, and these it got one.
    """
    op.execute(
        "UPDATE enrollment SET wants_plan = true WHERE id IN "
        "(SELECT enrollment_id FROM delivery WHERE status = 'due' AND held = 'unreachable')"
    )
    op.drop_index("ix_subscriber_unreachable", table_name="subscriber")
    # In place: rebuilding the table would delete what hangs on its rows.
    op.execute("ALTER TABLE subscriber DROP COLUMN unreachable_at")
    op.drop_table("brake_release")
    op.drop_table("outcome_count")
    op.drop_table("event_batch")
