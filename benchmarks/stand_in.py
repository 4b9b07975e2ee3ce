"""A provider that does as little as possible: reads a request to its end, counts its letters, and answers 202.

    python -m benchmarks.stand_in PORT SECONDS_BEFORE_THE_ANSWER

`GET /count` tells how many letters came. It keeps nothing, so that its share of the machine is small and the same for
every way that is measured; what the provider's rules are is a matter of the tests.
"""

from __future__ import annotations

import asyncio
import sys


class Provider:
    """The count, and the answers."""

    def __init__(self, delay: float) -> None:
        self.delay, self.letters = delay, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until it is closed."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                if head.startswith(b"GET /count"):
                    answer = b"%d" % self.letters
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
                else:
                    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
                    body = await reader.readexactly(length)
                    if self.delay:
                        await asyncio.sleep(self.delay)
                    self.letters += max(1, body.count(b'"lm_delivery"'))
                    writer.write(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: bench\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                if b"connection: close" in lines:
                    break
        except asyncio.IncompleteReadError:
            pass  # the client has closed: that is how a connection ends
        finally:
            writer.close()


async def main(port: int, delay: float) -> None:
    """Serve until the process is stopped."""
    provider = Provider(delay)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", port, limit=64_000_000, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
