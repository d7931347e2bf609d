"""The two faces, a Viewer and a Link to one, held against each other."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import viewer
from viewer import errors
from viewer.client.layers import LinkedImageLayer, LinkedLabelsLayer, LinkedSurfaceLayer

FOR_THE_SERVER = {"restore"}
"""What a Viewer has for the server that serves it."""

OF_LINKS = {"call", "call_async", "connected", "read_only"}
"""What there is to know about a connection, and calls that wait or don't."""

HERE_ONLY = {"pyramid", "meshes", "describe", "surface"}
"""Of layers: what holds the data, which is in the viewer's process."""

KINDS = [
    (viewer.ImageLayer, LinkedImageLayer),
    (viewer.LabelsLayer, LinkedLabelsLayer),
    (viewer.SurfaceLayer, LinkedSurfaceLayer),
]


def members(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def parameters(kind: type, name: str) -> list[tuple[str, Any, Any]] | None:
    """How a method is called; None for what is no method."""
    member = inspect.getattr_static(kind, name)
    if not inspect.isfunction(member):
        return None
    signature = inspect.signature(member)
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


def settable(kind: type, name: str) -> bool:
    member = inspect.getattr_static(kind, name)
    return hasattr(type(member), "__set__") and getattr(member, "fset", True) is not None


def test_they_have_the_same_members() -> None:
    assert members(viewer.Viewer) - members(viewer.Link) == FOR_THE_SERVER
    assert members(viewer.Link) - members(viewer.Viewer) == OF_LINKS


def test_they_are_called_alike() -> None:
    for name in members(viewer.Viewer) - FOR_THE_SERVER:
        assert parameters(viewer.Link, name) == parameters(viewer.Viewer, name), name
        assert settable(viewer.Link, name) == settable(viewer.Viewer, name), name


@pytest.mark.parametrize(("near", "far"), KINDS)
def test_their_layers_are_alike(near: type, far: type) -> None:
    assert members(far) - members(near) == {"call_async"}
    assert members(near) <= members(far)
    for name in members(near):
        assert parameters(far, name) == parameters(near, name), name
        assert settable(far, name) == settable(near, name), name
        assert inspect.getattr_static(far, name).__doc__ or name == "kind", name


def ask(layer: viewer.Layer, name: str) -> None:
    member = getattr(layer, name)
    member(*("",) * (name == "describe"))


def test_what_cannot_be_had_far_away_says_why(link: viewer.Link) -> None:
    for layer in link.layers:
        for name in HERE_ONLY & members(type(layer)):
            with pytest.raises(errors.LinkError, match="are in the viewer's process"):
                ask(layer, name)


def test_everything_else_can_be_read(link: viewer.Link) -> None:
    for layer in link.layers:
        for name in members(type(layer)) - HERE_ONLY:
            getattr(layer, name)
    for name in members(viewer.Link):
        getattr(link, name)


def test_both_say_what_they_do() -> None:
    for name in members(viewer.Link):
        assert inspect.getattr_static(viewer.Link, name).__doc__, name
