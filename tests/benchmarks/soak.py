"""One page for many minutes: scrolling, zooming and refreshing must leave nothing behind.

An image in memory, labels in memory and an image in a compressed HDF5 file are looked at in one
headless page. Memory is taken once a round has been made, and every few seconds from then on: what
counts is by how much the last third lies above the first one, since caches fill up to their
budgets and stay there.

``python -m tests.benchmarks.soak 30`` takes half an hour; ``make bench ARGS=soak`` two minutes.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.chromium import REMEDY, find_chromium
from tests.benchmarks.large import looked, memory, opened, resident
from tests.benchmarks.page_timer import Page, fresh_page
from tests.benchmarks.table import Figure, Row, Skipped, middle, print_table
from tests.benchmarks.volumes import image_like, segmentation

if TYPE_CHECKING:
    import viewer

MINUTES = 2.0

EVERY_SECONDS = 5.0
"""Between two looks at the memory; each collects the page's garbage."""

ALLOWED = 10.0
"""MiB of growth that we call none."""

EDGE = 256


def one_round(page: Page, v: viewer.Viewer, number: int) -> int:
    """Scroll, zoom and refresh; how often the page came to rest."""
    layers = list(v.layers)
    rests = 0
    for step in range(8):
        place = float((37 * number + 29 * step) % EDGE)
        looked(page, v, (place, EDGE - place, (3 * place) % EDGE), (0.5, 1.0, 3.0)[step % 3])
        rests += 1
    layer = layers[number % len(layers)]
    part = slice(number % 200, number % 200 + 20)
    if number % 5:
        layer.refresh((part, part, part))
    else:
        layer.refresh()
    looked(page, v, (EDGE / 2 + number % 7, EDGE / 2, EDGE / 2), None)
    return rests + 1


def measure(chromium: str, minutes: float) -> tuple[dict[str, list[float]], int]:
    """MiB of server and page over time, and how often the page came to rest."""
    import h5py

    import viewer

    labels = segmentation(EDGE)[:EDGE, :EDGE, :EDGE]
    image = image_like(labels)
    found: dict[str, list[float]] = {}
    rests = 0
    with tempfile.TemporaryDirectory() as folder, h5py.File(Path(folder, "image.h5"), "w") as file:
        stored = file.create_dataset("image", data=image, chunks=(64, 64, 64), compression="gzip")
        v = viewer.Viewer()
        try:
            v.add_image(image, name="in memory")
            v.add_image(stored, name="in a file", opacity=0.5)
            v.add_labels(labels, name="labels")
            with fresh_page(chromium) as page:
                opened(page, v.url)
                end = time.monotonic() + 60 * minutes
                due = 0.0
                for number in itertools.count():
                    rests += one_round(page, v, number)
                    now = time.monotonic()
                    if number >= 10 and now >= due:
                        due = now + EVERY_SECONDS
                        for name, size in {"server": resident(), **memory(page)}.items():
                            found.setdefault(name, []).append(size)
                    if now > end:
                        break
        finally:
            v.close()
    return found, rests


def run(chromium: str, minutes: float = MINUTES) -> list[Row | Skipped | Figure]:
    """Growth of everything that takes memory, against what we call none."""
    found, rests = measure(chromium, minutes)
    rows: list[Row | Skipped | Figure] = [
        Figure(f"soak of {minutes:g} minutes", f"the page came to rest {rests} times")
    ]
    for name, sizes in found.items():
        third = max(1, len(sizes) // 3)
        growth = middle(sizes[-third:]) - middle(sizes[:third])
        rows.append(Row(f"growth of {name}", growth, ALLOWED, "MiB", "allowed", 1.0))
        course = sizes[:: max(1, len(sizes) // 10)]
        rows.append(Figure(f"{name}, MiB", " ".join(f"{size:.0f}" for size in course)))
    return rows


if __name__ == "__main__":
    found_chromium = find_chromium()
    if found_chromium is None:
        sys.exit(REMEDY)
    print_table(run(found_chromium, float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
