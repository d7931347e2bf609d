"""MRC and CCP4 maps of electron microscopy, by mrcfile."""

from __future__ import annotations

import math

from viewer.sources.description import Description, Suggestions, Transform
from viewer.sources.files.opened import Opened, load_extra, stem_of

SUFFIXES = (
    ".mrc.gz",
    ".mrc.bz2",
    ".mrc",
    ".mrcs",
    ".map.gz",
    ".map",
    ".rec",
    ".ali",
    ".ccp4",
    ".st",
)


def open_mrc(path: str, dataset: str | None) -> Opened:
    """The volume of an MRC file: mapped into memory, or read as a whole where it is compressed."""
    mrcfile = load_extra("mrcfile", "mrc", "MRC files")
    compressed = path.lower().endswith((".gz", ".bz2"))
    file = (mrcfile.open if compressed else mrcfile.mmap)(path, mode="r", permissive=True)
    data = file.data
    if data is None:
        file.close()
        raise ValueError("the file is cut off or no MRC file")
    size, origin = file.voxel_size, file.header.origin
    steps = [float(size[axis]) for axis in "zyx"]
    known = all(math.isfinite(step) and step > 0 for step in steps)
    starts = [float(origin[axis]) for axis in "zyx"] if known else [0.0] * 3
    count = data.ndim
    stack = count == 3 and file.is_image_stack()
    names: tuple[str, ...] = ("p", "z", "y", "x")[-count:]
    if stack:  # pictures of different things, one beside the other
        names, steps[0], starts[0] = ("p", "y", "x"), 1.0, 0.0
    return Opened(
        (
            Description(
                data,
                (data,),
                names,
                (Transform(_last(steps, count, 1.0), _last(starts, count, 0.0)),) if known else (),
                "Å" if known else "",
                Suggestions(stem_of(path, SUFFIXES)),
            ),
        ),
        file.close,
    )


def _last(numbers: list[float], count: int, default: float) -> tuple[float, ...]:
    return tuple(([default] * count + numbers)[-count:])
