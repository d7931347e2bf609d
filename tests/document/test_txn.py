"""`txn`: many changes that everybody sees as one, or none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import viewer
from tests.server.page import Page


@pytest.fixture
def image(viewer_: viewer.Viewer) -> viewer.ImageLayer:
    return viewer_.add_image(np.arange(512.0).reshape(8, 8, 8), name="raw")


def elsewhere(function: Callable[[], object]) -> None:
    """Do something on another thread."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not failed, failed


def test_many_changes_are_one_version(viewer_: viewer.Viewer, image: viewer.ImageLayer) -> None:
    before = viewer_.document.version
    seen: list[float] = []
    with viewer_.txn():
        image.colormap = "magma"
        image.gamma = 2
        viewer_.view.zoom = 3
        viewer_.title = "all at once"
        assert (image.gamma, viewer_.title) == (2.0, "all at once")
        elsewhere(lambda: seen.append(image.gamma))
        assert viewer_.document.version == before
    assert seen == [1.0]
    assert viewer_.document.version == before + 1
    assert (image.colormap, image.gamma, viewer_.view.zoom) == ("magma", 2.0, 3.0)


def test_a_page_is_told_all_of_it_in_one_patch(
    viewer_: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    with Page(viewer_.url) as page:
        with viewer_.txn():
            image.gamma = 2
            viewer_.theme = "light"
        patch = page.receive("patch")
        assert {tuple(change["path"]) for change in patch["changes"]} == {
            ("layers", "l1", "style", "gamma"),
            ("theme",),
        }


def test_an_exception_takes_all_of_it_back(
    viewer_: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    before = viewer_.document.snapshot()
    with pytest.raises(ZeroDivisionError), viewer_.txn():  # noqa: PT012
        image.gamma = 2
        viewer_.layers.remove(image)
        raise ZeroDivisionError
    assert viewer_.document.snapshot() == before
    assert image.gamma == 1.0


def test_a_refused_value_takes_all_of_it_back(
    viewer_: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    with pytest.raises(viewer.errors.InvalidValueError), viewer_.txn():  # noqa: PT012
        image.gamma = 2
        image.opacity = 7
    assert image.gamma == 1.0


def test_blocks_may_be_nested(viewer_: viewer.Viewer, image: viewer.ImageLayer) -> None:
    before = viewer_.document.version
    with viewer_.txn():
        image.gamma = 2
        with pytest.raises(ZeroDivisionError), viewer_.txn():  # noqa: PT012
            image.gamma = 3
            image.opacity = 0.5
            raise ZeroDivisionError
        assert (image.gamma, image.opacity) == (2.0, 1.0)
        with viewer_.txn():
            viewer_.title = "inner"
    assert viewer_.document.version == before + 1
    assert (image.gamma, image.opacity, viewer_.title) == (2.0, 1.0, "inner")


def test_what_others_do_meanwhile_stays(viewer_: viewer.Viewer, image: viewer.ImageLayer) -> None:
    cells = viewer_.add_labels(np.ones((8, 8, 8), np.uint8), name="cells")
    with viewer_.txn():
        image.gamma = 2
        viewer_.layers.move(image, -1)
        elsewhere(lambda: setattr(image, "opacity", 0.5))
        elsewhere(lambda: setattr(image, "gamma", 5))
        elsewhere(lambda: viewer_.layers.remove(cells))
        elsewhere(lambda: viewer_.add_image(np.ones((8, 8)), name="late"))
    assert (image.gamma, image.opacity) == (2.0, 0.5)
    assert viewer_.layers.names == ("late", "raw")


def test_a_layer_that_is_removed_meanwhile_makes_all_of_it_fail(
    viewer_: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    with pytest.raises(viewer.errors.ViewerError, match="l1"), viewer_.txn():  # noqa: PT012
        viewer_.title = "never"
        image.gamma = 2
        elsewhere(lambda: viewer_.layers.remove(image))
    assert viewer_.title == "Voxelview"


def test_layers_are_added_and_removed_with_it(
    viewer_: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    seen: list[tuple[str, ...]] = []
    with viewer_.txn():
        late = viewer_.add_image(np.ones((8, 8, 8)), name="late")
        late.opacity = 0.5
        viewer_.layers.remove(image)
        elsewhere(lambda: seen.append(viewer_.layers.names))
        elsewhere(lambda: setattr(viewer_, "title", "others settle what is gone"))
        elsewhere(lambda: image.data.sum())  # it is still there
    assert seen == [("raw",)]
    assert viewer_.layers.names == ("late",)
    assert late.opacity == 0.5
    assert late.data.sum() == 512
    with pytest.raises(viewer.errors.ClosedError):
        _ = image.data


def test_a_layer_that_was_added_in_vain_lets_go_of_its_data(viewer_: viewer.Viewer) -> None:
    with pytest.raises(ZeroDivisionError), viewer_.txn():  # noqa: PT012
        late = viewer_.add_image(np.ones((8, 8, 8)), name="late")
        raise ZeroDivisionError
    assert viewer_.layers.names == ()
    with pytest.raises(viewer.errors.ClosedError):
        _ = late.data


def test_a_refresh_is_told_even_if_the_rest_fails(
    viewer_: viewer.Viewer, image: viewer.ImageLayer
) -> None:
    with pytest.raises(ZeroDivisionError), viewer_.txn():  # noqa: PT012
        image.gamma = 2
        image.refresh()
        raise ZeroDivisionError
    assert viewer_.document.state.layers["l1"].data.generation == 1
    assert image.gamma == 1.0


def test_without_changes_there_is_no_version(viewer_: viewer.Viewer) -> None:
    viewer_.title = "the first change brings what follows up to date"
    before = viewer_.document.version
    with viewer_.txn():
        pass
    with viewer_.txn():
        viewer_.theme = "light"
        viewer_.theme = "dark"
    assert viewer_.document.version == before


def test_a_link_has_transactions_too(viewer_: viewer.Viewer, image: viewer.ImageLayer) -> None:
    with viewer.connect(viewer_.url) as link:
        before = viewer_.document.version
        with link.txn():
            link.layers["raw"].gamma = 2
            link.title = "from afar"
            assert link.title == "from afar"
            assert viewer_.title == "Voxelview"
        assert viewer_.document.version == before + 1
        assert (image.gamma, viewer_.title, link.title) == (2.0, "from afar", "from afar")
