"""What every test shares: a fresh viewer, the built client, and the order of the suite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    import viewer

ROOT = Path(__file__).parents[1]

# no deadline for one example: what takes long is seen by pytest, and a busy machine is no bug
settings.register_profile("patient", settings.default, deadline=None)
if settings.get_current_profile_name() == "default":  # on CI there is another one
    settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: quick failures come first, and Playwright's event loop, which stays on
    the main thread once it has started, is in nobody's way."""
    items.sort(key=lambda item: "browser" in item.path.relative_to(ROOT / "tests").parts)


@pytest.fixture
def viewer_() -> Iterator[viewer.Viewer]:
    """A fresh Viewer; the server is stopped afterwards."""
    import viewer

    try:
        yield viewer.Viewer()
    finally:
        viewer.stop()


def build_client() -> subprocess.CompletedProcess[str]:
    """Build the client when it is missing or stale."""
    command = [sys.executable, str(ROOT / "scripts" / "build_client.py")]
    return subprocess.run(command, capture_output=True, text=True)


def pytest_configure(config: pytest.Config) -> None:
    """Before there are several processes, which would all build it at the same time."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        build_client()  # what goes wrong is told by the tests that need it


@pytest.fixture(scope="session")
def client() -> Path:
    """Folder of the built client, built now when it is missing or stale."""
    result = build_client()
    assert result.returncode == 0, f"The client cannot be built:\n{result.stdout}{result.stderr}"
    return ROOT / "static"
