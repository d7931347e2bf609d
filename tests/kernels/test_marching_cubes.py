"""The surface of a mask: closed, oriented, one disc around each vertex, of the right size."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from skimage import measure

from viewer.kernels.marching_cubes import surface

masks = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6), elements={"max_value": 1}
)


def ball(radius: float, hole: float = 0.0) -> np.ndarray:
    """A ball; with a hole along z, a ring."""
    size = int(radius) + 2
    z, y, x = np.mgrid[-size : size + 1, -size : size + 1, -size : size + 1]
    return ((z**2 + y**2 + x**2 <= radius**2) & (y**2 + x**2 >= hole**2)).astype(np.uint8)


def half_edges(faces: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter(
        (int(a), int(b)) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True)
    )


def enclosed(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


@given(masks)
@settings(deadline=None)
def test_every_edge_has_one_face_on_either_side(mask: np.ndarray) -> None:
    faces = surface(mask).faces
    edges = half_edges(faces)
    assert set(edges.values()) <= {1}
    assert all((b, a) in edges for a, b in edges)


@given(masks)
@settings(deadline=None)
def test_the_faces_around_a_vertex_form_one_disc(mask: np.ndarray) -> None:
    vertices, faces, _ = surface(mask)
    after: list[dict[int, int]] = [{} for _ in vertices]
    for a, b, c in faces.tolist():
        after[a][b], after[b][c], after[c][a] = c, a, b
    for ring in after:
        start = place = next(iter(ring))
        for _ in ring:
            place = ring[place]
        seen = {start}
        while (start := ring[start]) not in seen:
            seen.add(start)
        assert len(seen) == len(ring)


@given(masks)
@settings(deadline=None)
def test_vertices_lie_midway_between_inside_and_outside(mask: np.ndarray) -> None:
    padded = np.pad(mask, 1)
    vertices = surface(mask).vertices[:, :3] + 1
    low, high = np.floor(vertices).astype(int), np.ceil(vertices).astype(int)
    assert (np.abs(high - low).sum(1) == 1).all()
    assert (padded[tuple(low.T)] != padded[tuple(high.T)]).all()


@pytest.mark.parametrize(("mask", "characteristic"), [(ball(8), 2), (ball(8, hole=3), 0)])
def test_a_ball_and_a_ring_have_their_euler_characteristic(
    mask: np.ndarray, characteristic: int
) -> None:
    vertices, faces, _ = surface(mask)
    assert len(vertices) - len(half_edges(faces)) // 2 + len(faces) == characteristic


def test_faces_look_outward_and_enclose_as_much_as_scikit_image_says() -> None:
    mask = ball(12)
    theirs = measure.marching_cubes(mask, 0.5)
    vertices, faces, _ = surface(mask)
    ours = vertices[:, :3], faces
    assert enclosed(*ours) == pytest.approx(abs(enclosed(*theirs[:2])), rel=1e-3)
    assert measure.mesh_surface_area(*ours) == pytest.approx(
        measure.mesh_surface_area(*theirs[:2]), rel=1e-2
    )


def test_an_empty_mask_has_no_surface() -> None:
    vertices, faces, _ = surface(np.zeros((4, 4, 4), np.uint8))
    assert len(vertices) == len(faces) == 0


def test_voxels_that_touch_by_a_corner_are_apart() -> None:
    mask = np.zeros((4, 4, 4), np.uint8)
    mask[1, 1, 1] = mask[2, 2, 2] = 1
    vertices, faces, _ = surface(mask)
    assert (len(vertices), len(faces)) == (12, 16)
