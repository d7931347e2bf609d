"""The Viewer at a prompt: finding layers, the view, errors, and the end."""

from __future__ import annotations

import gc
import json
import math
import urllib.error
import urllib.request
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import connect

import viewer
from tests.server.page import Page
from tests.test_layers import watched
from viewer.errors import (
    ClosedError,
    InvalidValueError,
    SourceError,
    UnknownAxisError,
    UnknownLayerError,
    UnknownOptionError,
)
from viewer.messages import Change, Notice

ZEROS = np.zeros((4, 5, 6), "u1")


@pytest.fixture
def v(viewer_: viewer.Viewer) -> viewer.Viewer:
    return viewer_


# --- the Viewer -------------------------------------------------------------------------------


def test_its_address_holds_a_token_of_160_bits(v: viewer.Viewer) -> None:
    start, token, end = v.url.rpartition("/v/")[0], v.url.split("/")[-2], v.url[-1]
    assert start.startswith("http://127.0.0.1:")
    assert len(token) == 40
    assert int(token, 16) >= 0
    assert end == "/"
    assert str(v) == v.url


def test_its_repr_names_the_layers_and_not_the_token(v: viewer.Viewer) -> None:
    v.add_image(ZEROS, name="raw")
    v.add_labels(ZEROS, name="cells")
    assert repr(v) == "<Viewer 'Voxelview': 'raw', 'cells'>"
    v.close()
    assert repr(v) == "<Viewer 'Voxelview' (closed)>"


def test_title_theme_and_active_layer(v: viewer.Viewer) -> None:
    first, second = v.add_image(ZEROS, name="a"), v.add_image(ZEROS, name="b")
    assert v.active is second
    v.active = first
    assert v.active is first
    v.active = "b"
    assert v.active is second
    v.active = None
    assert v.active is None
    v.theme, v.title = "light", "Title"
    assert (v.theme, v.title) == ("light", "Title")
    with pytest.raises(UnknownLayerError):
        v.active = "c"
    with pytest.raises(InvalidValueError):
        v.theme = "blue"  # type: ignore[assignment]


def test_two_viewers_share_a_server_and_nothing_else(v: viewer.Viewer) -> None:
    with viewer.Viewer("other") as other:
        other.add_image(ZEROS)
        assert other.url.split("/v/")[0] == v.url.split("/v/")[0]
        assert other.url != v.url
        assert len(v.layers) == 0


# --- layers -----------------------------------------------------------------------------------


def test_layers_are_found_by_name_index_and_id(v: viewer.Viewer) -> None:
    a, b = v.add_image(ZEROS, name="a"), v.add_image(ZEROS, name="b")
    assert v.layers["a"] is v.layers[0] is v.layers[a.id] is v.layers[np.int64(-2)] is a
    assert list(v.layers) == [a, b] == v.layers[:]
    assert list(reversed(v.layers)) == [b, a]
    assert v.layers.index("b") == 1
    assert "a" in v.layers
    assert a in v.layers
    assert "c" not in v.layers
    assert 0 not in v.layers
    assert len(v.layers) == 2
    assert v.layers.names == ("a", "b")


@pytest.mark.parametrize("key", ["rwa", 7, -3, 1.5, None])
def test_a_missing_layer_is_a_key_error_that_names_those_there_are(
    v: viewer.Viewer, key: Any
) -> None:
    v.add_image(ZEROS, name="raw")
    with pytest.raises(KeyError, match="'raw'"):
        v.layers[key]
    with pytest.raises(UnknownLayerError):
        v.layers.remove(key)


def test_layers_move(v: viewer.Viewer) -> None:
    for name in "abc":
        v.add_image(ZEROS, name=name)
    v.layers.move("c", 0)
    assert v.layers.names == ("c", "a", "b")
    v.layers.move(v.layers["c"], -1)
    assert v.layers.names == ("a", "b", "c")
    v.layers.move(0, 1)
    assert v.layers.names == ("b", "a", "c")
    for place in (3, -4, "top"):
        with pytest.raises(InvalidValueError, match="3 layers"):
            v.layers.move("a", place)  # type: ignore[arg-type]


