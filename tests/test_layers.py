"""Layers: attributes that follow the document, labels as sets, the transform, refresh, release."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import viewer
from viewer.errors import (
    ClosedError,
    InvalidValueError,
    SourceError,
    UnknownLayerError,
    UnknownOptionError,
)
from viewer.messages import Change
from viewer.state import Changed


@pytest.fixture
def v(viewer_: viewer.Viewer) -> viewer.Viewer:
    return viewer_


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4000, (20, 30, 40), "uint16")


@pytest.fixture
def image(v: viewer.Viewer, volume: np.ndarray) -> viewer.ImageLayer:
    layer = v.add_image(volume, name="raw", scale=(4, 1, 1), units="nm")
    assert isinstance(layer, viewer.ImageLayer)
    return layer


@pytest.fixture
def cells(v: viewer.Viewer, volume: np.ndarray) -> viewer.LabelsLayer:
    return v.add_labels(volume % 50, name="cells")


# --- attributes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("colormap", "magma", "magma"),
        ("colormap", "#ff8800", "#ff8800"),
        ("contrast_limits", [1, 2], (1.0, 2.0)),
        ("contrast_limits", np.array([1, 2], "u2"), (1.0, 2.0)),
        ("gamma", np.float32(0.5), 0.5),
        ("opacity", 0, 0.0),
        ("blending", "additive", "additive"),
        ("interpolation", "nearest", "nearest"),
        ("rendering", "mip", "mip"),
        ("visible", False, False),
        ("name", "other", "other"),
        ("metadata", {"a": [1, None]}, {"a": [1, None]}),
    ],
)
def test_what_is_set_is_read_back_and_is_in_the_document(
    v: viewer.Viewer, image: viewer.ImageLayer, name: str, value: Any, read: Any
) -> None:
    setattr(image, name, value)
    assert getattr(image, name) == read
    entry = v.document.state.layers[image.id]
    assert getattr(entry if hasattr(entry, name) else entry.style, name) == read


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("opacity", 3, "opacity=3 .*from 0 to 1"),
        ("gamma", 0, "gamma=0"),
        ("colormap", "virdis", "'virdis'.*Did you mean 'viridis'"),
        ("colormap", 5, "colormap=5"),
        ("contrast_limits", (2, 2), "low < high"),
        ("contrast_limits", 5, "contrast_limits=5"),
        ("blending", "add", "'additive'"),
        ("interpolation", "cubic", "'linear', 'nearest'"),
        ("rendering", "fog", "'mip'"),
        ("visible", "no", "True or False"),
        ("name", "", "empty"),
        ("name", 5, "name=5"),
        ("metadata", [1], "metadata"),
        ("scale", -1, "positive"),
        ("scale", (1, 2), "3 numbers"),
        ("translate", "x", "translate"),
    ],
)
def test_bad_values_are_refused(image: viewer.ImageLayer, name: str, value: Any, said: str) -> None:
    before = getattr(image, name)
    with pytest.raises(InvalidValueError, match=said):
        setattr(image, name, value)
    assert getattr(image, name) == before


@pytest.mark.parametrize(
    ("name", "meant"), [("cmap", "colormap"), ("alpha", "opacity"), ("contrast", "contrast_limits")]
)
def test_an_unknown_attribute_is_refused_with_a_suggestion(
    image: viewer.ImageLayer, name: str, meant: str
) -> None:
    with pytest.raises(UnknownOptionError, match=f"Did you mean '{meant}'"):
        setattr(image, name, 1)


def test_a_read_only_attribute_cannot_be_set(image: viewer.ImageLayer) -> None:
    for name in ("id", "data", "shape", "dtype", "units", "zarr_url"):
        with pytest.raises(AttributeError, match=f"'{name}' of ImageLayer cannot be set"):
            setattr(image, name, 1)
    with pytest.raises(AttributeError, match=r"call refresh\(\), or remove"):
        image.data = np.ones((8, 8))  # type: ignore[misc]
    with pytest.raises(UnknownOptionError):
        image.kind = "labels"


def test_what_a_page_changes_is_read_here(v: viewer.Viewer, image: viewer.ImageLayer) -> None:
    path = ("layers", image.id, "style", "gamma")
    v.document.edit([Change(path, 2)], author="page")
    assert image.gamma == 2.0


def test_a_layer_gives_back_the_object_that_was_added(
    image: viewer.ImageLayer, volume: np.ndarray
) -> None:
    assert image.data is volume
    assert (image.dtype, image.shape, image.axis_labels) == ("uint16", (20, 30, 40), tuple("zyx"))


def test_names_stay_unique(v: viewer.Viewer, image: viewer.ImageLayer, volume: np.ndarray) -> None:
    second = v.add_image(volume, name="raw")
    third = v.add_image(volume, name="raw")
    assert [second.name, third.name] == ["raw [1]", "raw [2]"]
    third.name = "raw"
    assert third.name == "raw [2]"


def test_contrast_limits_can_be_taken_from_the_data_anew(
    image: viewer.ImageLayer, volume: np.ndarray
) -> None:
    first = image.contrast_limits
    volume //= 10
    image.refresh()
    assert image.contrast_limits == first
    image.reset_contrast_limits()
    assert image.contrast_limits[1] == pytest.approx(first[1] / 10, rel=0.02)


def test_colormaps_of_other_libraries_are_taken_by_name(image: viewer.ImageLayer) -> None:
    import cmap

    image.colormap = cmap.Colormap("viridis")  # type: ignore[assignment]
    assert image.colormap.endswith("viridis")


# --- labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({42, 17}, [17, 42]),
        ([42, 17, 42], [42, 17]),
        (np.array([[3, 0], [2, 3]], "u8"), [3, 2]),
        ({np.uint64(2**64 - 1)}, [2**64 - 1]),
        ([-5], [-5]),
        (range(3), [1, 2]),
        ((), []),
    ],
)
def test_selected_takes_any_labels(cells: viewer.LabelsLayer, given: Any, read: list[int]) -> None:
    cells.selected = given
    assert list(cells.selected) == read


@pytest.mark.parametrize("given", [5, "17", {1.5}, {"a"}, {True}, [2**64], [None], None])
def test_selected_refuses_what_are_no_labels(cells: viewer.LabelsLayer, given: Any) -> None:
    with pytest.raises(InvalidValueError):
        cells.selected = given
    assert not cells.selected


def test_selected_is_a_set_that_follows_the_document(
    v: viewer.Viewer, cells: viewer.LabelsLayer
) -> None:
    selected = cells.selected
    selected.add(5)
    selected.add(np.uint16(3))
    selected.add(5)
    assert list(selected) == [5, 3]
    assert 5 in selected
    assert np.int64(3) in selected
    assert "5" not in selected
    assert selected == {3, 5}
    assert selected & {3, 9} == {3}
    selected.discard(5)
    selected.discard(77)
    selected |= {9}
    selected.update([11, 9])
    selected.toggle(3)
    selected.toggle(4)
    assert list(cells.selected) == [9, 11, 4]
    assert v.document.state.layers[cells.id].style.selected == ("9", "11", "4")
    v.document.edit([Change(("layers", cells.id, "style", "selected"), ["8"])], author="page")
    assert repr(selected) == "{8}"
    selected.clear()
    assert len(selected) == 0
    cells.hidden |= {7}
    assert list(cells.hidden) == [7]


def test_labels_added_by_several_threads_are_all_there(cells: viewer.LabelsLayer) -> None:
    def add(start: int) -> None:
        for label in range(start, start + 50):
            cells.selected.add(label)

    threads = [threading.Thread(target=add, args=(start,)) for start in (1, 101, 201, 301)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cells.selected) == 200


def test_colors_take_names_codes_and_numbers(cells: viewer.LabelsLayer) -> None:
    cells.colors = {3: "red", np.int64(4): "#ABCDEF", 5: (0, 0.5, 1)}
    assert cells.colors == {3: "#ff0000", 4: "#abcdef", 5: "#0080ff"}
    cells.colors[6] = "orange"
    del cells.colors[3]
    assert dict(cells.colors) == {4: "#abcdef", 5: "#0080ff", 6: "#ffa500"}
    with pytest.raises(InvalidValueError, match="not a colour"):
        cells.colors[1] = "nocolour"
    with pytest.raises(InvalidValueError, match="not a label"):
        cells.colors = {"a": "red"}  # type: ignore[dict-item]
    with pytest.raises(KeyError):
        del cells.colors[99]


def test_the_other_labels_settings(cells: viewer.LabelsLayer) -> None:
    cells.show_selected_only, cells.contour, cells.seed, cells.show_meshes = True, 2, 9, False
    assert (cells.show_selected_only, cells.contour, cells.seed, cells.show_meshes) == (
        *(True, 2, 9),
        False,
    )
    with pytest.raises(InvalidValueError):
        cells.contour = 1.5  # type: ignore[assignment]


def test_meshes_are_of_labels_only(image: viewer.ImageLayer, cells: viewer.LabelsLayer) -> None:
    assert image.meshes is None
    assert len(cells.meshes.mesh(7).faces) > 0
    assert cells.meshes is cells.meshes
    assert cells.mesh_url == f"{cells.zarr_url}/mesh"


# --- where it lies ----------------------------------------------------------------------------


def test_scale_and_translate_can_be_set_at_any_time(
    v: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    assert v.view.center == (40.0, 15.0, 20.0)
    generation = image.pyramid.generation
    image.scale = (2, 1, 1)
    image.translate = 100
    assert (image.scale, image.translate) == ((2.0, 1.0, 1.0), (100.0, 100.0, 100.0))
    data = v.document.state.layers[image.id].data
    assert (data.levels[0].scale, data.levels[0].translate) == (image.scale, image.translate)
    assert data.generation > generation
    assert v.view.center == (120.0, 115.0, 120.0)


def test_coarse_levels_move_with_the_first(v: viewer.Viewer) -> None:
    image = v.add_image(np.zeros((200, 200, 200), "u1"))
    image.scale = 3
    image.translate = (0, 0, 7)
    level = image.pyramid.levels[1]
    assert level.scale == (6.0, 6.0, 6.0)
    assert level.translate == (1.5, 1.5, 8.5)


def test_meshes_move_with_the_layer(v: viewer.Viewer) -> None:
    data = np.zeros((10, 10, 10), "u1")
    data[4:7, 4:7, 4:7] = 7
    cells = v.add_labels(data)
    cells.meshes.mesh(7)
    cells.translate = (100, 0, 0)
    assert cells.meshes.mesh(7).vertices.mean(0) == pytest.approx((105, 5, 5), abs=0.01)


def test_the_document_is_in_the_units_of_the_first_layer_that_has_any(v: viewer.Viewer) -> None:
    zeros = np.zeros((4, 5, 6), "u1")
    plain = v.add_image(zeros, scale=2)
    assert v.view.units == ""
    nanometres = v.add_image(zeros, scale=3, units="nm")
    micrometres = v.add_image(zeros, scale=5, translate=1, units="um")
    assert v.view.units == "nm"
    levels = {key: layer.data.levels[0] for key, layer in v.document.state.layers.items()}
    assert levels[plain.id].scale == (2.0, 2.0, 2.0)
    assert levels[nanometres.id].scale == (3.0, 3.0, 3.0)
    assert levels[micrometres.id].scale == (5000.0, 5000.0, 5000.0)
    assert levels[micrometres.id].translate == (1000.0, 1000.0, 1000.0)
    assert (micrometres.units, micrometres.scale) == ("µm", (5.0, 5.0, 5.0))


def test_the_center_is_the_middle_of_all_layers_on_the_grid_of_the_first(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((4, 4, 4), "u1"), scale=3)
    assert v.view.center == (6.0, 6.0, 6.0)
    v.add_image(np.zeros((100, 5), "u1"))
    assert v.view.center == (6.0, 48.0, 6.0)
    v.layers.remove(0)
    assert v.view.center == (0.0, 50.0, 2.0)


def test_leading_axes_are_not_converted(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((4, 5, 6), "u1"), units="nm")
    movie = v.add_image(np.zeros((3, 4, 5, 6), "u1"), scale=(2, 1, 1, 1), units="µm")
    assert v.document.state.layers[movie.id].data.levels[0].scale == (2.0, 1000.0, 1000.0, 1000.0)


# --- refresh and the end ----------------------------------------------------------------------


def test_refresh_shows_what_was_changed(
    v: viewer.Viewer, image: viewer.ImageLayer, volume: np.ndarray
) -> None:
    histogram = v.document.state.layers[image.id].data.histogram
    volume += 1000
    image.refresh()
    data = v.document.state.layers[image.id].data
    assert data.generation == image.pyramid.generation == 1
    assert data.histogram != histogram


def test_refresh_of_a_region_says_what_has_changed(
    v: viewer.Viewer, image: viewer.ImageLayer, volume: np.ndarray
) -> None:
    histogram = v.document.state.layers[image.id].data.histogram
    volume[2:5, :, -1] = 4000
    image.refresh(np.s_[2:5, ..., -1])
    data = v.document.state.layers[image.id].data
    assert data.generation == 1
    assert data.changes == (Changed(1, 0, (2, 0, 39), (5, 30, 40)),)
    assert data.histogram == histogram
    image.refresh()
    data = v.document.state.layers[image.id].data
    assert [change.generation for change in data.changes] == [1, 2]
    assert data.changes[1] == Changed(2, 0, (0, 0, 0), (20, 30, 40))


def test_regions_that_make_up_a_good_part_of_the_data_renew_the_histogram(
    v: viewer.Viewer, image: viewer.ImageLayer, volume: np.ndarray
) -> None:
    histogram = v.document.state.layers[image.id].data.histogram
    volume += 1000
    for z in range(4):
        image.refresh(z)
    assert v.document.state.layers[image.id].data.histogram == histogram
    image.refresh(4)
    assert v.document.state.layers[image.id].data.histogram != histogram


def test_refresh_of_what_is_no_region_or_empty_changes_nothing(image: viewer.ImageLayer) -> None:
    with pytest.raises(InvalidValueError, match="beyond an axis of 20"):
        image.refresh(20)
    image.refresh(np.s_[5:5])
    assert image.pyramid.generation == 0


def test_refresh_from_a_closed_file_says_so_and_leaves_the_layer(
    v: viewer.Viewer, tmp_path: Any
) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume"] = np.zeros((4, 5, 6), "u1")
        layer = v.add_image(file["volume"])
        assert layer.name == "volume"
    with pytest.raises(SourceError, match="closed"):
        layer.refresh()
    assert v.document.state.layers[layer.id].data.generation == 1
    layer.opacity = 0.5


class Array(np.ndarray[Any, np.dtype[Any]]):
    """An array that owns its memory and can be watched."""


def watched() -> Array:
    array = Array((20, 20, 20), "u1")
    array[...] = 3
    return array


def test_a_removed_layer_lets_go_of_its_data_without_the_collector(v: viewer.Viewer) -> None:
    array = watched()
    reference = weakref.ref(array)
    image, cells = v.add_image(array), v.add_labels(array)
    cells.meshes.mesh(3)
    image.refresh()
    del array
    gc.disable()
    try:
        v.layers.remove(image)
        assert reference() is not None
        v.layers.remove(cells)
        assert reference() is None
    finally:
        gc.enable()


def test_a_layer_removed_on_a_page_lets_go_of_its_data(v: viewer.Viewer) -> None:
    array = watched()
    reference = weakref.ref(array)
    layer = v.add_image(array)
    del array
    v.document.edit([Change(("layers", layer.id), remove=True)], author="page")
    assert reference() is None
    with pytest.raises(UnknownLayerError):
        v.layer(layer.id)


def test_a_removed_layer_says_so(v: viewer.Viewer, cells: viewer.LabelsLayer) -> None:
    selected = cells.selected
    v.layers.remove(cells)
    assert repr(cells) == "<LabelsLayer 'cells' (removed)>"
    for attribute in ("name", "data", "opacity", "scale", "meshes", "zarr_url", "selected"):
        with pytest.raises(ClosedError, match="'cells' has been removed"):
            getattr(cells, attribute)
    with pytest.raises(ClosedError):
        selected.add(1)
    with pytest.raises(ClosedError):
        cells.opacity = 0.1
    with pytest.raises(ClosedError):
        cells.refresh()
