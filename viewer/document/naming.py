"""What people call a place in the document: ``gamma of 'blobs'``, and not its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SAVED = "saved view"
"""First part of a path in a saved view, which is laid out as the document, but layers in a list."""

_PYTHON = {"meshes": "show_meshes"}
"""Fields that are called otherwise in Python."""


def call(path: Sequence[str], root: Any) -> str:
    """``"contrast_limits[0] of 'blobs'"``, ``"view.zoom"``; of a layer that is to be, less.

    Parameters
    ----------
    path : sequence of str
        In the document, or behind `SAVED` in a saved view.
    root : viewer.state.Document, dict or None
        Where layers' names are found.
    """
    return attribute(path) + owner(path, root)


def attribute(path: Sequence[str]) -> str:
    """``"contrast_limits[0]"``, ``"view.position['t']"``: as one writes it in Python."""
    parts = [part for part in path if part != SAVED]
    said = ""
    if parts[:1] == ["layers"] and len(parts) > 2:
        parts = parts[3:] if parts[2] == "style" and len(parts) > 3 else parts[2:]
    elif parts[:1] == ["layers"]:
        return "layer" if len(parts) > 1 else "layers"
    elif parts[:1] == ["view"]:
        dotted = 3 if parts[1:2] == ["camera"] else 2
        said, parts = ".".join(parts[:dotted]), parts[dotted - 1 :]
    if not parts:
        return said or SAVED
    field, *inner = parts
    said = said or _PYTHON.get(field, field)
    return said + "".join(f"[{key if key.isdigit() else repr(key)}]" for key in inner)


def owner(path: Sequence[str], root: Any) -> str:
    """``" of 'blobs'"``; nothing for what is of no layer."""
    name = layer_name(path, root)
    said = "" if name is None else f" of {name!r}"
    return said + (f" in the {SAVED}" if path[0] == SAVED else "")


def whole(path: Sequence[str], root: Any) -> str:
    """What has fields, to begin a sentence: ``"The style of 'blobs'"``."""
    parts = [part for part in path if part != SAVED]
    if not parts:
        return "The saved view" if path else "The document"
    if parts[0] == "layers" and len(parts) == 2:
        name = layer_name(path, root)
        known = f"The layer {parts[1]}" if name is None else f"The layer {name!r}"
        return known + (f" in the {SAVED}" if path[0] == SAVED else "")
    return f"The {parts[-1]}{owner(path, root)}"


def layer_name(path: Sequence[str], root: Any) -> str | None:
    """Name of the layer that a path leads into, if there is one."""
    parts = [part for part in path if part != SAVED]
    if len(parts) < 2 or parts[0] != "layers":
        return None
    layers = root.get("layers") if isinstance(root, Mapping) else getattr(root, "layers", None)
    try:
        layer = layers[parts[1]] if isinstance(layers, Mapping) else layers[int(parts[1])]  # type: ignore[index]
        name = layer["name"] if isinstance(layer, Mapping) else layer.name
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    return name if isinstance(name, str) else None
