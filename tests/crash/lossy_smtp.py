"""An SMTP server with a bad line, as a process of its own: it cuts connections before and after taking a letter.

    python -m tests.crash.lossy_smtp PORT SEED RECORD

At SIGTERM it writes RECORD: for each delivery id, the Message-IDs under which it was taken.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import sys
from collections import defaultdict
from pathlib import Path

CUT_BEFORE, CUT_AFTER, LATER = 0.002, 0.004, 0.01
_HEADER = re.compile(rb"^(X-Leadmagnet-Delivery|Message-ID): (.*?)\r\n", re.MULTILINE)


class Server:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: defaultdict[str, list[str]] = defaultdict(list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 here\r\n")
            while line := await reader.readline():
                verb = line.split(b" ")[0].strip().upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    if not await self.data(reader, writer):
                        return
                elif verb == b"EHLO":
                    writer.write(b"250-here\r\n250-PIPELINING\r\n250 SIZE 10000000\r\n")
                else:
                    writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a worker was killed: what was not whole was not taken
        finally:
            writer.close()

    async def data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one message; False where the line is cut."""
        raw = await reader.readuntil(b"\r\n.\r\n")
        luck = self.chance.random()
        if luck < CUT_BEFORE:
            return False
        if luck < CUT_BEFORE + LATER:
            writer.write(b"451 4.3.2 later\r\n")
            return True
        found = {
            name.decode(): value.decode() for name, value in _HEADER.findall(raw.partition(b"\r\n\r\n")[0] + b"\r\n")
        }
        self.taken[found["X-Leadmagnet-Delivery"]].append(found["Message-ID"])
        if luck < CUT_BEFORE + LATER + CUT_AFTER:
            return False
        writer.write(b"250 2.0.0 taken\r\n")
        return True


async def main(port: int, seed: int, record: Path) -> None:
    server, over = Server(seed), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", port, limit=10_000_000)
    await over.wait()
    record.write_text(json.dumps(server.taken), encoding="utf-8")
    listening.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
