"""FITS images by astropy: sections are read, and scaled, as they are looked at.

A file that was compressed as a whole (``.fits.gz``) is read as a whole: to go back in it means to
begin anew.
Their first row is the lowest of the picture, by the standard, so that north is on top.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from viewer.orientation import YZ_UP
from viewer.sources.description import Description, Suggestions, Transform, length_unit
from viewer.sources.files.opened import Entry, Opened, choose, load_extra, stem_of
from viewer.sources.protocol import Array
from viewer.sources.reordered import reorder
from viewer.sources.sliced import Sliced
from viewer.space import conversion

SPECTRAL = "freq ener wavn vrad wave vopt zopt awav velo beta felo".split()
"""Types of axes along a spectrum, of the standard's WCS."""

SUFFIXES = (".fits.gz", ".fits.fz", ".fits", ".fit", ".fts")


class Section(Sliced):
    """The image of an HDU, read where it is sliced."""

    def __init__(self, hdu: Any) -> None:
        self.shape = tuple(map(int, hdu.shape))
        self._hdu = hdu
        # astropy seeks and reads in one file
        self._lock = threading.Lock()
        self.dtype = self[tuple(slice(0, 1) for _ in self.shape)].dtype

    def _take(self, index: tuple[slice, ...]) -> Array:
        with self._lock:
            return np.asarray(self._hdu.section[index])


def open_fits(path: str, dataset: str | None) -> Opened:
    """One image of a FITS file: by its extension's name or number, else the only one."""
    fits = load_extra("astropy.io.fits", "fits", "FITS files")
    file = fits.open(path, memmap=False)
    try:
        entries, images = [], []
        for number, hdu in enumerate(file):
            if hdu.is_image and hdu.shape:
                name = str(number) if dataset == str(number) else hdu.name or str(number)
                entries.append(Entry(name, tuple(hdu.shape), _dtype(hdu.header["BITPIX"])))
                images.append(hdu)
        chosen = images[entries.index(choose(entries, dataset, path))]
        described = _describe(chosen, path)
    except BaseException:
        file.close()
        raise
    return Opened((described,), file.close)


def _dtype(bits: int) -> Any:
    """Of the voxels as they are stored; only for the list."""
    return np.dtype(f"{'f' if bits < 0 else 'u' if bits == 8 else 'i'}{abs(bits) // 8}")


def _describe(hdu: Any, path: str) -> Description:
    header = hdu.header
    count = len(hdu.shape)
    numbers = _order(header, count)
    packed = hdu.fileinfo()["file"].compression is not None
    data = reorder(hdu.data if packed else Section(hdu), [count - number for number in numbers])
    steps, units = _read_steps(header, numbers)
    leading = [_kind(header, number) for number in numbers[:-3]]
    names = (*leading, "z", "y", "x")[-max(count, 2) :] if all(leading) else None
    metadata = {"unit": str(header["BUNIT"])} if header.get("BUNIT") else {}
    return Description(
        data,
        (data,),
        names if names is not None and len(set(names)) == count else None,
        (Transform(steps, (0.0,) * count),) if steps else (),
        units,
        Suggestions(name=stem_of(path, SUFFIXES), metadata=metadata, upright=YZ_UP),
    )


def _kind(header: Any, number: int) -> str:
    return str(header.get(f"CTYPE{number}", "")).split("-")[0].strip().lower()


def _order(header: Any, count: int) -> list[int]:
    """The header's numbers of the axes, in C order, with the spectrum for depth.

    Some radio telescopes' programs put the polarization, mostly one, between it and the sky.
    """
    numbers = list(range(count, 0, -1))
    if count > 3 and _kind(header, 3) == "stokes":
        spectral = [n for n in numbers[:-3] if _kind(header, n) in SPECTRAL]
        if spectral:
            numbers.remove(spectral[-1])
            numbers.insert(count - 3, spectral[-1])
    return numbers


def _read_steps(header: Any, numbers: list[int]) -> tuple[tuple[float, ...], str]:
    """Voxel sizes in C order, where all spatial axes are lengths; none for angles and spectra."""
    count, spatial = len(numbers), min(len(numbers), 3)
    units = [length_unit(str(header.get(f"CUNIT{n}", ""))) for n in numbers[-3:]]
    steps = [abs(float(header.get(f"CDELT{n}", 1.0))) for n in numbers[-3:]]
    if not all(units) or not all(math.isfinite(step) and step > 0 for step in steps):
        return (), ""
    factors = [conversion(unit, units[-1]) for unit in units]
    scale = [step * factor for step, factor in zip(steps, factors, strict=True)]
    return (1.0,) * (count - spatial) + tuple(scale), units[-1]
