"""A tunnel to a viewer that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import viewer


class Tunnel:
    """Passes bytes on to a server until it is cut."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready: queue.Queue[int] = queue.Queue()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        self.port = self._ready.get(timeout=30)

    def cut(self) -> None:
        """Break all connections."""
        self._loop.call_soon_threadsafe(self._cut)

    def shut(self) -> None:
        """Break all connections, and let nobody pass until `open`."""
        self._loop.call_soon_threadsafe(self._passable.clear)
        self.cut()

    def open(self) -> None:
        """Let everybody pass again."""
        self._loop.call_soon_threadsafe(self._passable.set)

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _run(self) -> None:
        self._over, self._passable = asyncio.Event(), asyncio.Event()
        self._passable.set()
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self._ready.put(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passable.wait()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, far_writer}

        async def copy(a: asyncio.StreamReader, b: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while part := await a.read(65536):
                    b.write(part)
                    await b.drain()
            b.transport.abort()

        try:
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}


@contextmanager
def tunnel_to(v: viewer.Viewer) -> Iterator[tuple[Tunnel, str]]:
    """A tunnel to a viewer, and its address there."""
    head, tail = v.url.split("/v/")
    tunnel = Tunnel(int(head.rpartition(":")[2]))
    try:
        yield tunnel, f"http://127.0.0.1:{tunnel.port}/v/{tail}"
    finally:
        tunnel.close()
