"""Every address below ``/v/<token>/``, once.

The gate looks here after the token; Tornado's own routing is not used. A path has one spelling:
what no pattern matches in full is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tornado.web import RequestHandler

from viewer.server.brick_stream import BrickSocket
from viewer.server.chunk_door import ChunkRequest
from viewer.server.colormaps import CatalogueHandler, TableHandler
from viewer.server.document_socket import DocumentSocket
from viewer.server.meshes import (
    InfoHandler,
    LabelsHandler,
    ManifestHandler,
    MeshHandler,
    SurfaceHandler,
)
from viewer.server.static import StaticHandler
from viewer.server.voxels import ArrayHandler, GroupHandler

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


@dataclass(frozen=True, slots=True)
class Route:
    """An address and who answers there."""

    pattern: re.Pattern[str]
    """Matches the path below the token in full; its groups are the handler's arguments."""
    handler: type[RequestHandler] | type[ChunkRequest]
    socket: bool = False
    """Whether it is a WebSocket."""
    query: re.Pattern[str] | None = None
    """What may follow a question mark; None for nothing."""
    shared: bool = False
    """Whether pages of the origins that the user allowed may read it: voxels and meshes."""


def _route(
    pattern: str,
    handler: type[RequestHandler] | type[ChunkRequest],
    *,
    socket: bool = False,
    query: re.Pattern[str] | None = None,
    shared: bool = False,
) -> Route:
    return Route(re.compile(pattern, re.ASCII), handler, socket, query, shared)


_ANY = re.compile(r"[\x21-\x7e]{0,2000}")

ROUTES: tuple[Route, ...] = (
    _route(r"ws", DocumentSocket, socket=True),
    _route(r"bricks", BrickSocket, socket=True),
    _route(rf"{_LAYER}/zarr\.json", GroupHandler, shared=True),
    _route(rf"{_LAYER}/{_LEVEL}/zarr\.json", ArrayHandler, shared=True),
    _route(rf"{_LAYER}/{_LEVEL}/(c/[0-9/]{{1,120}})", ChunkRequest, shared=True),
    _route(rf"{_LAYER}/labels", LabelsHandler, query=_POINT, shared=True),
    _route(rf"{_LAYER}/mesh/info", InfoHandler, shared=True),
    _route(rf"{_LAYER}/mesh/{_LABEL}:0", ManifestHandler, query=_POINT, shared=True),
    _route(rf"{_LAYER}/mesh/{_LABEL}(?:\.(ply|obj|stl|glb))?", MeshHandler, query=_MESH,
           shared=True),
    _route(rf"{_LAYER}/surface(?:\.(ply|obj|stl|glb))?", SurfaceHandler, shared=True),
    _route(r"colormaps\.json", CatalogueHandler),
    _route(r"colormaps/((?:[A-Za-z0-9._~!'()*-]|%[0-9A-F]{2}){1,200})", TableHandler),
    # last: whatever else the built client consists of
    _route(r"((?:[A-Za-z0-9@_-][A-Za-z0-9@._-]*/){0,8}(?:[A-Za-z0-9@_-][A-Za-z0-9@._-]*)?)",
           StaticHandler, query=_ANY),
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
