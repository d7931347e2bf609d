"""What the document's types cannot say: rules between fields, and fields that follow others.

Three steps of every edit, called by `viewer.document`:

1. `admit`: may this author touch this path? A page edits styles, view, order; what the data is
   belongs to the Viewer's own process.
2. `follow`: derived fields follow. `order` and `active` keep to the layers that exist, the
   sliders to their leading axes, `position` to the sliders, `center` to the middle of the data
   while nobody has moved it away, slices and camera to `upright` while nobody has turned them,
   quaternions to unit length.
3. `check`: the rules that remain, each with its own message.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from viewer import colormaps, world
from viewer.document import naming
from viewer.errors import InvalidValueError
from viewer.messages import Change
from viewer.orientation import Quaternion, composed, is_same
from viewer.state import (
    OBLIQUE,
    Data,
    Document,
    ImageLayer,
    ImageStyle,
    LabelsLayer,
    LabelsStyle,
    Slider,
    SurfaceLayer,
    SurfaceStyle,
    View,
)

VIEWER = "viewer"
"""The author whose edits come from the Viewer's own process: it may change everything."""

_LAYER_FIELDS = {"name", "visible", "metadata", "style"}
_VIEW_FIELDS = set(View.__struct_fields__) - {"units", "sliders", "upright"}
_ROOT_FIELDS = {"title", "theme", "order", "active"}


def admit(document: Document, change: Change, author: str) -> None:
    """Refuse a page's or link's change of what only the Viewer's process writes.

    Raises
    ------
    InvalidValueError
        Naming the field.
    """
    match tuple(change.path):
        case (field,) if field in _ROOT_FIELDS:
            return
        case ("layers", _) if change.remove:
            return
        case ("layers", _, field, *_) if field in _LAYER_FIELDS:
            return
        case ("view", field, *_) if field in _VIEW_FIELDS:
            return
        case ("actions", key) if change.remove or key.startswith(f"{author}."):
            return
    raise InvalidValueError(
        f"{naming.call(tuple(change.path), document)} cannot be changed by a page.",
        hint="Pages change styles, names, visibility, order and the view, and remove layers.",
    )


def follow(before: Document, document: Document, touched: Sequence[tuple[str, ...]]) -> Document:
    """`document` with its derived fields brought after the paths in `touched`.

    Parameters
    ----------
    before, document : Document
        The state before the edit, and with its changes.
    touched : sequence of path
        What the edit changed.
    """
    changes: dict[str, object] = {}
    if any(path[0] == "layers" and len(path) <= 2 for path in touched):
        if ("order",) not in touched:
            kept = tuple(layer for layer in document.order if layer in document.layers)
            new = tuple(layer for layer in document.layers if layer not in document.order)
            if kept + new != document.order:
                changes["order"] = kept + new
        if document.active not in document.layers and ("active",) not in touched:
            order = changes.get("order", document.order)
            assert isinstance(order, tuple)
            changes["active"] = order[-1] if order else None
    view = _follow_view(before, document, touched)
    if view is not document.view:
        changes["view"] = view
    return msgspec.structs.replace(document, **changes) if changes else document


def _follow_view(before: Document, document: Document, touched: Sequence[tuple[str, ...]]) -> View:
    view = document.view
    if any(path[0] == "layers" and (len(path) <= 2 or path[2] == "data") for path in touched):
        sliders = plan_sliders(document.layers.values())
        position = {}
        for slider in sliders:
            kept = view.position.get(slider.name, slider.start)
            position[slider.name] = min(max(kept, slider.start), slider.stop)
        if sliders != view.sliders or position != view.position:
            view = msgspec.structs.replace(view, sliders=sliders, position=position)
        if view.center == before.view.center == _middle(before):  # nobody has moved it
            view = msgspec.structs.replace(view, center=_middle(document))
        if view.layout == before.view.layout == world.layout(_data(before)):
            view = msgspec.structs.replace(view, layout=world.layout(_data(document)))
    if ("view", "upright") in touched:
        view = _stand(view, before.view.upright)
    turned = _unit(view.camera.orientation)
    if turned != view.camera.orientation:
        camera = msgspec.structs.replace(view.camera, orientation=turned)
        view = msgspec.structs.replace(view, camera=camera)
    turned = _unit(view.orientation)
    if turned != view.orientation:
        view = msgspec.structs.replace(view, orientation=turned)
    return view


def _stand(view: View, before: Quaternion) -> View:
    """Turn slices and camera to `upright` if they are as they were set up for the one before."""
    if is_same(view.orientation, before):
        view = msgspec.structs.replace(view, orientation=view.upright)
    if is_same(view.camera.orientation, composed(before, OBLIQUE)):
        turned = composed(view.upright, OBLIQUE)
        camera = msgspec.structs.replace(view.camera, orientation=turned)
        view = msgspec.structs.replace(view, camera=camera)
    return view


