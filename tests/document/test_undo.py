"""Undo and redo: one history for Python and every page."""

from __future__ import annotations

import queue

import numpy as np
import pytest

import viewer
from tests.document.test_document import image as image_change
from tests.document.test_document import put
from tests.server.page import Page
from viewer.document.document import Document


class Clock:
    """Seconds that a test turns on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def document(clock: Clock) -> Document:
    document = Document(clock=clock)
    document.edit([image_change("l1", "raw")], author="viewer")
    return document


def gamma(document: Document) -> float:
    return float(document.state.layers["l1"].style.gamma)  # type: ignore[union-attr]


@pytest.fixture
def raw(viewer_: viewer.Viewer) -> viewer.ImageLayer:
    return viewer_.add_image(np.arange(512.0).reshape(8, 8, 8), name="raw")


def test_steps_are_taken_back_and_done_again(
    viewer_: viewer.Viewer, raw: viewer.ImageLayer
) -> None:
    raw.gamma = 2
    raw.gamma = 3
    viewer_.theme = "light"
    assert viewer_.undo() == "theme"
    assert viewer_.undo() == "gamma of 'raw'"
    assert (viewer_.theme, raw.gamma) == ("dark", 2.0)
    assert viewer_.redo() == "gamma of 'raw'"
    assert raw.gamma == 3.0
    assert viewer_.undo() == viewer_.undo() == "gamma of 'raw'"
    assert raw.gamma == 1.0
    assert viewer_.undo() is None
    redone = [viewer_.redo() for _ in range(4)]
    assert redone == ["gamma of 'raw'", "gamma of 'raw'", "theme", None]
    assert (viewer_.theme, raw.gamma) == ("light", 3.0)


def test_something_new_ends_what_could_be_done_again(
    viewer_: viewer.Viewer, raw: viewer.ImageLayer
) -> None:
    raw.gamma = 2
    viewer_.undo()
    raw.opacity = 0.5
    assert viewer_.redo() is None
    assert raw.gamma == 1.0


def test_a_txn_is_one_step(viewer_: viewer.Viewer, raw: viewer.ImageLayer) -> None:
    before = viewer_.document.state
    with viewer_.txn():
        raw.gamma = 2
        raw.colormap = "magma"
        raw.visible = False
        viewer_.title = "t"
    assert viewer_.undo() == "gamma of 'raw', colormap of 'raw', visible of 'raw' and 1 more"
    assert viewer_.document.state == before


def test_selections_names_and_order_are_taken_back(viewer_: viewer.Viewer) -> None:
    cells = viewer_.add_labels(np.ones((8, 8, 8), np.uint8), name="cells")
    raw = viewer_.add_image(np.ones((8, 8, 8)), name="raw")
    cells.selected = (1, 2)
    cells.colors = {1: "red"}
    cells.colors[2] = "blue"
    raw.name = "other"
    viewer_.layers.move(raw, 0)
    assert viewer_.undo() == "order of the layers"
    assert viewer_.undo() == "name of 'other'"
    assert viewer_.layers.names == ("cells", "raw")
    viewer_.undo()
    assert dict(cells.colors) == {1: "#ff0000"}
    viewer_.undo()
    viewer_.undo()
    assert (set(cells.selected), dict(cells.colors)) == (set(), {})


def test_moves_of_the_view_are_no_steps(viewer_: viewer.Viewer, raw: viewer.ImageLayer) -> None:
    raw.gamma = 2
    viewer_.undo()
    viewer_.view.center = (1, 2, 3)
    viewer_.view.zoom = 4
    viewer_.view.camera.zoom = 2
    viewer_.view.split = (0.25, 0.75)
    viewer_.active = None
    assert viewer_.redo() == "gamma of 'raw'"  # they end nothing, either
    assert viewer_.undo() == "gamma of 'raw'"
    assert viewer_.undo() is None
    assert viewer_.view.center == (1.0, 2.0, 3.0)


def test_adding_removing_and_refreshing_are_no_steps(
    viewer_: viewer.Viewer, raw: viewer.ImageLayer
) -> None:
    raw.refresh()
    raw.scale = 2
    viewer_.layers.remove(raw)
    assert viewer_.undo() is None


def test_steps_of_a_layer_that_is_gone_are_passed_over(
    viewer_: viewer.Viewer, raw: viewer.ImageLayer
) -> None:
    viewer_.theme = "light"
    raw.gamma = 2
    viewer_.layers.remove(raw)
    assert viewer_.undo() == "theme"


def test_the_old_order_makes_room_for_layers_that_came_since(viewer_: viewer.Viewer) -> None:
    for name in "abc":
        viewer_.add_image(np.ones((4, 4)), name=name)
    viewer_.layers.move("c", 0)
    viewer_.layers.remove("b")
    viewer_.add_image(np.ones((4, 4)), name="d")
    viewer_.undo()
    assert viewer_.layers.names == ("a", "c", "d")


def test_a_name_that_is_taken_by_now_is_passed_over(viewer_: viewer.Viewer) -> None:
    first = viewer_.add_image(np.ones((4, 4)), name="first")
    viewer_.theme = "light"
    first.name = "second"
    viewer_.add_image(np.ones((4, 4)), name="first")
    assert viewer_.undo() == "theme"
    assert viewer_.layers.names == ("second", "first")


def test_a_drag_on_a_page_is_one_step(document: Document, clock: Clock) -> None:
    for number in range(100):
        put(document, "layers/l1/style/gamma", 1 + number / 100, author="page")
        clock.now += 0.02
    document.undo(author="page")
    assert gamma(document) == 1.0
    document.undo(author="page", redo=True)
    assert gamma(document) == 1.99


def test_a_pause_another_path_and_another_author_begin_a_step(
    document: Document, clock: Clock
) -> None:
    path = "layers/l1/style/gamma"
    put(document, path, 2, author="page")
    clock.now += 5
    put(document, path, 3, author="page")
    put(document, path, 4, author="another")
    put(document, "theme", "light", author="another")
    put(document, path, 5, author="another")
    seen = []
    while document.undo(author="page") is not None:
        seen.append(gamma(document))
    assert seen == [4.0, 4.0, 3.0, 2.0, 1.0]


def test_lines_of_python_are_steps_however_fast(document: Document) -> None:
    put(document, "layers/l1/style/gamma", 2)
    put(document, "layers/l1/style/gamma", 3)
    document.undo(author="viewer")
    assert gamma(document) == 2.0


def test_an_undone_drag_does_not_swallow_the_next(document: Document) -> None:
    path = "layers/l1/style/gamma"
    put(document, path, 2, author="page")
    document.undo(author="page")
    document.undo(author="page", redo=True)
    put(document, path, 3, author="page")
    document.undo(author="page")
    assert gamma(document) == 2.0


def test_the_history_is_bounded(document: Document) -> None:
    for number in range(1000):
        put(document, "title", str(number))
    count = 0
    while document.undo(author="viewer") is not None:
        count += 1
    assert count == 200


def test_a_txn_cannot_undo(viewer_: viewer.Viewer) -> None:
    with pytest.raises(viewer.errors.InvalidValueError, match="cannot undo"), viewer_.txn():
        viewer_.undo()


def test_pages_undo_what_python_did_and_the_other_way_round(
    viewer_: viewer.Viewer, raw: viewer.ImageLayer
) -> None:
    with Page(viewer_.url) as page:
        raw.gamma = 2
        page.send({"type": "undo"})
        while (message := page.receive("patch", "undone"))["type"] == "patch":
            page.apply(message)
        assert message == {"type": "undone", "redo": False, "what": "gamma of 'raw'"}
        assert raw.gamma == 1.0
        page.send({"type": "undo", "redo": True})
        while (message := page.receive("patch", "undone"))["type"] == "patch":
            page.apply(message)
        assert (message["redo"], raw.gamma) == (True, 2.0)
        page.catch_up(viewer_.document.version)
        page.edit(["theme"], "light")
        assert viewer_.undo() == "theme"


def test_undo_is_an_event(viewer_: viewer.Viewer, raw: viewer.ImageLayer) -> None:
    heard: queue.Queue[viewer.events.ChangeEvent] = queue.Queue()
    raw.gamma = 2
    raw.events.gamma.connect(heard.put)
    viewer_.undo()
    assert heard.get(timeout=20).value == 1.0
