"""The list of all labels: for Python as a structured array, and as bytes for the page.

Both say what `viewer.meshing.label_index` found. The bytes go column by column.

Little-endian; the columns lie one behind the other, each aligned to the size of its numbers:

======================  ==================================================================
uint64                  n, the number of labels
uint64 [n]              labels ascending, negative ones as their two's complement
uint64 [n]              voxels of each
float32 [n, 3]          mean position (z, y, x) in voxels of level 0
int32 [n, 6]            bounding box in the same: first (z, y, x), then one after the last
======================  ==================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viewer.affine import apply
from viewer.state import Affine

if TYPE_CHECKING:
    from viewer.meshing.label_index import LabelIndex
    from viewer.state import Level


def encode_table(index: LabelIndex) -> bytes:
    """The bytes of the list."""
    return b"".join(
        (
            np.array([len(index.keys)], "<u8").tobytes(),
            index.keys.astype("<u8").tobytes(),
            index.counts.astype("<u8").tobytes(),
            index.centroids.astype("<f4").tobytes(),
            np.hstack((index.starts, index.stops)).astype("<i4").tobytes(),
        )
    )


def statistics(
    index: LabelIndex, dtype: np.dtype[Any], level: Level, affine: Affine
) -> npt.NDArray[Any]:
    """A structured array with a row for each label, ascending as in the index.

    Parameters
    ----------
    index : LabelIndex
    dtype : numpy.dtype
        Of the labels.
    level : Level
        Level 0 of the pyramid.
    affine : Affine
        Of the pyramid; both say where voxels are in the world.
    """
    kind = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
    table = np.empty(
        len(index.keys),
        [
            ("label", kind),
            ("count", np.int64),
            ("start", np.int64, 3),
            ("stop", np.int64, 3),
            ("centroid", np.float64, 3),
            ("world", np.float64, 3),
        ],
    )
    table["label"] = index.keys.astype(kind)
    table["count"], table["start"], table["stop"] = index.counts, index.starts, index.stops
    table["centroid"] = index.centroids
    table["world"] = apply(
        affine, index.centroids * level.scale[-3:] + np.asarray(level.translate[-3:])
    )
    return table
