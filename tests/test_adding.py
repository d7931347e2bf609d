"""Data becomes layers, or is refused with the remedy."""

from __future__ import annotations

import gc
import json
import logging
import threading
import urllib.error
import urllib.request
import weakref
from typing import Any

import numpy as np
import pytest
import zarr

import viewer
from tests.test_layers import watched
from viewer.errors import (
    InvalidDataError,
    InvalidValueError,
    UnknownOptionError,
    UnsupportedDataError,
)

ZEROS = np.zeros((4, 5, 6), "u1")


@pytest.fixture
def v(viewer_: viewer.Viewer) -> viewer.Viewer:
    return viewer_


# --- adding -----------------------------------------------------------------------------------


def test_an_image_arrives_complete(v: viewer.Viewer) -> None:
    data = np.arange(2 * 3 * 4, dtype="i2").reshape(2, 3, 4)
    image = v.add_image(
        data,
        name="raw",
        scale=(4, 1, 1),
        translate=(1, 2, 3),
        units="nm",
        axis_labels=("z", "y", "x"),
        colormap="magma",
        contrast_limits=(-3, 12.5),
        gamma=0.5,
        opacity=0.75,
        blending="minimum",
        visible=False,
        interpolation="nearest",
        metadata={"stain": "DAPI"},
    )
    assert (image.name, image.colormap, image.contrast_limits) == ("raw", "magma", (-3.0, 12.5))
    assert (image.gamma, image.opacity, image.blending) == (0.5, 0.75, "minimum")
    assert (image.visible, image.interpolation, image.metadata) == (
        *(False, "nearest"),
        {"stain": "DAPI"},
    )
    assert (image.scale, image.translate, image.units) == ((4.0, 1, 1), (1.0, 2, 3), "nm")
    with urllib.request.urlopen(f"{image.zarr_url}/zarr.json") as answer:
        assert json.load(answer)["attributes"]["ome"]["multiscales"][0]["name"] == "raw"
    group = zarr.open_group(image.zarr_url, mode="r")
    assert np.array_equal(np.asarray(group["0"]), data)


def test_labels_arrive_complete(v: viewer.Viewer) -> None:
    cells = v.add_labels(
        ZEROS, name="cells", opacity=0.3, visible=False, selected=[7, 3], colors={7: "red"}
    )
    assert (cells.name, cells.opacity, cells.visible) == ("cells", 0.3, False)
    assert (list(cells.selected), cells.colors) == ([7, 3], {7: "#ff0000"})


def test_labels_take_all_their_settings_when_they_are_added(v: viewer.Viewer) -> None:
    given = {
        "hidden": {4},
        "show_selected_only": True,
        "seed": 5,
        "contour": 2,
        "show_meshes": False,
        "mesh_opacity": 0.5,
        "silhouette": 0.25,
    }
    cells = v.add_labels(ZEROS, **given)
    assert {name: getattr(cells, name) for name in given} == given


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (np.linspace(0, 0.008, 1000, dtype="f4"), 0, 0.008),
        (np.arange(1000, dtype="i2") - 500, -499, 498),
        (np.full(1000, 7, "u1"), 0, 7),
        (np.full(1000, np.nan, "f4"), 0, 1),
    ],
)
def test_the_first_contrast_window_suits_the_data(
    v: viewer.Viewer, values: np.ndarray, low: float, high: float
) -> None:
    image = v.add_image(values.reshape(10, 10, 10))
    assert image.contrast_limits == pytest.approx((low, high), rel=0.01, abs=1e-4)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        *[("bool", "labels"), ("uint32", "labels"), ("uint64", "labels"), (">u4", "labels")],
        *[("uint8", "image"), ("uint16", "image"), ("int32", "image"), ("int64", "image")],
        *[("float16", "image"), ("float64", "image")],
    ],
)
def test_add_guesses_and_says_so(
    v: viewer.Viewer, caplog: pytest.LogCaptureFixture, dtype: str, kind: str
) -> None:
    with caplog.at_level(logging.INFO, logger="viewer"):
        layer = v.add(np.zeros((4, 5, 6), dtype), name="x")
    assert layer.kind == kind
    assert f"add_{kind}" in caplog.text


def test_imshow_gives_a_viewer_of_its_own(v: viewer.Viewer) -> None:
    other, layer = viewer.imshow(np.eye(64), colormap="viridis", title="eye")
    assert other is not v
    assert (other.title, layer.colormap) == ("eye", "viridis")
    assert other.layers[0] is layer


def test_a_failed_imshow_leaves_no_viewer_behind(v: viewer.Viewer) -> None:
    from viewer.viewer import _viewers

    before = set(_viewers)
    with pytest.raises(UnsupportedDataError):
        viewer.imshow("text")
    assert _viewers == before


@pytest.mark.parametrize(
    ("name", "meant"),
    [("cmap", "colormap"), ("clim", "contrast_limits"), ("alpha", "opacity"), ("unit", "units")],
)
def test_an_unknown_option_is_refused_with_a_suggestion(
    v: viewer.Viewer, name: str, meant: str
) -> None:
    with pytest.raises(UnknownOptionError, match=f"Did you mean '{meant}'"):
        v.add_image(ZEROS, **{name: 1})
    with pytest.raises(TypeError):
        v.add_labels(ZEROS, bogus=1)


