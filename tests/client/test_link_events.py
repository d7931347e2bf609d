"""What happens is heard over a link as in the viewer's process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import viewer
from tests.client.conftest import Far
from tests.client.tunnel import tunnel_to
from tests.server.page import Page
from viewer import errors
from viewer.messages import Change


def until(link: viewer.Link, field: str, value: object) -> None:
    """Wait until a field of a link's document has a value."""
    arrived: queue.Queue[None] = queue.Queue()
    unsubscribe = link.document.subscribe(lambda: arrived.put(None))
    try:
        while getattr(link.document.state, field) != value:
            arrived.get(timeout=30)
    finally:
        unsubscribe()


def until_actions(v: viewer.Viewer, right: Callable[[set[str]], bool]) -> None:
    """Wait until the titles of a viewer's actions are right."""
    changed = threading.Event()
    unsubscribe = v.document.subscribe(changed.set)
    try:
        while not right({action.title for action in v.document.state.actions.values()}):
            assert changed.wait(30)
            changed.clear()
    finally:
        unsubscribe()


def test_changes_are_heard_whoever_makes_them(link: viewer.Link, far: Far) -> None:
    heard: queue.Queue[Any] = queue.Queue()
    link.layers["image"].events.gamma.connect(lambda event: heard.put(event))
    link.events.title.connect(lambda event: heard.put(event))
    with viewer.connect(far.url, timeout=30) as other:
        other.layers["image"].gamma = 2.0
        event = heard.get(timeout=30)
        assert (event.name, event.value, event.source) == ("gamma", 2.0, link.layers["image"])
        other.title = "heard"
        assert heard.get(timeout=30).value == "heard"


def test_callbacks_may_use_the_link(link: viewer.Link) -> None:
    done: queue.Queue[float] = queue.Queue()

    def follow(event: Any) -> None:
        link.layers["cells"].opacity = event.value
        done.put(link.layers["cells"].opacity)

    link.layers["image"].events.opacity.connect(follow)
    link.layers["image"].opacity = 0.75
    assert done.get(timeout=30) == 0.75


def test_clicks_on_pages_are_heard_while_somebody_listens(link: viewer.Link, far: Far) -> None:
    heard: queue.Queue[Any] = queue.Queue()

    def click(event: Any) -> None:
        heard.put(event)

    pointer = {"panel": "xy", "position": [1, 2, 3], "layer": "l1", "value": "7"}
    with Page(far.url) as page:
        link.events.click.connect(click)
        until(link, "listening", ("click",))
        page.send({"type": "event", "event": "click", "pointer": pointer})
        event = heard.get(timeout=30)
        assert (event.position, event.value) == ((1.0, 2.0, 3.0), 7)
        assert event.layer is link.layers["image"]
        assert event.session == page.hello["session"]
        link.events.click.disconnect(click)
        until(link, "listening", ())


def test_pages_offer_a_links_actions_until_it_goes(link: viewer.Link, far: Far) -> None:
    done: queue.Queue[Any] = queue.Queue()
    with viewer.connect(far.url, timeout=30) as other:
        action = other.add_action("Measure", done.put, key="u", layer="labels")
        other.bind_key("y", lambda: done.put("y"))
        offered = other.document.state.actions
        assert len(offered) == 2
        with Page(far.url) as page:
            for id in offered:
                page.send({"type": "run", "action": id, "pointer": {}})
                assert done.get(timeout=30)
        action.remove()
        assert len(other.document.state.actions) == 1
    until(link, "actions", {})


def test_actions_are_offered_again_by_the_next_connection(viewer_: viewer.Viewer) -> None:
    done: queue.Queue[str] = queue.Queue()
    layer = viewer_.add_image(np.zeros((4, 5, 6), np.uint8))
    with tunnel_to(viewer_) as (tunnel, url), viewer.connect(url, timeout=30) as link:
        link.add_action("Measure", lambda: done.put("measure"), key="u")
        taken = link.add_action("Taken over", lambda: done.put("never"), key="y")
        link.add_action("Of a layer", lambda: done.put("never"), layer=link.layers[0])
        gone = link.add_action("Gone", lambda: done.put("never"))
        gone.remove()
        before = viewer_.document.state.actions.keys()
        tunnel.shut()
        until_actions(viewer_, lambda titles: not titles)
        viewer_.layers.remove(layer)
        viewer_.add_action("Mine", lambda: done.put("mine"), key="y")
        tunnel.open()
        until_actions(viewer_, lambda titles: titles == {"Measure", "Mine"})
        offered = viewer_.document.state.actions
        assert not before & offered.keys()
        with Page(viewer_.url) as page:
            for id in offered:
                page.send({"type": "run", "action": id, "pointer": {}})
                assert done.get(timeout=30) in ("measure", "mine")
        taken.remove()  # nothing to us any more
        assert len(viewer_.document.state.actions) == 2
    until_actions(viewer_, lambda titles: titles == {"Mine"})


def test_links_make_no_actions_in_the_name_of_others(link: viewer.Link) -> None:
    value = {"title": "x", "key": None, "layer": None}
    with pytest.raises(errors.InvalidValueError, match="cannot be changed"):
        link.document.edit([Change(("actions", "a99"), value)], author="viewer")
