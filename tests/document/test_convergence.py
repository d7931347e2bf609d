"""Whatever happens in whatever order: everybody ends with the same document.

Several clients edit, lose their connections, come back and undo, while Python does the same. A
client here keeps a copy as pages do (`frontend/src/state/store.ts`): what the server says, and its
own edits on top until they are part of that. What is said travels at its own pace: answers and
patches may overtake each other, and all that is on its way is lost with the connection.
"""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.document.test_document import image, patched
from viewer.document.document import Document
from viewer.errors import ConflictError, InvalidValueError, ViewerError
from viewer.messages import Change

HISTORY = 12
"""Versions that the document remembers: few, so that clients fall behind it."""

CLIENTS = 3

Path = tuple[str, ...]


class Client:
    """A page, as far as its document is concerned."""

    def __init__(self, document: Document, name: str) -> None:
        self.server, self.name = document, name
        self.connected = False
        self.queued: list[Change] = []
        self.flights: list[tuple[int, list[Change], int | None]] = []
        self.answers: list[tuple[int, int, list[Change] | None]] = []
        self.request = 0
        self.connect()

    def connect(self) -> None:
        """A snapshot; what was under way on the last connection is sent again."""
        self.version, state = self.server.snapshot()
        self.sent = self.version
        self.truth: Any = plain(state)
        self.queued = [change for _, changes, _ in self.flights for change in changes] + self.queued
        self.flights, self.answers = [], []
        self.connected = True

    def drop(self) -> None:
        self.connected = False
        self.answers = []

    def send(self) -> tuple[list[Change], bool]:
        """One edit of all that is queued; the changes, and whether the server took them."""
        changes, self.queued = self.queued, []
        self.request += 1
        self.flights.append((self.request, changes, None))
        try:
            version = self.server.edit(changes, author=self.name, base=self.version)
        except ConflictError as error:
            self.answers.append((self.request, self.server.version, list(error.present)))
            return changes, False
        except InvalidValueError:
            self.answers.append((self.request, self.server.version, []))
            return changes, False
        self.answers.append((self.request, version, None))
        return changes, True

    def hear_answer(self) -> None:
        request, version, present = self.answers.pop(0)
        if present is not None:
            self.flights = [flight for flight in self.flights if flight[0] != request]
            if version >= self.version:  # or newer values have come before
                patch_if_possible(self.truth, present)
        else:
            self.flights = [
                (number, changes, version if number == request else known)
                for number, changes, known in self.flights
            ]
        self.settle()

    def hear_patch(self) -> None:
        news = self.server.changes_since(self.sent)
        if news is None:
            self.version, state = self.server.snapshot()
            self.truth = plain(state)
            self.sent = self.version
            self.queued = [c for _, changes, _ in self.flights for c in changes] + self.queued
            self.flights = []
            self.answers = []
        else:
            version, changes = news
            patched(self.truth, changes)
            self.version = self.sent = version
        self.settle()

    def settle(self) -> None:
        self.flights = [
            flight for flight in self.flights if flight[2] is None or flight[2] > self.version
        ]

    @property
    def quiet(self) -> bool:
        return (
            self.connected
            and not self.queued
            and not self.flights
            and not self.answers
            and self.version == self.server.version
        )

    @property
    def shown(self) -> Any:
        """The truth with its own edits on top."""
        document = copy.deepcopy(self.truth)
        for _, changes, _ in self.flights:
            patch_if_possible(document, changes)
        patch_if_possible(document, self.queued)
        return document


def plain(state: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(state))


def patch_if_possible(document: Any, changes: list[Change]) -> None:
    """What a page does: a change of what is gone has no place to go."""
    for change in changes:
        node = document
        for key in change.path[:-1]:
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, dict) and (len(change.path) == 1 or change.path[-1] in node):
            patched(document, [change])


