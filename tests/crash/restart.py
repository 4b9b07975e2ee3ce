"""The database is stopped and started again in the middle of a drain: in order, and by a crash of its own.

    python -m tests.crash.restart PEOPLE RESTARTS

on a PostgreSQL cluster of its own. Two workers go on, one of them the program's own process; prints what happened and
exits with 1 where anything was lost or sent twice. The suite runs a short one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from leadmagnet import store
from leadmagnet.store.deliveries import Delivery
from tests.crash.cluster import Cluster, programs
from tests.crash.siege import ROOT, Outcome, Siege

#: How long it stays away (seconds).
AWAY = 1.0


def sent(siege: Siege) -> int:
    done = Delivery.step_id == siege.step, Delivery.status.in_(("sent", "delivered"))
    with store.reading(siege.engine) as session:
        return session.scalar(select(func.count()).where(*done)) or 0


def endure(
    cluster: Cluster, folder: Path, people: int, restarts: int, *, batch: int, seed: int = 5
) -> tuple[Outcome, list[int]]:
    """Drain while the database is restarted so many times; return what is left, and how many were sent at each."""
    siege = Siege("sendgrid", cluster.url, folder, people, seed, batch)
    siege.request("/mood", "PUT", b"well")
    # So that a drain takes some seconds, and each restart finds it in the middle.
    siege.settings["SEND_RATE"] = str(max(80, people // 40))
    began, seen = time.monotonic(), []
    command = [sys.executable, "-m", "leadmagnet.worker", "--threads", "1"]
    with (folder / "workers.log").open("ab") as log:
        own = subprocess.Popen(command, cwd=ROOT, env=siege.environ(), stdout=log, stderr=log)
    siege.workers.append((own, "never"))
    siege.start("never")

    def meanwhile() -> None:
        if len(seen) < restarts and (now := sent(siege)) >= people * (len(seen) + 1) // (restarts + 2):
            seen.append(now)
            cluster.stop("immediate" if len(seen) % 2 else "fast")
            time.sleep(AWAY)
            cluster.start()
        siege.tell()
        siege.bury()  # raises where one has died: a restart is no reason to

    try:
        return siege.outlast(began, 600, meanwhile), seen
    finally:
        siege.close()


def main() -> None:
    people, restarts = int(sys.argv[1]), int(sys.argv[2])
    bin_folder = programs()
    if bin_folder is None:
        sys.exit("initdb was not found")
    cluster = Cluster(bin_folder)
    try:
        cluster.start()
        with tempfile.TemporaryDirectory() as folder:
            out, seen = endure(cluster, Path(folder), people, restarts, batch=max(20, people // 100))
    finally:
        cluster.remove()
    print(f"{people} deliveries, restarts after {seen} were sent,", out.words(), flush=True)
    sys.exit(bool(out.lost or out.unplanned or out.twice or out.renamed or len(seen) < restarts))


if __name__ == "__main__":
    main()
