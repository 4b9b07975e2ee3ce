"""Emails a second, end to end, beside two peers that send the very same letters: one table, one run.

    python -m benchmarks.compare [ROUNDS]        (`make bench-peers`; it makes .venv-peers)

The letters are those our program writes for video 2. All keep their queue and what was sent in a database and talk to
Postfix's smtp-sink, which counts: an email too few ends the run. They take turns, so that a noisy neighbour hits all of
them. Ours plans everybody's next email within that time; the peers have nothing of the kind, and do not.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from email.utils import formataddr
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from benchmarks import path, world
from benchmarks.smtp import PATH, sink
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.mail import Composer
from leadmagnet.tick import tick

PEERS = Path(".venv-peers/bin/python")
#: Emails a measurement: each takes some seconds.
OURS, POST_OFFICE, DRIP, SOURCE = 10_000, 1_500, 400, 10_000
#: Way -> which of ours takes as many processes, where it is not the single worker.
MATCH = {"post_office, 2 processes": "ours, 2 workers"}
CEILING = "-", "smtp-source, 4 sessions"


@dataclass
class Recorder:
    """A mailer that takes everything and keeps the batches."""

    name: str = "recorder"
    batch_size: int = 1000
    has_evidence: bool = False
    batches: list[Batch] = field(default_factory=list)

    def send(self, batch: Batch) -> list[Result]:
        self.batches.append(batch)
        return [Result(one.delivery_id, Outcome.SENT, self.name) for one in batch.letters]

    def taken(self, delivery_id: str) -> bool | None:
        return None

    def close(self) -> None: ...


def our_letters(count: int) -> list[Batch]:
    """Return what our program hands to a mailer when so many people are due video 2."""
    with world.database("sqlite") as (url, folder):
        engine = store.connect(url)
        world.seed(engine, count)
        recorder = Recorder()
        config = world.settings(url, folder, mail_transport=("outbox",))
        services = replace(parts.build(config), clock=world.Clock(), mailer=recorder)
        tick(services, services.clock.now)
        services.engine.dispose()
        engine.dispose()
    assert {batch.content for batch in recorder.batches} == {recorder.batches[0].content}
    return recorder.batches


def job(batches: list[Batch], count: int) -> dict[str, object]:
    """Return `count` of the letters as the peers read them."""
    first = batches[0]
    letters = [
        {
            "to": formataddr((one.to_name, one.to_email)),
            "address": one.to_email,
            "values": dict(one.values),
            "headers": dict(one.headers) | {"Reply-To": first.reply_to},
        }
        for batch in batches
        for one in batch.letters
    ]
    assert len(letters) >= count
    sender = {"from_email": first.from_email, "from_name": first.from_name}
    sender["sender"] = formataddr((first.from_name, first.from_email))
    return asdict(first.content) | sender | {"letters": letters[:count]}


@contextlib.contextmanager
def counting_sink(expected: int) -> Iterator[int]:
    """Run smtp-sink and give its port; fail unless it was given so many emails."""
    with tempfile.TemporaryFile() as counted:
        with sink("-c", output=counted) as port:
            yield port
        counted.seek(0)
        # It writes its counts over and over: sess=3 quit=1 mesg=400
        found = int((re.findall(rb"mesg=(\d+)", counted.read()) or [0])[-1])
    if found != expected:
        raise SystemExit(f"the sink was given {found} emails, not {expected}")


def ours(kind: str, people: int, workers: int) -> float:
    """Return emails a second of so many workers of ours, each a process; fail unless the ledger adds up."""
    with counting_sink(people) as port:
        return path.ours(kind, "smtp", f"smtp://127.0.0.1:{port}", people, workers)[0]


def peer(kind: str, name: str, letters: Path, count: int, processes: int = 1) -> float:
    """Return emails a second of a peer; it looks itself whether its rows say so."""
    with world.database(kind) as (url, _), counting_sink(count) as port:
        command = [str(PEERS), "-m", "benchmarks.peers", name, url, str(port), str(letters), str(processes)]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert said["emails"] == count, said
    return said["per_second"]


def source(count: int, size: int) -> float:
    """Return messages a second of Postfix's own load generator over four connections; `size` is in bytes."""
    program = shutil.which("smtp-source", path=PATH) or "smtp-source"
    with counting_sink(count) as port:
        command = [program, "-d", "-s", "4", "-l", str(size), "-m", str(count), f"127.0.0.1:{port}"]
        return path.measure(count, lambda: subprocess.run(command, check=True))


