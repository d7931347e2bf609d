"""Events: whoever changes something, listeners hear of it, in order, on a thread of their own."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import viewer
from tests.server.page import Page
from viewer.keys import PAGE_KEYS
from viewer.settings import settable

SECONDS = 20
"""How long anything may take on a busy machine."""


class Heard:
    """A callback that keeps what it is told."""

    def __init__(self) -> None:
        self._events: queue.Queue[Any] = queue.Queue()

    def __call__(self, event: Any) -> None:
        self._events.put(event)

    def next(self) -> Any:
        return self._events.get(timeout=SECONDS)

    @property
    def empty(self) -> bool:
        return self._events.empty()


def caught_up(v: viewer.Viewer) -> None:
    """Wait until all that has happened was told."""
    done = threading.Event()
    v.events.title.connect(done.set)
    v.title += "."
    assert done.wait(SECONDS)
    v.events.title.disconnect(done.set)


@pytest.fixture
def image(viewer_: viewer.Viewer) -> viewer.ImageLayer:
    return viewer_.add_image(np.arange(512.0).reshape(8, 8, 8), name="raw")


@pytest.fixture
def cells(viewer_: viewer.Viewer) -> viewer.LabelsLayer:
    return viewer_.add_labels(np.ones((8, 8, 8), np.uint8), name="cells")


@pytest.fixture
def page(viewer_: viewer.Viewer) -> Iterator[Page]:
    with Page(viewer_.url) as page:
        yield page


def test_a_setting_tells_its_new_and_old_value(image: viewer.ImageLayer) -> None:
    heard = Heard()
    image.events.contrast_limits.connect(heard)
    old = image.contrast_limits
    image.contrast_limits = (10, 20)
    event = heard.next()
    assert (event.source, event.name) == (image, "contrast_limits")
    assert (event.value, event.old) == ((10.0, 20.0), old)


def test_everything_that_can_be_set_has_an_event(
    image: viewer.ImageLayer, cells: viewer.LabelsLayer, viewer_: viewer.Viewer
) -> None:
    surface = viewer_.add_surface((np.eye(3), [[0, 1, 2]]))
    for layer in (image, cells, surface):
        assert set(layer.events) == settable(type(layer)) | {"data"}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("name", "other", "other"),
        ("visible", False, False),
        ("opacity", 0.25, 0.25),
        ("selected", [3, 1], {1, 3}),
        ("hidden", [7], {7}),
        ("colors", {2: "red"}, {2: "#ff0000"}),
        ("show_meshes", False, False),
        ("metadata", {"a": 1}, {"a": 1}),
        ("scale", 2, (2.0, 2.0, 2.0)),
        ("translate", 5, (5.0, 5.0, 5.0)),
    ],
)
def test_values_are_those_that_the_attribute_has(
    cells: viewer.LabelsLayer, name: str, value: Any, told: Any
) -> None:
    heard = Heard()
    getattr(cells.events, name).connect(heard)
    setattr(cells, name, value)
    assert heard.next().value == told


def test_a_refresh_is_told_with_the_data(image: viewer.ImageLayer) -> None:
    heard = Heard()
    image.events.data.connect(heard)
    image.refresh()
    assert heard.next().value is image.data


def test_a_pages_change_is_told_too(image: viewer.ImageLayer, page: Page) -> None:
    heard = Heard()
    image.events.gamma.connect(heard)
    assert page.edit(["layers", image.id, "style", "gamma"], 2.5)["type"] == "accepted"
    assert heard.next().value == 2.5


def test_without_a_change_there_is_no_event(
    image: viewer.ImageLayer, viewer_: viewer.Viewer
) -> None:
    heard = Heard()
    image.opacity = 0.5
    image.events.opacity.connect(heard)
    image.opacity = 0.5
    image.gamma = 2
    caught_up(viewer_)
    assert heard.empty


def test_what_was_before_the_connection_is_not_told(
    image: viewer.ImageLayer, viewer_: viewer.Viewer
) -> None:
    first, late = Heard(), Heard()
    busy, go_on = threading.Event(), threading.Event()

    @image.events.visible.connect
    def hold() -> None:
        busy.set()
        go_on.wait(SECONDS)

    image.events.opacity.connect(first)
    image.visible = False
    assert busy.wait(SECONDS)
    image.opacity = 0.5  # while nothing can be told
    image.events.opacity.connect(late)
    go_on.set()
    assert first.next().value == 0.5
    caught_up(viewer_)
    assert late.empty
    image.opacity = 0.25
    assert late.next().old == 0.5


def test_a_burst_is_told_as_its_last_value(
    image: viewer.ImageLayer, viewer_: viewer.Viewer
) -> None:
    heard = Heard()
    busy, go_on = threading.Event(), threading.Event()

    @image.events.visible.connect
    def hold() -> None:
        busy.set()
        go_on.wait(SECONDS)

    image.events.gamma.connect(heard)
    image.visible = False
    assert busy.wait(SECONDS)
    for number in range(1, 501):
        image.gamma = 0.5 + number / 100
    go_on.set()
    event = heard.next()
    assert (event.old, event.value) == (1.0, 5.5)
    caught_up(viewer_)
    assert heard.empty


def test_callbacks_run_on_one_thread_that_is_not_the_servers(
    image: viewer.ImageLayer, viewer_: viewer.Viewer
) -> None:
    threads: queue.Queue[threading.Thread] = queue.Queue()
    image.events.opacity.connect(lambda: threads.put(threading.current_thread()))
    viewer_.events.view.connect(lambda: threads.put(threading.current_thread()))
    image.opacity = 0.5
    first = threads.get(timeout=SECONDS)
    viewer_.view.zoom = 2
    assert threads.get(timeout=SECONDS) is first
    assert first.daemon
    assert first.name == "voxelview-callbacks"


def test_an_error_is_told_and_stops_nobody(
    image: viewer.ImageLayer, viewer_: viewer.Viewer, page: Page
) -> None:
    heard = Heard()

    @image.events.opacity.connect
    def broken() -> None:
        raise ZeroDivisionError("no such cell")

    image.events.opacity.connect(heard)
    image.opacity = 0.5
    assert heard.next().value == 0.5
    image.opacity = 0.25
    assert heard.next().value == 0.25
    assert "broken: ZeroDivisionError: no such cell" in viewer_.errors[-1].message
    while (message := page.receive("patch", "report"))["type"] != "report":
        pass
    assert message["notice"]["kind"] == "callback"


def test_a_callback_may_stop_everything(image: viewer.ImageLayer, viewer_: viewer.Viewer) -> None:
    stopped: queue.Queue[threading.Thread] = queue.Queue()

    @image.events.opacity.connect
    def stop() -> None:
        viewer.stop()
        stopped.put(threading.current_thread())

    image.opacity = 0.5
    thread = stopped.get(timeout=SECONDS)
    assert viewer_.closed
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_the_thread_ends_with_the_viewer() -> None:
    with viewer.Viewer() as v:
        heard = Heard()
        thread: list[threading.Thread] = []
        v.events.title.connect(lambda: thread.append(threading.current_thread()))
        v.events.title.connect(heard)
        v.title = "on"
        heard.next()
    thread[0].join(SECONDS)
    assert not thread[0].is_alive()
    viewer.stop()


def test_a_callback_may_change_what_it_listens_to(image: viewer.ImageLayer) -> None:
    heard = Heard()

    @image.events.opacity.connect
    def snap(event: viewer.events.ChangeEvent) -> None:
        image.opacity = round(event.value, 1)
        heard(event)

    image.opacity = 0.4321
    assert heard.next().value == 0.4321
    assert heard.next().value == 0.4


def test_disconnected_functions_hear_no_more(
    image: viewer.ImageLayer, viewer_: viewer.Viewer
) -> None:
    heard = Heard()
    image.events.opacity.connect(heard)
    image.events.opacity.disconnect(heard)
    image.opacity = 0.5
    caught_up(viewer_)
    assert heard.empty


def test_a_misspelt_event_is_refused(image: viewer.ImageLayer) -> None:
    with pytest.raises(AttributeError, match="Did you mean 'colormap'"):
        _ = image.events.cmap
    assert not hasattr(image.events, "selected")


def test_the_layers_tell_who_came_and_went(viewer_: viewer.Viewer) -> None:
    heard = Heard()
    viewer_.events.layers.connect(heard)
    layer = viewer_.add_image(np.zeros((4, 4)), name="late")
    event = heard.next()
    assert (event.added, event.removed, event.names) == ((layer,), (), ("late",))
    viewer_.layers.remove(layer)
    event = heard.next()
    assert (event.added, event.removed, event.names) == ((), ("late",), ())


def test_the_view_tells_what_moved(viewer_: viewer.Viewer, image: viewer.ImageLayer) -> None:
    heard = Heard()
    viewer_.events.view.connect(heard)
    viewer_.view.center = (1, 2, 3)
    event = heard.next()
    assert (event.changed, event.center) == ({"center"}, (1.0, 2.0, 3.0))


def test_the_selection_tells_what_differs(
    viewer_: viewer.Viewer, cells: viewer.LabelsLayer
) -> None:
    cells.selected = (1, 2)
    heard = Heard()
    viewer_.events.selection.connect(heard)
    cells.selected = (2, 3)
    event = heard.next()
    assert event.layer is cells
    assert (event.selected, event.added, event.removed) == ({2, 3}, {3}, {1})


def test_the_active_layer_is_told(
    viewer_: viewer.Viewer, image: viewer.ImageLayer, cells: viewer.LabelsLayer
) -> None:
    heard = Heard()
    viewer_.events.active.connect(heard)
    viewer_.active = image
    event = heard.next()
    assert (event.value, event.old) == (image, cells)


# --- what happens on pages --------------------------------------------------------------------

POINTER = {
    "panel": "xy",
    "position": [4.0, 5.0, 6.0],
    "layer": "l1",
    "index": [4, 5, 6],
    "value": "302.0",
    "modifiers": ["Shift"],
}


def listening(page: Page, *events: str) -> None:
    while page.document["listening"] != list(events):
        page.apply(page.receive("patch"))


def test_pages_are_told_what_is_listened_to(viewer_: viewer.Viewer, page: Page) -> None:
    assert page.document["listening"] == []
    heard = Heard()
    viewer_.events.click.connect(heard)
    viewer_.events.key.connect(heard)
    listening(page, "click", "key")
    viewer_.events.click.disconnect(heard)
    listening(page, "key")


def test_a_click_says_what_is_there(
    viewer_: viewer.Viewer, image: viewer.ImageLayer, page: Page
) -> None:
    heard = Heard()
    viewer_.events.click.connect(heard)
    page.send({"type": "event", "event": "click", "pointer": POINTER, "button": "right"})
    event = heard.next()
    assert (event.button, event.clicks, event.panel) == ("right", 1, "xy")
    assert (event.position, event.index) == ((4.0, 5.0, 6.0), (4, 5, 6))
    assert (event.layer, event.value, event.label) == (image, 302.0, None)
    assert event.modifiers == {"Shift"}
    assert event.session == page.hello["session"]


def test_what_a_page_changed_before_a_click_is_told_before_it(
    viewer_: viewer.Viewer, image: viewer.ImageLayer, page: Page
) -> None:
    heard = Heard()
    viewer_.events.click.connect(heard)
    image.events.opacity.connect(heard)
    page.edit(["layers", "l1", "style", "opacity"], 0.5)
    page.send({"type": "event", "event": "click", "pointer": POINTER})
    page.edit(["layers", "l1", "style", "opacity"], 0.25)
    assert heard.next().value == 0.5
    assert heard.next().button == "left"
    assert heard.next().value == 0.25


def test_events_of_pages_nobody_listens_to_are_left_out(
    viewer_: viewer.Viewer, image: viewer.ImageLayer, page: Page
) -> None:
    page.send({"type": "event", "event": "click", "pointer": POINTER})
    page.send({"type": "run", "action": "a1", "pointer": POINTER})
    assert page.edit(["title"], "still here")["type"] == "accepted"


def test_a_pointer_to_a_layer_that_is_gone_is_none(viewer_: viewer.Viewer, page: Page) -> None:
    heard = Heard()
    viewer_.events.hover.connect(heard)
    pointer = {**POINTER, "layer": "l99", "label": "18446744073709551615"}
    page.send({"type": "event", "event": "hover", "pointer": pointer})
    event = heard.next()
    assert (event.layer, event.value, event.label) == (None, None, 2**64 - 1)


# --- actions ----------------------------------------------------------------------------------


def run(page: Page, action: str, **more: Any) -> None:
    page.send({"type": "run", "action": action, "pointer": POINTER, **more})


def test_an_action_is_offered_and_done(
    viewer_: viewer.Viewer, image: viewer.ImageLayer, page: Page
) -> None:
    heard = Heard()
    action = viewer_.add_action("Segment here", heard, key="K", layer="image")
    assert (action.title, action.key) == ("Segment here", "Shift+k")
    while not page.document["actions"]:
        page.apply(page.receive("patch"))
    (name,) = page.document["actions"]
    shown = {"title": "Segment here", "key": "Shift+k", "layer": "image"}
    assert page.document["actions"][name] == shown
    run(page, name, layer="l1")
    event = heard.next()
    assert (event.action, event.target, event.index) == ("Segment here", image, (4, 5, 6))
    action.remove()
    while page.document["actions"]:
        page.apply(page.receive("patch"))


def test_a_key_calls_a_function_with_or_without_the_event(
    viewer_: viewer.Viewer, page: Page
) -> None:
    heard = Heard()

    @viewer_.bind_key("k")
    def keep_this() -> None:
        heard("kept")

    @viewer_.bind_key("y")
    def look(event: viewer.events.ActionEvent) -> None:
        """Look at it.

        Closely.
        """
        heard(event.action)

    actions = viewer_.document.state.actions
    assert [(a.title, a.key) for a in actions.values()] == [
        ("Keep this", "k"),
        ("Look at it", "y"),
    ]
    for name in actions:
        run(page, name)
    assert (heard.next(), heard.next()) == ("kept", "Look at it")


def test_the_same_key_or_name_replaces_what_was_there(viewer_: viewer.Viewer) -> None:
    def function() -> None: ...

    for _ in range(3):  # a cell of a notebook, run again
        viewer_.bind_key("k", function)
        viewer_.add_action("Count", function)
    shown = [(a.title, a.key) for a in viewer_.document.state.actions.values()]
    assert shown == [("Function", "k"), ("Count", None)]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("h", "the page's own"),
        ("Space", "the page's own"),
        ("ArrowLeft", "the page's own"),
        ("Ctrl+s", "the browser's or the system's"),
        ("Alt+Left", "the browser's or the system's"),
        ("F5", "the browser's"),
        ("Escape", "the browser's"),
        ("Shift+1", "typed otherwise on other keyboards"),
        ("hurry", "is not a key"),
        ("", "is not a key"),
        (7, "is not a key"),
    ],
)
def test_keys_that_are_taken_are_refused(viewer_: viewer.Viewer, key: Any, said: str) -> None:
    with pytest.raises(viewer.errors.InvalidValueError, match=said):
        viewer_.bind_key(key, print)
    assert viewer_.document.state.actions == {}


@pytest.mark.parametrize(
    ("key", "spelled"),
    [("k", "k"), ("K", "Shift+k"), ("shift+K", "Shift+k"), ("pageup", "PageUp"), ("é", "é")],
)
def test_keys_may_be_spelled_as_people_do(viewer_: viewer.Viewer, key: str, spelled: str) -> None:
    assert viewer_.add_action("it", print, key=key).key == spelled


def test_the_pages_own_keys_are_those_that_are_refused() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    table = readme.split("<!-- keys:")[1].split("<!-- end of keys")[0]
    signs = {"←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown"}
    shown = set()
    for row in table.splitlines():
        for key in re.findall(r"`+ ?(.+?) ?`+", row.split("|")[1]) if row.startswith("| `") else ():
            *modifier, last = key.split(" ")
            last = signs.get(last, last.lower() if len(last) == 1 else last)
            shown.add("+".join((*modifier, last)))
    ours = {key for key in shown if not key.startswith("Ctrl")}
    assert ours | set("23456789") == PAGE_KEYS


def test_a_layer_that_is_no_layer_is_refused(viewer_: viewer.Viewer) -> None:
    with pytest.raises(viewer.errors.InvalidValueError, match="'image', 'labels'"):
        viewer_.add_action("it", print, layer="picture")
