"""Work handed to a dask cluster, a bounded part of it at a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any


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
