"""HTTP's content codings: whether a response travels compressed, and how.

Only over a network: on loopback compressing takes longer than sending. zstd is preferred, which
compresses voxels as well as gzip does in a tenth of the time.
"""

from __future__ import annotations

import sys
from functools import lru_cache

from viewer.kernels.compression import compress_image, compress_labels
from viewer.server.hosts import is_loopback

LEVEL = 1
"""Of both codings: voxels compress little more at higher ones, at several times the cost."""

LABELS_LEVEL = 5
"""Of zstd for labels that our own compressor leaves to it: the first that is smaller than an npz,
in a tenth of its time. 64³ uint64 of a segmentation: 24 KiB in 0.54 ms at level 1, 22 in 0.58 at 3,
16 in 0.84 at 5, 12 in 1.35 at 6; of our own, 4 in 0.16."""

SMALLEST = 256
"""Bytes. Below, the response fits a packet anyway."""

CODINGS = ("zstd", "gzip")
"""What we know, the best first."""


@lru_cache(64)  # clients say the same each time
def choose_coding(accepted: str, address: str, compress_loopback: bool = False) -> str:
    """The content coding for a client; ``""`` for none.

    Parameters
    ----------
    accepted : str
        The Accept-Encoding header.
    address : str
        Where the client is.
    compress_loopback : bool, default False
        Also for this machine itself.
    """
    if not compress_loopback and is_loopback(address):
        return ""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            weights[name.strip()] = float(weight.partition("=")[2] or 1)
        except ValueError:
            continue
    rest = weights.get("*", 0.0)
    return next((coding for coding in CODINGS if weights.get(coding, rest) > 0), "")


def is_quick(coding: str) -> bool:
    """Whether the server's loop may encode a little in it: zstd, once it has been imported."""
    return coding == "zstd" and "numcodecs.zstd" in sys.modules


def encode(
    body: bytes | memoryview,
    coding: str,
    *,
    labels: tuple[int, ...] = (),
    image: bool = False,
) -> bytes:
    """`body` in a coding; in zstd, 256 KiB take a quarter of a millisecond.

    Parameters
    ----------
    body : bytes-like
    coding : {"zstd", "gzip"}
    labels : tuple of int, optional
        Shape of the array of labels that it is.
    image : bool, default False
        Whether it is an image's voxels.
    """
    if coding == "zstd":
        frame = None
        if labels:
            frame = compress_labels(body, labels)
        elif image:
            frame = compress_image(body)
        if frame is not None:
            return frame
        from numcodecs.zstd import compress

        return bytes(compress(body, LABELS_LEVEL if labels else LEVEL))
    import gzip

    return gzip.compress(body, LEVEL, mtime=0)
