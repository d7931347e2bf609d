"""A view as a file: what is shown and how, without the data.

Layers are known by their names, for ids are dealt anew in every viewer; those that were opened
from a file say where it is, so that they can be opened again. What a file leaves out stays as it
is, so a part of one, written by hand, is a style sheet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from viewer import state
from viewer.document import naming, patch
from viewer.errors import InvalidValueError, SourceError
from viewer.messages import Change
from viewer.space import conversion

if TYPE_CHECKING:
    from viewer.opening import Location

FORMAT: Literal["voxelview view"] = "voxelview view"

VERSION = 1
"""Counts up when older files would be read wrongly."""


class Origin(msgspec.Struct, frozen=True):
    """Where a layer was opened from.

    Parameters
    ----------
    path : str
        Absolute, or an address.
    dataset : str or None
        Which array in it.
    options : dict
        What else `Viewer.open` was given, as far as JSON can say it.
    number : int
        Which of the layers that this made.
    """

    path: str
    dataset: str | None
    options: Mapping[str, Any]
    number: int


def plan_origin(location: Location, options: Mapping[str, Any], number: int) -> Origin:
    """What will open a layer again, as far as JSON can say it."""
    path = location.path if location.remote else str(Path(location.path).absolute())
    said = {}
    for name, value in options.items():
        try:
            plain = value.tolist() if isinstance(value, np.ndarray) else value
            said[name] = msgspec.json.decode(msgspec.json.encode(plain))
        except (TypeError, msgspec.MsgspecError):
            continue  # what JSON cannot say; the data's own is as good
    return Origin(path, location.dataset, said, number)


class SavedSource(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Where a layer was opened from: `Origin`."""

    path: str
    dataset: str | None = None
    options: dict[str, Any] = {}
    number: int = 0


