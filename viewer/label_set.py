"""Sets and colours of labels, as Python objects that follow the document.

In the document a label is a decimal string (JSON numbers stop at 53 bits) and a set of them a
tuple in order of selection. Here labels are ints, and each change is one edit that nobody else
can come between.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSet
from typing import TYPE_CHECKING, Any

from viewer import state
from viewer.colormaps import hex_color
from viewer.document.rules import VIEWER
from viewer.errors import InvalidValueError
from viewer.messages import Change

if TYPE_CHECKING:
    from viewer.layers import LabelsLayer


class LabelSet(MutableSet[int]):
    """The labels in one field of a layer's style, in order of selection.

    Parameters
    ----------
    layer : LabelsLayer
    field : str
        ``"selected"`` or ``"hidden"``.
    """

    def __init__(self, layer: LabelsLayer, field: str) -> None:
        self._layer = layer
        self._field = field

    @classmethod
    def _from_iterable(cls, labels: Iterable[int]) -> set[int]:  # type: ignore[override]
        return set(labels)  # results of | & - are plain sets, apart from the document

    def __contains__(self, label: object) -> bool:
        try:
            return str(operator.index(label)) in self._read()  # type: ignore[arg-type]
        except TypeError:
            return False

    def __iter__(self) -> Iterator[int]:
        return map(int, self._read())

    def __len__(self) -> int:
        return len(self._read())

    def add(self, label: int) -> None:
        """Put a label at the end; nothing when it is there."""
        self._edit(lambda now: (*now, text) if (text := spell(label)) not in now else now)

    def discard(self, label: int) -> None:
        """Take a label out; nothing when it is not there."""
        self._edit(lambda now: tuple(other for other in now if other != spell(label)))

    def update(self, labels: Iterable[int]) -> None:
        """Put all of these labels at the end, in one edit."""
        new = spell_all(labels, self._field)
        self._edit(lambda now: tuple(dict.fromkeys((*now, *new))))

    def clear(self) -> None:
        """Take all labels out, in one edit."""
        self._edit(lambda now: ())

    def toggle(self, label: int) -> None:
        """Put a label in, or out when it is there: a double-click."""
        text = spell(label)
        self._edit(lambda now: tuple(o for o in now if o != text) if text in now else (*now, text))

    def __repr__(self) -> str:
        return "{" + ", ".join(self._read()) + "}"

    def _read(self) -> tuple[str, ...]:
        labels: tuple[str, ...] = self._layer._get(("style", self._field))
        return labels

    def _edit(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        document, prefix = self._layer._located()
        path = (*prefix, "style", self._field)

        def plan(now: state.Document) -> list[Change]:
            style = now.layers[prefix[1]].style
            return [Change(path, change(getattr(style, self._field)))]

        document.amend(plan, author=VIEWER)


class LabelColors(MutableMapping[int, str]):
    """Colours given to labels, ``"#rrggbb"``; labels not in it have their stable colour."""

    def __init__(self, layer: LabelsLayer) -> None:
        self._layer = layer

    def __getitem__(self, label: int) -> str:
        return self._read()[str(label)]

    def __setitem__(self, label: int, color: object) -> None:
        self._edit(Change((spell(label),), hex_color(color)))

    def __delitem__(self, label: int) -> None:
        if label not in self:
            raise KeyError(label)
        self._edit(Change((spell(label),), remove=True))

    def __iter__(self) -> Iterator[int]:
        return map(int, self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(dict(self))

    def _read(self) -> dict[str, str]:
        colors: dict[str, str] = self._layer._get(("style", "colors"))
        return colors

    def _edit(self, change: Change) -> None:
        document, prefix = self._layer._located()
        path = (*prefix, "style", "colors", *change.path)
        document.edit([Change(path, change.value, change.remove)], author=VIEWER)


def spell(label: Any) -> str:
    """A label as the document has it.

    Raises
    ------
    InvalidValueError
        For what is no whole number, and for the background 0.
    """
    number = whole(label)
    if number:
        return str(number)
    raise _no_label(label)


def whole(label: Any) -> int:
    """A label as a number, also the background 0.

    Raises
    ------
    InvalidValueError
        For what is no whole number of up to 64 bits.
    """
    if not isinstance(label, bool):
        try:
            number = operator.index(label)
        except TypeError:
            raise _no_label(label) from None
        if -(2**63) <= number < 2**64:
            return number
    raise _no_label(label)


def _no_label(label: object) -> InvalidValueError:
    return InvalidValueError(
        f"{label!r} is not a label.",
        hint="Labels are whole numbers of up to 64 bits other than 0, the background.",
    )


def spell_all(labels: Any, field: str) -> tuple[str, ...]:
    """Labels as the document has them, each once; the background 0 is left out.

    Sets are sorted, since they have no order of their own; others keep theirs.
    """
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise InvalidValueError(
            f"{field}={labels!r} is not a set of labels.", hint=f"As in {field} = {{17, 42}}."
        )
    found = labels.ravel().tolist() if hasattr(labels, "ravel") else labels
    try:
        numbers = [label for label in found if isinstance(label, bool) or label != 0]
        if isinstance(labels, (set, frozenset)):
            numbers.sort()
    except (TypeError, ValueError):
        numbers = list(found)
    return tuple(dict.fromkeys(map(spell, numbers)))


def spell_colors(colors: Any) -> dict[str, str]:
    """``{label: colour}`` as the document has it."""
    if not isinstance(colors, Mapping):
        raise InvalidValueError(
            f"colors={colors!r} is not a dict.",
            hint="As in colors = {17: 'orange', 42: '#00ff88'}.",
        )
    return {spell(label): hex_color(color) for label, color in colors.items()}
