"""What may go out to a domain, where a rate by domain is set; and indexes for the lists of failed and held emails.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

#: SQLite counts ids up by itself only for INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_delivery_failed": ("id", "status = 'failed'"),
    "ix_delivery_held": ("id", "status = 'due' AND held IS NOT NULL"),
    "ix_delivery_resent": ("due_at", "resent > 0"),
}


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "domain_pace",
        sa.Column("id", BIG, nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_lane", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_pace")),
        sa.UniqueConstraint("domain", name=op.f("uq_domain_pace_domain")),
    )
    for name, (column, where) in INDEXES.items():
        rows = sa.text(where)
        op.create_index(name, "delivery", [column], sqlite_where=rows, postgresql_where=rows)


def downgrade() -> None:
    """Drop them. The program before knows two lanes."""
    for name in INDEXES:
        op.drop_index(name, "delivery")
    op.execute("UPDATE delivery SET lane = lane % 2 WHERE status = 'due' AND lane > 1")
    op.drop_table("domain_pace")
