"""Who waits to write to a SQLite file gets in when it is free for a moment, however long it has waited."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from leadmagnet import store


def test_a_short_gap_is_enough(tmp_path: Path) -> None:
    """SQLite's own waiting would look every 100 ms by then, and hardly ever meet a gap of 30."""
    engine = store.connect(f"sqlite:///{tmp_path / 'busy.db'}")
    turns, over = [0], threading.Event()
    held = threading.Event()

    def hold() -> None:
        while not over.is_set():
            with store.writing(engine) as session:
                session.connection()
                turns[0] += 1
                held.set()
                time.sleep(0.25)
            time.sleep(0.03)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        waited = []
        for _ in range(4):
            held.clear()
            assert held.wait(5)
            before = turns[0]
            with store.writing(engine) as session:
                session.connection()  # where the transaction begins
                waited.append(turns[0] - before)
    finally:
        over.set()
        holder.join()
        engine.dispose()
    assert sum(waited) <= 2, "each in the next gap, or nearly"
