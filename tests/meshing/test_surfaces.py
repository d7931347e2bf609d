"""Surfaces of the user's own, isosurfaces of images, and meshes given to labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import viewer
from viewer.errors import InvalidDataError, InvalidValueError, NotFoundError, UnknownOptionError
from viewer.meshing.surfaces import as_surface, encode_surface, plan_place
from viewer.state import SurfaceLayer

VERTICES = np.array([[0, 0, 0], [0, 0, 10], [0, 20, 0], [30, 0, 0]], float)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
VALUES = np.array([1.0, 2.0, np.nan, 5.0])


@pytest.fixture
def v() -> Iterator[viewer.Viewer]:
    with viewer.Viewer() as shown:
        yield shown


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Signed volume; positive for surfaces that are outward."""
    corners = np.asarray(vertices, float)[faces]
    return float((np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6)


def decode(body: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices and faces (x, y, z) in the layer's units, and values."""
    count, faces, valued, zero = np.frombuffer(body, "<u4", 4)
    assert zero == 0
    origin = np.frombuffer(body, "<f8", 3, 16)
    vertices = np.frombuffer(body, "<f4", 3 * count, 40).reshape(-1, 3) + origin
    start = 40 + 12 * count
    corners = np.frombuffer(body, "<u4", 3 * faces, start).reshape(-1, 3)
    start += 12 * faces + 8 * count  # behind the normals
    values = np.frombuffer(body, "<f4", count * valued, start)
    assert len(body) == start + 4 * count * valued
    return vertices, corners, values


def test_a_surface_stands_in_the_document(v: viewer.Viewer) -> None:
    layer = v.add_surface((VERTICES, FACES, VALUES), scale=2, translate=(5, 0, 0), units="nm")
    assert (layer.kind, layer.name) == ("surface", "surface")
    assert layer.contrast_limits == (1, 5)
    shown = v.document.state.layers[layer.id]
    assert isinstance(shown, SurfaceLayer)
    assert (shown.vertices, shown.faces, shown.valued) == (4, 4, True)
    (level,) = shown.data.levels
    assert level.scale == (60, 40, 20) and level.translate == (35, 20, 10)
    assert v.view.center == (35, 20, 10)
    assert v.layers["surface"] is layer


def test_options_are_attributes(v: viewer.Viewer) -> None:
    layer = v.add_surface(
        (VERTICES, FACES), name="a", color="red", opacity=0.5, silhouette=0.25, visible=False
    )
    assert (layer.name, layer.color, layer.opacity) == ("a", "#ff0000", 0.5)
    assert (layer.silhouette, layer.visible) == (0.25, False)
    layer.colormap = "magma"
    assert layer.colormap == "magma"
    with pytest.raises(InvalidValueError):
        layer.contrast_limits = (2, 1)
    with pytest.raises(UnknownOptionError, match="colour"):
        v.add_surface((VERTICES, FACES), colour="red")
    with pytest.raises(InvalidValueError):
        v.add_surface((VERTICES, FACES), opacity=2)
    assert len(v.layers) == 1


@pytest.mark.parametrize(
    "data",
    [
        VERTICES,
        (VERTICES,),
        (VERTICES[:, :2], FACES),
        (VERTICES, FACES + 1),
        (VERTICES, FACES - 1),
        (VERTICES, FACES.astype(float)),
        (VERTICES, FACES[:0]),
        (VERTICES, FACES, VALUES[:3]),
        (VERTICES * np.nan, FACES),
        ("vertices", FACES),
    ],
)
def test_what_is_no_surface_is_refused(v: viewer.Viewer, data: Any) -> None:
    with pytest.raises(InvalidDataError) as caught:
        v.add_surface(data)
    assert caught.value.hint


def test_the_page_gets_the_surface_where_it_was_put(v: viewer.Viewer) -> None:
    layer = v.add_surface((VERTICES, FACES, VALUES), scale=(4, 2, 1), translate=1000, units="µm")
    url = f"{v.url}layers/{layer.id}/surface"
    answer = httpx.get(url)
    vertices, faces, values = decode(answer.content)
    assert np.allclose(vertices[:, ::-1], VERTICES * (4, 2, 1) + 1000)
    assert volume(vertices[:, ::-1], faces[:, ::-1]) == pytest.approx(volume(VERTICES, FACES) * 8)
    assert np.array_equal(values, VALUES.astype(np.float32), equal_nan=True)
    assert httpx.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    layer.scale = 1
    assert np.allclose(decode(httpx.get(url).content)[0][:, ::-1], VERTICES + 1000)


def test_new_data_take_the_place_of_the_old(v: viewer.Viewer) -> None:
    layer = v.add_surface((VERTICES, FACES))
    layer.data = (VERTICES[:3] * 2, FACES[:1], VALUES[:3])
    shown = v.document.state.layers[layer.id]
    assert isinstance(shown, SurfaceLayer)
    assert (shown.vertices, shown.faces, shown.valued) == (3, 1, True)
    assert shown.data.levels[0].scale[1:] == (40, 20) and shown.data.levels[0].scale[0] > 0
    assert len(decode(httpx.get(f"{v.url}layers/{layer.id}/surface").content)[1]) == 1


def test_a_page_gets_the_normals_of_a_surface() -> None:
    flat = as_surface(([[0, 0, 0], [0, 0, 1], [0, 1, 0]], [[0, 1, 2]]))
    body = encode_surface(flat, plan_place(2, 1e7))
    normals = np.frombuffer(body, "<i2", 12, 40 + 3 * 12 + 12).reshape(3, 4)
    assert abs(normals[:, 2]).tolist() == [32767] * 3
    assert not normals[:, [0, 1, 3]].any()


@pytest.mark.parametrize("extension", ["ply", "obj", "stl", "glb"])
def test_surfaces_are_files_for_other_programs(v: viewer.Viewer, extension: str) -> None:
    layer = v.add_surface((VERTICES, FACES))
    assert httpx.get(f"{v.url}layers/{layer.id}/surface.{extension}").status_code == 200


def test_only_surfaces_have_one(v: viewer.Viewer) -> None:
    image = v.add_image(np.zeros((4, 4, 4), np.uint8))
    assert httpx.get(f"{v.url}layers/{image.id}/surface").status_code == 404


@given(
    arrays.arrays(np.float64, (5, 3), elements=st.floats(-1e6, 1e6, width=32)),
    arrays.arrays(np.int16, (4, 3), elements=st.integers(0, 4)),
    st.floats(0.001, 1000),
)
def test_any_triangles_arrive(vertices: np.ndarray, faces: np.ndarray, scale: float) -> None:
    surface, place = as_surface((vertices, faces)), plan_place(scale, (1, 2, 3))
    there, corners, _ = decode(encode_surface(surface, place))
    size = np.ptp(vertices, axis=0).max() * scale
    assert np.allclose(there[:, ::-1], vertices * scale + (1, 2, 3), atol=size * 1e-6, rtol=1e-9)
    assert np.array_equal(corners[:, ::-1], faces)
    box = surface.box(place)
    low = np.array(box.translate) - np.array(box.scale) / 2
    assert (low <= (vertices * scale + (1, 2, 3)).min(0) + 1e-6 * (1 + abs(low))).all()


def ball() -> np.ndarray:
    z, y, x = np.indices((24, 24, 24))
    return (12 - np.sqrt((z - 11) ** 2 + (y - 12) ** 2 + (x - 11) ** 2)).astype(np.float32)


def test_an_isosurface_lies_where_the_image_has_the_value(v: viewer.Viewer) -> None:
    image = v.add_image(ball(), scale=(4, 2, 2), translate=(100, 0, 0), units="nm", name="ball")
    surface = image.isosurface(4.0, opacity=0.5)
    vertices, faces = surface.data
    radii = np.linalg.norm((vertices - (144, 24, 22)) / (4, 2, 2), axis=1)
    assert abs(radii - 8).max() < 0.1
    assert volume(vertices, faces) == pytest.approx(16 * 4 / 3 * np.pi * 8**3, rel=0.02)
    assert (surface.name, surface.units, surface.opacity) == ("ball at 4", "nm", 0.5)
    with pytest.raises(NotFoundError, match="100"):
        image.isosurface(100)


def test_an_isosurface_of_masked_data_is_shaded_without_rings(v: viewer.Viewer) -> None:
    masked = np.where(ball() > 2, 800, 0).astype(np.int16)
    layer = v.add_image(masked).isosurface(300)
    body = httpx.get(f"{v.url}layers/{layer.id}/surface").content
    vertices, corners, _ = decode(body)
    place = 40 + 12 * len(vertices) + 12 * len(corners)
    normals = np.frombuffer(body, "<i2", 4 * len(vertices), place).reshape(-1, 4)[:, :3] / 32767
    away = vertices - (11, 12, 11)
    away /= np.linalg.norm(away, axis=1)[:, None]
    cosines = (normals * away).sum(1)
    assert np.degrees(np.arccos(cosines.clip(-1, 1))).mean() < 5
    assert np.array_equal(layer.data[0][:, ::-1].astype(np.float32), vertices.astype(np.float32))


def test_a_label_shows_the_mesh_that_was_given(v: viewer.Viewer) -> None:
    data = np.zeros((8, 8, 8), np.uint8)
    data[2:5, 2:5, 2:5] = 3
    cells = v.add_labels(data)
    before = cells.pyramid.generation
    cells.set_mesh(3, (VERTICES, FACES))
    vertices, faces, normals = cells.mesh(3)
    assert np.array_equal(vertices, VERTICES) and np.array_equal(faces, FACES)
    assert normals.shape == (4, 3)
    assert cells.pyramid.generation > before
    cells.set_mesh(3, None)
    assert len(cells.mesh(3)[0]) > 4
