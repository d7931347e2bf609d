"""The colour maps that the client may draw with."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

import msgspec

from viewer.errors import InvalidValueError, NotFoundError
from viewer.server.handler import Handler

_SOURCE = "colormaps"
"""Their queue at the workers: the first use imports a library."""


class CatalogueHandler(Handler):
    """``colormaps.json``: names, categories and 16 colours of each for a preview."""

    async def answer(self, *arguments: str) -> None:
        body = await self.work(_SOURCE, lambda cancelled: _catalogue())
        if not self.unchanged(f'W/"{len(body)}"'):
            self.deliver(body, "application/json")


class TableHandler(Handler):
    """``colormaps/<name>``: 256 colours, four bytes RGBA each."""

    async def answer(self, *arguments: str) -> None:
        name = unquote(arguments[0])
        body = await self.work(_SOURCE, lambda cancelled: _table(name))
        if not self.unchanged('W/"1"'):
            self.deliver(body, "application/octet-stream")


@lru_cache(maxsize=1)
def _catalogue() -> bytes:
    from viewer import colormaps

    return msgspec.json.encode(colormaps.catalogue())


def _table(name: str) -> bytes:
    from viewer import colormaps

    try:
        return bytes(colormaps.table(name))
    except InvalidValueError as error:
        raise NotFoundError(error.message, hint=error.hint) from None
