"""Over real sockets, too, everybody ends with the same document, and nothing acknowledged is lost.

Python, a page and two links edit one viewer, one after the other and all at once, while
connections break and come back. (`tests/document/test_convergence.py` does the same to the document
alone, with many more turns of fate.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import viewer
from tests.client.tunnel import tunnel_to
from tests.server.page import Page
from viewer.errors import LinkError

PATIENCE = 60.0
"""Seconds until which everybody has heard of everything."""

LINKS = 2

links = st.integers(min_value=0, max_value=LINKS - 1)
parties = st.sampled_from(["python", "page", "link 0", "link 1"])
values = st.integers(min_value=1, max_value=9)
fields = st.sampled_from(["title", "theme", "zoom", "gamma", "visible"])

PATHS = {
    "title": ("title",),
    "theme": ("theme",),
    "zoom": ("view", "zoom"),
    "gamma": ("layers", "l1", "style", "gamma"),
    "visible": ("layers", "l1", "visible"),
}


def value_of(field: str, number: int) -> Any:
    """One of the values that a field may have."""
    return {
        "title": f"title {number}",
        "theme": "light" if number % 2 else "dark",
        "zoom": float(number),
        "gamma": float(number),
        "visible": number % 2 == 0,
    }[field]


def put(face: Any, field: str, value: Any) -> None:
    """Set a field, on a Viewer or a Link alike."""
    subject = {"zoom": face.view, "gamma": face.layers[0], "visible": face.layers[0]}
    setattr(subject.get(field, face), field, value)


def at(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def plain(face: Any) -> Any:
    """A document as JSON."""
    return msgspec.json.decode(msgspec.json.encode(face.document.state))


class Leaf(Page):
    """A page that is told of progress, and does not mind."""

    def receive(self, *types: str) -> dict[str, Any]:
        message = super().receive(*types, "progress", "report")
        return self.receive(*types) if message["type"] in ("progress", "report") else message


class Sockets(RuleBasedStateMachine):
    """Four parties, and a model: what each field may be by now, and which labels must be hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.viewer = self.stack.enter_context(viewer.Viewer())
        self.viewer.add_image(np.zeros((2, 3, 4), np.uint8), name="image")
        self.viewer.add_labels(np.ones((2, 3, 4), np.uint8), name="cells")
        ways = [self.stack.enter_context(tunnel_to(self.viewer)) for _ in range(LINKS)]
        self.tunnels = [tunnel for tunnel, _ in ways]
        self.links = [
            self.stack.enter_context(viewer.connect(url, timeout=PATIENCE)) for _, url in ways
        ]
        self.page = Leaf(self.viewer.url)
        before = plain(self.viewer)
        self.allowed = {field: [at(before, path)] for field, path in PATHS.items()}
        self.uncertain: dict[str, list[Any]] = {field: [] for field in PATHS}
        self.hidden: set[int] = set()
        self.perhaps_hidden: set[int] = set()
        self.next_label = 1

    def set(self, party: str, field: str, value: Any) -> bool:
        """Whether it was acknowledged; the model hears of it."""
        try:
            if party == "page":
                answer = self.page.edit(list(PATHS[field]), value)
                done: bool = answer["type"] == "accepted"
                if not done:  # it was behind: it is told what is true, and its edit is undone
                    assert answer["notice"]["kind"] == "conflict"
                return done
            put(self.viewer if party == "python" else self.links[int(party[-1])], field, value)
        except LinkError:
            self.uncertain[field].append(value)
            return False
        return True

    def hide(self, link: viewer.Link, label: int) -> None:
        """Hide a label, computed from those that are hidden."""
        try:
            link.layers[1].hidden.add(label)  # type: ignore[union-attr]
        except LinkError:
            self.perhaps_hidden.add(label)
        else:
            self.hidden.add(label)

    @rule(party=parties, field=fields, number=values)
    def one_edits(self, party: str, field: str, number: int) -> None:
        value = value_of(field, number)
        if self.set(party, field, value):
            self.allowed[field] = [value]

    @rule(field=fields, numbers=st.lists(values, min_size=4, max_size=4))
    def all_edit_at_once(self, field: str, numbers: list[int]) -> None:
        wanted = dict(zip(["python", "page", "link 0", "link 1"], numbers, strict=True))
        done: list[Any] = []

        def edit(party: str, value: Any) -> None:
            if self.set(party, field, value):
                done.append(value)

        self.together(
            lambda party=party, number=number: edit(party, value_of(field, number))  # type: ignore[misc]
            for party, number in wanted.items()
        )
        self.allowed[field] = done or self.allowed[field]

    @rule(each=st.integers(min_value=1, max_value=4), cut=st.none() | links)
    def links_hide_labels_at_once(self, each: int, cut: int | None) -> None:
        def work(link: viewer.Link, first: int) -> Callable[[], None]:
            def hide() -> None:
                for label in range(first, first + each):
                    self.hide(link, label)

            return hide

        works = [work(link, self.next_label + n * each) for n, link in enumerate(self.links)]
        if cut is not None:
            works.append(self.tunnels[cut].cut)
        self.next_label += LINKS * each
        self.together(works)

    @rule(number=links)
    def a_connection_breaks(self, number: int) -> None:
        self.tunnels[number].cut()

    @rule(number=links)
    def it_is_awaited(self, number: int) -> None:
        self.until(self.links[number], lambda: self.links[number].connected)

    @rule()
    def the_page_is_reloaded(self) -> None:
        self.page.close()
        self.page = Leaf(self.viewer.url)

    @invariant()
    def no_acknowledged_edit_is_lost(self) -> None:
        now = plain(self.viewer)
        for field, path in PATHS.items():
            assert at(now, path) in self.allowed[field] + self.uncertain[field], field
        hidden = {int(label) for label in now["layers"]["l2"]["style"]["hidden"]}
        assert self.hidden <= hidden <= self.hidden | self.perhaps_hidden

    def teardown(self) -> None:
        """Everybody comes back, and hears of everything."""
        with self.stack:
            for link in self.links:
                self.until(link, lambda link=link: plain(link) == plain(self.viewer))  # type: ignore[misc]
            while self.page.version < self.viewer.document.version:
                self.page.catch_up(self.viewer.document.version)
            assert self.page.document == plain(self.viewer)
            self.page.close()

    @staticmethod
    def together(works: Any) -> None:
        failed: list[BaseException] = []

        def run(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    @staticmethod
    def until(link: viewer.Link, right: Callable[[], bool]) -> None:
        changed = threading.Event()
        unsubscribe = link.document.subscribe(changed.set)
        try:
            for _ in range(int(PATIENCE * 20)):
                if right():
                    return
                changed.wait(0.05)
                changed.clear()
            raise AssertionError("It has not come.")
        finally:
            unsubscribe()


TestSockets = Sockets.TestCase
# always the same turns of fate, and none tried again smaller: sockets have a time of their own
TestSockets.settings = settings(
    max_examples=10,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
)


@pytest.fixture(autouse=True, scope="module")
def stopped() -> Iterator[None]:
    """The server ends with the module."""
    yield
    viewer.stop()
