"""Reading what may fail, and saying so without keeping it alive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from viewer.errors import ClosedError, SourceError, reason_of

T = TypeVar("T")


def attempt(
    read: Callable[[], T], is_closed: Callable[[], bool], what: Callable[[], str], hint: str
) -> T:
    """What `read` returns.

    The error is raised outside of the handling of that of the array, and `read` should take the
    array from its source: a traceback that names it would keep it alive.

    What is no `Exception` (a panic of Rust, ``asyncio.CancelledError``, ``sys.exit()``) has failed,
    too, and would end a worker's thread; only the main thread is its user's, to be interrupted.

    Parameters
    ----------
    read : callable
    is_closed : callable
        Whether the source has been closed; asked when reading fails.
    what : callable
        What was done, as in ``"Reading the array at [0:64]"``; asked when it fails.
    hint : str
        What the user may do.

    Raises
    ------
    ClosedError, SourceError
    """
    try:
        return read()
    except BaseException as error:
        interrupted = threading.current_thread() is threading.main_thread()
        if interrupted and not isinstance(error, Exception):
            raise
        closed, reason = is_closed(), reason_of(error)
    if closed:
        raise ClosedError("The layer has been closed.")
    raise SourceError(f"{what()} failed: {reason}.", hint=hint)
