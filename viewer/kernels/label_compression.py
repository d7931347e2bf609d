"""Labels in zstd, smaller than zstd makes them and in a fifth of the time: see `label_frames`.

Compiling takes seconds, and reading what was compiled once a tenth of one, but nobody waits for it:
who asks first has it done, by a thread of its own, and compresses otherwise.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_Kernel: TypeAlias = Callable[[Array, int, int, Array], int]

WORTH = 4
"""A frame that is not so many times smaller than the labels is given up: they are like noise."""

MOST = 8 << 20
"""Bytes of labels in a frame. It is decoded as a whole: of more, browsers refuse to (RFC 9659)."""

_kernels: dict[int, _Kernel | None] = {}
"""By bytes of a label; None for those that are being compiled."""

_lock = threading.Lock()


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
    kernel = _kernels.get(size)
    if kernel is None:
        _prepare(size)
        return None
    return _compressed(kernel, np.frombuffer(labels, f"u{size}"), shape)


def _compressed(kernel: _Kernel, data: Array, shape: tuple[int, ...]) -> bytes | None:
    data.flags.writeable = False  # as in every call, or it would be compiled again
    out = np.empty(data.nbytes // WORTH, np.uint8)
    nbytes = kernel(data, math.prod(shape[-1:]), math.prod(shape[-2:]), out)
    return out[:nbytes].tobytes() if nbytes else None


def _prepare(size: int) -> None:
    """Have a kernel compiled, once."""
    with _lock:
        if size in _kernels:
            return
        _kernels[size] = None

    def prepare() -> None:
        from viewer.kernels.label_frames import label_frame

        _compressed(label_frame, np.zeros(4096, f"u{size}"), (16, 16, 16))
        _kernels[size] = label_frame

    threading.Thread(target=prepare, name="voxelview-compile", daemon=True).start()
