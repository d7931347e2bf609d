"""Keyframes: what the document is at some moments, and everything between them.

Numbers go in straight lines, zoom in equal ratios, the camera by the shortest turn; what has
nothing in between (names, switches, selections) steps when its keyframe comes.
"""

from __future__ import annotations

import bisect
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as File
from typing import Any

from viewer import saved_view
from viewer.document.document import Document
from viewer.document.patch import present
from viewer.document.rules import VIEWER
from viewer.errors import InvalidValueError, UnknownLayerError
from viewer.messages import Change
from viewer.state import Document as State

Path = tuple[str, ...]

Given = Mapping[str, Any] | str | os.PathLike[str]
"""What is set by a keyframe."""

_OF_LAYERS = {"name", "visible", "style", "metadata"}
"""Fields of a layer's entry in the document; all others are its style's."""


class Keyframes:
    """A state of the document for every moment.

    Parameters
    ----------
    base : viewer.state.Document
        What holds where no keyframe says otherwise, and from where each setting starts.
    keyframes : sequence of (float, mapping or path)
        Seconds from the start, ascending, and what is set then: ``{"view.zoom": 2}`` or
        ``{"view": {"zoom": 2}, "layers": {"cells": {"opacity": 0.5}}}``, or a saved view.

    Raises
    ------
    InvalidValueError, UnknownLayerError
        For what cannot be set.
    """

    def __init__(self, base: State, keyframes: Sequence[tuple[float, Given]]) -> None:
        self._base = base
        self._tracks: dict[Path, list[tuple[float, Any]]] = {}
        before = 0.0
        for entry in keyframes:
            time, settings = _entry(entry)
            if time < before:
                raise InvalidValueError(
                    f"The keyframe at {time:g} s comes after that at {before:g} s.",
                    hint="Times count from the start, and ascend from 0.",
                )
            before = time
            for located, given in _settings(base, settings):
                value = self._set(located, given)
                track = self._tracks.setdefault(located, [(0.0, self._value(located))])
                if track[-1][0] == time:
                    track.pop()
                track.append((time, value))
        if not self._tracks:
            raise InvalidValueError(
                "There are no keyframes.", hint="As [(0, {}), (2, {'view.zoom': 4})]."
            )
        self.duration = before

    def state(self, time: float) -> State:
        """The document at a moment, in seconds from the start."""
        changes = [Change(path, between(path, track, time)) for path, track in self._tracks.items()]
        document = Document(self._base)
        document.edit(changes, author=VIEWER)
        return document.state

    def _set(self, path: Path, value: Any) -> Any:
        """What the document makes of a value, where it can be: 1 may be 1.0."""
        document = Document(self._base)
        document.edit([Change(path, value)], author=VIEWER)
        return present(document.state, path).value

    def _value(self, path: Path) -> Any:
        return present(self._base, path).value


def between(path: Path, track: Sequence[tuple[float, Any]], time: float) -> Any:
    """The value of one setting at a moment.

    Parameters
    ----------
    path : tuple of str
        Which setting: zooms and orientations go their own ways.
    track : sequence of (float, value)
        By ascending time; at least one.
    time : float
    """
    place = bisect.bisect_right([at for at, _ in track], time)
    if place == 0:
        return track[0][1]
    start, before = track[place - 1]
    if place == len(track):
        return before
    stop, after = track[place]
    part = (time - start) / (stop - start)
    if path[-1] == "zoom" and _is_number(before) and _is_number(after):
        return before * (after / before) ** part
    if path[-1] == "orientation":
        return slerp(before, after, part)
    return _mixed(before, after, part)


def slerp(before: Sequence[float], after: Sequence[float], part: float) -> tuple[float, ...]:
    """The orientation on the shortest turn from one quaternion (x, y, z, w) to another."""
    a, b = _unit(before), _unit(after)
    cosine = sum(x * y for x, y in zip(a, b, strict=True))
    if cosine < 0:  # the same orientation, the other way round
        b, cosine = tuple(-y for y in b), -cosine
    if cosine > 0.9995:
        return _unit([x + part * (y - x) for x, y in zip(a, b, strict=True)])
    angle = math.acos(cosine)
    first, second = math.sin((1 - part) * angle), math.sin(part * angle)
    return _unit([first * x + second * y for x, y in zip(a, b, strict=True)])


def _unit(vector: Sequence[float]) -> tuple[float, ...]:
    length = math.hypot(*vector)
    return tuple(float(value) / length for value in vector)


def _mixed(before: Any, after: Any, part: float) -> Any:
    if _is_number(before) and _is_number(after):
        value = before + part * (after - before)
        return round(value) if isinstance(before, int) and isinstance(after, int) else value
    if _is_row(before) and _is_row(after) and len(before) == len(after):
        return [a + part * (b - a) for a, b in zip(before, after, strict=True)]
    return before


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_row(value: Any) -> bool:
    """Whether it is a position or the like: numbers in a row."""
    return isinstance(value, list | tuple) and len(value) > 0 and all(map(_is_number, value))


def _entry(entry: Any) -> tuple[float, Mapping[str, Any]]:
    try:
        time, settings = entry
        seconds = float(time)
    except (TypeError, ValueError):
        seconds, settings = math.nan, None
    if isinstance(settings, str | os.PathLike):
        settings = saved_view.read(File(settings).expanduser())
    if not 0 <= seconds < math.inf or not isinstance(settings, Mapping):
        raise InvalidValueError(
            f"{entry!r} is no keyframe.", hint="As (2.5, {'view.zoom': 4}), with seconds from 0."
        )
    return seconds, settings


def _settings(base: State, given: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every setting of a keyframe, with its path in the document."""
    if given.get("format") != saved_view.FORMAT:
        for path, value in _flat(given, ()):
            yield _located(base, path), value
        return
    saved = saved_view.parse(given)
    found = saved_view.find(base, saved)
    gone = [layer.name for number, layer in enumerate(saved.layers) if number not in found]
    if gone:
        raise UnknownLayerError(
            f"The saved view shows {', '.join(map(repr, gone))}, and here is no such layer.",
            hint="Load the view, or add the data under this name.",
        )
    for change in saved_view.plan_load(base, saved, found):
        if change.path[-1] == "style":
            yield from _flat(change.value, change.path)
        else:
            yield change.path, change.value


def _flat(settings: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    """Every setting of nested dicts, with its path."""
    for key, value in settings.items():
        # below a layer's name, which may hold dots, and at the top the short spelling
        inner = (*path, *key.split(".")) if path[:1] != ("layers",) or path[1:] else (*path, key)
        whole = inner[0] == "layers" and inner[-1] in ("colors", "metadata")
        if isinstance(value, Mapping) and not whole:
            yield from _flat(value, inner)
        else:
            yield inner, value


def _located(base: State, path: Path) -> Path:
    """The path in the document: layers by their names, styles without saying so."""
    if path[0] != "layers" or len(path) < 3:
        return path
    _, name, field, *rest = path
    found = [id for id, layer in base.layers.items() if name in (layer.name, id)]
    if not found:
        names = ", ".join(repr(layer.name) for layer in base.layers.values()) or "none"
        raise UnknownLayerError(f"There is no layer {name!r}.", hint=f"There are: {names}.")
    inside = (field,) if field in _OF_LAYERS else ("style", field)
    return ("layers", found[0], *inside, *rest)
