"""Several threads at one piece of work, whose kernels release the GIL.

The caller is one of them; the others are daemons, which never hold up the end of the interpreter.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from viewer.errors import ViewerError

T = TypeVar("T")

THREADS = min(16, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4)
"""Threads of one pass: memory is busy long before there are more."""


def in_parallel(tasks: Sequence[Callable[[], T]], threads: int = THREADS) -> list[T | None]:
    """Results of some tasks, begun in their order; the first error ends it, and is raised."""
    results: list[T | None] = [None] * len(tasks)
    numbers = iter(range(len(tasks)))
    lock = threading.Lock()
    errors: list[BaseException] = []

    def labour() -> None:
        while not errors:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                results[number] = tasks[number]()
            except ViewerError as error:
                # Its traceback would keep the array alive for as long as the error.
                errors.append(error.with_traceback(None))
            except BaseException as error:
                errors.append(error)

    crew = [
        threading.Thread(target=labour, name="voxelview-crew", daemon=True)
        for _ in range(min(threads, len(tasks)) - 1)
    ]
    for helper in crew:
        helper.start()
    labour()
    for helper in crew:
        helper.join()
    if errors:
        raise errors[0]
    return results
