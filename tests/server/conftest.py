"""Fixtures: a real server with an exhibit on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.server.exhibit import TOKEN, Exhibit, Sliced
from tests.server.plain_client import Client
from viewer.server import Server


@pytest.fixture
def exhibit() -> Exhibit:
    """An exhibit with one image, ``l1``."""
    exhibit = Exhibit()
    data = np.arange(40 * 50 * 60, dtype=np.uint16).reshape(40, 50, 60)
    exhibit.add(data)
    return exhibit


@pytest.fixture
def slow_exhibit() -> Exhibit:
    """An exhibit with one image, ``l1``, that workers read."""
    exhibit = Exhibit()
    exhibit.add(Sliced(np.arange(40 * 50 * 60, dtype=np.uint16).reshape(40, 50, 60)))
    return exhibit


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server of its own."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def url(server: Server, exhibit: Exhibit) -> str:
    """Address of `exhibit` on `server`."""
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    return server.url(TOKEN)


@pytest.fixture
def client(server: Server, exhibit: Exhibit) -> Iterator[Client]:
    """A connection to the server that shows the exhibit."""
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    client = Client(server)
    yield client
    client.close()
