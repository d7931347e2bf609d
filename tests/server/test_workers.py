"""The pool is bounded, fair, and lets go."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from viewer.errors import BusyError, CancelledError, ClosedError, DeadlineError, SourceError
from viewer.policy import Policy
from viewer.server.workers import UnexpectedError, Workers

Body = Callable[[Workers], Awaitable[Any]]


def with_workers(body: Body, **policy: Any) -> Any:
    """Result of `body` with a pool on a loop of its own."""

    async def main() -> Any:
        workers = Workers(asyncio.get_running_loop(), Policy(**policy))
        try:
            return await body(workers)
        finally:
            workers.close()

    return asyncio.run(main())


def test_work_is_done_on_another_thread() -> None:
    async def body(workers: Workers) -> int:
        return await workers.result(workers.submit("a", lambda cancelled: threading.get_ident()))

    assert with_workers(body) != threading.get_ident()


def test_errors_arrive_without_the_frames_they_came_through() -> None:
    def fail(cancelled: Callable[[], bool]) -> None:
        try:
            raise RuntimeError("the disk")
        except RuntimeError as error:
            raise SourceError("gone") from error

    async def body(workers: Workers) -> None:
        with pytest.raises(SourceError) as caught:
            await workers.result(workers.submit("a", fail))
        assert caught.value.__cause__ is None
        assert "fail" not in [entry.name for entry in caught.traceback]

    with_workers(body)


def test_bugs_are_logged_and_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    async def body(workers: Workers) -> None:
        with pytest.raises(UnexpectedError):
            await workers.result(workers.submit("a", lambda cancelled: 1 / 0))

    with_workers(body)
    assert "ZeroDivisionError" in caplog.text


def test_what_is_no_exception_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    def leave(cancelled: Callable[[], bool]) -> None:
        raise SystemExit

    async def body(workers: Workers) -> int:
        with pytest.raises(UnexpectedError):
            await workers.result(workers.submit("a", leave))
        return await workers.result(workers.submit("a", lambda cancelled: 3))

    assert with_workers(body, workers=1) == 3


def test_sources_take_turns() -> None:
    order: list[str] = []

    async def body(workers: Workers) -> None:
        gate = threading.Event()
        first = workers.submit("x", lambda cancelled: gate.wait(30))
        jobs = [
            workers.submit(source, lambda cancelled, source=source: order.append(source))
            for source in "aaaabbc"
        ]
        gate.set()
        for job in (first, *jobs):
            await workers.result(job)

    with_workers(body, workers=1)
    assert order == ["a", "b", "c", "a", "b", "a", "a"]


def test_one_source_never_holds_all_threads() -> None:
    async def body(workers: Workers) -> None:
        gate = threading.Event()
        slow = [workers.submit("slow", lambda cancelled: gate.wait(30)) for _ in range(20)]
        quick = workers.submit("quick", lambda cancelled: "done")
        assert await asyncio.wait_for(workers.result(quick), 20) == "done"
        gate.set()
        for job in slow:
            await workers.result(job)

    with_workers(body, workers=3)


def test_threads_that_hang_are_replaced_up_to_a_bound() -> None:
    async def body(workers: Workers) -> None:
        gate = threading.Event()
        try:
            for source in range(12):
                with pytest.raises(DeadlineError):
                    await workers.result(workers.submit(source, lambda cancelled: gate.wait(20)))
            assert await workers.result(workers.submit("quick", lambda cancelled: 1)) == 1
        finally:
            gate.set()
        deadline = time.monotonic() + 30
        while threading.active_count() > before + 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert threading.active_count() <= before + 2  # those that came back have ended

    before = threading.active_count()
    with_workers(body, workers=2, read_seconds=0.05)


def test_the_queue_is_bounded() -> None:
    async def body(workers: Workers) -> None:
        gate = threading.Event()
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def begin(cancelled: object) -> None:
            loop.call_soon_threadsafe(begun.set)
            gate.wait(30)

        jobs = [workers.submit("a", begin)]
        await begun.wait()  # a worker has it
        jobs += [workers.submit("a", lambda cancelled: gate.wait(30)) for _ in range(3)]
        with pytest.raises(BusyError):
            workers.submit("b", lambda cancelled: None)
        gate.set()
        for job in jobs:
            await workers.result(job)

    with_workers(body, workers=1, queue_length=3)


def test_withdrawn_work_leaves_the_queue_and_is_let_go() -> None:
    class Data:
        pass

    async def body(workers: Workers) -> None:
        gate = threading.Event()
        first = workers.submit("a", lambda cancelled: gate.wait(30))
        data = Data()
        reference = weakref.ref(data)
        job = workers.submit("a", lambda cancelled, data=data: data)
        del data
        workers.withdraw(job, CancelledError("left"))
        gc.collect()
        assert reference() is None
        with pytest.raises(CancelledError):
            await workers.result(job)
        gate.set()
        await workers.result(first)

    with_workers(body, workers=1)


def test_running_work_learns_that_nobody_waits() -> None:
    async def body(workers: Workers) -> bool:
        noticed, started = threading.Event(), threading.Event()

        def work(cancelled: Callable[[], bool]) -> None:
            started.set()
            while not cancelled():
                time.sleep(0.001)
            noticed.set()

        job = workers.submit("a", work)
        await asyncio.to_thread(started.wait, 5)
        workers.withdraw(job, CancelledError("left"))
        return await asyncio.to_thread(noticed.wait, 5)

    assert with_workers(body)


def test_closing_answers_what_waits() -> None:
    async def body(workers: Workers) -> None:
        gate = threading.Event()
        jobs = [workers.submit("a", lambda cancelled: gate.wait(30)) for _ in range(3)]
        await asyncio.sleep(0.05)
        workers.close()
        for job in jobs[1:]:
            with pytest.raises(ClosedError):
                await workers.result(job)
        with pytest.raises(ClosedError):
            workers.submit("a", lambda cancelled: None)
        gate.set()

    with_workers(body, workers=1)
