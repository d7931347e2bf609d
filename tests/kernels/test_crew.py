"""Several threads at one piece of work."""

from __future__ import annotations

import pytest

from viewer.errors import NotFoundError
from viewer.kernels.crew import in_parallel


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert in_parallel([lambda n=n: n for n in range(20)], threads=4) == list(range(20))


def test_the_first_error_of_several_threads_is_raised() -> None:
    def fail() -> int:
        raise NotFoundError("not this one")

    with pytest.raises(NotFoundError, match="not this one"):
        in_parallel([lambda: 1, fail, lambda: 2], threads=2)
