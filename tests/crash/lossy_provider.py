"""A provider with SendGrid's face and a bad line, as a process of its own: so that killing workers cannot touch it.

    python -m tests.crash.lossy_provider PORT SEED RECORD

It takes requests, cuts some connections before and some after it has taken the letters, answers 500 and 429 now and
then. `GET /events` gives, once, a batch of events of letters taken since, some of them twice and none in order. `PUT
/mood` with "well", "down" or "busy" changes how it is. At SIGTERM it writes RECORD: for each delivery id, the
Message-IDs under which it was taken.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

CUT_BEFORE, CUT_AFTER, BROKEN, BUSY = 0.03, 0.06, 0.03, 0.03


class Provider:
    """What was taken, and what is still to be told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: defaultdict[str, list[str]] = defaultdict(list)
        self.untold: list[dict[str, Any]] = []
        self.serial = 0
        self.mood = "bad line"

    def take(self, body: dict[str, Any]) -> None:
        for one in body["personalizations"]:
            name = one["custom_args"]["lm_delivery"]
            self.taken[name].append(one["headers"]["Message-ID"])
            for kind in ("processed", "delivered"):
                self.serial += 1
                self.untold.append(
                    {"event": kind, "sg_event_id": f"e{self.serial}", "lm_delivery": name, "timestamp": 1_770_000_000}
                )

    def events(self) -> list[dict[str, Any]]:
        told, self.untold = self.untold, []
        told += self.chance.sample(told, len(told) // 10)
        self.chance.shuffle(told)
        return told

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Return status and body; None to cut the connection."""
        if method == "GET":
            return (200, json.dumps(self.events()).encode()) if path == "/events" else (404, b"")
        if method == "PUT":
            self.mood = body.decode()
            return 200, b""
        if self.mood == "down":
            return 503, b""
        if self.mood == "busy":
            return 429, b""
        luck = 1.0 if self.mood == "well" else self.chance.random()
        if (luck := luck - CUT_BEFORE) < 0:
            return None
        if (luck := luck - BROKEN) < 0:
            return 500, b""
        if (luck := luck - BUSY) < 0:
            return 429, b""
        self.take(json.loads(body))
        return None if luck < CUT_AFTER else (202, b"")


async def serve(provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, *_ = head.split(" ")
        lines = head.lower().split("\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        # The letters are taken when the request is whole; a worker may be killed before the answer leaves.
        answer = provider.answer(method, path, body)
        await asyncio.sleep(provider.chance.uniform(0, 0.02))
        if answer is not None:
            status, words = answer
            head = (
                f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(words)}\r\nX-Message-Id: m\r\n\r\n"
            )
            writer.write(head.encode() + words)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # a worker was killed in the middle of its request: nothing was taken
    finally:
        writer.close()


async def main(port: int, seed: int, record: Path) -> None:
    provider, over = Provider(seed), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    server = await asyncio.start_server(
        lambda reader, writer: serve(provider, reader, writer), "127.0.0.1", port, limit=64_000_000
    )
    await over.wait()
    record.write_text(json.dumps(provider.taken), encoding="utf-8")
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
