"""Reads that fail, on whichever thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from viewer.errors import SourceError
from viewer.sources.reading import attempt


def read_that_raises(error: BaseException) -> None:
    def read() -> None:
        raise error

    attempt(read, lambda: False, lambda: "Reading", "Look.")


@pytest.mark.parametrize("error", [SystemExit(2), asyncio.CancelledError(), GeneratorExit()])
def test_what_is_no_exception_is_a_failed_read_on_a_thread_of_ours(error: BaseException) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(SourceError, match=type(error).__name__):
        pool.submit(read_that_raises, error).result()


def test_the_main_thread_can_be_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt):
        read_that_raises(KeyboardInterrupt())