def _unit(quaternion: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Of length 1; as it is when it has that already, or none."""
    x, y, z, w = quaternion
    length = math.hypot(x, y, z, w)
    if length == 0 or abs(length - 1) <= 1e-9:
        return quaternion
    return x / length, y / length, z / length, w / length


def _middle(document: Document) -> tuple[float, float, float]:
    return world.middle(_data(document))


def _data(document: Document) -> list[Data]:
    return [layer.data for layer in document.layers.values()]


def plan_sliders(layers: Iterable[ImageLayer | LabelsLayer | SurfaceLayer]) -> tuple[Slider, ...]:
    """The leading axes of all layers, united by name, in the order in which they first come."""
    sliders: dict[str, Slider] = {}
    for layer in layers:
        level = layer.data.levels[0]
        for axis, count, step, start in zip(
            layer.data.axes, level.shape, level.scale, level.translate, strict=True
        ):
            if axis.kind == "space":
                continue
            stop = start + (count - 1) * step
            known = sliders.get(axis.name)
            sliders[axis.name] = Slider(
                name=axis.name,
                unit=known.unit or axis.unit if known else axis.unit,
                start=min(known.start, start) if known else start,
                stop=max(known.stop, stop) if known else stop,
                step=min(known.step, step) if known else step,
            )
    return tuple(sliders.values())


def check(document: Document, touched: Sequence[tuple[str, ...]]) -> None:
    """Hold the rules at the paths in `touched`; everything else was held before.

    Raises
    ------
    InvalidValueError
        Naming path, value and the way out.
    """
    if sorted(document.order) != sorted(document.layers):
        raise InvalidValueError(
            f"order={list(document.order)} is not a permutation of the layers.",
            hint=f"It must hold each of {list(document.layers)} once.",
        )
    if document.active is not None and document.active not in document.layers:
        raise InvalidValueError(
            f"active={document.active!r} is not a layer.",
            hint=f"Use None or one of {list(document.layers)}.",
        )
    for layer_id in {path[1]: None for path in touched if path[0] == "layers" and len(path) > 1}:
        if layer_id in document.layers:
            _check_layer(document, layer_id)
    if any(path[0] in ("view", "layers") for path in touched):
        _check_view(document.view)


def _check_layer(document: Document, layer_id: str) -> None:
    layer = document.layers[layer_id]
    if layer.id != layer_id:
        raise InvalidValueError(
            f"id={layer.id!r} of {layer.name!r} differs from its key {layer_id!r}.",
            hint="Use the key.",
        )
    if not layer.name.strip():
        raise InvalidValueError(f"name={layer.name!r} is empty.", hint="Give it a name.")
    if any(other.name == layer.name for key, other in document.layers.items() if key != layer_id):
        raise InvalidValueError(
            f"name={layer.name!r} is the name of another layer.",
            hint="Layers are found by their names: choose another one.",
        )
    if isinstance(layer.style, (ImageStyle, SurfaceStyle)):
        _check_image(layer.style, layer.name)
    else:
        _check_labels(layer.style, layer.name)


def _check_image(style: ImageStyle | SurfaceStyle, name: str) -> None:
    low, high = style.contrast_limits
    if not (low < high and math.isfinite(high - low)):
        raise InvalidValueError(
            f"contrast_limits=({low!r}, {high!r}) of {name!r} are not allowed.",
            hint="Use two finite numbers (low, high) with low < high.",
        )
    colormaps.check(style.colormap)


def _check_labels(style: LabelsStyle, name: str) -> None:
    for field, labels in (("selected", style.selected), ("hidden", style.hidden)):
        if len(set(labels)) < len(labels):
            raise InvalidValueError(
                f"{field} of {name!r} names a label twice.", hint="Name each label once."
            )
    for field in ("selected", "hidden", "colors"):
        for label in getattr(style, field):
            if label != str(int(label)) or label == "0":
                raise InvalidValueError(
                    f"{label!r} in {field} of {name!r} is not a label.",
                    hint="Labels are whole numbers other than 0 (the background), without padding.",
                )


def _check_view(view: View) -> None:
    for where, orientation in (
        ("view", view.orientation),
        ("view.camera", view.camera.orientation),
    ):
        if not any(orientation):
            raise InvalidValueError(
                f"{where}.orientation=(0, 0, 0, 0) is no rotation.",
                hint="Use a quaternion (x, y, z, w) of non-zero length.",
            )
    sliders = {slider.name: slider for slider in view.sliders}
    if view.position.keys() != sliders.keys():
        raise InvalidValueError(
            f"view.position has the axes {list(view.position)}.",
            hint=f"The layers' leading axes are {list(sliders)}.",
        )
    for name, value in view.position.items():
        slider = sliders[name]
        if not slider.start <= value <= slider.stop:
            raise InvalidValueError(
                f"view.position[{name!r}]={value!r} is outside of the axis.",
                hint=f"Use {slider.start:g} to {slider.stop:g} (world position, inclusive).",
            )
