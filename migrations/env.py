"""Alembic's entry. The connection is handed over by leadmagnet/cli/database.py; migrations never read settings."""

from alembic import context

from leadmagnet.store import Base
from leadmagnet.web.marketing import accounts  # its tables join the metadata

assert accounts  # noqa: S101 (imported for what it declares)


def run() -> None:
    """Run migrations on the connection that was handed over."""
    connection = context.config.attributes["connection"]
    if connection.dialect.name == "postgresql":
        # Better to fail and be tried again than to queue every sign-up behind a lock.
        connection.exec_driver_sql("SET lock_timeout = '5s'")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
