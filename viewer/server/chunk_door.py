"""The chunks' door: ``layers/<id>/<level>/c/…``, answered as fast as Python can.

A program that reads a volume asks for thousands of chunks, so what Tornado spends on routing, on a
handler and on headers would be most of the time. Behind the gate, which treats chunks like all
else, they are answered directly:

```
 gate → ChunkRequest ─┬─ the client has this generation ─────────────────────→ 304
                      ├─ decoded, in memory: copied here, on the loop ───────→ 200, one write
                      ├─ decoded, to be read or made: by a worker ───────────→ 200, one write
                      ├─ compressed, or stored by the source and handed on
                      │  as it is: out of `Mount.encoded`, or by a worker ───→ 200, or 404 for
                      │                                                        a chunk not stored
                      └─ to be compressed, small and in memory: here, while
                         this turn of the loop has time for it ──────────────→ 200, one write
```

Voxels are copied once, from the array to where they are sent from: the response's head is written
into the room before them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from viewer import chunks
from viewer.kernels.compression import compress_image
from viewer.pyramids.pyramid import Pyramid
from viewer.server.coding import SMALLEST, encode, is_quick
from viewer.server.direct import DirectRequest
from viewer.server.mount import Encoded, Mount
from viewer.server.refusal import Refusal
from viewer.server.responses import matches
from viewer.server.workers import Work

HEAD_ROOM = 2048
"""Bytes left free before the voxels; a head takes about half of it."""

_FIELDS = (
    b"Content-Type: application/octet-stream\r\n"
    b"Cache-Control: private, no-cache\r\n"  # keep it, ask whether it is current
    b"Vary: Accept-Encoding, Origin\r\n"
)


class ChunkRequest(DirectRequest):
    """One request for a chunk; its arguments are layer, level and key, as in the path."""

    gives_data = True
    _fields = b""

    def answer(self) -> None:
        self.layer_id, number, key = self.arguments
        level, policy = int(number), self.mount.policy
        pyramid = self.mount.served.layer(self.layer_id).pyramid
        grid = chunks.grid_of(pyramid, level)
        index = chunks.parse_key(key, grid)
        generation = chunks.generation_of(pyramid, level, index)
        self._fields = _fields_of(generation)
        if matches(self.headers.get("If-None-Match"), _etag(generation)):
            self.send(304, self._fields)
            return
        coding = ""
        if grid.storage is None and grid.nbytes >= SMALLEST:
            coding = self.coding()
        if grid.storage is not None or coding:
            kept = (self.layer_id, level, index, generation, coding)
            known = self.mount.encoded.peek(kept)
            if known is None and coding and grid.nbytes <= policy.prompt_encode_bytes:
                known = self._encode_at_hand(kept, pyramid)
            if known is not None:
                self._send_encoded(known)
            else:
                work = _encoding(self.mount, kept, pyramid)
                self.work(self.layer_id, work, self._send_encoded)
        elif self.start_line.method == "HEAD":
            self.send(200, self._fields, length=grid.nbytes)
        else:
            found = None
            if grid.nbytes <= policy.prompt_bytes:
                found = chunks.read_chunk_at_hand(pyramid, level, index, room=HEAD_ROOM)
            if found is not None:
                self._send_voxels(found)
            else:
                self.work(
                    self.layer_id,
                    lambda cancelled: chunks.read_chunk(
                        pyramid, level, index, cancelled, room=HEAD_ROOM
                    ),
                    self._send_voxels,
                )

    def _encode_at_hand(self, kept: tuple[Any, ...], pyramid: Pyramid) -> Encoded | None:
        """The chunk, compressed now if that takes less than a worker's waking up; else None."""
        _, level, index, _, coding = kept
        if not (is_quick(coding) and self.mount.turn.has_time()):
            return None
        encoded = _encoded_image(pyramid, level, index) if pyramid.kind == "image" else None
        if encoded is None:
            voxels = chunks.read_chunk_at_hand(pyramid, level, index, brief=True)
            if voxels is None:
                return None
            encoded = _encoded(voxels, coding, pyramid, level)
        self.mount.encoded.put(kept, encoded)
        return encoded

    def _send_voxels(self, buffer: memoryview) -> None:
        head = self.head(200, self._fields, len(buffer) - HEAD_ROOM)
        start = HEAD_ROOM - len(head)
        if start < 0:  # many hosts are allowed, and named in it
            self.write(200, head + buffer[HEAD_ROOM:])
            return
        buffer[start:HEAD_ROOM] = head
        self.write(200, buffer[start:])

    def _send_encoded(self, encoded: Encoded) -> None:
        if encoded.body is None:
            self.refuse(Refusal(404, "notfound", "This chunk is not stored: it has no voxels."))
            return
        self.send(200, self._fields, encoded.body, coding=encoded.coding)


def _etag(generation: int) -> str:
    return f'W/"{generation}"'


@lru_cache(64)
def _fields_of(generation: int) -> bytes:
    """The headers that a chunk of this generation has for itself."""
    return b"%bETag: %b\r\n" % (_FIELDS, _etag(generation).encode())


def _encoding(mount: Mount, key: tuple[Any, ...], pyramid: Pyramid) -> Work[Encoded]:
    """The work of finding a chunk that travels encoded, once for all who ask at the same time."""
    _, level, index, _, coding = key

    def work(cancelled: Callable[[], bool]) -> Encoded:
        def make() -> Encoded:
            if not coding:
                return Encoded(chunks.read_stored_chunk(pyramid, level, index), "")
            voxels = chunks.read_chunk(pyramid, level, index, cancelled, brief=True)
            return _encoded(voxels, coding, pyramid, level)

        return mount.encoded.get(key, make, cancelled)

    return work


def _encoded_image(pyramid: Pyramid, level: int, index: tuple[int, ...]) -> Encoded | None:
    """A chunk compressed out of the array that it lies in."""
    voxels = chunks.view_chunk_at_hand(pyramid, level, index)
    frame = None if voxels is None else compress_image(voxels, steady=False)
    return None if frame is None else Encoded(frame, "zstd")


def _encoded(voxels: memoryview, coding: str, pyramid: Pyramid, level: int) -> Encoded:
    image = pyramid.kind == "image"
    labels = () if image else chunks.grid_of(pyramid, level).chunk
    return Encoded(encode(voxels, coding, labels=labels, image=image), coding)
