"""A volume of 2^14 voxels on each axis, 4 TB computed on the fly, against one of 512.

Nothing about a large volume may be slower than about a small one: opening it, moving its slices,
zooming in. Both are shown in turn, each in a fresh headless page with a viewer of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.page_timer import Page, fresh_page
from tests.benchmarks.table import Figure, Row, Skipped, middle
from tests.benchmarks.volumes import Waves

if TYPE_CHECKING:
    import viewer

EDGE, SMALL = 1 << 14, 1 << 9
"""Voxels on each axis."""

RUNS = 5

STEPS = 12
"""Slices moved, and jumps to and fro."""

NOTCH = 1.4
"""By which a notch of the wheel zooms in, from the whole until there are `NEAR` pixels a voxel."""

PAUSE = 0.5
"""Seconds of looking before each notch of the wheel."""

NEAR = 4.0
"""Pixels of a voxel, looked at so closely that panels are full of the small volume, too."""

PLACES = [
    (z, y, x) for z in (0.2, 0.5, 0.8) for y in (0.2, 0.5, 0.8) for x in (0.2, 0.8)
]  # of the edge; views of two of them have no brick in common
"""Where to jump to, each place once."""

UNEQUAL = "zoom in to a pixel a voxel"
"""Of the small volume nearly all that this takes has come before: told, but held to nothing."""

MIB = 1 << 20


def milliseconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def resident() -> float:
    """MiB of memory that this process, which is the server, has at the moment."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This system does not tell how much memory a process has.")


def memory(page: Page) -> dict[str, float]:
    """MiB that the page has: JavaScript's heap, bricks outside it, and the GPU."""
    page.call("HeapProfiler.collectGarbage")
    heap = page.call("Runtime.getHeapUsage")
    stats = page.evaluate("window.voxelview.stats()")
    return {
        "heap": heap["usedSize"] / MIB,
        "buffers": heap.get("backingStorageSize", 0) / MIB,
        "GPU": stats["gpuBytes"] / MIB,
    }


def received(page: Page) -> float:
    """MiB of bricks that have come so far."""
    return float(page.evaluate("window.voxelview.stats().receivedBytes")) / MIB


def opened(page: Page, url: str) -> float:
    """Milliseconds of the page's clock from navigation until everything in view is drawn."""
    page.open(url)
    return float(
        page.evaluate(
            """(async () => {
              // A frame asked for while the document is being replaced never comes.
              while (window.voxelview === undefined) await new Promise((go) => setTimeout(go, 5));
              await window.voxelview.settled();
              return performance.now();
            })()"""
        )
    )


def looked(page: Page, v: viewer.Viewer, center: tuple[float, ...], zoom: float | None) -> float:
    """Milliseconds from setting the view in Python until the page shows it completely."""
    wanted = json.dumps([center, zoom])

    def look() -> None:
        v.view.center = center  # type: ignore[assignment]
        v.view.zoom = zoom
        page.evaluate(
            f"""(async () => {{
              const view = () => window.voxelview.document().view;
              while (JSON.stringify([view().center, view().zoom]) !== JSON.stringify({wanted}))
                await new Promise(requestAnimationFrame);
              await window.voxelview.settled();
            }})()"""
        )

    return milliseconds_of(look)


def tour(chromium: str, edge: int, as_levels: bool) -> tuple[dict[str, float], str]:
    """Open, scroll through the whole, zoom in, scroll there: milliseconds, and a line on bytes."""
    import viewer

    finest = Waves(edge)
    levels = [finest]
    while as_levels and levels[-1].shape[0] > 64:
        levels.append(Waves(levels[-1].shape[0] // 2, finest.shape[0] * 2 // levels[-1].shape[0]))
    before = resident()
    v = viewer.Viewer()
    try:
        added = milliseconds_of(lambda: v.add_image(levels if as_levels else finest))
        with fresh_page(chromium) as page:
            times = {"open": added + opened(page, v.url)}
            middle_ = edge / 2
            fit = 300 / edge
            times["scroll the whole"] = middle(
                [
                    looked(page, v, (middle_ + step * edge / 64,) * 3, fit)
                    for step in range(1, STEPS + 1)
                ]
            )
            looked(page, v, (middle_,) * 3, fit)
            notches = []
            zoom = fit
            while zoom < NEAR:
                time.sleep(PAUSE)
                zoom *= NOTCH
                notches.append(looked(page, v, (middle_,) * 3, zoom))
            times["zoom in by a notch"] = middle(notches)
            times["the slowest of these notches"] = max(notches)
            close, whole = [], []
            for place in PLACES:
                close.append(looked(page, v, tuple(edge * part for part in place), NEAR))
                whole.append(looked(page, v, (middle_,) * 3, fit))
            times["zoom in, to a new place"] = middle(close)
            times["zoom out"] = middle(whole)
            close, came = [], []
            for step in range(1, STEPS + 1):
                before_ = received(page)
                close.append(looked(page, v, (edge * (0.1 + 0.8 * step / STEPS),) * 3, 1.0))
                came.append(received(page) - before_)
                looked(page, v, (middle_,) * 3, fit)
            times[UNEQUAL] = middle(close)
            times["scroll at full resolution"] = middle(
                [looked(page, v, (middle_ + 0.5 + step,) * 3, 1.0) for step in range(1, STEPS + 1)]
            )
            page_memory = ", ".join(f"{k} {n:.0f} MiB" for k, n in memory(page).items())
    finally:
        v.close()
    jump = f"{middle(came):.1f} MiB come to {UNEQUAL}"
    line = f"server +{resident() - before:.0f} MiB, page {page_memory}"
    computed = sum(level.voxels_read for level in levels) / 1e6
    return times, f"{line}; {jump}; {computed:.0f} M voxels computed"


def run(chromium: str, runs: int = RUNS) -> list[Row | Skipped | Figure]:
    """Tours of the large and the small volume in turn; the first round only warms up."""
    rows: list[Row | Skipped | Figure] = []
    for as_levels in (False, True):
        kind = "a list of levels" if as_levels else "one array"
        times: dict[str, tuple[list[float], list[float]]] = {}
        lines = ["", ""]
        for round_ in range(runs + 1):
            for which, edge in enumerate((EDGE, SMALL)):
                found, lines[which] = tour(chromium, edge, as_levels)
                for name, value in found.items():
                    if round_:
                        times.setdefault(name, ([], []))[which].append(value)
        rows += [
            Row(
                f"2^14 cubed, {kind}: {name}",
                middle(a),
                middle(b),
                "ms",
                "2^9 cubed",
                None if name == UNEQUAL else 1.5,
            )
            for name, (a, b) in times.items()
        ]
        rows += [
            Figure(f"{edge}³, {kind}: bytes", line)
            for edge, line in zip((EDGE, SMALL), lines, strict=True)
        ]
    return rows
