"""Work done a bounded part at a time: by threads of ours, or by a dask cluster."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from viewer.errors import InvalidValueError, SourceError, ViewerError, reason_of

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


class Packed(Generic[T]):
    """A value on its way to workers, who unpack it once; those in this process take it as it is.

    Parameters
    ----------
    value : object
        With the classes and functions of the script or notebook that it is of.
    """

    def __init__(self, value: T) -> None:
        self._token = secrets.token_hex(8)
        self._value: T | None = value
        self._bytes = b""
        self._reason = ""
        _OPENED[self._token] = value  # for workers in this process

    def __getstate__(self) -> dict[str, Any]:
        if not self._bytes and not self._reason:
            import cloudpickle

            try:
                self._bytes = cloudpickle.dumps(self._value)
            except Exception as error:  # fine, as long as all workers are in this process
                self._reason = reason_of(error)
        return {**vars(self), "_value": None}

    def unpack(self) -> T:
        """The value.

        Raises
        ------
        InvalidValueError
            When it cannot be sent.
        SourceError
            When the worker cannot have it: it lacks a file, or a package.
        """
        if self._token in _OPENED:
            found: T = _OPENED[self._token]
            return found
        if not self._bytes:
            raise InvalidValueError(
                f"This data cannot be sent to workers in other processes ({self._reason}).",
                hint="Leave client out, or add the data from a file that they can open.",
            )
        try:
            found = pickle.loads(self._bytes)
        except Exception as error:
            raise SourceError(
                f"A worker cannot open the data: {reason_of(error)}.",
                hint="Workers must reach the same files by the same names; leave client out to do "
                "the work here.",
            ) from None
        while len(_OPENED) >= KEPT:
            _OPENED.pop(next(iter(_OPENED)), None)
        _OPENED[self._token] = found
        return found

    def close(self) -> None:
        """Forget it in this process."""
        _OPENED.pop(self._token, None)


KEPT = 8
"""Values that a worker keeps."""

_OPENED: dict[str, Any] = {}
"""Values of this process, by token."""


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

    Raises
    ------
    InvalidValueError
        For a client that cannot be waited for.
    SourceError
        When the cluster ends before the work.
    """
    _check_client(client)
    running: dict[Any, None] = {}
    try:
        window = 4 * max(1, sum(client.ncores().values()))
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
    except ViewerError:
        raise
    except Exception as error:
        if client.status == "running":
            raise
        reason = reason_of(error)
    finally:
        with contextlib.suppress(Exception):  # of a cluster that has gone
            client.cancel(list(running))
    raise SourceError(
        f"The cluster has gone: {reason}.", hint="What is done so far stays; call this again."
    )


def _check_client(client: Any) -> None:
    """Raise `InvalidValueError` for what is no client of a cluster that can be waited for."""
    status = getattr(client, "status", None)
    if status == "running" and not getattr(client, "asynchronous", True):
        return
    known = "" if status is None else f" (it is {status})"
    raise InvalidValueError(
        f"client={client!r} is no running dask.distributed.Client{known}.",
        hint="Make one that is not asynchronous, or leave client out to do the work here.",
    )
