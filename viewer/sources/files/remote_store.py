"""A Zarr store behind an address, which bears with what web servers do.

Zarr asks for keys that may be missing, and for parts of shards. Two habits of servers would make
good data unreadable:

- Buckets that nobody may list answer "forbidden" for what is not there. While something else in the
  store can be read, that means "missing".
- Simple servers send the whole file where a part was asked for. Of that the part is taken.
"""

from __future__ import annotations

import time
from typing import Any

from zarr.abc.store import RangeByteRequest, SuffixByteRequest
from zarr.storage import FsspecStore

PROOF_SECONDS = 30.0
"""For so long a store that could be read is taken to be readable: missing chunks are many."""


class RemoteStore(FsspecStore):
    """A store that is read by fsspec."""

    refused = False
    """Whether anything was refused."""

    _readable = ""
    """A key that could be read."""

    _until = 0.0
    """When that must be tried again, on the monotonic clock."""

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """As any store's."""
        try:
            found = await super().get(key, prototype, byte_range)
        except Exception as error:
            if not is_refusal(error):
                raise
            self.refused = True
            if not await self._can_be_read(prototype):
                raise
            return None
        if found is None:
            return None
        if not self._readable:
            self._readable, self._until = key, time.monotonic() + PROOF_SECONDS
        return _part(found, byte_range)

    async def _can_be_read(self, prototype: Any) -> bool:
        """Whether the store still gives what it gave, if it ever gave something."""
        if self._readable and time.monotonic() > self._until:
            try:
                found = await super().get(self._readable, prototype)
            except Exception:
                return False
            if found is None:
                return False
            self._until = time.monotonic() + PROOF_SECONDS
        return True


def is_refusal(error: BaseException) -> bool:
    """Whether a server has refused to give something, as fsspec says it of S3 or of the web."""
    return isinstance(error, PermissionError) or getattr(error, "status", None) == 403


def _part(found: Any, byte_range: Any) -> Any:
    """The part that was asked for, of which more may have come."""
    if isinstance(byte_range, RangeByteRequest):
        if len(found) > byte_range.end - byte_range.start:
            return found[byte_range.start : byte_range.end]
    elif isinstance(byte_range, SuffixByteRequest) and len(found) > byte_range.suffix:
        return found[len(found) - byte_range.suffix :]
    return found
