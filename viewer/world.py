"""Where all the data lies: the units of the view; its centre and layout while nobody sets them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from viewer.state import IDENTITY, Affine, Data, Document, Layout

Point = tuple[float, float, float]
Spans = dict[int, tuple[float, float, int]]


def middle(layers: Iterable[Data]) -> Point:
    """World position (z, y, x) of the voxel in the middle of all layers.

    The middle of their common bounds, moved to the grid of the first layer that
    has the axis; 0 on an axis that no layer has.
    """
    center = [0.0, 0.0, 0.0]
    boxes = [_spans(data) for data in layers]
    for axis in range(3):
        spans = [box[axis] for box in boxes if axis in box]
        if spans:
            low = min(start - step / 2 for start, step, _ in spans)
            high = max(start + (count - 0.5) * step for start, step, count in spans)
            start, step, _ = spans[0]
            center[axis] = start + math.floor((low / 2 + high / 2 - start) / step + 0.5) * step
    return center[0], center[1], center[2]


def layout(layers: Iterable[Data]) -> Layout:
    """``"4panel"``, or ``"xy"`` where no layer has a z axis: the other panels would be empty."""
    flat = [sum(axis.kind == "space" for axis in data.axes) < 3 for data in layers]
    return "xy" if flat and all(flat) else "4panel"


def _spans(data: Data) -> Spans:
    """Position (0 for z, 2 for x) of each spatial axis → start, step and count of its voxels."""
    level = data.levels[0]
    spatial = sum(axis.kind == "space" for axis in data.axes)
    spans = {
        3 - back: (level.translate[-back], level.scale[-back], level.shape[-back])
        for back in range(spatial, 0, -1)
    }
    return spans if data.affine == IDENTITY else _around(spans, data.affine)


def _around(spans: Spans, affine: Affine) -> Spans:
    """Bounds of what an affine map makes of a box, as one voxel an axis."""
    middles, halves = [0.0] * 3, [0.0] * 3
    for axis, (start, step, count) in spans.items():
        middles[axis] = start + (count - 1) / 2 * step
        halves[axis] = abs(step) * count / 2
    around = {}
    for axis in spans:
        *row, offset = affine[axis]
        center = sum(r * m for r, m in zip(row, middles, strict=True)) + offset
        half = sum(abs(r) * h for r, h in zip(row, halves, strict=True))
        around[axis] = (center, 2 * half, 1)
    return around


def view_units(now: Document, new: Iterable[str]) -> str:
    """Units of the view when layers with the units `new` come: those of the first that has any."""
    measured = any(axis.unit for layer in now.layers.values() for axis in layer.data.axes)
    if now.view.units and measured:
        return now.view.units
    return next((units for units in new if units), "")
