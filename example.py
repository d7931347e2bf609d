"""A clump of synthetic cells under a light microscope, to look at: ``python -i example.py``.

Leaves `v` (the viewer), `image` and `cells` (its two layers) at the prompt.
"""

from __future__ import annotations

import os
import platform
import webbrowser

import numpy as np
from scipy import ndimage

import viewer

SHAPE = (112, 256, 256)
"""Voxels (z, y, x)."""

SCALE = (0.5, 0.25, 0.25)
"""Micrometres from one voxel to the next: as in most microscopes, coarser along z."""


def smooth_noise(rng: np.random.Generator, grain: float) -> np.ndarray:
    """Noise of unit deviation that varies over `grain` micrometres."""
    basis = []
    for length, step in zip(SHAPE, SCALE, strict=True):
        knots = np.arange(-grain, length * step + grain, grain / 2)
        distance = (np.arange(length)[:, None] * step - knots) / grain
        basis.append(np.exp(-4 * distance**2).astype(np.float32))
    noise = rng.standard_normal([b.shape[1] for b in basis], dtype=np.float32)
    for b in basis:  # one axis at a time; each goes to the back, so that three turns restore order
        noise = np.tensordot(noise, b, axes=(0, 1))
    unit: np.ndarray = noise / noise.std()
    return unit


def scatter(rng: np.random.Generator, apart: float) -> np.ndarray:
    """Points (z, y, x) in micrometres inside a lens-shaped clump, no two nearer than `apart`."""
    size = np.multiply(SHAPE, SCALE)
    points: list[np.ndarray] = []
    for candidate in rng.uniform(-1, 1, (20_000, 3)):
        point = size * (0.5 + candidate * (0.36, 0.40, 0.38))
        inside = (candidate**2).sum() < 1
        if inside and all(((point - other) ** 2).sum() > apart**2 for other in points):
            points.append(point)
    return np.array(points)


def make_cells(seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """The clump as a microscope sees it (uint16), and which cell each voxel belongs to (uint32)."""
    rng = np.random.default_rng(seed)
    centers = scatter(rng, apart=8.0)
    grid = np.meshgrid(
        *(np.arange(n, dtype=np.float32) * s for n, s in zip(SHAPE, SCALE, strict=True)),
        indexing="ij",
        sparse=True,
    )
    warped = [axis + 0.6 * smooth_noise(rng, grain=5.0) for axis in grid]

    # Every voxel belongs to the nearest centre, unless that is farther than a cell is large.
    # Where the second nearest is hardly farther, there is a membrane.
    nearest = np.full(SHAPE, 7.5, np.float32)
    second = nearest.copy()
    labels = np.zeros(SHAPE, np.uint32)
    for label, center in enumerate(centers, 1):
        low = np.maximum(np.floor((center - 11) / SCALE).astype(int), 0)
        high = np.ceil((center + 11) / SCALE).astype(int)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        stretch = rng.uniform(0.85, 1.15, 3)
        squares = [((w[box] - c) * s) ** 2 for w, c, s in zip(warped, center, stretch, strict=True)]
        distance = np.sqrt(sum(squares)).astype(np.float32)
        closer = distance < nearest[box]
        second[box] = np.where(closer, nearest[box], np.minimum(second[box], distance))
        nearest[box] = np.where(closer, distance, nearest[box])
        labels[box] = np.where(closer, label, labels[box])

    inside = labels > 0
    membrane = np.exp(-(((second - nearest) / 0.5) ** 2)) * inside
    brightness = rng.uniform(0.6, 1.4, len(centers) + 1).astype(np.float32)[labels]
    texture = smooth_noise(rng, grain=1.2)
    radius = rng.uniform(2.6, 3.3, len(centers) + 1).astype(np.float32)[labels]
    nucleus = 1 / (1 + np.exp((nearest - radius) / 0.15)) * inside

    light = 0.9 * membrane + inside * (0.10 + 0.02 * texture)
    light += nucleus * brightness * (0.45 + 0.12 * texture)
    light *= np.linspace(1.0, 0.7, SHAPE[0], dtype=np.float32)[:, None, None]  # lost in the depth
    light = ndimage.gaussian_filter(light, (0.8, 0.7, 0.7))
    photons = 1200 * light + 25
    photons += np.sqrt(photons) * rng.standard_normal(SHAPE, dtype=np.float32)
    return np.clip(photons + 100, 0, 4095).astype(np.uint16), labels


def has_display() -> bool:
    """Whether a browser could open a window here."""
    if os.environ.get("CI") or os.environ.get("VOXELVIEW_HEADLESS"):
        return False
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return "SSH_CONNECTION" not in os.environ


volume, labels = make_cells()

v = viewer.Viewer(title="Cells")
image = v.add_image(volume, name="membranes and nuclei", scale=SCALE, units="µm")
cells = v.add_labels(labels, name="cells", scale=SCALE, units="µm", opacity=0.35)

# Select the cells of one octant: their meshes stand in the corner of the three slices.
corner = labels[: SHAPE[0] // 2, : SHAPE[1] // 2, SHAPE[2] // 2 :]
sizes = np.bincount(labels.ravel())
inside = np.bincount(corner.ravel(), minlength=len(sizes)) > 0.5 * sizes
cells.selected = {int(label) for label in np.flatnonzero(inside) if label}
v.view.camera.orientation = (0.21, 0.29, 0.07, 0.93)  # look into that corner

if __name__ == "__main__":
    print(f"\n    {v.url}\n")
    print("Double-click a cell to select it, press h for everything else. At this prompt, try:")
    print('    image.colormap = "magma"')
    print("    cells.selected = {1, 2, 3}")
    print("    volume[40:60] *= 2; image.refresh()")
    if has_display():
        webbrowser.open(v.url)
