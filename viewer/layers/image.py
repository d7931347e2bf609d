"""Images: values are a quantity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from viewer import state
from viewer.colormaps import colormap_name
from viewer.layers.layer import Layer
from viewer.settings import Setting


class ImageLayer(Layer):
    """An image: its values are a quantity. See `Viewer.add_image`."""

    kind = "image"

    contrast_limits: Setting[tuple[float, float]] = Setting(
        "style",
        "contrast_limits",
        doc="Values (low, high) drawn as the ends of the colour map; finite, low < high.",
    )
    gamma: Setting[float] = Setting(
        "style", "gamma", doc="Exponent of the normalised value, 0.05 to 20; default 1."
    )
    blending: Setting[state.Blending] = Setting(
        "style",
        "blending",
        doc='How it covers what is below: ``"translucent"`` (default), ``"additive"``, '
        '``"opaque"`` or ``"minimum"``.',
    )
    interpolation: Setting[state.Interpolation] = Setting(
        "style", "interpolation", doc='Between voxels: ``"linear"`` (default) or ``"nearest"``.'
    )
    rendering: Setting[state.Rendering] = Setting(
        "style",
        "rendering",
        doc='How the image fills the 3-D panel beside its slices: ``"none"`` (default), ``"mip"`` '
        '(the greatest value along every line of sight) or ``"translucent"`` (a cloud, the '
        "denser the greater its values).",
    )

    @property
    def colormap(self) -> str:
        """Colour map by name (``"viridis"``, ``"magma_r"``), or a colour: black to that colour."""
        return str(self._get(("style", "colormap")))

    @colormap.setter
    def colormap(self, value: str) -> None:
        self._set(("style", "colormap"), colormap_name(value))

    def isosurface(self, level: float, **options: Any) -> Any:
        """Show the surface on which the image has one value, as a layer of its own.

        Made of the finest level of the pyramid that has no more than
        `viewer.policy.Policy.isosurface_voxels`; values between voxels are interpolated. With
        time or other leading axes, of what the view shows.

        Parameters
        ----------
        level : float
            The value.
        **options
            Those of `Viewer.add_surface`.

        Returns
        -------
        SurfaceLayer

        Raises
        ------
        NotFoundError
            When the image has no such value, or no z axis.
        """
        from viewer.meshing.isosurface import isosurface

        surface, coarse = isosurface(self.pyramid, level, self._shown_point())
        options = {"name": f"{self.name} at {level:g}", "units": self.units, **options}
        if coarse:
            options = {"metadata": {"level": coarse}, **options}
        add: Callable[..., Any] = self._open_owner().add_surface
        return add(surface, **options)

    def reset_contrast_limits(self) -> None:
        """Set `contrast_limits` from the data: 0.1 and 99.9 percentiles of a bounded sample."""
        self.contrast_limits = self.sample()

    def sample(self) -> tuple[float, float]:
        """Take a new histogram of the data; returns the contrast limits that suit it."""
        from viewer.pyramids.statistics import sample_statistics

        statistics = sample_statistics(self.pyramid)
        self._histogram = statistics.histogram
        return statistics.limits
