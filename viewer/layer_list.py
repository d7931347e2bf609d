"""The layers of a viewer, in order, found by name, index or id: ``v.layers``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import overload

from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.errors import InvalidValueError, UnknownLayerError, did_you_mean
from viewer.layers import AnyLayer, Layer
from viewer.messages import Change
from viewer.state import Document as State

Key = int | str | Layer
"""A layer, its index from the bottom (negative: from the top), its name or its id."""


LISTED = 12
"""Layers named in a message, at most."""

LISTED_LETTERS = 40
"""Letters of a name in a message, at most."""


class LayerList:
    """The layers, bottom first.

    ``layers["cells"]``, ``layers[0]``, ``layers[-1]``, ``layers["l3"]`` (id); iteration, ``len``,
    ``in``; ``del layers["cells"]``.
    """

    def __init__(self, document: Callable[[], Document], layers: dict[str, AnyLayer]) -> None:
        self._document = document
        self._layers = layers

    @overload
    def __getitem__(self, key: int | str) -> AnyLayer: ...

    @overload
    def __getitem__(self, key: slice) -> list[AnyLayer]: ...

    def __getitem__(self, key: int | str | slice) -> AnyLayer | list[AnyLayer]:
        if isinstance(key, slice):
            return list(self)[key]
        layer_id = self._find(self._document().state, key)
        try:
            return self._layers[layer_id]
        except KeyError:  # removed in between
            raise self._unknown(key) from None

    def __iter__(self) -> Iterator[AnyLayer]:
        order = self._document().state.order
        return iter([self._layers[key] for key in order if key in self._layers])

    def __reversed__(self) -> Iterator[AnyLayer]:
        return iter(list(self)[::-1])

    def __len__(self) -> int:
        return len(self._document().state.order)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, (Layer, str)):
            return False
        try:
            self._find(self._document().state, key)
        except UnknownLayerError:
            return False
        return True

    def __delitem__(self, key: Key) -> None:
        self.remove(key)

    @property
    def names(self) -> tuple[str, ...]:
        """Names, bottom first."""
        state = self._document().state
        return tuple(state.layers[key].name for key in state.order)

    def index(self, layer: Key) -> int:
        """Place of a layer in the order, 0 at the bottom.

        Raises
        ------
        UnknownLayerError
            When it is not here.
        """
        state = self._document().state
        return state.order.index(self._find(state, layer))

    def remove(self, layer: Key) -> None:
        """Take a layer away and let go of its data.

        Parameters
        ----------
        layer : Layer, str or int
            Itself, its name or id, or its index.

        Raises
        ------
        UnknownLayerError
            When it is not here; the message names those that are.
        """
        self._document().amend(
            lambda now: [Change(("layers", self._find(now, layer)), remove=True)], author=VIEWER
        )

    def clear(self) -> None:
        """Take all layers away."""
        self._document().amend(
            lambda now: [Change(("layers", key), remove=True) for key in now.layers],
            author=VIEWER,
        )

    def move(self, layer: Key, to: int) -> None:
        """Put a layer at another place in the order.

        Parameters
        ----------
        layer : Layer, str or int
            Itself, its name or id, or its index.
        to : int
            Its index afterwards, 0 at the bottom; negative counts from the top, -1 is the top.

        Raises
        ------
        UnknownLayerError, InvalidValueError
            For a layer or a place that does not exist.
        """

        def plan(now: State) -> list[Change]:
            key = self._find(now, layer)
            count = len(now.order)
            try:
                place = operator.index(to)
            except TypeError:
                place = count
            if not -count <= place < count:
                raise InvalidValueError(
                    f"to={to!r} is no place among {count} layers.",
                    hint=f"Use 0 (bottom) to {count - 1} (top), or -1 (top) to {-count}.",
                )
            others = [other for other in now.order if other != key]
            others.insert(place % count, key)
            return [Change(("order",), tuple(others))]

        self._document().amend(plan, author=VIEWER)

    def __repr__(self) -> str:
        return "[" + ", ".join(repr(layer) for layer in self) + "]"

    def _find(self, state: State, key: object) -> str:
        """Id of the layer that `key` means."""
        if isinstance(key, Layer):
            layer_id = key.id
            if self._layers.get(layer_id) is key and layer_id in state.layers:
                return layer_id
            raise self._unknown(key)
        if isinstance(key, str):
            for layer_id, layer in state.layers.items():
                if layer.name == key:
                    return layer_id
            if key in state.layers:
                return key
            raise self._unknown(key)
        try:
            return state.order[operator.index(key)]  # type: ignore[arg-type]
        except (TypeError, IndexError):
            raise self._unknown(key) from None

    def _unknown(self, key: object) -> UnknownLayerError:
        names = self.names
        if isinstance(key, str) and names:
            text = did_you_mean(key, names)
            listed = _listed(map(_short, names))
            hint = f"There are: {listed}." + (f" {text}" if text.startswith("Did") else "")
        else:
            listed = _listed(f"{number}: {_short(name)}" for number, name in enumerate(names))
            hint = f"There are {listed}." if names else "There are no layers yet."
        return UnknownLayerError(f"There is no layer {key!r}.", hint=hint)


def _listed(entries: Iterable[str]) -> str:
    """The first of them, for a message that is read at a prompt."""
    shown = list(islice(entries, LISTED + 1))
    return ", ".join(shown[:LISTED]) + (", …" if len(shown) > LISTED else "")


def _short(name: str) -> str:
    return repr(name if len(name) <= LISTED_LETTERS else name[: LISTED_LETTERS - 1] + "…")
