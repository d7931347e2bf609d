"""``make bench``: measure, and print a table of ratios.

With arguments only the groups named are run: ``make bench ARGS="kernels streams picture"``.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Sequence

from scripts.chromium import REMEDY, find_chromium
from tests.benchmarks import (
    chunks,
    files,
    first_picture,
    kernels,
    large,
    latency,
    meshes,
    screenshots,
    slices,
    soak,
    sources,
    startup,
    streams,
)
from tests.benchmarks.table import Figure, Row, Skipped, print_table


def main(names: list[str]) -> int:
    """Run the groups named, all of them by default."""
    chromium = find_chromium()
    if chromium is None:
        print(REMEDY, file=sys.stderr)
        return 1
    groups: dict[str, Callable[[], Sequence[Row | Skipped | Figure]]] = {
        "kernels": kernels.run,
        "meshes": meshes.run,
        "sources": sources.run,
        "chunks": chunks.run,
        "streams": lambda: streams.run(chromium),
        "picture": lambda: first_picture.run(chromium),
        "slices": lambda: slices.run(chromium),
        "latency": lambda: latency.run(chromium),
        "startup": startup.run,
        "large": lambda: large.run(chromium),
        "files": lambda: files.run(chromium),
        "screenshots": screenshots.run,
        "soak": lambda: soak.run(chromium),
    }
    unknown = set(names) - set(groups)
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. Known: {', '.join(groups)}.", file=sys.stderr)
        return 1
    rows: list[Row | Skipped | Figure] = []
    for name in names or groups:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += groups[name]()
    data = os.environ.get("VOXELVIEW_BENCH_DATA", "synthetic")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, labels: {data}")
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
