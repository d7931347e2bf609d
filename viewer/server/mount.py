"""One Viewer as the server sees it, under one token.

The mount is the only place where the server holds on to a Viewer, and through it to the user's
arrays: it keeps them alive while they are mounted, and lets go of everything the moment they are
not. Connections, queues and handlers hold the mount, never what is behind it, and ask anew each
time.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from viewer.cache import BlockCache
from viewer.errors import CancelledError, ClosedError, ViewerError
from viewer.messages import Event, Notice, Run, ServerMessage
from viewer.policy import Policy
from viewer.server.attendance import Attendance
from viewer.server.loop import Loop
from viewer.server.turns import Turn
from viewer.server.workers import Job, Work, Workers
from viewer.values import Budget

if TYPE_CHECKING:
    from viewer.document.document import Document
    from viewer.layers import Layer

T = TypeVar("T")


class Encoded(msgspec.Struct, frozen=True):
    """A chunk as it travels."""

    body: bytes | None
    """None for one that its source does not store."""
    coding: str
    """Its content coding; ``""`` for none."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes, with what surrounds it."""
        return len(self.body or b"") + 256


QUIET_SECONDS = 5.0
"""Seconds in which the same trouble of a layer is reported once: a view has a thousand bricks."""


class Served(Protocol):
    """What the server needs of a Viewer."""

    @property
    def document(self) -> Document:
        """The state that pages see and edit."""
        ...

    def layer(self, id: str, /) -> Layer:
        """The layer with this id; `viewer.errors.UnknownLayerError` when there is none."""
        ...

    def report(self, notice: Notice, /) -> None:
        """Keep an error for the user and show it on the pages; from any thread, quick."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """What is shown, to be kept; quick."""
        ...

    def restore(self, view: Mapping[str, Any], session: str, /, *, files: bool) -> tuple[str, ...]:
        """Show what was kept; names of what is missing, where `files` may not be opened again."""
        ...

    def hear(self, message: Event | Run, session: str, /) -> None:
        """Take what somebody did on a page; quick."""
        ...

    def listen(self, events: tuple[str, ...], session: str = "") -> None:
        """Have pages send these events for a link."""
        ...


class Connection(Protocol):
    """An open WebSocket."""

    def wake(self) -> None:
        """The document has changed."""
        ...

    def tell(self, message: ServerMessage, encoded: str) -> None:
        """Send `message`, coalesced where that is possible."""
        ...

    def leave(self, reason: str) -> None:
        """Say goodbye and close."""
        ...


class Mount:
    """A mounted Viewer with its connections.

    Parameters
    ----------
    token : str
        The path under which it is served.
    served : Served
        Kept alive until `close`.
    loop, workers, encoded, policy
        The server's.
    callers : Workers, optional
        Do what other processes call; default `workers`.
    read_only : bool, default False
        Whether it is for looking only.
    main : Mount, optional
        The Viewer's own mount, with which this one ends; None for that one itself.
    expires : float, optional
        Seconds since the epoch at which it ends by itself.
    """

    def __init__(
        self,
        token: str,
        served: Served,
        loop: Loop,
        workers: Workers,
        encoded: BlockCache[Encoded],
        policy: Policy,
        *,
        callers: Workers | None = None,
        read_only: bool = False,
        main: Mount | None = None,
        expires: float | None = None,
    ) -> None:
        self.policy = policy
        self.read_only = read_only
        self.main: bytes | None = None if main is None else main.token
        """Token of the Viewer's own mount; None for that one itself."""
        self.expires = expires
        self.callers = callers or workers
        self.uploads = Budget(policy.upload_bytes)
        """What other processes have sent."""
        self.token: bytes = token.encode()
        self.encoded = encoded.partition()
        """Chunks that travel encoded, by layer, level, index, generation and coding."""
        self.connections: set[Connection] = set()
        self.attendance: Attendance = Attendance(loop) if main is None else main.attendance
        """The pages: those of shares are known to the Viewer, too."""
        self.turn = Turn(policy.prompt_seconds)
        """Bounds what the loop does itself."""
        self._served: Served | None = served
        self._loop = loop
        self._workers = workers
        self._jobs: set[Job[object]] = set()
        self._lock = threading.Lock()
        self._reported: dict[tuple[str | None, str, str], float] = {}
        self._woken = False
        self._unsubscribe: Callable[[], None] | None = served.document.subscribe(self._changed)

    @property
    def served(self) -> Served:
        """The Viewer; hold it no longer than one synchronous step.

        Raises
        ------
        ClosedError
            When it has been unmounted.
        """
        served = self._served
        if served is None:
            raise ClosedError("This viewer has been closed.")
        return served

    @property
    def closed(self) -> bool:
        """Whether the Viewer has been unmounted."""
        return self._served is None

    @property
    def owned(self) -> bool:
        """Whether who comes here holds the Viewer's own address, not one that was shared."""
        return self.main is None

    @property
    def expired(self) -> bool:
        """Whether its time is over; nobody is let in then, also before it has been unmounted."""
        return self.expires is not None and time.time() >= self.expires

    def start(self, source: str, work: Work[T]) -> Job[T]:
        """Have a worker do `work`, in the queue of `source`; the answer comes from `finish`."""
        if self.closed:
            raise ClosedError("This viewer has been closed.")
        job = self._workers.submit((self.token, source), work)
        self._jobs.add(job)  # type: ignore[arg-type]
        return job

    async def finish(self, job: Job[T], seconds: float | None = None) -> T:
        """Result of a job that was started; errors as `Workers.result`."""
        try:
            return await self._workers.result(job, seconds)
        finally:
            self._jobs.discard(job)

    def withdraw(self, job: Job[T]) -> None:
        """Nobody waits for this job any more."""
        self._workers.withdraw(job, CancelledError("Nobody waits for this any more."))

    def report(self, error: ViewerError, layer: str | None) -> Notice:
        """Tell the user of an error of a source, and the same trouble only once in a while.

        From any thread. The notice is returned for whoever asked.
        """
        now = time.time()
        notice = Notice(error.kind, error.message, error.hint, layer, now)
        # a message that quotes the box that failed is still the same trouble
        key = (layer, error.kind, re.sub(r"\d+", "#", error.message))
        with self._lock:
            if now - self._reported.get(key, 0.0) < QUIET_SECONDS:
                return notice
            self._reported = {
                known: at for known, at in self._reported.items() if now - at < QUIET_SECONDS
            }
            self._reported[key] = now
        served = self._served
        if served is not None:
            served.report(notice)
        return notice

    def broadcast(self, message: ServerMessage) -> None:
        """Send `message` to every page; from any thread."""
        self._post(self._tell, message, msgspec.json.encode(message).decode())

    def close(self, reason: str) -> None:
        """Let go of the Viewer and say goodbye to its pages. On the loop."""
        self.release()
        for job in list(self._jobs):
            self._workers.withdraw(job, ClosedError("This viewer has been closed."))
        for connection in list(self.connections):
            connection.leave(reason)

    def release(self) -> None:
        """Let go of the Viewer; from any thread."""
        self._served = None
        self.encoded.close()
        if self.owned:
            self.attendance.close()
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    def _changed(self) -> None:
        if not self._woken:  # a burst of edits wakes the loop once
            self._woken = True
            self._post(self._wake)

    def _wake(self) -> None:
        self._woken = False
        for connection in list(self.connections):
            connection.wake()

    def _tell(self, message: ServerMessage, encoded: str) -> None:
        for connection in list(self.connections):
            connection.tell(message, encoded)

    def _post(self, callback: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody is connected
            self._loop.call_soon_threadsafe(callback, *arguments)