Way = Callable[[], float]


def ways_on(kind: str, whole: Path, short: Path) -> dict[str, Way]:
    """Return the ways on a kind of database: name -> what measures it. `whole` and `short` hold letters."""
    return {
        "ours, 1 worker": lambda: ours(kind, OURS, 1),
        "ours, 2 workers": lambda: ours(kind, OURS, 2),
        "post_office, 1 process": lambda: peer(kind, "post-office", whole, POST_OFFICE),
        "post_office, 2 processes": lambda: peer(kind, "post-office", whole, POST_OFFICE, 2),
        "drip-campaigns": lambda: peer(kind, "drip", short, DRIP),
        "drip-campaigns, connection kept": lambda: peer(kind, "drip-kept", short, DRIP),
    }


def kinds() -> list[str]:
    """Return the databases there are; say which one is not."""
    engine = create_engine(world.POSTGRES)
    try:
        engine.connect().close()
    except OperationalError:
        print("PostgreSQL (TEST_POSTGRES_URL) does not answer: SQLite only")
        return ["sqlite"]
    finally:
        engine.dispose()
    return ["sqlite", "postgres"]


def measure(rounds: int, ways: dict[tuple[str, str], Way]) -> dict[tuple[str, str], list[float]]:
    """Return each way's rates, one a round; the ways take turns."""
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in ways}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for key, way in ways.items():
            rates[key].append(way())
    return rates


def spread(found: list[float], form: str) -> str:
    """Return the median and, in brackets, the least and the most."""
    return f"{statistics.median(found):{form}} ({min(found):{form}} - {max(found):{form}})"


def table(rates: dict[tuple[str, str], list[float]]) -> None:
    """Print the rates; multiples are taken within a round, where all had the same machine."""
    print("| way | database | emails a second | ours, as many processes, is so many times that | of smtp-source |")
    print("| --- | --- | --- | --- | --- |")
    for (kind, name), found in rates.items():
        share = statistics.median(mine / most for mine, most in zip(found, rates[CEILING], strict=True))
        times = ""
        if kind != "-" and not name.startswith("ours"):
            own = rates[kind, MATCH.get(name, "ours, 1 worker")]
            times = spread([mine / theirs for mine, theirs in zip(own, found, strict=True)], ".1f")
        print(f"| {name} | {kind} | {spread(found, ',.0f')} | {times} | {share:.2f} |")


def heading(rounds: int, batches: list[Batch], size: int) -> str:
    """Return what one must know to read the figures."""
    content = batches[0].content
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    packages = "django", "django-post-office", "django-drip-campaigns", "psycopg"
    ask = f"from importlib.metadata import version; print(*[n + ' ' + version(n) for n in {packages}], sep=', ')"
    versions = subprocess.run([PEERS, "-c", ask], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return (
        f"HTML {len(content.html):,} and text {len(content.text):,} characters, {len(content.slots())} values; "
        f"{size:,} bytes as we send it\n"
        f"{rounds} rounds: ours {OURS:,} emails each, post_office {POST_OFFICE:,}, drip-campaigns {DRIP:,}\n"
        f"{os.cpu_count()} cores, load before {load}; Python {platform.python_version()}, {versions}\n"
    )


def main(rounds: int) -> None:
    """Measure and print."""
    if not PEERS.exists():
        raise SystemExit(f"{PEERS} is missing: `make bench-peers` makes it")
    batches = our_letters(POST_OFFICE)
    size = len(Composer(batches[0]).message(batches[0].letters[0]))
    print(heading(rounds, batches, size), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        whole, short = Path(folder, "whole.json"), Path(folder, "short.json")
        whole.write_text(json.dumps(job(batches, POST_OFFICE)))
        short.write_text(json.dumps(job(batches, DRIP)))
        ways = {(kind, name): way for kind in kinds() for name, way in ways_on(kind, whole, short).items()}
        ways[CEILING] = lambda: source(SOURCE, size)
        rates = measure(rounds, ways)
    table(rates)
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"\nload after {load}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
