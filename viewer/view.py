"""The view: what part of the world is looked at, and how the window is laid out.

World coordinates are (z, y, x) in `View.units`. These objects hold nothing: every attribute is
read from and written to the document (`viewer.settings`), so what a page does shows here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from viewer import state
from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.errors import InvalidValueError, UnknownAxisError
from viewer.messages import Change
from viewer.orientation import PANELS, composed, orientation_along
from viewer.settings import Setting, Settings


class Camera(Settings):
    """The camera of the 3-D panel; it looks at `View.center`."""

    orientation: Setting[tuple[float, float, float, float]] = Setting(
        "orientation",
        doc="""Quaternion (x, y, z, w) that turns the world into the view.

        (0, 0, 0, 1) looks along +z, as the xy panel does; the default looks from above and
        aside of `View.upright`, so that all three slices are seen. Any non-zero length is taken
        and brought to 1.""",
    )
    zoom: Setting[float | None] = Setting(
        "zoom", doc="CSS pixels per world unit at the centre; None (default) fits the data."
    )

    def __init__(self, document: Callable[[], Document]) -> None:
        self._document = document

    def face(self, panel: Literal["xy", "xz", "yz"]) -> None:
        """Turn to where a slice panel looks from while its slices are `View.upright`.

        Parameters
        ----------
        panel : {"xy", "xz", "yz"}

        Raises
        ------
        InvalidValueError
            For what is no slice panel.
        """
        if panel not in PANELS:
            raise InvalidValueError(
                f"panel={panel!r} has no slices.", hint="Allowed: 'xy', 'xz', 'yz'."
            )
        self.orientation = composed(self._document().state.view.upright, PANELS[panel])

    def _located(self) -> tuple[Document, tuple[str, ...]]:
        return self._document(), ("view", "camera")

    def __repr__(self) -> str:
        return f"<Camera orientation={self.orientation} zoom={self.zoom}>"


class Position(Mapping[str, float]):
    """World position on every leading axis (time, channel, …), by the axis's name.

    ``position["t"] = 3.0`` moves a slider. Axes come and go with the layers that have them.
    """

    def __init__(self, document: Callable[[], Document]) -> None:
        self._document = document

    def __getitem__(self, name: str) -> float:
        try:
            return self._document().state.view.position[name]
        except KeyError:
            raise self._unknown(name) from None

    def __setitem__(self, name: str, value: float) -> None:
        document = self._document()
        if name not in document.state.view.position:
            raise self._unknown(name)
        document.edit([Change(("view", "position", str(name)), value)], author=VIEWER)

    def __iter__(self) -> Iterator[str]:
        return iter(self._document().state.view.position)

    def __len__(self) -> int:
        return len(self._document().state.view.position)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _unknown(self, name: object) -> UnknownAxisError:
        axes = ", ".join(map(repr, self)) or "none"
        return UnknownAxisError(f"No leading axis {name!r}.", hint=f"There are: {axes}.")


class View(Settings):
    """What part of the world is looked at: ``v.view``.

    Every attribute can be set at any time; pages follow within a frame.
    """

    center: Setting[tuple[float, float, float]] = Setting(
        "center",
        doc="""World position (z, y, x) where the slices cross and panels are centred.

        In `units`. While nobody has set it, it is the voxel in the middle of all layers.""",
    )
    orientation: Setting[tuple[float, float, float, float]] = Setting(
        "orientation",
        doc="""Quaternion (x, y, z, w) that turns the world into the slices' own x, y, z.

        The three slices stay at right angles and turn together about `center`: the panel ``"xy"``
        shows their x to the right and their y downwards, whatever they are in the world. As
        `Camera.orientation`: (0, 0, 0, 1) lies along the axes, and any non-zero length is taken
        and brought to 1. `slice_along` finds it by a direction. While nobody has set it, it is
        `upright`.""",
    )
    zoom: Setting[float | None] = Setting(
        "zoom",
        doc="CSS pixels per world unit in the slice panels; None (default) fits the data.",
    )
    layout: Setting[state.Layout] = Setting(
        "layout",
        doc="""Panels shown: ``"4panel"``, ``"xy"``, ``"xz"``, ``"yz"`` or ``"3d"``.

        While nobody has set it, ``"xy"`` for data without a z axis, else ``"4panel"``.""",
    )
    split: Setting[tuple[float, float]] = Setting(
        "split",
        doc="Dividers (x, y) of the four panels, fractions 0 to 1 of the area; default (0.5, 0.5).",
    )
    scale_bar: Setting[bool] = Setting(
        "scale_bar", doc="Whether slice panels have a scale bar; default True."
    )
    axis_lines: Setting[bool] = Setting(
        "axis_lines", doc="Whether crosshair and axis names are drawn; default True."
    )
    title: Setting[str] = Setting(
        "title",
        doc="""A line above the panels, also in pictures; ``""`` (default) for none.

        The window's own title is `Viewer.title`.""",
    )
    colorbar: Setting[bool] = Setting(
        "colorbar",
        doc="""Whether colour bars stand beside the panels, also in pictures; default False.

        One for each visible image, and surface with values: its name, and which value between the
        contrast limits has which colour.""",
    )
    slices_in_3d: Setting[bool] = Setting(
        "slices_in_3d", doc="Whether the 3-D panel shows the three slices; default True."
    )

    def __init__(self, document: Callable[[], Document]) -> None:
        self._document = document
        self._camera = Camera(document)
        self._position = Position(document)

    def _located(self) -> tuple[Document, tuple[str, ...]]:
        return self._document(), ("view",)

    def slice_along(
        self, normal: Sequence[float] | None = None, *, up: Sequence[float] | None = None
    ) -> None:
        """Turn the slices so that the panel ``"xy"`` looks along a direction.

        The other two stay at right angles to it; all turn about `center`. Without arguments they
        are `upright` again.

        Parameters
        ----------
        normal : (float, float, float), optional
            World direction (z, y, x) of any length, along which the slices follow each other;
            default (1, 0, 0) if `up` is given.
        up : (float, float, float), optional
            World direction (z, y, x) that points upwards in that panel, as far as it can. Default:
            y runs down; where y is looked along, x runs to the right.

        Raises
        ------
        InvalidValueError
            For what is no direction, and for an `up` along `normal`.

        Examples
        --------
        >>> v.view.slice_along((1, 1, 0))  # half way between xy and xz
        >>> v.view.slice_along(stop - start)  # across a fibre
        >>> v.view.slice_along()
        """
        if normal is None and up is None:
            self.orientation = self.upright
        else:
            self.orientation = orientation_along((1, 0, 0) if normal is None else normal, up)

    @property
    def upright(self) -> tuple[float, float, float, float]:
        """How the slices lie that show the data as its field does; see `orientation`.

        A head of a NIfTI file stands upright, north is on top in a FITS image. It is said by the
        layer that came first; (0, 0, 0, 1), rows from top to bottom as in the array, for all else.
        """
        upright: tuple[float, float, float, float] = self._get(("upright",))
        return upright

    @property
    def camera(self) -> Camera:
        """The camera of the 3-D panel: `Camera.orientation` and `Camera.zoom`."""
        self._document()
        return self._camera

    @property
    def position(self) -> Position:
        """World position on every leading axis, by name: ``position["t"] = 3.0``.

        Assigning a dict sets the axes that it names, all at once.
        """
        self._document()
        return self._position

    @position.setter
    def position(self, value: Mapping[str, float]) -> None:
        if not isinstance(value, Mapping):
            raise InvalidValueError(
                f"view.position={value!r} is not allowed.", hint="As in view.position = {'t': 3.0}."
            )
        given = dict(value)
        self._document().amend(
            lambda now: [Change(("view", "position"), {**now.view.position, **given})],
            author=VIEWER,
        )

    @property
    def units(self) -> str:
        """Unit of all spatial world coordinates, that of the first layer with units; or ``""``."""
        return str(self._get(("units",)))

    @property
    def sliders(self) -> tuple[state.Slider, ...]:
        """The leading axes of the layers: name, unit, start, stop (inclusive) and step."""
        sliders: tuple[state.Slider, ...] = self._get(("sliders",))
        return sliders

    def __repr__(self) -> str:
        names = ("center", "orientation", "zoom", "layout", "position", "units")
        fields = operator.attrgetter(*names)(self)
        return "<View " + " ".join(f"{n}={f!r}" for n, f in zip(names, fields, strict=True)) + ">"
