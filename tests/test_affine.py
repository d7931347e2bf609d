"""Affine maps of layers: where voxels, meshes, statistics and the view go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import viewer
from viewer.errors import InvalidValueError


@pytest.fixture
def v(viewer_: viewer.Viewer) -> viewer.Viewer:
    return viewer_


QUARTER = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], float)
"""y to x, x to -y."""
MIRROR = np.diag([1.0, 1.0, -1.0, 1.0])
SHEAR = np.array([[1, 0, 0, 5], [0.5, 2, 0, 6], [0, 0.25, 1, 7], [0, 0, 0, 1]], float)


@pytest.mark.parametrize("affine", [QUARTER, MIRROR, SHEAR])
def test_an_affine_map_follows_scale_and_translate(v: viewer.Viewer, affine: np.ndarray) -> None:
    data = np.zeros((10, 12, 14), "u1")
    data[4:7, 2:4, 9:13] = 7
    where: dict[str, Any] = {"scale": (2, 1, 1), "translate": (100, 0, 0)}
    plain, turned = v.add_labels(data, **where), v.add_labels(data, affine=affine, **where)
    np.testing.assert_array_equal(turned.affine, affine)

    def moved(points: np.ndarray) -> np.ndarray:
        return np.asarray(points) @ affine[:3, :3].T + affine[:3, 3]

    vertices, faces, normals = turned.mesh(7)
    flat = plain.mesh(7)[0]
    np.testing.assert_allclose(vertices, moved(flat), atol=1e-4)
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    assert (a * np.cross(b, c)).sum() / 6 > 0  # outward, also in a mirror
    outward = vertices - vertices.mean(0)
    assert ((normals * outward).sum(1) > 0).mean() > 0.9
    (row,) = turned.statistics
    assert row["world"] == pytest.approx(moved(plain.statistics["world"])[0])
    turned.go_to(7)
    assert v.view.center == pytest.approx(moved(np.array([100 + 2 * 5, 2, 10])))


def test_the_view_is_centred_on_what_an_affine_map_makes(v: viewer.Viewer) -> None:
    image = v.add_image(np.zeros((10, 10, 10), "u1"), affine=QUARTER)
    assert v.view.center == pytest.approx((4.5, -4.5, 4.5))
    image.affine = None
    assert v.view.center == pytest.approx((5, 5, 5))


def test_an_affine_map_is_in_the_layers_units(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((4, 4, 4), "u1"), units="µm")
    fine = v.add_image(np.zeros((4, 4, 4), "u1"), units="nm", affine=SHEAR)
    rows = v.document.state.layers[fine.id].data.affine
    assert [row[3] for row in rows] == pytest.approx([0.005, 0.006, 0.007])
    np.testing.assert_array_equal(fine.affine, SHEAR)


def test_data_without_z_is_turned_in_its_plane(v: viewer.Viewer) -> None:
    image = v.add_image(np.zeros((3, 8, 8), "u1"), axis_labels=("t", "y", "x"))
    image.affine = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    assert image.affine.shape == (3, 3)
    whole = np.eye(4)
    whole[1:3, 1:3] = [[0, -1], [1, 0]]
    image.affine = whole  # time is left alone
    assert image.affine.tolist() == [[0, -1, 0], [1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("affine", "why"),
    [
        (np.eye(3), r"must be a matrix \(4, 4\)"),
        ("sideways", "must be a matrix"),
        (np.zeros((4, 4)), "last row"),
        (np.diag([1.0, np.nan, 1, 1]), "finite"),
        (np.diag([1.0, 0, 1, 1]), "singular"),
    ],
)
def test_an_impossible_affine_map_is_refused(v: viewer.Viewer, affine: Any, why: str) -> None:
    with pytest.raises(InvalidValueError, match=why):
        v.add_image(np.zeros((4, 4, 4), "u1"), affine=affine)
    assert not v.layers


def test_surfaces_are_turned_too(v: viewer.Viewer) -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    surface = v.add_surface((vertices, faces), affine=MIRROR)
    triangles, place = surface.surface()
    mesh = triangles.mesh(place)
    np.testing.assert_array_equal(mesh.vertices, vertices * (1, 1, -1))
    assert (mesh.faces == faces[:, ::-1]).all()
    surface.affine = None
    assert surface.affine.tolist() == np.eye(4).tolist()
