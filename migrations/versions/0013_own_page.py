"""Fresh links for the own page, two more kinds of email that carry them, and a pace of one's own.

Going down forgets who asked for what, and everybody's pace; emails of the two kinds leave the ledger.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "'confirmation', 'already_subscribed', 'video', 'finished', 'reminder'"
NEW = "'fresh_link', 'new_address'"
PACES = "'faster', 'usual', 'slower'"
LEDGERS = ("delivery", "delivery_count")

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column, and let the ledger hold the new kinds."""
    op.create_table(
        "fresh_link",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("opens", sa.String(length=16), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.String(length=32), nullable=False),
        sa.Column("void_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_email", sa.String(length=320), nullable=False),
        sa.Column("new_canonical", sa.String(length=320), nullable=False),
        sa.CheckConstraint("opens IN ('data', 'erase', 'address', 'new_address')", name=op.f("ck_fresh_link_opens")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_fresh_link_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fresh_link")),
        sa.UniqueConstraint("public_id", name=op.f("uq_fresh_link_public_id")),
    )
    op.create_index("ix_fresh_link_subscriber_id", "fresh_link", ["subscriber_id"])
    op.create_index("ix_fresh_link_asked_at", "fresh_link", ["asked_at"])
    for table in LEDGERS:
        _kinds(table, f"{BEFORE}, {NEW}")
    # In one statement, as SQLite takes it, too: it need not make the table anew for a column.
    op.execute(
        "ALTER TABLE subscriber ADD COLUMN pace VARCHAR(8) DEFAULT 'usual' NOT NULL "
        f"CONSTRAINT ck_subscriber_pace CHECK (pace IN ({PACES}))"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("fresh_link")
    for table in LEDGERS:
        op.execute(f"DELETE FROM {table} WHERE kind IN ({NEW})")  # noqa: S608 (our own words)
        _kinds(table, BEFORE)
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_subscriber_pace"), type_="check")
        batch_op.drop_column("pace")
    # Their emails may have been dated by a pace of their own.
    op.execute("UPDATE enrollment SET wants_plan = true WHERE status = 'active'")


def _kinds(table: str, kinds: str) -> None:
    """Let a ledger hold these kinds of email."""
    name, rule = op.f(f"ck_{table}_kind"), f"kind IN ({kinds})"
    if op.get_bind().dialect.name == "postgresql":
        # One reading of the ledger.
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({rule})")
        return
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, rule)
