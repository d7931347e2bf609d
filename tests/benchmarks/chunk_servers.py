"""The servers that `tests.benchmarks.chunks` measures, each in a process of its own.

``python -m tests.benchmarks.chunk_servers ours FOLDER`` prints where chunks are to be had, as
JSON, and serves until its standard input is closed. The folder holds ``image.npy`` and
``labels.npy``. nginx is no Python: `nginx_server` writes its configuration and runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
from msgspec.structs import replace

EDGE = 64
"""Voxels of a chunk along each axis."""

TOKEN = "c" * 40

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port}; root {folder}/chunks; }}
}}
"""


@dataclass(frozen=True)
class Served:
    """A server that runs: where its chunks are, by the name of what they are."""

    port: int
    paths: dict[str, list[str]]
    process: subprocess.Popen[Any]


def indices(shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """All chunks of a volume."""
    counts = (n // EDGE for n in shape)
    return [tuple(map(int, index)) for index in np.ndindex(*counts)]  # type: ignore[misc]


def ours(folder: Path) -> tuple[int, dict[str, list[str]]]:
    """Ours; ``stored`` is a Zarr array on disk, handed on as it is stored."""
    import viewer
    from viewer.policy import POLICY
    from viewer.server import Server

    v = viewer.Viewer()
    image = np.load(folder / "image.npy")
    layers = {"image": v.add_image(image), "labels": v.add_labels(np.load(folder / "labels.npy"))}
    if (folder / "image.zarr").is_dir():
        import zarr

        layers["stored"] = v.add_image(zarr.open_array(folder / "image.zarr", mode="r"))
    # compressed on loopback, too: first anew each time, then kept
    anew = Server(policy=replace(POLICY, compress_loopback=True, encoded_bytes=0))
    kept = Server(policy=replace(POLICY, compress_loopback=True))
    paths: dict[str, list[str]] = {}
    for name, layer in layers.items():
        paths[name] = [
            f"/v/{TOKEN}/layers/{layer.id}/0/c/{z}/{y}/{x}" for z, y, x in indices(image.shape)
        ]
    raw = Server()
    for server in (raw, anew, kept):
        server.mount(TOKEN, v)
    # what labels are compressed by is compiled once somebody asks for them so
    asked = Request(anew.url(TOKEN).partition("/v/")[0] + paths["labels"][0])
    asked.add_header("Accept-Encoding", "zstd")
    urlopen(asked).close()
    _settle()
    paths["anew"], paths["kept"] = [str(anew.port)], [str(kept.port)]
    return raw.port, paths


def _settle() -> None:
    """Wait for what is begun when layers are added, coarse levels and the labels' index."""
    used = -1.0
    while time.process_time() - used > 0.1:
        used = time.process_time()
        time.sleep(2.0)


def neuroglancer(folder: Path) -> tuple[int, dict[str, list[str]]]:
    """neuroglancer's own server, by both encodings; the viewer has no page."""
    import neuroglancer
    from neuroglancer import local_volume, server

    # its own is broken by NumPy 2.3, which took ndarray.tostring away
    local_volume.encode_raw = lambda chunk: chunk.tobytes("C")
    space = neuroglancer.CoordinateSpace(names=["z", "y", "x"], units="nm", scales=[1, 1, 1])
    v = neuroglancer.Viewer()
    paths: dict[str, list[str]] = {}
    for name, kind in (("image", "image"), ("labels", "segmentation")):
        data = np.load(folder / f"{name}.npy")
        volume = local_volume.LocalVolume(data, space, volume_type=kind)
        with v.txn() as state:
            layer = neuroglancer.ImageLayer if kind == "image" else neuroglancer.SegmentationLayer
            state.layers[name] = layer(source=volume)
        for encoding in ("raw", "npz"):
            paths[f"{name} {encoding}"] = [
                f"/neuroglancer/{encoding}/{v.token}.{volume.token}/1,1,1/"
                + "/".join(",".join(str((i + end) * EDGE) for i in index) for end in (0, 1))
                for index in indices(data.shape)
            ]
    _KEPT.append(v)
    return server.global_server.port, paths


_KEPT: list[object] = []


@contextmanager
def python_server(which: str, folder: Path) -> Iterator[Served]:
    """One of this module's servers in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, which, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port, paths = json.loads(process.stdout.readline())
        yield Served(port, paths, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


@contextmanager
def nginx_server(program: str, folder: Path, image: np.ndarray) -> Iterator[Served]:
    """nginx with one worker, serving the image's chunks as files."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.chmod(0o755)  # started by root, nginx works as somebody else
    (folder / "chunks").mkdir()
    for z, y, x in indices(image.shape):
        box = tuple(slice(EDGE * i, EDGE * (i + 1)) for i in (z, y, x))
        (folder / "chunks" / f"{z}.{y}.{x}").write_bytes(image[box].tobytes())
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(config)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        paths = [f"/{z}.{y}.{x}" for z, y, x in indices(image.shape)]
        yield Served(port, {"image": paths}, process)
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "neuroglancer": neuroglancer}[sys.argv[1]](Path(sys.argv[2]))))
    sys.stdout.flush()
    sys.stdin.read()
