"""Look at n-D scientific arrays in the browser, driven from Python.

>>> import viewer
>>> v = viewer.Viewer()
>>> image = v.add_image(volume, scale=(40, 4, 4), units="nm")
>>> cells = v.add_labels(labels, scale=(40, 4, 4), units="nm", selected=[17, 42])
>>> print(v.url)
>>> viewer.stop()

Names are imported when they are first used, so that ``import viewer`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from viewer._version import __version__

if TYPE_CHECKING:
    from viewer import errors, events
    from viewer.client import Link, connect
    from viewer.layers import ImageLayer, LabelsLayer, Layer, SurfaceLayer
    from viewer.pyramids.shelf import cache_info, clear_cache, set_cache_limit
    from viewer.server import set_server, set_static_content_source
    from viewer.viewer import Viewer, headless, imshow, open, stop

__all__ = [
    "ImageLayer",
    "LabelsLayer",
    "Layer",
    "Link",
    "SurfaceLayer",
    "Viewer",
    "__version__",
    "cache_info",
    "clear_cache",
    "connect",
    "errors",
    "events",
    "headless",
    "imshow",
    "open",
    "set_cache_limit",
    "set_server",
    "set_static_content_source",
    "stop",
]

_HOMES = {
    "ImageLayer": "viewer.layers",
    "LabelsLayer": "viewer.layers",
    "Layer": "viewer.layers",
    "Link": "viewer.client",
    "SurfaceLayer": "viewer.layers",
    "Viewer": "viewer.viewer",
    "cache_info": "viewer.pyramids.shelf",
    "clear_cache": "viewer.pyramids.shelf",
    "connect": "viewer.client",
    "headless": "viewer.viewer",
    "imshow": "viewer.viewer",
    "open": "viewer.viewer",
    "set_cache_limit": "viewer.pyramids.shelf",
    "set_server": "viewer.server",
    "set_static_content_source": "viewer.server",
    "stop": "viewer.viewer",
}
"""Public name → the module that defines it."""


def __getattr__(name: str) -> object:
    if name in ("errors", "events"):
        return importlib.import_module(f"viewer.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'viewer' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
