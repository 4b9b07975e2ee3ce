"""A siege on a PostgreSQL database of its own: python -m tests.crash.on_postgres sendgrid|smtp PEOPLE KILLS [SEED]."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

from sqlalchemy import create_engine, text

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def main() -> None:
    transport, *counts = sys.argv[1:]
    name = f"lm_siege_{os.getpid()}_{secrets.token_hex(3)}"
    admin = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = f"{SERVER.rpartition('/')[0]}/{name}"
    try:
        done = subprocess.run([sys.executable, "-m", "tests.crash.siege", transport, url, *counts], check=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
