"""A copy of a document in another process, which all handles take for the document itself.

Reading it takes no time. An edit goes to the Viewer's process, which decides, and returns when
the copy holds it: who sets something reads it back. `edit` overwrites whatever is there; `amend`
computes its changes from what is there, so it says which version it saw, and does it over when
somebody else was quicker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec

from viewer.document import patch
from viewer.document.document import Document, make
from viewer.document.draft import Draft
from viewer.document.rules import VIEWER
from viewer.errors import ConflictError, InvalidValueError
from viewer.messages import Change, Patch, Snapshot
from viewer.state import Document as State

ATTEMPTS = 50
"""Times that a change is computed anew when others are quicker: a page's drag ends sometime."""


class Sender(Protocol):
    """What a replica needs of its connection."""

    def edit(self, changes: Sequence[Change], base: int | None) -> Future[int]:
        """Send an edit; the version that holds it, once the replica has come to it."""

    def wait(self, future: Future[int], seconds: float | None) -> int:
        """Result of a future; bounded, and refused where nobody would make it come true."""


class Replica(Document):
    """The document of a viewer in another process.

    Parameters
    ----------
    sender : Sender
    seconds : float
        How long an edit may take.
    """

    def __init__(self, sender: Sender, seconds: float) -> None:
        super().__init__()
        self._sender = sender
        self._seconds = seconds
        # The Viewer's process sees one author, whose edits are never in each other's way: between
        # the threads of this process the order is made here.
        self._turn = threading.RLock()

    def edit(self, changes: Sequence[Change], *, author: str, base: int | None = None) -> int:
        """As `Document.edit`; without `base` nobody's edit is in the way."""
        if self._draft is not None:
            return super().edit(changes, author=author, base=base)
        with self._turn:
            return self._send(self.state, changes, base)

    def amend(
        self,
        plan: Callable[[State], Sequence[Change]],
        *,
        author: str,
        base: int | None = None,
        lasting: bool = False,
    ) -> int:
        """As `Document.amend`."""
        if self._draft is not None:
            return super().amend(plan, author=author, base=base, lasting=lasting)
        for attempt in range(ATTEMPTS):
            try:
                with self._turn:
                    version, state = self.snapshot()
                    return self._send(state, plan(state), version if base is None else base)
            except ConflictError:
                if base is not None or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _make_draft(self, draft: Draft) -> None:
        """The edits of a `transaction` as one edit, made there."""

        def plan(now: State) -> list[Change]:
            changes: list[Change] = []
            for planned, author, _ in draft.plans:
                made = planned(now)
                now, _ = make(now, made, author)
                changes += made
            return changes

        if draft.plans:
            self.amend(plan, author=VIEWER)

    def adopt(self, message: Snapshot | Patch) -> bool:
        """Take what the Viewer's process says; False where something before it is missing."""
        with self._lock:
            version, state = self._now
            if isinstance(message, Snapshot):
                self._history.clear()
                self._now = (message.version, message.document)
            elif message.base > version:
                return False
            else:
                try:
                    for change in message.changes:
                        state = patch.put(state, change)
                except InvalidValueError:
                    return False
                paths = tuple(tuple(change.path) for change in message.changes)
                steps = message.version - version
                self._note(message.version, paths, steps)
                self._now = (max(version, message.version), state)
            callbacks = self._callbacks
        for callback in callbacks:
            callback()
        return True

    def _note(self, version: int, paths: tuple[tuple[str, ...], ...], steps: int) -> None:
        # one entry a version, as `Document.changes_since` counts them
        for step in range(steps - 1):
            self._history.append((version - steps + 1 + step, "", ()))
        if steps > 0:
            self._history.append((version, "", paths))

    def _send(self, state: State, changes: Sequence[Change], base: int | None) -> int:
        plain = []
        for change in changes:
            # refused here with the same words, and NaN before JSON makes null of it
            state = patch.put(state, change)
            value = msgspec.to_builtins(change.value, enc_hook=_tolist, str_keys=True)
            plain.append(Change(tuple(change.path), value, change.remove))
        if not plain:
            return self.version
        return self._sender.wait(self._sender.edit(plain, base), self._seconds)


def _tolist(value: Any) -> Any:
    """NumPy's scalars and arrays, which `patch.put` has let pass."""
    return value.tolist()
