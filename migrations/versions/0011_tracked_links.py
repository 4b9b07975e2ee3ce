"""Links of emails, their follows, and who may be counted. Nobody who is there already was told of it, so nobody is.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AGENTS = "'browser', 'scanner', 'tool', 'none'"
MACHINES = "'', 'head', 'agent', 'prefetch', 'soon', 'at_once'"

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    for table in ("subscriber", "sign_up"):
        op.add_column(table, sa.Column("track_links", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "link",
        sa.Column("id", BIG, nullable=False),
        sa.Column("revision_id", BIG, nullable=True),
        sa.Column("text_slug", sa.String(length=64), nullable=True),
        sa.Column("text_revision", BIG, nullable=True),
        sa.Column("number", BIG, nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["step_revision.id"], name=op.f("fk_link_revision_id_step_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("revision_id", "number", name=op.f("uq_link_revision_id_number")),
        sa.UniqueConstraint(
            "text_slug", "text_revision", "number", name=op.f("uq_link_text_slug_text_revision_number")
        ),
    )
    op.create_table(
        "link_click",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("delivery_id", BIG, nullable=True),
        sa.Column("link_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("real_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("agent", sa.String(length=16), nullable=False),
        sa.Column("ahead", sa.Boolean(), nullable=False),
        sa.Column("machine", sa.String(length=16), nullable=False),
        sa.Column("looked_again", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f"agent IN ({AGENTS})", name=op.f("ck_link_click_agent")),
        sa.CheckConstraint(f"machine IN ({MACHINES})", name=op.f("ck_link_click_machine")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_link_click_delivery_id_delivery"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_click_link_id_link")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_link_click_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_click")),
    )
    for column in ("delivery_id", "subscriber_id", "link_id"):
        op.create_index(f"ix_link_click_{column}", "link_click", [column])
    waiting = sa.text("looked_again = false")
    op.create_index("ix_link_click_waiting", "link_click", ["real_at"], sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    """Drop them: links of emails that are out lead nowhere then."""
    op.drop_table("link_click")
    op.drop_table("link")
    for table in ("sign_up", "subscriber"):
        op.drop_column(table, "track_links")