def test_layers_are_removed_by_themselves_name_and_index(v: viewer.Viewer) -> None:
    a, _b, _c = (v.add_image(ZEROS, name=name) for name in "abc")
    v.layers.remove(a)
    v.layers.remove("b")
    del v.layers[0]
    assert list(v.layers) == []
    with pytest.raises(UnknownLayerError):
        v.layers.remove(a)
    v.add_image(ZEROS)
    v.layers.clear()
    assert len(v.layers) == 0


def test_an_id_is_never_used_twice(v: viewer.Viewer) -> None:
    first = v.add_image(ZEROS)
    identity = first.id
    v.layers.remove(first)
    assert v.add_image(ZEROS).id != identity


# --- the view ---------------------------------------------------------------------------------


def test_the_view_is_read_and_set(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((3, 4, 5, 6), "u1"), scale=(2, 1, 1, 1), units="nm")
    assert v.view.center == (2.0, 2.0, 3.0)
    assert v.view.zoom is None
    v.view.center = np.array([1, 2, 3])  # type: ignore[assignment]
    v.view.zoom, v.view.layout, v.view.split = 4, "xy", (0.3, 0.6)
    v.view.camera.orientation, v.view.camera.zoom = (0, 0, 0, 2), 3
    v.view.orientation = (0, 2, 0, 0)
    v.view.scale_bar = v.view.axis_lines = v.view.slices_in_3d = False
    v.view.position["t"] = 4
    view = v.document.state.view
    assert (view.center, view.zoom, view.layout, view.split) == (
        *((1.0, 2.0, 3.0), 4.0, "xy"),
        (0.3, 0.6),
    )
    assert (view.camera.orientation, view.camera.zoom) == ((0.0, 0.0, 0.0, 1.0), 3.0)
    assert view.orientation == (0.0, 1.0, 0.0, 0.0)
    assert (v.view.units, view.scale_bar, view.axis_lines, view.slices_in_3d) == (
        *("nm", False, False),
        False,
    )
    assert dict(v.view.position) == {"t": 4.0}
    v.view.position = {"t": 2}
    assert v.view.position["t"] == 2.0
    assert "center" in repr(v.view)


def test_the_slices_are_turned_along_a_direction(v: viewer.Viewer) -> None:
    v.view.slice_along((1, 1, 0))
    assert v.view.orientation == pytest.approx((math.sin(math.pi / 8), 0, 0, math.cos(math.pi / 8)))
    v.view.slice_along()
    assert v.view.orientation == (0.0, 0.0, 0.0, 1.0)
    v.undo()
    assert v.view.orientation[0] > 0.3
    with pytest.raises(InvalidValueError, match=r"normal=.* is no direction"):
        v.view.slice_along((0, 0, 0))


def test_title_and_colour_bars_are_of_the_view(v: viewer.Viewer) -> None:
    assert (v.view.title, v.view.colorbar) == ("", False)
    v.view.title, v.view.colorbar = "Cells at 3 h", True
    assert (v.document.state.view.title, v.document.state.view.colorbar) == ("Cells at 3 h", True)
    v.undo()
    assert v.view.title == "Cells at 3 h" and not v.view.colorbar
    with pytest.raises(InvalidValueError, match="title"):
        v.view.title = 7  # type: ignore[assignment]
    with pytest.raises(InvalidValueError, match="at most 200 characters"):
        v.view.title = "x" * 201
    with pytest.raises(InvalidValueError, match="colorbar"):
        v.view.colorbar = "yes"  # type: ignore[assignment]
    with pytest.raises(UnknownOptionError, match="colorbar"):
        v.view.colourbar = True  # type: ignore[attr-defined]


