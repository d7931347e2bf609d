"""Views as files: saved, loaded into the same or another viewer, by Python or a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import viewer
from tests.server.page import Page

HEAD = {"format": "voxelview view", "version": 1}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "volume.npy"
    np.save(path, np.arange(512, dtype=np.float32).reshape(8, 8, 8))
    return path


@pytest.fixture
def other(viewer_: viewer.Viewer) -> Iterator[viewer.Viewer]:
    with viewer.Viewer() as other:
        yield other


def add_cells(v: viewer.Viewer, **options: Any) -> viewer.LabelsLayer:
    return v.add_labels(np.ones((8, 8, 8), np.uint8), name="cells", **options)


def arrange(v: viewer.Viewer, cells: viewer.LabelsLayer) -> None:
    v.title, v.theme = "mine", "light"
    cells.selected = {3, 1}
    cells.colors = {1: "red"}
    cells.visible = False
    v.view.center = (1, 2, 3)
    v.view.zoom = 2.5
    v.view.layout = "xz"
    v.view.orientation = (0, 0.6, 0, 0.8)
    v.view.camera.orientation = (0, 0, 0, 1)


def test_what_was_saved_is_shown_again(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    cells = add_cells(viewer_)
    raw = viewer_.add_image(np.ones((3, 8, 8, 8)), name="raw")
    arrange(viewer_, cells)
    viewer_.view.position["t"] = 2
    viewer_.layers.move(raw, 0)
    before = viewer_.document.state
    viewer_.save(tmp_path / "view.json")
    cells.selected, cells.visible, viewer_.title = (), True, "other"
    viewer_.layers.move(raw, 1)
    viewer_.view.zoom, viewer_.view.layout, viewer_.view.position["t"] = None, "3d", 0
    viewer_.active = None
    assert viewer_.load(tmp_path / "view.json") == ()
    assert viewer_.document.state == before


def test_layers_are_found_by_name_in_another_viewer(
    viewer_: viewer.Viewer, other: viewer.Viewer
) -> None:
    arrange(viewer_, add_cells(viewer_))
    other.add_image(np.ones((8, 8)), name="something else")
    cells = add_cells(other)
    assert other.load(viewer_.to_dict()) == ()
    assert (set(cells.selected), cells.visible, other.title) == ({1, 3}, False, "mine")
    assert other.layers.names == ("cells", "something else")


def test_files_are_opened_again(viewer_: viewer.Viewer, other: viewer.Viewer, volume: Path) -> None:
    (layer,) = viewer_.open(volume, name="raw", scale=(4, 2, 2), units="nm")
    layer.colormap = "magma"
    layer.name = "renamed"
    assert other.load(json.loads(json.dumps(viewer_.to_dict()))) == ()
    again = other.layers["renamed"]
    assert isinstance(again, viewer.ImageLayer)
    assert (again.colormap, again.scale, again.units) == ("magma", (4.0, 2.0, 2.0), "nm")
    assert again.data.max() == 511


def test_of_a_file_with_many_layers_only_those_are_opened_that_are_wanted(
    viewer_: viewer.Viewer, other: viewer.Viewer, tmp_path: Path
) -> None:
    np.save(tmp_path / "channels.npy", np.ones((3, 8, 8, 8), np.float32))
    layers = viewer_.open(tmp_path / "channels.npy", channel_axis=0)
    layers[1].gamma = 3
    viewer_.layers.remove(layers[0])
    kept = viewer_.layers.names
    assert other.load(viewer_.to_dict()) == ()
    assert other.layers.names == kept
    assert [layer.gamma for layer in other.layers] == [3.0, 1.0]  # type: ignore[union-attr]


def test_what_is_missing_is_reported_and_the_rest_is_shown(
    viewer_: viewer.Viewer, other: viewer.Viewer, volume: Path
) -> None:
    viewer_.open(volume, name="raw")
    arrange(viewer_, add_cells(viewer_))
    volume.unlink()
    assert other.load(viewer_.to_dict()) == ("raw", "cells")
    assert [notice.message for notice in other.errors] == [
        f"{volume} cannot be opened again: There is no file {volume}. Check the path.",
        "The image layer 'raw' of the saved view is not here.",
        "The labels layer 'cells' of the saved view is not here.",
    ]
    assert other.title == "mine"


def test_a_layer_of_the_same_name_and_another_kind_is_another(
    viewer_: viewer.Viewer, other: viewer.Viewer
) -> None:
    add_cells(viewer_)
    other.add_image(np.ones((8, 8)), name="cells")
    assert other.load(viewer_.to_dict()) == ("cells",)


def test_lengths_are_converted(viewer_: viewer.Viewer, other: viewer.Viewer) -> None:
    arrange(viewer_, add_cells(viewer_, units="nm"))
    viewer_.view.camera.zoom = 3
    add_cells(other, units="µm")
    other.load(viewer_.to_dict())
    assert other.view.center == (0.001, 0.002, 0.003)
    assert (other.view.zoom, other.view.camera.zoom) == (2500.0, 3000.0)


def test_a_part_is_a_style_sheet(viewer_: viewer.Viewer) -> None:
    cells = add_cells(viewer_, selected=[4], opacity=0.25)
    layer = {"name": "cells", "kind": "labels", "style": {"contour": 2}}
    viewer_.load({**HEAD, "layers": [layer]})
    assert (cells.contour, cells.opacity, set(cells.selected)) == (2, 0.25, {4})
    assert viewer_.undo() is not None
    assert cells.contour == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no saved view"),
        ({**HEAD, "version": 2}, "newer than this program"),
        ({**HEAD, "themes": "light"}, "themes.*Did you mean 'theme'"),
        ({**HEAD, "theme": "blue"}, "theme='blue'.*'dark', 'light'"),
        ({**HEAD, "view": {"layout": "9panel"}}, "view.layout='9panel' is not.*'4panel'"),
        (
            {**HEAD, "layers": [{"name": "cells", "kind": "labels", "style": {"opacity": 2}}]},
            "opacity=2 of 'cells' is not.*from 0 to 1",
        ),
        (
            {**HEAD, "layers": [{"name": "cells", "kind": "labels", "style": {"opaque": 2}}]},
            "The style of 'cells' has no 'opaque'",
        ),
        ({**HEAD, "layers": [{"kind": "labels"}]}, "layer 0 in the saved view lacks 'name'"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(
    viewer_: viewer.Viewer, given: Any, said: str
) -> None:
    add_cells(viewer_)
    before = viewer_.document.state
    with pytest.raises(viewer.errors.InvalidValueError, match=said):
        viewer_.load({"title": "never", **given} if given else given)
    assert viewer_.document.state is before


def test_files_that_are_none_are_refused(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    with pytest.raises(viewer.errors.SourceError, match="cannot be read"):
        viewer_.load(tmp_path / "nothing.json")
    (tmp_path / "text.json").write_text("hello")
    with pytest.raises(viewer.errors.InvalidValueError, match="is not JSON"):
        viewer_.load(tmp_path / "text.json")


def test_pages_save_and_load_as_python_does(viewer_: viewer.Viewer, volume: Path) -> None:
    cells = add_cells(viewer_)
    (raw,) = viewer_.open(volume, name="raw")
    with Page(viewer_.url) as page:
        page.send({"type": "save"})
        saved = page.receive("saved")["view"]
        assert saved == json.loads(json.dumps(viewer_.to_dict()))
        viewer_.layers.remove(raw)
        cells.contour = 3
        page.send({"type": "load", "view": saved})
        while (message := page.receive("patch", "loaded"))["type"] == "patch":
            pass
        assert (message["missing"], message["notice"]) == ([], None)
        assert (set(viewer_.layers.names), cells.contour) == ({"cells", "raw"}, 0)
        page.send({"type": "load", "view": {**saved, "theme": "blue"}})
        while (message := page.receive("patch", "loaded"))["type"] == "patch":
            pass
        assert "theme='blue'" in message["notice"]["message"]


def test_pages_at_shared_addresses_open_no_files(viewer_: viewer.Viewer, volume: Path) -> None:
    (raw,) = viewer_.open(volume, name="raw")
    saved = viewer_.to_dict()
    viewer_.layers.remove(raw)
    with Page(viewer_.share(read_only=False).url) as page:
        page.send({"type": "load", "view": {**saved, "title": "mine"}})
        while (message := page.receive("patch", "loaded"))["type"] == "patch":
            pass
        assert (message["missing"], message["notice"]) == (["raw"], None)
    assert (len(viewer_.layers), viewer_.title) == (0, "mine")


def test_an_address_for_looking_only_saves_no_paths_and_loads_nothing(
    viewer_: viewer.Viewer, volume: Path
) -> None:
    viewer_.open(volume, name="raw")
    with Page(viewer_.share().url) as page:
        page.send({"type": "save"})
        saved = page.receive("saved")["view"]
        assert "source" not in saved["layers"][0]
        page.send({"type": "load", "view": {**saved, "title": "mine"}})
        assert page.receive("loaded")["notice"]["kind"] == "readonly"
    assert viewer_.title == "Voxelview"
