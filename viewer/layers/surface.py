"""Surfaces: triangles that somebody brought along, or an isosurface of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viewer import state
from viewer.affine import to_matrix
from viewer.colormaps import colormap_name, hex_color
from viewer.document.rules import VIEWER
from viewer.layers.layer import Layer, Owner
from viewer.messages import Change
from viewer.pyramids.pyramid import Pyramid
from viewer.settings import Setting

if TYPE_CHECKING:
    from viewer.meshing.surfaces import Place, Surface


class SurfaceLayer(Layer):
    """Triangles, coloured by values of their vertices. See `Viewer.add_surface`."""

    kind = "surface"

    contrast_limits: Setting[tuple[float, float]] = Setting(
        "style",
        "contrast_limits",
        doc="Values (low, high) drawn as the ends of the colour map; finite, low < high.",
    )
    gamma: Setting[float] = Setting(
        "style", "gamma", doc="Exponent of the normalised value, 0.05 to 20; default 1."
    )
    silhouette: Setting[float] = Setting(
        "style",
        "silhouette",
        doc="How much clearer faces are that look at the camera, 0 (default) to 1: only outlines "
        "remain.",
    )

    def __init__(
        self, owner: Owner, layer_id: str, name: str, data: Any, pyramid: Pyramid,
        surface: Surface, place: Place,
    ) -> None:  # fmt: skip
        self._surface, self._where = surface, place
        super().__init__(owner, layer_id, name, data, pyramid)

    @property
    def data(self) -> Any:
        """``(vertices, faces)`` or ``(vertices, faces, values)`` as given; assign new ones."""
        given = super().data
        return (given.vertices, given.faces) if given is self._surface else given

    @data.setter
    def data(self, data: Any) -> None:
        from viewer.meshing.surfaces import as_surface

        surface = as_surface(data)
        self._located()
        self._surface, self._user_data = surface, data
        self._renew(lambda pyramid: pyramid.place(surface.box(self._where), state.IDENTITY))
        document, prefix = self._located()
        counts = (("vertices", len(surface.vertices)), ("faces", len(surface.faces)))
        changes: list[tuple[str, object]] = [*counts, ("valued", surface.values is not None)]
        document.edit([Change((*prefix, key), value) for key, value in changes], author=VIEWER)

    @property
    def scale(self) -> tuple[float, ...]:
        """Size of the vertices' unit along (z, y, x), in `units`; a number or three, positive."""
        return self._where.level.scale

    @scale.setter
    def scale(self, value: Sequence[float] | float) -> None:
        self._place(value, self.translate, self.affine)

    @property
    def translate(self) -> tuple[float, ...]:
        """World position (z, y, x) of the vertices' origin, in `units`; set like `scale`."""
        return self._where.level.translate

    @translate.setter
    def translate(self, value: Sequence[float] | float) -> None:
        self._place(self.scale, value, self.affine)

    @property
    def colormap(self) -> str:
        """Colour map of the values, as that of an image."""
        return str(self._get(("style", "colormap")))

    @colormap.setter
    def colormap(self, value: str) -> None:
        self._set(("style", "colormap"), colormap_name(value))

    @property
    def color(self) -> str:
        """Colour of a surface without values, ``"#c8c8c8"``; may be set by its name."""
        return str(self._get(("style", "color")))

    @color.setter
    def color(self, value: object) -> None:
        self._set(("style", "color"), hex_color(value))

    def reset_contrast_limits(self) -> None:
        """Set `contrast_limits` to the least and greatest value."""
        self.contrast_limits = self.surface()[0].limits()

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """What is applied after scale and translate, in `units`: (4, 4) over (z, y, x), a copy.

        Can be set to such a matrix, or to None for the identity.
        """
        return to_matrix(self._where.affine, 3)

    @affine.setter
    def affine(self, value: npt.ArrayLike | None) -> None:
        self._place(self.scale, self.translate, value)

    def surface(self) -> tuple[Surface, Place]:
        """The triangles, and where they lie in the world."""
        return self._surface, self._where

    def _place(self, *where: Any) -> None:
        from viewer.meshing.surfaces import plan_place

        self._where = plan_place(*where)
        box = self._surface.box(self._where)
        self._renew(lambda pyramid: pyramid.place(box, state.IDENTITY))

    def __repr__(self) -> str:
        if self._owner is None:
            return f"<SurfaceLayer {self._last_name!r} (removed)>"
        counts = f"{len(self._surface.vertices)} vertices, {len(self._surface.faces)} faces"
        return f"<SurfaceLayer {self._last_name!r} {counts}>"
