"""Work done a bounded part at a time: by threads of ours, or by a dask cluster."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")

THREADS = min(4, os.cpu_count() or 1)
"""Threads of one job: others want to read meanwhile."""


def work_off_here(
    name: str,
    function: Callable[..., T],
    calls: Iterator[tuple[Any, ...]],
    end: Callable[[], None],
) -> Generator[T, None, None]:
    """What the calls return, in the order in which they are done, by a few threads.

    Parameters
    ----------
    name : str
        Of the threads.
    function : callable
        Called with each of `calls` as arguments.
    calls : iterator of tuple
        Taken as threads come to them.
    end : callable
        Called when the work ends before it is done, by an error or because the caller is
        interrupted: what is under way should end soon, since it is waited for.
    """
    with ThreadPoolExecutor(THREADS, name) as pool:
        running: set[Future[T]] = set()
        try:
            while True:
                for arguments in itertools.islice(calls, 2 * THREADS - len(running)):
                    running.add(pool.submit(function, *arguments))
                if not running:
                    return
                # In short waits, so that Ctrl-C is heard.
                done, running = wait(running, 0.1, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            end()
            for future in running:
                future.cancel()
            raise


def work_off(
    client: Any,
    function: Callable[..., Any],
    calls: Iterator[tuple[Any, ...]],
    check: Callable[[], None],
) -> Iterator[Any]:
    """What the calls return, in the order in which they are done.

    Parameters
    ----------
    client : dask.distributed.Client
    function : callable
        Can be pickled; called with each of `calls` as arguments.
    calls : iterator of tuple
        Taken as the cluster has room: four for each of its threads are under way.
    check : callable
        Called now and then; raises to end the work. What is under way is given up then.
    """
    window = 4 * max(1, sum(client.ncores().values()))
    running: dict[Any, None] = {}
    try:
        while True:
            for arguments in itertools.islice(calls, window - len(running)):
                running[client.submit(function, *arguments, pure=False)] = None
            if not running:
                return
            check()
            done = [future for future in running if future.done()]
            if not done:
                time.sleep(0.01)
            for future in done:
                del running[future]
                yield future.result()
    finally:
        client.cancel(list(running))