def test_the_view_refuses_what_it_does_not_know(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((3, 4, 5, 6), "u1"))
    with pytest.raises(UnknownOptionError, match="Did you mean 'center'"):
        v.view.centre = (0, 0, 0)  # type: ignore[attr-defined]
    with pytest.raises(UnknownOptionError, match="orientation"):
        v.view.camera.orientatoin = (0, 0, 0, 1)  # type: ignore[attr-defined]
    with pytest.raises(UnknownAxisError, match="'t'"):
        v.view.position["q"] = 1
    with pytest.raises(InvalidValueError, match="0 to 2"):
        v.view.position["t"] = 3
    with pytest.raises(InvalidValueError, match="q"):
        v.view.position = {"q": 1}
    with pytest.raises(InvalidValueError, match="'4panel'"):
        v.view.layout = "2panel"  # type: ignore[assignment]


def test_sliders_come_and_go_with_the_layers(v: viewer.Viewer) -> None:
    movie = v.add_image(np.zeros((3, 4, 5, 6), "u1"))
    other = v.add_image(np.zeros((7, 4, 5, 6), "u1"), axis_labels=("q", "z", "y", "x"))
    assert [slider.name for slider in v.view.sliders] == ["t", "q"]
    assert (v.view.sliders[0].start, v.view.sliders[0].stop, v.view.sliders[0].step) == (0, 2, 1)
    v.layers.remove(movie)
    assert list(v.view.position) == ["q"]
    v.layers.remove(other)
    assert v.view.sliders == ()


# --- pages ------------------------------------------------------------------------------------


def test_python_and_pages_follow_each_other(v: viewer.Viewer) -> None:
    image = v.add_image(ZEROS)
    with Page(v.url) as page, Page(v.url) as second:
        assert list(page.document["layers"]) == [image.id]
        image.gamma = 2
        page.catch_up(v.document.version)
        assert page.document["layers"][image.id]["style"]["gamma"] == 2
        answer = page.edit(["layers", image.id, "style", "gamma"], 3)
        assert answer["type"] == "accepted"
        assert image.gamma == 3
        second.catch_up(answer["version"])
        assert second.document["layers"][image.id]["style"]["gamma"] == 3


