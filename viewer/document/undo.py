"""What can be taken back: one history of all authors, step by step.

A step is an edit: a line of Python, a `txn`, a click on a page. What a page does to the same thing
within `MERGE_SECONDS` is one step, so a drag is taken back as a whole.

Names, visibility, styles (with selected labels), the order of the layers, title, theme, layout,
how the slices lie, and overlays count. Moves do not: centre, zoom, camera, sliders and dividers
change all the time, and whoever wants a colour back does not want to lose the place. Nor does what
concerns the data: adding it, refreshing it, and removing a layer, which lets go of its data for
good. Steps of layers that are gone are passed over.

Steps hold the values before and after. They share them with the states of the document, and there
are at most `STEPS`, of at most `ENTRIES` entries altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from viewer.document.rules import VIEWER
from viewer.messages import Change
from viewer.state import Document, View

Path = tuple[str, ...]

MERGE_SECONDS = 1.0
"""Seconds between two edits of a page that are still one step: a hand that hesitates in a drag."""

STEPS = 200
"""Steps kept."""

ENTRIES = 2_000_000
"""Values kept in all steps together: labels of selections, entries of metadata."""

_ROOT = ("title", "theme", "order")
_LAYER = ("name", "visible", "style", "metadata")
_MOVES = ("center", "zoom", "position", "camera", "split", "units", "sliders", "upright")
_LOOKS = tuple(name for name in View.__struct_fields__ if name not in _MOVES)

_NOTHING = object()
"""In place of a value where a dict has no entry."""


class Step(msgspec.Struct):
    """What one edit did.

    Parameters
    ----------
    author : str
    time : float
        Of its last part, seconds.
    before, after : dict of path to value
        With the same keys.
    """

    author: str
    time: float
    before: dict[Path, Any]
    after: dict[Path, Any]

    def changes(self, now: Document, redo: bool) -> list[Change]:
        """What leads to the values before the step (or after it), as far as that is possible."""
        made = []
        for path, value in (self.after if redo else self.before).items():
            if path[0] == "layers" and path[1] not in now.layers:
                continue
            if path == ("order",):
                kept = [layer for layer in value if layer in now.layers]
                value = (*kept, *(layer for layer in now.order if layer not in kept))
            if value is _NOTHING:
                made.append(Change(path, remove=True))
            else:
                made.append(Change(path, value))
        return made

    def describe(self, now: Document) -> str:
        """What it was about: ``"contrast_limits of 'raw'"``."""
        said = []
        for path in self.before:
            if path[0] != "layers":
                said.append("order of the layers" if path == ("order",) else path[-1])
            elif path[1] in now.layers:
                field = path[3] if path[2] == "style" and len(path) > 3 else path[2]
                said.append(f"{field} of {now.layers[path[1]].name!r}")
        said = list(dict.fromkeys(said))
        return ", ".join(said[:3]) + (f" and {len(said) - 3} more" if len(said) > 3 else "")

    @property
    def entries(self) -> int:
        """How many values it holds, roughly."""
        return sum(
            len(value) if isinstance(value, tuple | dict | str) else 1
            for values in (self.before, self.after)
            for value in values.values()
        )


class Steps:
    """The steps that can be taken back, and those that can be done again.

    Not safe by itself: the document calls it under its lock.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def note(self, before: Document, after: Document, touched: Sequence[Path], author: str) -> None:
        """Remember an edit, if it is one that can be taken back."""
        paths = [
            path
            for path in plan_paths(touched)
            if _at(before, path) != _at(after, path)
            and (path[0] != "layers" or (path[1] in before.layers and path[1] in after.layers))
        ]
        if not paths:
            return
        now = self._clock()
        step = Step(
            author,
            now,
            {path: _at(before, path) for path in paths},
            {path: _at(after, path) for path in paths},
        )
        last = self._done[-1] if self._done else None
        if (
            last is not None
            and author == last.author != VIEWER
            and not self._undone
            and now - last.time < MERGE_SECONDS
            and step.before.keys() == last.before.keys()
        ):
            last.time, last.after = now, step.after
        else:
            self._done.append(step)
        self._undone.clear()
        self._shorten()

    def take(self, redo: bool) -> Iterator[Step]:
        """Take steps out, the newest first, as long as the caller finds nothing in them."""
        steps = self._undone if redo else self._done
        while steps:
            yield steps.pop()

    def give(self, step: Step, redo: bool) -> None:
        """A step that was taken was done: it can be done the other way round now."""
        step.author = ""  # nothing merges with it any more
        (self._done if redo else self._undone).append(step)

    def _shorten(self) -> None:
        del self._done[:-STEPS]
        total = 0
        for number in range(len(self._done) - 1, -1, -1):
            total += self._done[number].entries
            if total > ENTRIES and number < len(self._done) - 1:
                del self._done[: number + 1]
                return


def plan_paths(touched: Sequence[Path]) -> list[Path]:
    """The paths of an edit that can be taken back, none inside another."""
    data = any(path[0] == "layers" and (len(path) == 2 or path[2] == "data") for path in touched)
    found: dict[Path, None] = {}
    for path in touched:
        match path:
            case ("order",) | ("view", "layout") if data:
                continue  # followed the layers
            case ("view",):
                found |= {("view", name): None for name in _LOOKS}
            case ("view", field, *_) if field in _LOOKS:
                found[path] = None
            case (field,) if field in _ROOT:
                found[path] = None
            case ("layers", _, field, *_) if field in _LAYER:
                found[path] = None
    return [p for p in found if not any(p[:depth] in found for depth in range(1, len(p)))]


def _at(document: Document, path: Path) -> Any:
    node: Any = document
    for key in path:
        if isinstance(node, Struct):
            node = getattr(node, key)
        elif isinstance(node, dict) and key in node:
            node = node[key]
        else:
            return _NOTHING
    return node
