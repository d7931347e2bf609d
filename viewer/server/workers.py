"""The threads that read, cut and mesh, so that the server's loop never waits for data.

A fair queue for each source: workers take turns over the sources that have work, and one source
never holds all of them, so that a slow disk starves nobody. Work whose client has gone leaves the
queue. The threads are daemons: Python's exit never waits for a read that hangs. A worker that is
still reading when its client got the answer "deadline" is written off and replaced, up to a
bound, so that hanging sources do not use up the pool.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from viewer.errors import BusyError, CancelledError, ClosedError, DeadlineError, ViewerError
from viewer.policy import Policy
from viewer.server.logs import log_bug
from viewer.server.loop import Callbacks

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

Work = Callable[[Callable[[], bool]], T]
"""What a worker does; it is handed a function that tells whether anybody still waits."""

REPLACEMENTS = 8
"""Threads, as a multiple of `Policy.workers`, that there may be when sources hang."""


class UnexpectedError(ViewerError):
    """A bug of ours, already logged with its traceback; answered with 500."""


class Job(Generic[T]):
    """One piece of work, from the loop to a worker and back."""

    __slots__ = ("_cancelled", "_loop", "abandoned", "future", "running", "source", "work")

    def __init__(self, source: Hashable, work: Work[T], loop: Callbacks) -> None:
        self.source = source
        self.work: Work[T] | None = work
        self.future: asyncio.Future[T] = loop.create_future()
        self.running = False
        self.abandoned = False
        self._loop = loop
        self._cancelled = False

    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self._cancelled

    def withdraw(self, error: ViewerError) -> None:
        """Answer with `error` now, whatever a worker may still find out. On the loop only."""
        self._cancelled = True
        self.work = None
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # seen: the client may already have gone

    def run(self) -> None:
        """Do the work, on a worker's thread."""
        work, self.work = self.work, None
        if work is None or self._cancelled:
            return
        try:
            outcome: T | ViewerError = work(self.cancelled)
        except ViewerError as error:
            outcome = _released(error)
        except BaseException as error:  # whatever it is, this thread has others' work to do
            log_bug(error)
            outcome = UnexpectedError(
                "Something went wrong inside the viewer.", hint="Python's log has the details."
            )
        with suppress(RuntimeError):  # the loop has been closed: the server was stopped
            self._loop.call_soon_threadsafe(self._settle, outcome)

    def _settle(self, outcome: T | ViewerError) -> None:
        if self.future.done():
            return
        if isinstance(outcome, ViewerError):
            self.future.set_exception(outcome)
            self.future.exception()
        else:
            self.future.set_result(outcome)


def _released(error: ViewerError) -> ViewerError:
    """`error` without the frames it came through, which would keep the user's array alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class Workers:
    """A bounded pool of daemon threads with a fair queue for each source.

    Parameters
    ----------
    loop : Callbacks
        Where results are delivered; all methods but the threads' own run there.
    policy : Policy
        How many threads, how long a queue, how long a read may take.
    """

    def __init__(self, loop: Callbacks, policy: Policy) -> None:
        self._loop = loop
        self._policy = policy
        self._changed = threading.Condition()
        self._queues: OrderedDict[Hashable, deque[Job[object]]] = OrderedDict()
        self._busy: dict[Hashable, int] = {}
        self._waiting = 0
        self._threads = 0
        self._idle = 0
        self._abandoned = 0
        self._closed = False

    def submit(self, source: Hashable, work: Work[T]) -> Job[T]:
        """Put `work` at the end of the queue of `source`.

        Raises
        ------
        BusyError
            When the queues are full.
        ClosedError
            When the pool has been closed.
        """
        job = Job(source, work, self._loop)
        with self._changed:
            if self._closed:
                raise ClosedError("The server has been stopped.")
            if self._waiting >= self._policy.queue_length:
                raise BusyError(
                    f"{self._waiting} requests are waiting already.", hint="Try again in a moment."
                )
            self._queues.setdefault(source, deque()).append(job)  # type: ignore[arg-type]
            self._waiting += 1
            if self._idle:
                self._changed.notify()
            else:
                self._start_thread()
        return job

    async def result(self, job: Job[T], seconds: float | None = None) -> T:
        """Result of `job`; its error is raised, `DeadlineError` after so many seconds.

        Default is `Policy.read_seconds`.
        """
        import asyncio  # later than the first page

        seconds = self._policy.read_seconds if seconds is None else seconds
        try:
            await asyncio.wait({job.future}, timeout=seconds)
        except asyncio.CancelledError:
            self.withdraw(job, CancelledError("Nobody waits for this any more."))
            raise
        if not job.future.done():
            self.withdraw(
                job,
                DeadlineError(
                    f"The data was not read within {seconds:g} seconds.",
                    hint="The source may hang, or be too slow for its chunk size.",
                ),
            )
        return job.future.result()

    def withdraw(self, job: Job[T], error: ViewerError) -> None:
        """Take `job` out of its queue, or leave its worker to it; whoever waits gets `error`."""
        with self._changed:
            queue = self._queues.get(job.source)
            if queue is not None and job in queue:
                queue.remove(job)  # type: ignore[arg-type]
                self._waiting -= 1
                if not queue:
                    del self._queues[job.source]
            elif job.running and isinstance(error, DeadlineError) and not job.abandoned:
                job.abandoned = True
                self._abandoned += 1
                if self._waiting and not self._idle:
                    self._start_thread()
        job.withdraw(error)

    def close(self) -> None:
        """Answer everything that waits with `ClosedError` and let the threads end."""
        with self._changed:
            self._closed = True
            jobs = [job for queue in self._queues.values() for job in queue]
            self._queues.clear()
            self._waiting = 0
            self._changed.notify_all()
        for job in jobs:
            job.withdraw(ClosedError("The server has been stopped."))

    def _start_thread(self) -> None:
        present = self._threads - self._abandoned
        if present < self._policy.workers and self._threads < REPLACEMENTS * self._policy.workers:
            self._threads += 1
            threading.Thread(target=self._serve, name="voxelview-worker", daemon=True).start()

    def _serve(self) -> None:
        """Body of a worker thread."""
        while (job := self._take()) is not None:
            job.run()
            self._done(job)
            del job  # while this thread waits it must not keep the last client's array alive

    def _take(self) -> Job[object] | None:
        """The next job, in turn over the sources; None when the thread should end."""
        with self._changed:
            while not self._closed:
                if self._threads - self._abandoned > self._policy.workers:
                    break  # a replaced worker came back
                job = self._next()
                if job is not None:
                    return job
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            self._threads -= 1
            return None

    def _next(self) -> Job[object] | None:
        share = max(1, self._policy.workers - 1)
        for source, queue in self._queues.items():
            if self._busy.get(source, 0) < share:
                job = queue.popleft()
                job.running = True
                self._waiting -= 1
                self._busy[source] = self._busy.get(source, 0) + 1
                if queue:
                    self._queues.move_to_end(source)
                else:
                    del self._queues[source]
                return job
        return None

    def _done(self, job: Job[object]) -> None:
        with self._changed:
            job.running = False
            if job.abandoned:
                self._abandoned -= 1
            left = self._busy[job.source] - 1
            if left:
                self._busy[job.source] = left
            else:
                del self._busy[job.source]
            if self._idle and self._waiting:
                self._changed.notify()  # a source at its share may go on