def value_at(document: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


numbers = st.integers(min_value=0, max_value=CLIENTS - 1)
values = st.integers(min_value=1, max_value=20)
layers = st.sampled_from(["l1", "l2", "l3"])


@st.composite
def edits(draw: Any) -> Change:
    """A change that is allowed, as long as its layer is there."""
    value, layer = draw(values), draw(layers)
    return draw(
        st.sampled_from(
            [
                Change(("title",), f"title {value}"),
                Change(("theme",), "light" if value % 2 else "dark"),
                Change(("view", "zoom"), float(value)),
                Change(("view", "center"), (float(value), 0.0, 0.0)),
                Change(("view", "orientation"), (0.0, float(value % 2), 0.0, float(1 - value % 2))),
                Change(("layers", layer, "visible"), value % 2 == 0),
                Change(("layers", layer, "style", "gamma"), float(value)),
                Change(("layers", layer, "style", "opacity"), value / 20),
                Change(("layers", layer, "metadata"), {"value": value}),
            ]
        )
    )


class Convergence(RuleBasedStateMachine):
    """Clients, Python, and a model: the last acknowledged value of every path."""

    def __init__(self) -> None:
        super().__init__()
        self.document = Document(history=HISTORY)
        self.document.edit([image("l1", "a"), image("l2", "b")], author="viewer")
        self.clients = [Client(self.document, f"page {number}") for number in range(CLIENTS)]
        self.acknowledged: dict[Path, Any] = {}

    def acknowledge(self, changes: list[Change]) -> None:
        for change in changes:
            self.acknowledged[tuple(change.path)] = plain(change.value)

    @rule(number=numbers, change=edits())
    def edit(self, number: int, change: Change) -> None:
        client = self.clients[number]
        if value_at(client.shown, tuple(change.path)) is not None:
            client.queued.append(change)

    @rule(number=numbers)
    def send(self, number: int) -> None:
        client = self.clients[number]
        if client.connected and client.queued:
            before = self.document.state
            changes, taken = client.send()
            if taken:
                self.acknowledge(changes)
            else:
                assert self.document.state is before

    @rule(number=numbers)
    def hear_answer(self, number: int) -> None:
        if self.clients[number].answers:
            self.clients[number].hear_answer()

    @rule(number=numbers)
    def hear_patch(self, number: int) -> None:
        if self.clients[number].connected:
            self.clients[number].hear_patch()

    @rule(number=numbers)
    def drop(self, number: int) -> None:
        self.clients[number].drop()

    @rule(number=numbers)
    def come_back(self, number: int) -> None:
        if not self.clients[number].connected:
            self.clients[number].connect()

    @rule(change=edits())
    def python_edits(self, change: Change) -> None:
        try:
            self.document.edit([change], author="viewer")
        except ViewerError:
            return
        self.acknowledge([change])

    @rule(changes=st.lists(edits(), max_size=4), fails=st.booleans())
    def python_txn(self, changes: list[Change], fails: bool) -> None:
        before = self.document.state
        try:
            with self.document.transaction():
                for change in changes:
                    self.document.edit([change], author="viewer")
                if fails:
                    raise KeyError
        except (KeyError, ViewerError):
            assert self.document.state is before
            return
        self.acknowledge(changes)

    @rule(number=numbers, redo=st.booleans())
    def undo(self, number: int, redo: bool) -> None:
        before = plain(self.document.state)
        self.document.undo(author=f"page {number}", redo=redo)
        after = plain(self.document.state)
        for path in self.acknowledged:
            if value_at(before, path) != value_at(after, path):
                self.acknowledged[path] = value_at(after, path)

    @rule(order=st.permutations(["l1", "l2", "l3"]))
    def reorder(self, order: list[str]) -> None:
        there = [layer for layer in order if layer in self.document.state.layers]
        self.document.edit([Change(("order",), tuple(there))], author="viewer")

    @precondition(lambda self: "l3" not in self.document.state.layers)
    @rule()
    def add(self) -> None:
        self.document.edit([image("l3", "c")], author="viewer")

    @precondition(lambda self: "l3" in self.document.state.layers)
    @rule()
    def remove(self) -> None:
        self.document.edit([Change(("layers", "l3"), remove=True)], author="viewer")
        self.acknowledged = {
            path: value for path, value in self.acknowledged.items() if path[:2] != ("layers", "l3")
        }

    @invariant()
    def no_acknowledged_edit_is_lost(self) -> None:
        document = plain(self.document.state)
        for path, value in self.acknowledged.items():
            assert value_at(document, path) == value, path

    @invariant()
    def a_client_shows_its_own_edits_at_once(self) -> None:
        for client in self.clients:
            shown, last = client.shown, {tuple(c.path): c.value for c in client.queued}
            for path, value in last.items():
                there = value_at(shown, path)
                assert there is None or there == plain(value)

    def teardown(self) -> None:
        """Everybody comes back, and hears of everything."""
        for _ in range(20):
            for number, client in enumerate(self.clients):
                self.come_back(number)
                self.send(number)
                while client.answers:
                    client.hear_answer()
                client.hear_patch()
        final = plain(self.document.state)
        for client in self.clients:
            assert client.quiet
            assert client.shown == final
        self.no_acknowledged_edit_is_lost()


TestConvergence = Convergence.TestCase
TestConvergence.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
