"""How long a claim of a thousand takes while the ledger grows: 10^4 to 10^7 rows, PostgreSQL.

    python -m benchmarks.claims [LARGEST]

Rows that are due together lie together, as the planner writes them; then the same with the due rows scattered over
the whole table. Each figure is the median of nine claims, each rolled back.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import timedelta

from sqlalchemy import Engine, text

from benchmarks import world
from leadmagnet import store
from leadmagnet.clock import real_now

DUE_ROWS = 10_000
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'delivery' AND indexname NOT LIKE 'pk%'"
FILL = """
INSERT INTO delivery (id, public_id, subscriber_id, step_id, kind, text_slug, reason, lane, status, skip_reason,
                      created_at, due_at, closes_at, day, attempts, sent_at, provider, provider_id, detail, resent)
SELECT n, 'f' || n, 1, :step, 'video', '', '', 1,
       CASE WHEN {is_due} THEN 'due' ELSE 'sent' END, '', :past, CASE WHEN {is_due} THEN :due ELSE :past END,
       NULL, NULL, 0, :past, 'sendgrid', '', '', 0
FROM generate_series(1, :rows) n
"""


def fill(engine: Engine, rows: int, *, scattered: bool) -> None:
    """Fill the ledger with `rows`, of which ten thousand are due: the last ones, or some all over."""
    is_due = f"n % {max(1, rows // DUE_ROWS)} = 0" if scattered else f"n > {rows - DUE_ROWS}"
    values = {"rows": rows, "past": world.DUE - timedelta(days=30), "due": world.DUE, "step": 1}
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE delivery CASCADE"))
        # Without indexes while it fills: ten million rows would take an hour.
        found = connection.execute(text(INDEXES)).all()
        connection.execute(text("ALTER TABLE delivery DROP CONSTRAINT IF EXISTS uq_delivery_public_id"))
        for name, _ in found:
            connection.execute(text(f'DROP INDEX IF EXISTS "{name}"'))
        connection.execute(text(FILL.format(is_due=is_due)), values)
        for _, definition in found:
            connection.execute(text(definition))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE delivery")


def claim_ms(engine: Engine) -> list[float]:
    """Return the milliseconds of nine claims of a thousand, each undone."""
    found = []
    for _ in range(10):
        with store.writing(engine, durable=False) as session:
            now = real_now()
            begun = time.perf_counter()
            ids = store.claims.claim(
                session,
                now=world.DUE + timedelta(minutes=1),
                real_now=now,
                lease_until=now + timedelta(minutes=2),
                claim_id="bench",
                lane=1,
                limit=1000,
            )
            found.append((time.perf_counter() - begun) * 1000)
            assert len(ids) == 1000
            session.rollback()
    return found[1:]


def main(largest: int) -> None:
    """Measure and print."""
    print("\n| ledger rows | due rows together | spread | scattered | spread |")
    print("| --- | --- | --- | --- | --- |")
    with world.database("postgres") as (url, _):
        engine = store.connect(url)
        world.seed(engine, 1)
        with engine.begin() as connection:
            for name in ("subscriber_id_subscriber", "step_id_step", "enrollment_id_enrollment"):
                connection.execute(text(f"ALTER TABLE delivery DROP CONSTRAINT fk_delivery_{name}"))
        rows = 20_000
        while rows <= largest:
            cells = []
            for scattered in (False, True):
                fill(engine, rows, scattered=scattered)
                times = claim_ms(engine)
                cells += [f"{statistics.median(times):.1f} ms", f"{min(times):.1f} - {max(times):.1f}"]
            print(f"| {rows:,} | {' | '.join(cells)} |", flush=True)
            rows = 100_000 if rows == 20_000 else rows * 10
        engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
