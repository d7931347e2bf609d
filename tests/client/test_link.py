"""A viewer in another process is used as one in this process."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError as FutureCancelledError
from typing import Any

import numpy as np
import pytest

import viewer
from tests.client.conftest import Far
from tests.server.page import Page
from viewer import errors


def test_a_link_presents_the_viewer(link: viewer.Link, far: Far) -> None:
    assert link.url == far.url == str(link)
    assert link.title == "far away"
    assert link.layers.names[:2] == ("image", "cells")
    assert repr(link).startswith("<Link 'far away': 'image', 'cells'")


def test_layers_are_of_the_same_kinds_and_say_the_same(link: viewer.Link) -> None:
    image, cells = link.layers["image"], link.layers["cells"]
    assert isinstance(image, viewer.ImageLayer) and isinstance(cells, viewer.LabelsLayer)
    assert (image.dtype, image.shape, image.units) == (np.uint16, (8, 16, 24), "nm")
    assert image.axis_labels == ("z", "y", "x")
    assert image.scale == (40.0, 4.0, 4.0)
    assert cells.scale == (0.04, 0.004, 0.004)  # in the layer's own unit, to the last bit
    assert image.zarr_url == f"{link.url}layers/l1"
    assert "ImageLayer 'image' uint16 (8, 16, 24)" in repr(image)


def test_every_public_name_of_the_layers_is_there(link: viewer.Link) -> None:
    far_away = {"pyramid", "meshes", "describe", "surface"}
    for layer in link.layers[:2]:
        for name in dir(layer):
            if name.startswith("_") or name in far_away:
                continue
            getattr(layer, name)


def test_an_unknown_name_lists_the_layers(link: viewer.Link) -> None:
    with pytest.raises(KeyError, match="There are: 'image', 'cells'"):
        link.layers["imag"]


def test_what_one_link_sets_all_read(link: viewer.Link, far: Far) -> None:
    with viewer.connect(far.url, timeout=30) as other:
        link.layers["image"].colormap = "magma"
        link.layers["image"].contrast_limits = np.array([5, 900])
        link.layers["cells"].selected = {17}
        link.layers["cells"].selected.add(2**63 + 1)
        link.layers["cells"].colors[17] = "orange"
        link.view.center = (120, 20, 30)
        link.view.camera.zoom = 2
        link.theme = "light"
        link.active = "image"
        # a call is answered when all before it has been done
        other.call("errors")
        image, cells = other.layers["image"], other.layers["cells"]
        assert (image.colormap, image.contrast_limits) == ("magma", (5.0, 900.0))
        assert set(cells.selected) == {17, 2**63 + 1}
        assert cells.colors == {17: "#ffa500"}
        assert other.view.center == (120.0, 20.0, 30.0)
        assert other.view.camera.zoom == 2.0
        assert other.theme == "light"
        assert other.active is image


def test_mistakes_are_told_in_the_same_words(link: viewer.Link) -> None:
    image = link.layers["image"]
    with pytest.raises(errors.InvalidValueError, match=r"opacity=3 .* from 0 to 1"):
        image.opacity = 3
    with pytest.raises(errors.InvalidValueError, match="nan"):
        image.opacity = float("nan")
    with pytest.raises(errors.InvalidValueError, match="low < high"):
        image.contrast_limits = (9, 1)
    with pytest.raises(errors.UnknownOptionError, match="Did you mean 'colormap'"):
        image.cmap = "gray"  # type: ignore[attr-defined]
    with pytest.raises(errors.NotFoundError, match="99"):
        link.layers["cells"].mesh(99)
    with pytest.raises(errors.UnknownOptionError, match="cannot be called"):
        link.call("close")
    with pytest.raises(errors.UnknownOptionError, match="argument"):
        link.layers["image"].call_async("sample", 1, 2).result(30)


def test_arrays_are_sent_in_pieces_and_shown(link: viewer.Link) -> None:
    noise = np.random.default_rng(0).integers(0, 60000, (20, 300, 400), np.uint16)
    added = link.add_image(noise[:, ::-1], name="noise", scale=2)
    assert isinstance(added, viewer.ImageLayer)
    np.testing.assert_array_equal(np.asarray(added.data), noise[:, ::-1])
    np.testing.assert_array_equal(added.data[3:9, ..., -1], noise[3:9, ::-1][..., -1])
    assert added.data[-1, 2, 5] == noise[-1, -3, 5]
    link.layers.remove(added)
    assert "noise" not in link.layers.names
    with pytest.raises(errors.ClosedError):
        added.opacity = 0.5


def test_channels_labels_and_surfaces_can_be_added(link: viewer.Link) -> None:
    channels = link.add_image(np.ones((2, 3, 4, 5)), channel_axis=0, name=["a", "b"])
    labels = link.add_labels(np.ones((3, 4, 5), bool), colors={1: "red"}, metadata={"$": {1: 2.0}})
    corners = np.eye(3, dtype=np.float32)
    surface = link.add_surface((corners, np.array([[0, 1, 2]])), color="teal")
    assert [layer.name for layer in channels] == ["a", "b"]
    assert labels.colors == {1: "#ff0000"}
    assert surface.color == "#008080"
    np.testing.assert_array_equal(surface.data[0], corners)
    for layer in (*channels, labels, surface):
        link.layers.remove(layer)


def test_files_are_opened_where_the_viewer_is(link: viewer.Link, tmp_path: Any) -> None:
    np.save(tmp_path / "small.npy", np.zeros((4, 5, 6), np.float32))
    (layer,) = link.open(tmp_path / "small.npy")
    assert layer.shape == (4, 5, 6)
    link.layers.remove(layer)
    with pytest.raises(errors.SourceError):
        link.open(tmp_path / "nothing.npy")


def test_methods_that_need_the_data_are_called_there(link: viewer.Link) -> None:
    cells, image = link.layers["cells"], link.layers["image"]
    vertices, faces, normals = cells.mesh(17)
    assert vertices.shape == normals.shape and faces.dtype == np.uint32
    assert sorted(cells.statistics["count"].tolist()) == [48, 192]
    cells.go_to(17)
    assert link.view.center == (120.0, 20.0, 28.0)  # nm
    image.refresh(np.s_[2:4, ...])
    image.reset_contrast_limits()
    image.scale = (80, 8, 8)
    assert image.scale == (80.0, 8.0, 8.0)
    image.scale = (40, 4, 4)
    surface = image.isosurface(1500, name="half")
    assert isinstance(surface, viewer.SurfaceLayer) and surface.name == "half"
    link.layers.remove(surface)


def test_calls_can_be_awaited_elsewhere_and_cancelled(link: viewer.Link) -> None:
    image = link.layers["image"]
    assert len(image.call_async("sample").result(30)) == 2
    futures = [image.call_async("read", None, 0) for _ in range(20)]
    assert all(future.result(30).shape == (8, 16, 24) for future in futures)
    late = image.call_async("read")
    if late.cancel():
        with pytest.raises(FutureCancelledError):
            late.result(0)
    assert image.call_async("read").result(30).shape == (8, 16, 24)


def test_threads_share_a_link_and_nothing_is_lost(link: viewer.Link, far: Far) -> None:
    cells = link.layers["cells"]
    cells.hidden.clear()

    def add(start: int, to: viewer.Link) -> None:
        for label in range(start, start + 10):
            to.layers["cells"].hidden.add(label)  # computed from what is there

    with viewer.connect(far.url, timeout=30) as other:
        threads = [
            threading.Thread(target=add, args=(100 * n, link if n % 2 else other))
            for n in range(1, 5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(cells.hidden) == {100 * n + k for n in range(1, 5) for k in range(10)}


def test_many_changes_are_one_and_can_be_taken_back(link: viewer.Link) -> None:
    image = link.layers["image"]
    before, version = (image.colormap, image.gamma), link.document.version
    with link.txn():
        image.colormap = "viridis"
        image.gamma = 3.0
        assert image.gamma == 3.0
    assert link.document.version == version + 1

    def fail() -> None:
        with link.txn():
            image.gamma = 4.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert image.gamma == 3.0
    assert link.undo() is not None
    assert (image.colormap, image.gamma) == before
    link.redo()
    assert (image.colormap, image.gamma) == ("viridis", 3.0)


def test_views_are_kept_here(link: viewer.Link, tmp_path: Any) -> None:
    link.layers["image"].gamma = 2.5
    link.save(tmp_path / "view.json")
    link.layers["image"].gamma = 1.0
    assert link.load(tmp_path / "view.json") == ()
    assert link.layers["image"].gamma == 2.5
    saved = link.to_dict()
    saved["layers"][0]["name"] = "nobody"
    assert link.load(saved) == ("nobody",)
    assert link.errors[-1].kind == "load"


def test_pages_are_known(link: viewer.Link, far: Far) -> None:
    with Page(far.url) as page:
        page.send({"type": "presence", "size": [800, 600], "pixel_ratio": 2, "visible": True})
        page.send({"type": "ping", "time": 1})
        page.receive("pong")
        session = link.sessions[page.hello["session"]]
        assert (session.size, session.pixel_ratio) == ((800, 600), 2.0)
    with pytest.raises(errors.InvalidValueError, match=r"suffix|picture"):
        link.screenshot("figure.nothing")


def test_closing_a_link_ends_nothing_else(far: Far) -> None:
    link = viewer.connect(far.url, timeout=30)
    link.close()
    link.close()
    assert link.closed and "closed" in repr(link)
    with pytest.raises(errors.ClosedError):
        link.title = "?"
    with viewer.connect(far.url, timeout=30) as again:
        assert again.connected
