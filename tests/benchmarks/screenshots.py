"""Screenshots of random states while every read of the data takes 200 ms: each must be right.

``python -m tests.benchmarks.screenshots 200`` takes as many as it says.
"""

from __future__ import annotations

import sys
import time

from tests.benchmarks.table import Figure, middle, print_table

COUNT = 200

DELAY_SECONDS = 0.2


def run(count: int = COUNT) -> list[Figure]:
    """Take them; fails at the first that has a wrong pixel."""
    import viewer
    from tests.browser.states import States

    seconds = []
    with viewer.headless() as v:
        states = States(v, DELAY_SECONDS, seed=7)
        for number in range(count):
            states.change()
            start = time.perf_counter()
            wrong = states.take()
            seconds.append(time.perf_counter() - start)
            assert wrong == 0, f"picture {number}: {wrong} pixels are wrong"
    viewer.stop()
    name = f"screenshots while reads take {1000 * DELAY_SECONDS:.0f} ms"
    ordered = sorted(seconds)
    text = f"{count} right; {middle(seconds):.2f} s each, the longest {ordered[-1]:.2f} s"
    return [Figure(name, text)]


if __name__ == "__main__":
    print_table(run(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