class SavedLayer(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How a layer is shown."""

    name: str
    kind: str
    visible: bool | None = None
    style: dict[str, Any] = {}
    metadata: dict[str, Any] | None = None
    source: SavedSource | None = None


class SavedView(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """All of a file."""

    format: Literal["voxelview view"]
    version: int
    title: str | None = None
    theme: state.Theme | None = None
    active: str | None = None
    """Name of the active layer."""
    layers: list[SavedLayer] = []
    """Bottom first."""
    view: dict[str, Any] = {}
    """Of `state.View`, without what the layers say; `units` are those of its lengths."""


def to_dict(now: state.Document, origins: Mapping[str, Origin]) -> dict[str, Any]:
    """What is shown, as plain JSON."""
    layers = []
    for key in now.order:
        layer = now.layers[key]
        origin = origins.get(key)
        saved = SavedLayer(
            layer.name,
            kind(layer),
            layer.visible,
            msgspec.to_builtins(layer.style),
            layer.metadata or None,
            None
            if origin is None
            else SavedSource(origin.path, origin.dataset, dict(origin.options), origin.number),
        )
        layers.append(saved)
    view = msgspec.to_builtins(now.view)
    del view["sliders"], view["upright"]
    active = None if now.active is None else now.layers[now.active].name
    whole = SavedView(FORMAT, VERSION, now.title, now.theme, active, layers, view)
    plain: dict[str, Any] = msgspec.to_builtins(whole)
    return plain


def without_sources(view: Mapping[str, Any]) -> dict[str, Any]:
    """A saved view that does not say where files are."""
    layers = [
        {name: value for name, value in layer.items() if name != "source"}
        for layer in view["layers"]
    ]
    return {**view, "layers": layers}


def parse(given: object) -> SavedView:
    """A saved view, checked; `InvalidValueError` names what is wrong in it, and what is allowed."""
    if not isinstance(given, Mapping) or given.get("format") != FORMAT:
        raise InvalidValueError(
            "This is no saved view.", hint=f'It would say "format": "{FORMAT}". See Viewer.save.'
        )
    version = given.get("version")
    if type(version) is int and version > VERSION:
        raise InvalidValueError(
            f"version={version} of the saved view is newer than this program.",
            hint=f"It reads version {VERSION}: update voxelview.",
        )
    layers = given.get("layers", ())
    for number, layer in enumerate(layers if isinstance(layers, Sequence) else ()):
        patch.convert(layer, SavedLayer, (naming.SAVED, "layers", str(number)), given)
    saved: SavedView = patch.convert(given, SavedView, (naming.SAVED,), given)
    return saved


def read(path: Path) -> object:
    """What is in a file of JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise InvalidValueError(f"{path} is not JSON: {error}.") from None


def find(now: state.Document, saved: SavedView) -> dict[int, str]:
    """Which layer each of a saved view is: its number there → the layer's id, by name and kind."""
    by_name = {(layer.name, kind(layer)): key for key, layer in now.layers.items()}
    return {
        number: by_name[layer.name, layer.kind]
        for number, layer in enumerate(saved.layers)
        if (layer.name, layer.kind) in by_name
    }


def plan_load(now: state.Document, saved: SavedView, found: Mapping[int, str]) -> list[Change]:
    """The changes that show what was saved, in the layers that were found."""
    found = {number: key for number, key in found.items() if key in now.layers}
    changes: list[Change] = []
    if saved.title is not None:
        changes.append(Change(("title",), saved.title))
    if saved.theme is not None:
        changes.append(Change(("theme",), saved.theme))
    for number, key in found.items():
        layer = saved.layers[number]
        if layer.visible is not None:
            changes.append(Change(("layers", key, "visible"), layer.visible))
        if layer.metadata is not None:
            changes.append(Change(("layers", key, "metadata"), layer.metadata))
        style = msgspec.to_builtins(now.layers[key].style) | layer.style
        changes.append(Change(("layers", key, "style"), style))
        if saved.active == layer.name:
            changes.append(Change(("active",), key))
    if found:
        kept = [found[number] for number in sorted(found)]
        others = [key for key in now.order if key not in kept]
        changes.append(Change(("order",), (*kept, *others)))
    return changes + _plan_view(now, saved.view)


def _plan_view(now: state.Document, given: Mapping[str, Any]) -> list[Change]:
    factor = _factor(given.get("units", now.view.units), now.view.units)
    changes = []
    for name, value in given.items():
        match name:
            case "units" | "sliders" | "upright":
                continue
            case "position" if isinstance(value, Mapping):
                sliders = {slider.name: slider for slider in now.view.sliders}
                for axis, place in value.items():
                    slider = sliders.get(axis)
                    if slider is not None and isinstance(place, int | float):
                        near = min(max(place, slider.start), slider.stop)
                        changes.append(Change(("view", "position", axis), near))
            case "center" if isinstance(value, Sequence) and factor != 1:
                changes.append(Change(("view", name), [_scaled(v, factor) for v in value]))
            case "zoom":
                changes.append(Change(("view", name), _scaled(value, 1 / factor)))
            case "camera" if isinstance(value, Mapping):
                for part, v in value.items():
                    v = _scaled(v, 1 / factor) if part == "zoom" else v
                    changes.append(Change(("view", name, part), v))
            case _:
                changes.append(Change(("view", name), value))
    return changes


def _factor(saved: object, now: str) -> float:
    """Of lengths in the units of a saved view, to those of now; 1 where either has none."""
    if not isinstance(saved, str) or not saved or not now:
        return 1.0
    try:
        return conversion(saved, now)
    except (KeyError, ValueError):
        raise InvalidValueError(f"units={saved!r} of the saved view is not known.") from None


def _scaled(value: Any, factor: float) -> Any:
    return value * factor if isinstance(value, int | float) else value


def kind(layer: state.ImageLayer | state.LabelsLayer | state.SurfaceLayer) -> str:
    """``"image"``, ``"labels"``, …"""
    return str(type(layer).__struct_config__.tag)
