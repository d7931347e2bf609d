"""The chunks' door: ``layers/<id>/<level>/c/…``, answered as fast as Python can.

A program that reads a volume asks for thousands of chunks, so what Tornado spends on routing, on a
handler and on headers would be most of the time. Behind the gate, which treats chunks like all
else, this stands in the place of a handler:

```
 gate → ChunkRequest ─┬─ the client has this generation ─────────────────────→ 304
                      ├─ decoded, in memory: copied here, on the loop ───────→ 200, one write
                      ├─ decoded, to be read or made: by a worker ───────────→ 200, one write
                      └─ compressed, or stored by the source and handed on
                         as it is: out of `Mount.encoded`, or by a worker ───→ 200, or 404 for
                                                                               a chunk not stored
```

Voxels are copied once, from the array to where they are sent from: the response's head is written
into the room before them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine

from viewer import chunks
from viewer.errors import CancelledError, ViewerError, http_status
from viewer.pyramid import Pyramid
from viewer.server.coding import SMALLEST, choose_coding, encode
from viewer.server.handler import SOURCE_STATUS, matches
from viewer.server.headers import CommonHeaders
from viewer.server.logs import log_answer, log_bug
from viewer.server.mount import Encoded, Mount
from viewer.server.refusal import Refusal, send_refusal
from viewer.server.workers import Job, Work

HEAD_ROOM = 2048
"""Bytes left free before the voxels; a head takes about half of it."""

_FIELDS = (
    b"Content-Type: application/octet-stream\r\n"
    b"Cache-Control: private, no-cache\r\n"  # keep it, ask whether it is current
    b"Vary: Accept-Encoding, Origin\r\n"
)
_STATUS = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}


class ChunkRequest(HTTPMessageDelegate):
    """One request for a chunk, which the gate has let pass.

    Parameters
    ----------
    connection : HTTP1Connection
        Where the answer goes.
    start_line, headers
        The request's, without the token.
    mount : Mount
        The Viewer.
    arguments : list of str
        Layer, level and key, as in the path.
    common : CommonHeaders
        The headers of every response to this client.
    """

    def __init__(
        self,
        connection: HTTP1Connection,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
        mount: Mount,
        arguments: list[str],
        common: CommonHeaders,
    ) -> None:
        self._connection = connection
        self._start_line = start_line
        self._headers = headers
        self._mount = mount
        self._layer, level, self._key = arguments
        self._level = int(level)
        self._common = common
        self._etag = b""
        self._begun = time.monotonic()
        self._job: Job[Any] | None = None
        self._task: asyncio.Task[None] | None = None

    def finish(self) -> None:
        """The request is complete: answer it."""
        try:
            self._answer()
        except ViewerError as error:
            self._fail(error)
        except Exception as error:
            self._break(error)

    def on_connection_close(self) -> None:
        """The client has gone before it had its answer."""
        if self._job is not None:
            self._mount.withdraw(self._job)

    def _answer(self) -> None:
        """Answer, or have a worker find out what.

        Synchronous, so that no frame of a waiting request holds the layer: the work itself does,
        and is dropped with it.
        """
        level, policy = self._level, self._mount.policy
        pyramid = self._mount.served.layer(self._layer).pyramid
        grid = chunks.grid_of(pyramid, level)
        index = chunks.parse_key(self._key, grid)
        box = grid.box(index)
        generation = pyramid.generation_of(level, box)
        etag = f'W/"{generation}"'
        self._etag = b"ETag: %b\r\n" % etag.encode()
        if matches(self._headers.get("If-None-Match"), etag):
            self._send(304)
            return
        coding = ""
        if grid.storage is None and grid.nbytes >= SMALLEST:
            coding = self._coding()
        if grid.storage is not None or coding:
            key = (self._layer, level, index, generation, coding)
            known = self._mount.encoded.peek(key)
            if known is not None:
                self._send_encoded(known)
            else:
                self._work(_encoding(self._mount, key, pyramid), self._send_encoded)
        elif self._start_line.method == "HEAD":
            self._send(200, length=grid.nbytes)
        else:
            found = None
            if grid.nbytes <= policy.prompt_bytes:
                found = chunks.read_chunk_at_hand(pyramid, level, box, room=HEAD_ROOM)
            if found is not None:
                self._send_voxels(found)
            else:
                self._work(
                    lambda cancelled: chunks.read_chunk(
                        pyramid, level, index, cancelled, room=HEAD_ROOM
                    ),
                    self._send_voxels,
                )

    def _coding(self) -> str:
        accepted = self._headers.get("Accept-Encoding")
        if accepted is None:
            return ""
        address = getattr(self._connection.context, "remote_ip", "")
        return choose_coding(accepted, address, self._mount.policy.compress_loopback)

    def _work(self, work: Work[Any], send: Callable[[Any], None]) -> None:
        """Have a worker do it, and send what comes of it; dropped when the client leaves."""
        if self._gone():  # before Tornado began to watch for it
            return
        self._connection.set_close_callback(self.on_connection_close)
        self._job = self._mount.start(self._layer, work)
        self._task = asyncio.get_running_loop().create_task(self._wait(self._job, send))

    async def _wait(self, job: Job[Any], send: Callable[[Any], None]) -> None:
        try:
            send(await self._mount.finish(job))
        except ViewerError as error:
            self._fail(error)
        except Exception as error:
            self._break(error)
        finally:
            self._job = None

    def _send_voxels(self, buffer: memoryview) -> None:
        head = self._head(200, len(buffer) - HEAD_ROOM)
        start = HEAD_ROOM - len(head)
        if start < 0:  # many hosts are allowed, and named in it
            self._write(200, head + buffer[HEAD_ROOM:])
            return
        buffer[start:HEAD_ROOM] = head
        self._write(200, buffer[start:])

    def _send_encoded(self, encoded: Encoded) -> None:
        if encoded.body is None:
            self._refuse(Refusal(404, "notfound", "This chunk is not stored: it has no voxels."))
            return
        self._send(200, encoded.body, length=len(encoded.body), coding=encoded.coding)

    def _send(self, status: int, body: bytes = b"", *, length: int = 0, coding: str = "") -> None:
        head = self._head(status, length, coding)
        self._write(status, head if self._start_line.method == "HEAD" else head + body)

    def _head(self, status: int, length: int, coding: str = "") -> bytes:
        parts = [_STATUS[status], self._common.head, _FIELDS, self._etag, _date(int(time.time()))]
        if status != 304:
            parts.append(b"Content-Length: %d\r\n" % length)
        if coding:
            parts.append(b"Content-Encoding: %b\r\n" % coding.encode())
        wish = self._headers.get("Connection")
        if wish is not None:
            wish, version = wish.lower(), self._start_line.version
            if wish == "close" or (wish == "keep-alive" and version == "HTTP/1.0"):
                parts.append(b"Connection: %b\r\n" % wish.encode())
        parts.append(b"\r\n")
        return b"".join(parts)

    def _write(self, status: int, response: bytes | memoryview) -> None:
        """Hand over the response; its last bytes leave when the client takes them."""
        if self._gone():
            return
        # Tornado passes on what it gets as it is, unless headers were written through it
        self._connection.write(cast(bytes, response))
        self._connection.finish()
        self._log(status)

    def _fail(self, error: ViewerError) -> None:
        if http_status(error) in SOURCE_STATUS and not self._mount.closed:
            self._mount.report(error, self._layer)
        if not (self._gone() and isinstance(error, CancelledError)):
            self._refuse(Refusal.of(error))

    def _break(self, error: Exception) -> None:
        log_bug(error)
        self._refuse(Refusal.unexpected())

    def _refuse(self, refusal: Refusal) -> None:
        if not self._gone():
            head_only = self._start_line.method == "HEAD"
            send_refusal(self._connection, refusal, self._common, head_only=head_only)
        self._log(refusal.status)

    def _log(self, status: int) -> None:
        seconds = time.monotonic() - self._begun
        log_answer(status, self._start_line.method, self._start_line.path, seconds)

    def _gone(self) -> bool:
        stream = self._connection.stream
        return stream is None or stream.closed()


def _encoding(mount: Mount, key: tuple[Any, ...], pyramid: Pyramid) -> Work[Encoded]:
    """The work of finding a chunk that travels encoded, once for all who ask at the same time."""
    _, level, index, _, coding = key

    def work(cancelled: Callable[[], bool]) -> Encoded:
        def make() -> Encoded:
            if not coding:
                return Encoded(chunks.read_stored_chunk(pyramid, level, index), "")
            voxels = chunks.read_chunk(pyramid, level, index, cancelled)
            return Encoded(encode(voxels, coding, labels=pyramid.kind == "labels"), coding)

        return mount.encoded.get(key, make, cancelled)

    return work


@lru_cache(1)
def _date(second: int) -> bytes:
    return b"Date: %b\r\n" % formatdate(second, usegmt=True).encode()
