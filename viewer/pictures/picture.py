"""A picture as an array that also knows how to be a PNG."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np

from viewer.errors import InvalidDataError, InvalidValueError


class Picture(np.ndarray[tuple[int, ...], np.dtype[np.uint8]]):
    """Pixels as (height, width, 4) of uint8: red, green, blue, opacity.

    An ordinary array, which notebooks show as a picture.

    Parameters
    ----------
    pixels : array
        Of that shape and dtype.
    """

    def __new__(cls, pixels: Any) -> Picture:
        """A view of `pixels`, without a copy where that is possible."""
        return np.asarray(pixels, np.uint8).view(cls)

    @classmethod
    def from_png(cls, png: bytes) -> Picture:
        """The pixels of a PNG."""
        from PIL import Image

        with Image.open(io.BytesIO(png)) as image:
            return cls(np.array(image.convert("RGBA")))

    @property
    def png(self) -> bytes:
        """The picture as a PNG file."""
        return self._encoded("PNG")

    @property
    def data_uri(self) -> str:
        """The picture as an address that holds it, as for ``<img src=…>``."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()

    def save(self, path: str | Path) -> None:
        """Write a file; what kind, its suffix says.

        Parameters
        ----------
        path : str or Path
            As ``"figure.png"``, ``".jpg"``, ``".webp"``, ``".tif"``, …: what Pillow writes. JPEG
            knows no transparency: what is transparent becomes white.

        Raises
        ------
        InvalidValueError
            For a suffix that stands for no kind of picture.
        """
        Path(path).write_bytes(self._encoded(format_of(path)))

    def _encoded(self, format: str) -> bytes:
        from PIL import Image

        if self.ndim != 3 or self.shape[2] not in (3, 4) or 0 in self.shape:
            raise InvalidDataError(f"An array of shape {self.shape} is not a whole picture.")
        image = Image.fromarray(np.ascontiguousarray(self.view(np.ndarray)))
        if format not in _TRANSPARENT and image.mode == "RGBA":
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image).convert("RGB")
        out = io.BytesIO()
        image.save(out, format)
        return out.getvalue()

    def _repr_png_(self) -> bytes | None:
        whole = self.ndim == 3 and self.shape[2] in (3, 4) and 0 not in self.shape
        return self.png if whole else None


_TRANSPARENT = {"PNG", "WEBP", "TIFF", "GIF", "AVIF", "ICO", "TGA", "JPEG2000"}
"""Kinds of files that keep the opacity."""


def format_of(path: str | Path) -> str:
    """Pillow's name of the kind of file that the suffix of `path` stands for.

    Raises
    ------
    InvalidValueError
        For a suffix that stands for none that can be written.
    """
    from PIL import Image

    suffix = Path(path).suffix.lower()
    format = Image.registered_extensions().get(suffix)
    if format is None or format not in Image.SAVE:
        raise InvalidValueError(
            f"{str(path)!r} does not say what kind of picture it is.",
            hint="Give it a suffix such as .png, .jpg, .webp or .tif.",
        )
    return format
