"""Every address below ``/v/<token>/``, once.

The gate looks here after the token; Tornado's own routing is not used. A path has one spelling:
what no pattern matches in full is not there.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

import msgspec

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    from viewer.server.direct import DirectRequest

_LAYER = r"layers/(l[1-9][0-9]{0,8})"
_LEVEL = r"(0|[1-9][0-9]?)"
_LABEL = r"(0|-?[1-9][0-9]{0,19})"
_POINT = re.compile(r"point=(?:0|[1-9][0-9]{0,8})(?:,(?:0|[1-9][0-9]{0,8}))*")
_NEXT = r"(?:&(?!$)|$)"
_MESH = re.compile(
    rf"(?=.)(?:{_POINT.pattern}{_NEXT})?(?:level=[0-9]{{1,2}}{_NEXT})?"
    rf"(?:seed=[0-9]{{1,9}},[0-9]{{1,9}},[0-9]{{1,9}}{_NEXT})?"
    rf"(?:tolerance=[0-9]{{1,12}}(?:\.[0-9]{{1,12}})?(?:e-?[0-9]{{1,2}})?{_NEXT})?"
)


class Route(msgspec.Struct, frozen=True):
    """An address and who answers there."""

    pattern: re.Pattern[str]
    """Matches the path below the token in full; its groups are the handler's arguments."""
    home: str
    """Module in this package, and class, of the handler."""
    socket: bool = False
    """Whether it is a WebSocket."""
    query: re.Pattern[str] | None = None
    """What may follow a question mark; None for nothing."""
    shared: bool = False
    """Whether pages of the origins that the user allowed may read it: voxels and meshes."""

    @property
    def handler(self) -> type[RequestHandler] | type[DirectRequest]:
        """Who answers; imported when first asked for, because the page needs few of them."""
        return _load(self.home)


@cache
def _load(home: str) -> type[RequestHandler] | type[DirectRequest]:
    module, _, name = home.partition(":")
    found = getattr(import_module(f"viewer.server.{module}"), name)
    return cast("type[RequestHandler] | type[DirectRequest]", found)


def _route(
    pattern: str,
    home: str,
    *,
    socket: bool = False,
    query: re.Pattern[str] | None = None,
    shared: bool = False,
) -> Route:
    return Route(re.compile(pattern, re.ASCII), home, socket, query, shared)


_ANY = re.compile(r"[\x21-\x7e]{0,2000}")

ROUTES: tuple[Route, ...] = (
    # first: thousands of chunks are asked for
    _route(rf"{_LAYER}/{_LEVEL}/(c/[0-9/]{{1,120}})", "chunk_door:ChunkRequest", shared=True),
    _route(r"ws", "document_socket:DocumentSocket", socket=True),
    _route(r"bricks", "brick_stream:BrickSocket", socket=True),
    _route(rf"{_LAYER}/zarr\.json", "voxels:GroupHandler", shared=True),
    _route(rf"{_LAYER}/{_LEVEL}/zarr\.json", "voxels:ArrayHandler", shared=True),
    _route(rf"{_LAYER}/labels", "meshes:LabelsHandler", query=_POINT, shared=True),
    _route(rf"{_LAYER}/mesh/info", "meshes:InfoHandler", shared=True),
    _route(rf"{_LAYER}/mesh/{_LABEL}:0", "meshes:ManifestHandler", query=_POINT, shared=True),
    _route(rf"{_LAYER}/mesh/{_LABEL}(?:\.(surface|ply|obj|stl|glb))?", "meshes:MeshHandler",
           query=_MESH, shared=True),
    _route(rf"{_LAYER}/surface(?:\.(ply|obj|stl|glb))?", "meshes:SurfaceHandler", shared=True),
    _route(r"colormaps\.json", "colormaps:CatalogueHandler"),
    _route(r"colormaps/((?:[A-Za-z0-9._~!'()*-]|%[0-9A-F]{2}){1,200})", "colormaps:TableHandler"),
    # last: whatever else the built client consists of
    _route(r"((?:[A-Za-z0-9@_-][A-Za-z0-9@._-]*/){0,8}(?:[A-Za-z0-9@_-][A-Za-z0-9@._-]*)?)",
           "static:StaticRequest", query=_ANY),
)  # fmt: skip


def find_route(path: str, query: str | None) -> tuple[Route, list[str]] | None:
    """The route of a path below the token, with its arguments; None when there is none."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is None:
            continue
        if query is not None and (route.query is None or not route.query.fullmatch(query)):
            return None
        return route, [argument or "" for argument in match.groups()]
    return None


def load_handlers() -> None:
    """Import whatever has not been asked for yet."""
    for route in ROUTES:
        _load(route.home)
