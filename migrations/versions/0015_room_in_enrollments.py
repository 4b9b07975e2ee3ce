"""Room in the pages of enrollments.

Each email moves its enrollment on. Where the page has room, PostgreSQL writes the new version beside the old one and
touches none of the table's indexes.

Revision ID: 0015
Revises: 0008
"""

from alembic import op

revision = "0015"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave room."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE enrollment SET (fillfactor = 70)")


def downgrade() -> None:
    """Fill pages to the end again."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE enrollment RESET (fillfactor)")
