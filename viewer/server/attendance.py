"""Who looks: the pages of one mount, and the pictures that they are asked to take.

A connection becomes a page when it says so (`viewer.messages.Presence`); other programs need not.
Everything here may be used from any thread but for what says otherwise: askers wait on threads of
their own, never on the server's loop.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from viewer.errors import ClosedError, DeadlineError, SourceError, TooLargeError, ViewerError
from viewer.messages import Presence, Taken, TakePicture
from viewer.server.loop import Loop

T = TypeVar("T")

_KINDS: dict[str, type[ViewerError]] = {
    "deadline": DeadlineError,
    "source": SourceError,
    "toolarge": TooLargeError,
    "closed": ClosedError,
}
"""What a page may answer → what is raised here."""


class Attendant(msgspec.Struct, frozen=True):
    """What is known of a page."""

    id: str
    said: Presence
    user_agent: str
    since: float
    """Seconds since the epoch."""
    shared: bool = False
    """Whether it is at an address of its own, for others."""
    read_only: bool = False
    """Whether that is for looking only."""


class Shot(msgspec.Struct, frozen=True):
    """A picture as a page has taken it."""

    png: bytes
    levels: dict[str, list[int]]
    """By layer id, the levels that it is made of."""


class Pictures:
    """The pictures that one page was asked for. Used on the loop only.

    Parameters
    ----------
    limit : int
        Bytes of one PNG, at most.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._asked: dict[int, Future[Shot]] = {}
        self._current: Taken | None = None
        self._rest = 0
        self._parts: list[bytes] = []

    def ask(self, request: int, answer: Future[Shot]) -> None:
        """An answer is due to this request."""
        self._asked = {key: due for key, due in self._asked.items() if not due.done()}
        self._asked[request] = answer

    def begin(self, taken: Taken) -> bool:
        """The page answers; False for nonsense, after which it is not listened to."""
        if self._current is not None or not 0 <= taken.bytes <= self._limit:
            return False
        if taken.error or taken.bytes == 0:
            kind = _KINDS.get(taken.kind, SourceError)
            self._settle(taken.request, kind(taken.error or "The page took no picture."))
            return True
        self._current, self._rest, self._parts = taken, taken.bytes, []
        return True

    def add(self, part: bytes) -> bool:
        """A binary frame; False for one that belongs to no picture."""
        if self._current is None or len(part) > self._rest:
            return False
        if self._current.request in self._asked:  # else nobody has asked for it
            self._parts.append(part)
        self._rest -= len(part)
        if self._rest == 0:
            taken, self._current = self._current, None
            body, self._parts = b"".join(self._parts), []
            answer = self._asked.pop(taken.request, None)
            if answer is not None and not answer.done():
                answer.set_result(Shot(body, taken.levels))
        return True

    def end(self, error: ViewerError) -> None:
        """No answers come any more."""
        for request in list(self._asked):
            self._settle(request, error)

    def _settle(self, request: int, error: ViewerError) -> None:
        answer = self._asked.pop(request, None)
        if answer is not None and not answer.done():
            answer.set_exception(error)


Ask = Callable[[TakePicture, "Future[Shot]"], None]


class Attendance:
    """The pages of a mount.

    Parameters
    ----------
    loop : Loop
        The server's.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._news = threading.Condition()
        self._here: dict[str, tuple[Attendant, Ask]] = {}
        self._numbers = itertools.count(1)
        self._closed = False

    @property
    def attendants(self) -> tuple[Attendant, ...]:
        """The pages, in the order in which they came."""
        with self._news:
            return tuple(attendant for attendant, _ in self._here.values())

    def enter(
        self,
        id: str,
        said: Presence,
        user_agent: str,
        ask: Ask,
        *,
        shared: bool = False,
        read_only: bool = False,
    ) -> None:
        """A page says what it is, for the first time or anew."""
        with self._news:
            known = self._here.get(id)
            attendant = (
                Attendant(id, said, user_agent, time.time(), shared, read_only)
                if known is None
                else replace(known[0], said=said)
            )
            self._here[id] = (attendant, ask)
            self._news.notify_all()

    def leave(self, id: str) -> None:
        """The page has gone."""
        with self._news:
            self._here.pop(id, None)
            self._news.notify_all()

    def close(self) -> None:
        """There will be no pages any more."""
        with self._news:
            self._closed = True
            self._here.clear()
            self._news.notify_all()

    def wait(
        self,
        find: Callable[[tuple[Attendant, ...]], T | None],
        seconds: float,
    ) -> T | None:
        """Wait until `find` finds something among the pages; None when the time is over.

        Raises
        ------
        ClosedError
            When the viewer has been closed.
        """
        self.refuse_loop()

        def look() -> T | None:
            if self._closed:
                raise ClosedError(
                    "This viewer has been closed.", hint="Make a new one with viewer.Viewer()."
                )
            return find(tuple(attendant for attendant, _ in self._here.values()))

        with self._news:
            return self._news.wait_for(look, seconds)

    def take(self, id: str, wish: TakePicture) -> Future[Shot]:
        """Ask a page for a picture, which comes later. The request gets its number here.

        Raises
        ------
        ClosedError
            When the page has gone.
        """
        self.refuse_loop()
        with self._news:
            found = self._here.get(id)
        if found is None:
            raise gone(id)
        wish.request = next(self._numbers)
        answer: Future[Shot] = Future()
        try:
            self._loop.call_soon_threadsafe(found[1], wish, answer)
        except RuntimeError:
            raise ClosedError(
                "The server has been stopped.", hint="Make a new viewer.Viewer()."
            ) from None
        return answer

    def refuse_loop(self) -> None:
        """Raise where waiting would wait for oneself: on the server's loop."""
        if self._loop.running_here():
            raise RuntimeError("The server's own thread cannot wait for a page.")


def gone(id: str) -> ClosedError:
    """The error of a page that has left."""
    return ClosedError(f"Session {id} has ended: its page was closed.")