def test_what_fails_while_pages_are_served_is_kept(v: viewer.Viewer, tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume"] = ZEROS
        layer = v.add_image(file["volume"])
    with Page(v.url) as page:
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{layer.zarr_url}/0/c/0/0/0")
        assert page.receive("report")["notice"]["layer"] == layer.id
    (notice,) = v.errors
    assert "closed" in notice.message
    assert (notice.kind, notice.layer) == ("source", layer.id)
    assert notice.time > 0


def test_adding_from_a_closed_file_is_refused(v: viewer.Viewer, tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume"] = ZEROS
        dataset = file["volume"]
    with pytest.raises(SourceError, match="closed"):
        v.add_image(dataset)


def test_errors_are_bounded_and_repeat_nothing(v: viewer.Viewer) -> None:
    for number in range(500):
        v.report(Notice("source", f"trouble {number % 250}"))
    assert len(v.errors) == 100
    assert v.errors[-1].message == "trouble 249"
    v.errors.clear()
    assert len(v.errors) == 100


# --- the end ----------------------------------------------------------------------------------


def read_everything(v: viewer.Viewer, layer: viewer.LabelsLayer) -> None:
    """Have a chunk, a mesh and a brick served."""
    for path in ("0/c/0/0/0", "mesh/3"):
        urllib.request.urlopen(f"{layer.zarr_url}/{path}").read()
    with connect(f"{v.url.replace('http', 'ws', 1)}bricks", max_size=None) as stream:
        stream.send(json.dumps({"type": "open", "volume": 0, "layer": layer.id, "point": []}))
        want = {"type": "want", "generation": 1, "taken": 0, "bricks": [0, 0, 0, 0, 0]}
        stream.send(json.dumps(want))
        stream.recv(timeout=30)


@pytest.mark.parametrize("end", ["remove", "close", "stop", "page"])
def test_arrays_live_as_long_as_they_are_shown(end: str) -> None:
    v = viewer.Viewer()
    try:
        array = watched()
        reference = weakref.ref(array)
        layer = v.add_labels(array, selected=[3])
        del array
        gc.collect()
        assert reference() is not None
        with Page(v.url) as page:
            read_everything(v, layer)
            if end == "remove":
                v.layers.remove(layer)
            elif end == "close":
                v.close()
            elif end == "stop":
                viewer.stop()
            else:
                path = ("layers", layer.id)
                v.document.edit([Change(path, remove=True)], author=page.hello["session"])
            gc.collect()
            assert reference() is None
    finally:
        viewer.stop()


def test_a_viewer_that_nobody_holds_goes_on(v: viewer.Viewer) -> None:
    url = v.url
    reference = weakref.ref(v)
    v.add_image(ZEROS)
    del v
    gc.collect()
    assert reference() is not None
    with Page(url) as page:
        assert len(page.document["layers"]) == 1


def test_a_closed_viewer_says_so(v: viewer.Viewer) -> None:
    layers, view = v.layers, v.view
    layer = v.add_image(ZEROS)
    v.close()
    v.close()
    assert v.closed
    assert v.errors == []
    for attribute in ("url", "layers", "view", "title", "theme", "active"):
        with pytest.raises(ClosedError, match=r"closed\. Make a new one"):
            getattr(v, attribute)
    for act in (
        lambda: v.add_image(ZEROS),
        lambda: v.add_labels(ZEROS),
        lambda: layers[0],
        lambda: view.center,
        lambda: setattr(view, "zoom", 2),
        lambda: layer.refresh(),
        lambda: str(v),
    ):
        with pytest.raises(ClosedError):
            act()


def test_pages_are_told_that_the_viewer_was_closed(v: viewer.Viewer) -> None:
    with Page(v.url) as page:
        v.close()
        assert page.receive("closing")["reason"]


def test_a_with_block_closes_the_viewer() -> None:
    with viewer.Viewer() as v:
        assert not v.closed
    assert v.closed
    viewer.stop()


def test_after_stop_the_address_is_dead_and_a_new_viewer_gets_another() -> None:
    v = viewer.Viewer()
    url = v.url
    viewer.stop()
    viewer.stop()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=2)
    with pytest.raises(ClosedError):
        _ = v.url
    try:
        assert viewer.Viewer().url.split("/v/")[1] != url.split("/v/")[1]
    finally:
        viewer.stop()


def test_flat_data_alone_is_shown_in_one_panel(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((4, 5)))
    assert v.view.layout == "xy"
    v.add_image(np.zeros((3, 4, 5)))
    assert v.view.layout == "4panel"


def test_a_layout_that_somebody_chose_stays(v: viewer.Viewer) -> None:
    v.view.layout = "3d"
    v.add_image(np.zeros((4, 5)))
    assert v.view.layout == "3d"


def test_a_misspelt_attribute_is_refused(v: viewer.Viewer) -> None:
    with pytest.raises(UnknownOptionError, match=r"'titel' to set\. Did you mean 'title'"):
        v.titel = "cells"  # type: ignore[attr-defined]


def test_what_is_only_read_says_so(v: viewer.Viewer) -> None:
    with pytest.raises(AttributeError, match="'url' of Viewer cannot be set"):
        v.url = "http://127.0.0.1/"  # type: ignore[misc]


def test_messages_name_whole_numbers_as_they_are_and_not_too_much(v: viewer.Viewer) -> None:
    labels = v.add_labels(np.zeros((4, 5), np.uint8), name="x" * 1000)
    with pytest.raises(ValueError, match="from 0 to 4294967295"):
        labels.seed = -1
    for _ in range(20):
        v.add_image(np.zeros((4, 5), np.uint8))
    with pytest.raises(KeyError) as caught:
        v.layers["nothing"]
    assert len(str(caught.value)) < 400
