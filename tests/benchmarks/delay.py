"""A TCP proxy that delays: what a server on another continent looks like.

``python -m tests.benchmarks.delay PORT SECONDS`` listens on a free port of loopback, prints it,
and passes everything on to and from PORT, so many seconds late in each direction, however much
it is. It is a process of its own, so that it takes no time from the server's interpreter.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 1 << 18
"""Bytes read at once."""


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await late.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)

    task = asyncio.create_task(deliver())
    try:
        while data := await reader.read(PIECE):
            late.put_nowait((loop.time() + seconds, data))
    except ConnectionError:
        pass
    late.put_nowait((loop.time() + seconds, b""))
    await task


async def serve(port: int, seconds: float) -> None:
    """Proxy for ever."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port, limit=PIECE)
        await asyncio.gather(_pass_on(reader, forth, seconds), _pass_on(back, writer, seconds))

    server = await asyncio.start_server(connect, "127.0.0.1", 0, limit=PIECE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def delayed(port: int, round_trip: float) -> Iterator[int]:
    """The port under which `port` is reached with so many seconds of round trip more."""
    command = [sys.executable, "-m", "tests.benchmarks.delay", str(port), str(round_trip / 2)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            assert proxy.stdout is not None
            yield int(proxy.stdout.readline())
        finally:
            proxy.terminate()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
