"""The index of a labels volume: for every label its box, its voxels and its middle.

Made in one pass over level 0, block by block, by a thread of its own that starts when somebody
first asks. Those who ask meanwhile wait for it; if they lose interest, it goes on, since the next
mesh will need it.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from viewer.errors import CancelledError, NotFoundError, TooLargeError, ViewerError
from viewer.policy import MIB, POLICY
from viewer.pyramid import Cancelled, Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box

READ_BYTES = 16 * MIB
"""Bytes read at once; source chunks larger than this are read whole."""

POLL_SECONDS = 0.02
"""How often somebody who waits looks whether he has lost interest."""

Progress = Callable[[float], None]
"""Told the fraction done, 0 to 1, from the thread that does it; must be quick."""


@dataclass(frozen=True, slots=True)
class LabelBounds:
    """What the index knows of one label."""

    label: int
    box: Box
    """Level-0 voxels on the spatial axes (z, y, x)."""
    voxels: int
    centroid: tuple[float, float, float]
    """Mean index (z, y, x) of its voxels at level 0."""


class Bounds:
    """The index of all labels but 0 (background).

    Attributes
    ----------
    labels : ndarray
        Ascending, of the layer's dtype.
    start, stop : int64 arrays (n, 3)
        Box of each label, (z, y, x), half-open.
    voxels : int64 array (n,)
    centroid : float64 array (n, 3)
        (z, y, x) in voxels of level 0.
    """

    def __init__(
        self, labels: Array, start: Array, stop: Array, voxels: Array, centroid: Array
    ) -> None:
        self.labels = labels
        self.start = start
        self.stop = stop
        self.voxels = voxels
        self.centroid = centroid

    def __len__(self) -> int:
        return len(self.labels)

    def find(self, label: int) -> LabelBounds:
        """What is known of a label; `NotFoundError` if the volume has none such, or for 0."""
        if label == 0:
            raise NotFoundError("Label 0 is the background and has no mesh.")
        row = 0
        least, most = (0, 1) if self.labels.dtype.kind == "b" else _range(self.labels.dtype)
        if least <= label <= most:
            row = int(np.searchsorted(self.labels, self.labels.dtype.type(label)))
        else:
            row = len(self)
        if row == len(self) or int(self.labels[row]) != label:
            raise NotFoundError(f"There is no label {label} in this layer.")
        z, y, x = map(float, self.centroid[row])
        return LabelBounds(
            label,
            Box(tuple(map(int, self.start[row])), tuple(map(int, self.stop[row]))),
            int(self.voxels[row]),
            (z, y, x),
        )

    def largest(self, count: int) -> list[int]:
        """The labels with the most voxels, largest first."""
        order = np.argsort(-self.voxels, kind="stable")[:count]
        return [int(label) for label in self.labels[order]]


def _range(dtype: np.dtype[np.generic]) -> tuple[int, int]:
    info = np.iinfo(dtype)  # type: ignore[type-var]
    return int(info.min), int(info.max)


def plan_blocks(
    shape: tuple[int, int, int], chunk: tuple[int, int, int], itemsize: int
) -> Iterator[Box]:
    """Boxes that cover a volume, of whole chunks and about `READ_BYTES`, z slowest.

    Rows are kept long first, then planes, so that blocks of an unchunked source (chunk 1 × 1 × 1)
    are contiguous in memory.
    """
    step = [min(c, n) for c, n in zip(chunk, shape, strict=True)]
    for axis in (2, 1, 0):
        room = max(1, READ_BYTES // (math.prod(step) * itemsize))
        step[axis] = min(step[axis] * room, shape[axis])
    ranges = [range(0, n, s) for n, s in zip(shape, step, strict=True)]
    for start in itertools.product(*ranges):
        stop = tuple(min(a + s, n) for a, s, n in zip(start, step, shape, strict=True))
        yield Box(start, stop)


def make_bounds(
    pyramid: Pyramid,
    point: tuple[int, ...],
    *,
    cancelled: Cancelled | None = None,
    on_progress: Progress | None = None,
) -> Bounds:
    """Read all of level 0 at one point of the leading axes and index it.

    Raises
    ------
    TooLargeError
        With more than `Policy.mesh_labels` labels.
    """
    from viewer.kernels.bounds import BoundsTable

    shape = pyramid.levels[0].shape
    lead = len(shape) - 3
    chunk = pyramid.source_block or (1,) * len(shape)
    table = BoundsTable()
    done, total = 0, math.prod(shape[lead:])
    for box in plan_blocks(shape[lead:], chunk[lead:], pyramid.dtype.itemsize):  # type: ignore[arg-type]
        if cancelled is not None and cancelled():
            raise CancelledError("Nobody waits for the index of labels any more.")
        whole = Box(point + box.start, tuple(i + 1 for i in point) + box.stop)
        block = pyramid.read(0, whole, cancelled).reshape(box.shape)
        if not table.add(block, box.start, POLICY.mesh_labels):  # type: ignore[arg-type]
            raise TooLargeError(
                f"There are more than {POLICY.mesh_labels:,} labels: too many for meshes.",
                hint="Is it an image? Remove the layer and use add_image.",
            )
        done += math.prod(box.shape)
        if on_progress is not None:
            on_progress(done / total)
    count = table.count
    narrow = table.labels[:count].astype(np.dtype(f"u{pyramid.dtype.itemsize}"))
    labels = narrow.view(pyramid.dtype)
    order = np.argsort(labels, kind="stable")
    boxes = table.boxes[order]
    voxels = table.voxels[order]
    return Bounds(
        labels[order],
        boxes[:, :3].copy(),
        boxes[:, 3:] + 1,
        voxels,
        table.sums[order] / voxels[:, np.newaxis],
    )


class BoundsJob:
    """The index of one point in the making, and then the index.

    Parameters
    ----------
    pyramid, point, on_progress
        See `make_bounds`.
    """

    def __init__(
        self, pyramid: Pyramid, point: tuple[int, ...], on_progress: Progress | None
    ) -> None:
        self._landed = threading.Event()
        self._stopped = threading.Event()
        self._bounds: Bounds | None = None
        self._error: BaseException | None = None
        threading.Thread(
            target=self._run, args=(pyramid, point, on_progress), name="bounds", daemon=True
        ).start()

    @property
    def failed(self) -> bool:
        """Whether it ended without an index: the next who asks is to start another job."""
        return self._landed.is_set() and self._bounds is None

    def stop(self) -> None:
        """Give up; those who wait get `CancelledError`."""
        self._stopped.set()

    def wait(self, cancelled: Cancelled | None) -> Bounds:
        """The index, as soon as it is there."""
        while not self._landed.wait(POLL_SECONDS if cancelled is not None else None):
            if cancelled is not None and cancelled():
                raise CancelledError("Nobody waits for the index of labels any more.")
        if self._bounds is not None:
            return self._bounds
        error = self._error
        if isinstance(error, ViewerError):
            # A new error each: a shared one would grow by everybody's traceback.
            raise type(error)(error.message, hint=error.hint)
        raise RuntimeError("The index of labels could not be made.") from error

    def _run(self, pyramid: Pyramid, point: tuple[int, ...], on_progress: Progress | None) -> None:
        try:
            self._bounds = make_bounds(
                pyramid, point, cancelled=self._stopped.is_set, on_progress=on_progress
            )
        except BaseException as error:
            # Its frames would keep the user's array alive.
            self._error = error.with_traceback(None)
            self._error.__context__ = None
        finally:
            self._landed.set()
