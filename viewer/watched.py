"""Which part of the document an attribute of a layer is: what its event is told from.

Every attribute that can be set has an event. A `Setting` says its own path; the rest are
properties, which mostly bear the name of their field.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from viewer.settings import Setting, settable

Read = Callable[[Any], Any]
"""Takes a layer of the document (`viewer.state`), returns the attribute's value."""

_SPECIAL: dict[str, Read] = {
    "data": lambda layer: layer.data.generation,
    "scale": lambda layer: layer.data.levels[0].scale,
    "translate": lambda layer: layer.data.levels[0].translate,
    "affine": lambda layer: layer.data.affine,
    "show_meshes": lambda layer: layer.style.meshes,
    "selected": lambda layer: frozenset(map(int, layer.style.selected)),
    "hidden": lambda layer: frozenset(map(int, layer.style.hidden)),
    "colors": lambda layer: {int(label): color for label, color in layer.style.colors.items()},
}


_known: dict[type, Mapping[str, Read]] = {}


def watched(kind: type) -> Mapping[str, Read]:
    """How to read each attribute of a class of layers from the document, by name."""
    if kind not in _known:
        names = sorted(settable(kind) | {"data"})
        _known[kind] = MappingProxyType({name: _reader(kind, name) for name in names})
    return _known[kind]


def _reader(kind: type, name: str) -> Read:
    if name in _SPECIAL:
        return _SPECIAL[name]
    member = getattr(kind, name)
    if isinstance(member, Setting):
        return functools.partial(_follow, member.path)
    return functools.partial(_named, name)


def _follow(path: tuple[str, ...], layer: Any) -> Any:
    for key in path:
        layer = layer[key] if isinstance(layer, dict) else getattr(layer, key)
    return layer


def _named(name: str, layer: Any) -> Any:
    return getattr(layer.style if hasattr(layer.style, name) else layer, name, None)
