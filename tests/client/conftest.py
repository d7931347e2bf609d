"""A viewer in a real other process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

import viewer

SERVE = """
import sys
import numpy as np
import viewer

v = viewer.Viewer("far away")
z = np.arange(8 * 16 * 24, dtype=np.uint16).reshape(8, 16, 24)
v.add_image(z, name="image", scale=(40, 4, 4), units="nm")
cells = np.zeros((8, 16, 24), np.uint64)
cells[2:6, 3:9, 4:12] = 17
cells[1:3, 10:14, 14:20] = 2**63 + 1
v.add_labels(cells, name="cells", scale=(0.04, 0.004, 0.004), units="um")
print(v.url, flush=True)
sys.stdin.read()
viewer.stop()
"""


class Far:
    """A process with a viewer."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def stop(self) -> None:
        """End it in order."""
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    """A process with a viewer, for all tests of a module."""
    far = Far()
    yield far
    far.stop()


@pytest.fixture
def link(far: Far) -> Iterator[viewer.Link]:
    """A link to it."""
    with viewer.connect(far.url, timeout=30) as link:
        yield link
