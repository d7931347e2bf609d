"""The server keeps arrays alive while they are shown, and not a moment longer."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.server.brick_stream import Stream
from tests.server.exhibit import TOKEN, Exhibit, Sliced
from tests.server.page import Page
from viewer.messages import Change
from viewer.server import Server


class Array(np.ndarray[Any, np.dtype[Any]]):
    """An array that can be watched."""


def watched() -> Array:
    array = Array((40, 40, 40), np.uint8)  # owns its memory, so that no view is taken for it
    array[...] = np.random.default_rng(0).integers(0, 9, array.shape)
    return array


def dead(*references: weakref.ref[Any]) -> bool:
    """Whether all are gone, at latest in a moment: a worker may just be putting its tools away."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        gc.collect()
        if not any(reference() is not None for reference in references):
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def shown(server: Server) -> Iterator[tuple[str, list[weakref.ref[Any]]]]:
    """An exhibit that nobody but the server holds, with everything asked for and answered."""
    exhibit = Exhibit()
    image, labels = watched(), watched()
    exhibit.add(image)
    exhibit.add(labels, "labels")
    references = [weakref.ref(image), weakref.ref(labels), weakref.ref(exhibit)]
    references += [weakref.ref(exhibit.layer(id).pyramid) for id in ("l1", "l2")]
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    del exhibit, image, labels
    url = server.url(TOKEN)
    with (
        Page(url) as page,
        Stream(url) as stream,
        httpx.Client() as keeps_alive,
    ):
        gc.collect()
        assert all(reference() is not None for reference in references)
        for path in (
            "layers/l1/zarr.json",
            "layers/l1/0/c/0/0/0",
            "layers/l1/0/c/9/9/9",
            "layers/l2/0/c/0/0/0",
            "layers/l2/mesh/3",
            "layers/l2/mesh/3.ply",
            "layers/l2/mesh/77",
        ):
            assert keeps_alive.get(url + path).status_code in (200, 404)
        for volume, layer in enumerate(("l1", "l2", "l9")):
            stream.open(volume, layer)
        stream.want([(volume, 0, z, 0, 0) for volume in range(3) for z in range(3)])
        stream.take_all(9)
        assert page.edit(["title"], "x")["type"] == "accepted"
        assert page.edit(["nonsense"], "x")["type"] == "rejected"
        yield url, references


Shown = tuple[str, list[weakref.ref[Any]]]


def test_unmounting_releases_everything_while_a_page_is_connected(
    server: Server, shown: Shown
) -> None:
    server.unmount(TOKEN, "closed")
    assert dead(*shown[1])


def test_stopping_releases_everything_while_a_page_is_connected(
    server: Server, shown: Shown
) -> None:
    server.stop()
    assert dead(*shown[1])


def test_removing_a_layer_releases_it_while_a_page_is_connected(
    server: Server, shown: Shown
) -> None:
    _, references = shown
    exhibit = references[2]()
    assert exhibit is not None
    exhibit.document.edit(
        [Change(("order",), ("l2",)), Change(("layers", "l1"), remove=True)], author="viewer"
    )
    exhibit.layers.pop("l1").pyramid.close()
    del exhibit
    assert dead(references[0], references[3])
    assert references[2]() is not None


def test_a_read_that_hangs_does_not_hold_what_waits_behind_it(server: Server) -> None:
    exhibit = Exhibit()
    exhibit.add(Sliced(np.zeros((40, 40, 40))))
    array = watched()
    exhibit.add(Sliced(array))
    reference = weakref.ref(array)
    del array
    release = threading.Event()
    for id in ("l1", "l2"):
        source = exhibit.layer(id).pyramid.source
        source.read = lambda level, box: release.wait(60)  # type: ignore
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    url = server.url(TOKEN)

    def ask(layer: str) -> None:
        httpx.get(f"{url}layers/{layer}/0/c/0/0/0")

    threads = [threading.Thread(target=ask, args=("l1",)) for _ in range(9)]
    threads += [threading.Thread(target=ask, args=("l2",)) for _ in range(9)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    del source, exhibit
    server.unmount(TOKEN, "closed")
    for thread in threads:  # they got their answer although the reads still hang
        thread.join(30)
        assert not thread.is_alive()
    release.set()
    assert dead(reference)
