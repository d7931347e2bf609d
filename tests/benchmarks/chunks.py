"""Chunks of 64³ over HTTP: ours, neuroglancer's and nginx's, by wrk at 1, 6 and 32 connections.

A volume of 512³ lies in memory; every request is for a chunk chosen at random. nginx (one worker,
sendfile) serves the same bytes as files. All are measured in turn, each in a process of its own,
and every ratio is of medians. wrk runs with one thread.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.chunk_servers import Served, nginx_server, python_server
from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

RUNS = 5

SECONDS = 1.0
"""Of one run of wrk."""

CONNECTIONS = (1, 6, 32)

SCRIPT = """
local requests = {}
init = function()
  math.randomseed(7)
  for path in io.lines("%(paths)s") do
    requests[#requests + 1] = wrk.format("GET", path, %(headers)s)
  end
end
request = function() return requests[math.random(#requests)] end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("\\nRESULT [%%f, %%d, %%d, %%f, %%d]\\n",
    summary.requests / summary.duration * 1e6,
    summary.bytes, summary.requests, latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Target:
    """What wrk asks, and what for."""

    name: str
    port: int
    paths: list[str]
    zstd: bool = False


@dataclass(frozen=True)
class Result:
    """Of one target at one number of connections: medians."""

    rate: float
    """Requests a second."""
    p99: float
    """Milliseconds that all but a hundredth of the requests took less than."""
    bytes: float
    """Of one response."""


def load(
    wrk: str, target: Target, connections: int, folder: Path, seconds: float = SECONDS
) -> Result:
    """One run of wrk."""
    listing = folder / "paths.txt"
    listing.write_text("\n".join(target.paths))
    script = folder / "load.lua"
    headers = '{["Accept-Encoding"] = "zstd"}' if target.zstd else "nil"
    script.write_text(SCRIPT % {"paths": listing, "headers": headers})
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script)]
    answer = subprocess.run(
        [*command, f"http://127.0.0.1:{target.port}"], check=True, capture_output=True, text=True
    ).stdout
    rate, count, answered, p99, errors = json.loads(answer.split("RESULT")[1])
    assert errors == 0, f"{errors} failed requests: {target.name}\n{answer}"
    return Result(rate, p99 / 1e3, count / answered)


def measure(
    wrk: str, targets: list[Target], connections: int, runs: int, folder: Path
) -> dict[str, Result]:
    """Medians of all targets, taken in turn; the first round only warms up."""
    found: dict[str, list[Result]] = {target.name: [] for target in targets}
    for round_ in range(runs + 1):
        for target in targets:
            result = load(wrk, target, connections, folder)
            if round_:
                found[target.name].append(result)
    return {
        name: Result(
            middle([one.rate for one in results]),
            middle([one.p99 for one in results]),
            middle([one.bytes for one in results]),
        )
        for name, results in found.items()
    }


def run(runs: int = RUNS) -> list[Row | Skipped]:
    """Measure everything for which the programs are there."""
    name = "64³ chunks over HTTP"
    wrk, nginx = shutil.which("wrk"), shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if wrk is None:
        return [Skipped(name, "wrk is not installed")]
    labels = np.tile(segmentation(), (2, 2, 2)).astype(np.uint64)
    image = np.tile(image_like(segmentation()), (2, 2, 2))
    rows: list[Row | Skipped] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        np.save(folder / "image.npy", image)
        np.save(folder / "labels.npy", labels)
        _store(image, folder / "image.zarr")
        mine = stack.enter_context(python_server("ours", folder))
        targets = [Target("ours", mine.port, mine.paths["image"])]
        if importlib.util.find_spec("neuroglancer") is None:
            rows.append(Skipped(name, "neuroglancer is not installed"))
        else:
            peer = stack.enter_context(python_server("neuroglancer", folder))
            for encoding in ("raw", "npz"):
                paths = peer.paths[f"image {encoding}"]
                targets.append(Target(f"neuroglancer {encoding}", peer.port, paths))
        if nginx is None:
            rows.append(Skipped(name, "nginx is not installed"))
        else:
            files = stack.enter_context(nginx_server(nginx, folder, image))
            targets.append(Target("nginx", files.port, files.paths["image"]))
        for connections in CONNECTIONS:
            rows += _raw_rows(measure(wrk, targets, connections, runs, folder), connections)
        rows.append(_busy_row(wrk, mine, runs, folder))
        if len(targets) > 2:
            rows += _encoded_rows(wrk, mine, peer, runs, folder)
    return rows


def _store(image: np.ndarray, path: Path) -> None:
    import zarr

    zarr.create_array(path, data=image, chunks=(64, 64, 64))


def _raw_rows(results: dict[str, Result], connections: int) -> list[Row | Skipped]:
    where = f"at {connections} connection{'s' * (connections > 1)}"
    mine = results["ours"]
    least = {"neuroglancer raw": 2.5, "neuroglancer npz": 15.0, "nginx": 0.45}
    rows: list[Row | Skipped] = [
        Row(f"64³ uint8 chunks {where}", mine.rate, results[other].rate, "/s", other, least=ratio)
        for other, ratio in least.items()
        if other in results
    ]
    if "nginx" in results:
        p99 = results["nginx"].p99
        rows.append(Row(f"their 99th percentile {where}", mine.p99, p99, "ms", "nginx", target=3.0))
    return rows


def _busy_row(wrk: str, mine: Served, runs: int, folder: Path) -> Row:
    """What one connection notices of workers that compress for six others."""
    port = int(mine.paths["anew"][0])
    quiet = Target("quiet", port, mine.paths["image"])
    busy = Target("busy", port, mine.paths["labels"], zstd=True)
    beside = folder / "beside"
    beside.mkdir()
    times: dict[bool, list[float]] = {False: [], True: []}
    with ThreadPoolExecutor(1) as pool:
        for _ in range(runs):
            for loaded, found in times.items():
                other = pool.submit(load, wrk, busy, 6, beside, 2 * SECONDS) if loaded else None
                found.append(load(wrk, quiet, 1, folder).p99)
                if other is not None:
                    other.result()
    return Row(
        "99th percentile while workers are busy", middle(times[True]), middle(times[False]), "ms",
        "idle workers",
    )  # fmt: skip


def _encoded_rows(
    wrk: str, mine: Served, peer: Served, runs: int, folder: Path
) -> list[Row | Skipped]:
    rows: list[Row | Skipped] = []
    anew, kept = (int(mine.paths[name][0]) for name in ("anew", "kept"))
    for kind, least in (("image", 12.0), ("labels", 10.0)):
        targets = [
            Target("npz", peer.port, peer.paths[f"{kind} npz"]),
            Target("anew", anew, mine.paths[kind], zstd=True),
            Target("kept", kept, mine.paths[kind], zstd=True),
        ]
        if kind == "image" and "stored" in mine.paths:
            targets.append(Target("stored", mine.port, mine.paths["stored"]))
        results = measure(wrk, targets, 6, runs, folder)
        npz = results["npz"]
        against = "neuroglancer npz"
        rows.append(
            Row(
                f"{kind} chunks in zstd", results["anew"].rate, npz.rate, "/s", against, least=least
            )
        )
        rows.append(
            Row(f"{kind} chunks in zstd, bytes", results["anew"].bytes / 1024, npz.bytes / 1024,
                "KiB", against, target=1.0)
        )  # fmt: skip
        rows.append(
            Row(f"{kind} chunks in zstd, kept", results["kept"].rate, npz.rate, "/s", against,
                least=50.0)
        )  # fmt: skip
        if "stored" in results:
            rows.append(
                Row("Zarr chunks as they are stored", results["stored"].rate, npz.rate, "/s",
                    against, least=20.0)
            )  # fmt: skip
    return rows
