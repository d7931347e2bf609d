"""Labels and images in zstd, by compressors that know what they are like.

Labels become smaller than zstd makes them and take a fifth of the time (`label_frames`); images
with grain take two thirds of it, and are read where they lie (`image_frames`).

Compiling takes seconds, and reading what was compiled once a tenth of one, but nobody waits for it:
who asks first has it done, by a thread of its own, and compresses otherwise.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_Kernel: TypeAlias = Callable[..., int]

WORTH = 4
"""A frame that is not so many times smaller than the labels is given up: they are like noise."""

MOST = 8 << 20
"""Bytes of voxels in a frame. It is decoded as a whole: of more, browsers refuse to (RFC 9659)."""

LEAST = 128 << 10
"""Bytes of an image: looking up pairs of bytes must be worth the table of all pairs."""

LINE = 64
"""Bytes of an image that are read together at least."""

STRETCH = 1 << 10
"""Bytes of an image that a whole number of rows must fill, if they lie apart."""

_kernels: dict[Hashable, _Kernel | None] = {}
"""None for those that are being compiled."""

_lock = threading.Lock()


class _Room(threading.local):
    """Memory that each thread has for itself: new memory takes as long as writing it thrice."""

    def __init__(self) -> None:
        self.pairs = np.empty(1 << 16, np.uint32)
        self.widths = np.empty(1 << 16, np.uint8)
        self.out = np.empty(3 << 17, np.uint8)


_room = _Room()


def compress_labels(labels: bytes | memoryview, shape: tuple[int, ...]) -> bytes | None:
    """A zstd frame of labels.

    Parameters
    ----------
    labels : bytes-like
        An array of integers in C order.
    shape : tuple of int
        The array's.

    Returns
    -------
    bytes or None
        None for what a general compressor does as well, labels of less than 32 bits, few, or like
        noise; and as long as the kernel is not there.
    """
    size = len(labels) // math.prod(shape)
    if size not in (4, 8) or len(labels) > MOST:
        return None

    def prepare() -> _Kernel:
        from viewer.kernels.label_frames import label_frame

        _labels_frame(label_frame, np.zeros(4096, f"u{size}"), (16, 16, 16))
        return label_frame

    kernel = _kernel(size, prepare)
    return kernel and _labels_frame(kernel, np.frombuffer(labels, f"u{size}"), shape)


def compress_image(image: Array | bytes | memoryview, *, steady: bool = True) -> bytes | None:
    """A zstd frame of an image.

    Parameters
    ----------
    image : ndarray or bytes-like
        Of any shape and dtype; not copied where rows of a power of two of bytes lie together.
    steady : bool, default True
        False where somebody may write to it meanwhile: then fewer images are taken.

    Returns
    -------
    bytes or None
        None for what a general compressor does as well: images of which something repeats, few
        voxels, and noise; and as long as the kernel is not there.
    """
    if not isinstance(image, np.ndarray):
        image = np.frombuffer(image, np.uint8)
    if not LEAST <= image.nbytes <= MOST:
        return None

    def prepare() -> _Kernel:
        from viewer.kernels.image_frames import image_frame

        return image_frame

    kernel = _kernel("image", prepare)
    rows = None if kernel is None else _rows(image)
    if kernel is None or rows is None:
        return None
    needed = 3 * image.nbytes // 2
    out = _room.out if needed <= len(_room.out) else np.empty(needed, np.uint8)
    nbytes = kernel(rows, steady, _room.pairs, _room.widths, out)
    return out[:nbytes].tobytes() if nbytes else None


def _rows(image: Array) -> Array | None:
    """The bytes of an image (plane, row, byte); None if they do not divide into lines."""
    while image.ndim > 3 and len(image) == 1:
        image = image[0]
    width = image.shape[-1] * image.itemsize
    apart = image.ndim > 3 or image.strides[-1] != image.itemsize or width % LINE or STRETCH % width
    if image.flags.c_contiguous or apart:
        if image.nbytes % LINE:
            return None
        return np.ascontiguousarray(image).reshape(-1).view(np.uint8).reshape(1, -1, LINE)
    rows = image.view(np.uint8)
    return rows if rows.ndim == 3 else rows[np.newaxis]


def _labels_frame(kernel: _Kernel, data: Array, shape: tuple[int, ...]) -> bytes | None:
    data.flags.writeable = False  # as in every call, or it would be compiled again
    out = np.empty(data.nbytes // WORTH, np.uint8)
    nbytes = kernel(data, math.prod(shape[-1:]), math.prod(shape[-2:]), out)
    return out[:nbytes].tobytes() if nbytes else None


def _kernel(name: Hashable, prepare: Callable[[], _Kernel]) -> _Kernel | None:
    """A kernel that is there; the first who asks for it has it compiled."""
    with _lock:
        if name in _kernels:
            return _kernels[name]
        _kernels[name] = None

    def compile_kernel() -> None:
        _kernels[name] = prepare()

    threading.Thread(target=compile_kernel, name="voxelview-compile", daemon=True).start()
    return None
