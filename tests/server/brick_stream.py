"""The page's end of the brick stream."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import connect

from viewer.bricks import ALIGNMENT, FAILED, HEADER

Brick = tuple[int, int, int, int, int]


class Stream:
    """The page's end of the stream."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(f"{url.replace('http', 'ws', 1)}bricks", max_size=None, compression=None)
        )
        self.generation = 0
        self.waiting: list[bytes] = []
        self.taken = 0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def open(self, volume: int, layer: str, point: tuple[int, ...] = ()) -> None:
        self.send(type="open", volume=volume, layer=layer, point=list(point))

    def want(self, bricks: list[Brick]) -> None:
        self.generation += 1
        numbers = [number for brick in bricks for number in brick]
        self.send(type="want", generation=self.generation, taken=self.taken, bricks=numbers)

    def take(self, timeout: float = 30) -> tuple[Brick, int, bytes]:
        """Address, flags and all bytes of the next brick."""
        if not self.waiting:
            message = self.socket.recv(timeout=timeout)
            assert isinstance(message, bytes)
            self.waiting = split(message)
        record = self.waiting.pop(0)
        self.taken += len(record)
        volume, level, flags, _, z, y, x = HEADER.unpack_from(record)[:7]
        return (volume, level, z, y, x), flags, record

    def take_all(self, count: int) -> dict[Brick, bytes]:
        """So many bricks, credited."""
        taken = {}
        for _ in range(count):
            brick, _, message = self.take()
            assert brick not in taken
            taken[brick] = message
            self.credit()
        return taken

    def credit(self) -> None:
        """Tell what has been taken."""
        self.send(type="credit", taken=self.taken)

    def silent(self, seconds: float = 0.15) -> bool:
        """Whether nothing comes."""
        try:
            self.take(seconds)
        except TimeoutError:
            return True
        return False

    def failure(self) -> tuple[Brick, dict[str, str]]:
        """The next brick, which is a failed one, with its notice."""
        brick, flags, message = self.take()
        assert flags == FAILED
        return brick, json.loads(message[HEADER.size :].rstrip(b"\0"))


def split(message: bytes) -> list[bytes]:
    """The bricks of a message, each with its header and padding."""
    records, at = [], 0
    while at < len(message):
        end = at + HEADER.size + -(-HEADER.unpack_from(message, at)[10] // ALIGNMENT) * ALIGNMENT
        records.append(message[at:end])
        at = end
    assert at == len(message)
    return records
