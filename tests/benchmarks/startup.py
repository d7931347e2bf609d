"""From nothing to the first byte: how long a fresh process takes until a page can be loaded.

Each run is a Python process of its own that imports the viewer, adds an image and labels, and
asks its own server, over a socket, for the page and for a chunk of level 0. Ours and neuroglancer
take turns; the first round fills the disk cache, and a folder of compiled modules for both.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile

from tests.benchmarks.table import Row, Skipped, middle

RUNS = 7

NAME = "start of a process"

PRELUDE = """
import json, time
started = time.perf_counter()
import socket

def get(port, path):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", "", ""
        connection.sendall("\\r\\n".join(head).encode())
        first = connection.recv(1)
        at = time.perf_counter()
        rest = first
        while part := connection.recv(1 << 20):
            rest += part
    status, body = rest.split(b"\\r\\n", 1)[0], rest.split(b"\\r\\n\\r\\n", 1)[1]
    assert b" 200 " in status, (path, status)
    return at - started, len(body)

import numpy
image = numpy.arange(128**3, dtype=numpy.uint32).reshape(128, 128, 128).astype(numpy.uint8)
labels = image.astype(numpy.uint32)
begun = time.perf_counter()
"""
"""NumPy is imported before the clock that counts: both need it, and its time varies."""

OURS = """
import viewer
v = viewer.Viewer()
shown = v.add_image(image)
v.add_labels(labels)
from urllib.parse import urlsplit
url = urlsplit(v.url)
page, _ = get(url.port, url.path)
chunk, size = get(url.port, urlsplit(shown.zarr_url).path.rstrip("/") + "/0/c/0/0/0")
"""

NEUROGLANCER = """
import neuroglancer
space = neuroglancer.CoordinateSpace(names=["z", "y", "x"], units="nm", scales=[1, 1, 1])
v = neuroglancer.Viewer()
volume = neuroglancer.LocalVolume(image, space, volume_type="image", encoding="raw")
from neuroglancer import local_volume
local_volume.encode_raw = lambda chunk: chunk.tobytes("C")
with v.txn() as state:
    state.dimensions = space
    state.layers["image"] = neuroglancer.ImageLayer(source=volume)
    state.layers["labels"] = neuroglancer.SegmentationLayer(
        source=neuroglancer.LocalVolume(labels, space, volume_type="segmentation")
    )
from urllib.parse import urlsplit
url = urlsplit(v.get_viewer_url())
page, _ = get(url.port, url.path)
chunk, size = get(
    url.port, f"/neuroglancer/raw/{v.token}.{volume.token}/1,1,1/0,0,0/64,64,64"
)
"""

EPILOGUE = """
assert size == 64**3, size
print(json.dumps([1000 * (at - begun + started) for at in (page, chunk)]))
import os
os._exit(0)
"""


def measure(program: str, bytecode: str) -> tuple[float, float]:
    """Milliseconds from the first import to the first byte of the page, and of a chunk."""
    command = [sys.executable, "-c", PRELUDE + program + EPILOGUE]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    page, chunk = json.loads(done.stdout)
    return page, chunk


def run(runs: int = RUNS) -> list[Row | Skipped]:
    """Measure in turn."""
    if importlib.util.find_spec("neuroglancer") is None:
        return [Skipped(NAME, "neuroglancer is not installed")]
    times: dict[str, tuple[list[float], list[float]]] = {"ours": ([], []), "theirs": ([], [])}
    with tempfile.TemporaryDirectory() as bytecode:
        for round_ in range(runs + 1):
            for name, program in (("ours", OURS), ("theirs", NEUROGLANCER)):
                found = measure(program, bytecode)
                for values, value in zip(times[name], found, strict=True):
                    if round_:
                        values.append(value)
    return [
        Row(f"{NAME}, {what}", middle(mine), middle(other), "ms", "neuroglancer", 0.8)
        for what, mine, other in zip(
            ("first byte of the page", "first byte of a chunk"),
            times["ours"],
            times["theirs"],
            strict=True,
        )
    ]
