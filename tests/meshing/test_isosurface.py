"""Isosurfaces of images against scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.measure import marching_cubes

from tests.benchmarks.surfaces import distances, is_closed
from viewer.errors import InvalidValueError, NotFoundError
from viewer.meshing.isosurface import isosurface
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source


def smooth_noise(seed: int, shape: tuple[int, int, int] = (18, 20, 22)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    return gaussian_filter(noise, 2.5).astype(np.float32)


def surface_of(image: np.ndarray, value: float, **options: object) -> tuple:
    pyramid = Pyramid(as_source(image, **options), "image")  # type: ignore[arg-type]
    surface, _ = isosurface(pyramid, value, ())
    return surface.vertices, surface.faces


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_it_lies_where_that_of_scikit_image_lies(seed: int) -> None:
    image = smooth_noise(seed)
    value = float(image.mean())
    vertices, faces = surface_of(image, value)
    theirs = marching_cubes(image, value)[:2]
    assert distances(vertices, faces, theirs[0]).max() < 0.5
    assert distances(theirs[0], theirs[1], vertices).max() < 0.5


def test_every_vertex_has_the_value_between_two_voxels() -> None:
    z, y, x = np.mgrid[:20, :22, :24].astype(np.float32)
    vertices, _ = surface_of(0.5 * z + y + 2 * x, 37.3)
    values = vertices @ np.array([0.5, 1, 2])
    assert values == pytest.approx(37.3, abs=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64, ">f4"])
def test_a_ball_is_round_whatever_the_dtype(dtype: str) -> None:
    z, y, x = np.mgrid[-12:13, -12:13, -12:13]
    image = (10 * np.sqrt(z**2 + y**2 + x**2)).astype(dtype)
    vertices, faces = surface_of(image, 85.0)
    assert is_closed(faces)
    assert np.linalg.norm(vertices - 12, axis=1) == pytest.approx(8.5, abs=0.1)


def test_it_is_open_where_it_leaves_the_image_and_placed_in_the_world() -> None:
    z = np.mgrid[:8, :6, :5][0].astype(np.float32)
    vertices, faces = surface_of(z, 3.25, scale=(10, 2, 1), translate=(100, 0, 0), units="nm")
    assert vertices[:, 0] == pytest.approx(132.5)
    assert vertices.max(0).tolist()[1:] == [10.0, 4.0]
    assert len(faces) == 2 * 5 * 4


def test_holes_of_nan_do_no_harm() -> None:
    image = smooth_noise(3)
    image[8:10, 8:10, 8:10] = np.nan
    vertices, _ = surface_of(image, float(np.nanmean(image)))
    assert np.isfinite(vertices).all()


@pytest.mark.parametrize("value", [50.0, -50.0])
def test_a_value_that_the_image_does_not_have_is_refused(value: float) -> None:
    with pytest.raises(NotFoundError, match="values go from"):
        surface_of(smooth_noise(1), value)


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        surface_of(smooth_noise(1), float("nan"))