@pytest.mark.parametrize(
    ("data", "options", "error"),
    [
        (ZEROS + 1j, {}, UnsupportedDataError),
        (np.array([["a"]]), {}, UnsupportedDataError),
        (np.array(5), {}, InvalidDataError),
        (np.zeros((0, 5, 5)), {}, InvalidDataError),
        ([[1, 2], [3, 4]], {}, UnsupportedDataError),
        (ZEROS, {"opacity": 4}, InvalidValueError),
        (ZEROS, {"name": 5}, InvalidValueError),
        (ZEROS, {"name": ["a"]}, InvalidValueError),
        (ZEROS, {"scale": 0}, InvalidValueError),
        (ZEROS, {"units": "parsec"}, InvalidValueError),
        (ZEROS, {"colormap": "virdis"}, InvalidValueError),
        (ZEROS, {"contrast_limits": (5, 1)}, InvalidValueError),
        (ZEROS, {"metadata": {"a": float("nan")}}, InvalidValueError),
        (ZEROS, {"channel_axis": 3}, InvalidValueError),
        (ZEROS, {"channel_axis": "c"}, InvalidValueError),
        (ZEROS, {"channel_axis": 0, "name": ["a", "b"]}, InvalidValueError),
        (np.eye(3), {"channel_axis": 0}, InvalidDataError),
    ],
)
def test_what_cannot_be_shown_is_refused_and_leaves_nothing(
    v: viewer.Viewer, data: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        v.add_image(data, **options)
    assert len(v.layers) == 0
    assert v.document.state.layers == {}
    assert v._layers == {}


def test_labels_must_be_whole_numbers(v: viewer.Viewer) -> None:
    with pytest.raises(UnsupportedDataError, match="astype"):
        v.add_labels(ZEROS.astype("f4"))


def test_data_of_a_failed_add_is_let_go(v: viewer.Viewer) -> None:
    array = watched()
    reference = weakref.ref(array)
    with pytest.raises(InvalidValueError):
        v.add_image(array, opacity=4)
    del array
    gc.collect()
    assert reference() is None


def test_several_threads_may_add_at_once(v: viewer.Viewer) -> None:
    def add() -> None:
        for _ in range(10):
            v.add_image(ZEROS, name="same")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(v.layers.names)) == 40
    assert len({layer.id for layer in v.layers}) == 40


# --- channels ---------------------------------------------------------------------------------


def test_channels_become_layers_with_tints_that_add(v: viewer.Viewer) -> None:
    data = np.arange(3 * 4 * 5 * 6, dtype="u2").reshape(3, 4, 5, 6)
    layers = v.add_image(data, channel_axis=0, name="stain", scale=(2, 1, 1))
    assert [layer.name for layer in layers] == ["stain [0]", "stain [1]", "stain [2]"]
    assert len({layer.colormap for layer in layers}) == 3
    assert {layer.blending for layer in layers} == {"additive"}
    assert len({layer.contrast_limits for layer in layers}) == 3
    assert all(layer.data is data and layer.scale == (2.0, 1.0, 1.0) for layer in layers)
    for index, layer in enumerate(layers):
        group = zarr.open_group(layer.zarr_url, mode="r")
        assert np.array_equal(np.asarray(group["0"]), data[index])


def test_channels_take_lists(v: viewer.Viewer) -> None:
    a, b = v.add_image(
        np.zeros((4, 5, 6, 2), "u1"),
        channel_axis=-1,
        name=["a", "b"],
        colormap=["red", "#00ff00"],
        contrast_limits=[(0, 1), (2, 3)],
    )
    assert (a.name, a.colormap, a.contrast_limits) == ("a", "red", (0.0, 1.0))
    assert (b.name, b.colormap, b.contrast_limits) == ("b", "#00ff00", (2.0, 3.0))
    for layer in v.add_image(
        np.zeros((2, 5, 6), "u1"), channel_axis=0, colormap="gray", contrast_limits=(0, 9)
    ):
        assert (layer.colormap, layer.contrast_limits) == ("gray", (0.0, 9.0))


def test_who_adds_a_photograph_is_told_how(v: viewer.Viewer) -> None:
    photograph = np.zeros((20, 30, 3), "u1")
    v.add_image(photograph, axis_labels=("z", "y", "x"))
    v.add_image(photograph, channel_axis=-1)
    v.add_image(np.zeros((20, 30, 5), "u1"))
    assert not v.errors
    v.add_image(photograph)
    (notice,) = v.errors
    assert "channel_axis=-1 and colormap=['red', 'green', 'blue']" in notice.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis_labels": 5}, "axis_labels=5 must be 3 different names"),
        ({"channel_axis": True}, "channel_axis=True is not an axis"),
        ({"channel_axis": -1}, "would make 70 layers; at most 64 are made"),
    ],
)
def test_impossible_axes_are_refused(
    v: viewer.Viewer, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        v.add_image(np.zeros((4, 5, 70), np.uint8), **options)
    assert len(v.layers) == 0
