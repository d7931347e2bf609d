"""The brick stream against six parallel fetches of Zarr chunks, in a real browser.

Milliseconds for the whole of an image of 256³ voxels at full resolution, from the first request
until the page has the voxels: in its cache of bricks, by the client's own code, as 512 bricks of
32³ (and an apron); or as 64 buffers of 64³, by as many fetches as a browser makes at once. Both
connections are open before. Once directly, and once by a proxy with 50 ms of round trip.

And the time in which a page plans: which bricks its slices cut, in which order they are wanted.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import msgspec

from tests.benchmarks.delay import delayed
from tests.benchmarks.page_timer import Page, fresh_page
from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

RUNS = 7

ROUND_TRIP = 0.05
"""Seconds."""

FRONTEND = Path(__file__).parents[2] / "frontend"

BRICKS = """(async () => {
  const data = %(data)s;
  let left = 0, done;
  const library = new voxelview.Library("%(base)sbricks".replace("http", "ws"), 2 ** 30, {
    arrived: () => { if (--left === 0) done(); },
    connection: (open) => { if (open) done(); },
  });
  const event = () => new Promise((resolve) => { done = resolve; });
  await event();
  const volume = library.select("%(layer)s", "image", data, []);
  const { bricks } = volume.grid(0);
  left = bricks[0] * bricks[1] * bricks[2];
  const needs = Array.from({ length: left }, (_, number) => ({ volume, number }));
  const start = performance.now();
  library.want(needs);
  await event();
  const time = performance.now() - start;
  library.disconnect();
  return time;
})()"""

CHUNKS = """(async () => {
  const urls = [];
  for (let z = 0; z < %(side)d; z++)
    for (let y = 0; y < %(side)d; y++)
      for (let x = 0; x < %(side)d; x++)
        urls.push(`%(base)slayers/%(layer)s/0/c/${z}/${y}/${x}`);
  const fetchAll = async (list) => {
    const worker = async () => {
      for (let url = list.pop(); url !== undefined; url = list.pop()) {
        const answer = await fetch(url, { cache: "no-store" });
        if (!answer.ok) throw new Error(`${answer.status} ${url}`);
        await answer.arrayBuffer();
      }
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map(worker));
  };
  await fetchAll(urls.slice(0, 6));
  const start = performance.now();
  await fetchAll(urls);
  return performance.now() - start;
})()"""


PLANS = """(() => {
  const { plan, Volume } = voxelview;
  const level = (shape, scale) => ({
    shape: [shape, shape, shape], scale: [scale, scale, scale],
    translate: Array(3).fill((scale - 1) / 2),
  });
  const data = (dtype, apron) => ({
    dtype, apron, brick: [32, 32, 32], generation: 0, changes: [], histogram: null,
    affine: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
    axes: ["z", "y", "x"].map((name) => ({ name, kind: "space", unit: "" })),
    levels: Array.from({ length: %(levels)d }, (_, i) => level(%(edge)d / 2 ** i, 2 ** i)),
  });
  const image = new Volume("i", "image", data("uint8", [1, 1, 1]), []);
  const labels = new Volume("l", "labels", data("uint64", [0, 0, 0]), []);
  const sides = [[[0, 0, 1], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]], [[1, 0, 0], [0, 1, 0]]];
  const [width, height] = [%(width)d / 2, %(height)d / 2];
  const options = { bytes: ({ brickBytes }) => brickBytes, budget: 2 ** 30, direct: 48 * 2 ** 20 };
  const times = [];
  const zooms = [0.5, 0.8, 1, 1.5, 2, 3];
  for (let round = 0; round < 120; round += 1) {
    const at = %(edge)d / 2 + round;
    const views = zooms.map((pixel) => sides.flatMap(([right, down], picture) =>
      [image, labels].map((volume) => ({
        picture, volume, linear: volume === image,
        plane: { center: [at, at, at], middle: [width / 2, height / 2], right, down, width, height,
          pixel },
      }))));
    // A browser's clock is too coarse for one.
    const start = performance.now();
    for (const sights of views) plan(sights, options);
    if (round >= 20) times.push((performance.now() - start) / views.length);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
})()"""


def client_script() -> str:
    """The client's own code about bricks, as a script that makes `voxelview.Library` and more."""
    source = FRONTEND / "src" / "bricks"
    names = {"Library": "library", "plan": "planner", "Volume": "volume"}
    with tempfile.TemporaryDirectory() as folder:
        entry, script = Path(folder) / "entry.ts", Path(folder) / "script.js"
        entry.write_text(
            "".join(
                f'export {{ {name} }} from "{source / file}.ts";\n' for name, file in names.items()
            )
        )
        rolldown = FRONTEND / "node_modules" / ".bin" / "rolldown"
        options = ["--format", "iife", "--name", "voxelview", "--file", str(script)]
        subprocess.run([rolldown, entry, *options], check=True, capture_output=True)
        return script.read_text()


def plans(page: Page) -> list[Row | Skipped]:
    """The time of a plan, the mean of six zooms, against a millisecond."""
    rows: list[Row | Skipped] = []
    for edge, levels in ((512, 4), (1 << 14, 9)):
        for width, height in ((1200, 800), (1920, 1080)):
            words = {"edge": edge, "levels": levels, "width": width, "height": height}
            milliseconds = float(page.evaluate(PLANS % words))
            name = f"plan of 4 panels, {width} × {height}, image and labels of {edge}³"
            rows.append(Row(name, milliseconds, 1.0, "ms", "a millisecond", 1.0))
    return rows


def measure(page: Page, runs: int, **words: object) -> tuple[float, float]:
    """Medians in milliseconds of bricks and chunks, taken in turn; the first only warm up."""
    times: dict[str, list[float]] = {BRICKS % words: [], CHUNKS % words: []}
    for round_ in range(runs + 2):
        for script, found in times.items():
            milliseconds = float(page.evaluate(script))
            if round_ > 1:
                found.append(milliseconds)
    bricks, chunks = map(middle, times.values())
    return bricks, chunks


def run(chromium: str, runs: int = RUNS) -> list[Row | Skipped]:
    """Measure with and without delay, each in one page."""
    import viewer
    from viewer.policy import POLICY

    image = image_like(segmentation())
    rows: list[Row | Skipped] = []
    library = client_script()
    v = viewer.Viewer()
    try:
        layer = v.add_image(image)
        data = json.dumps(msgspec.to_builtins(v.document.state.layers[layer.id].data))
        port = int(v.url.split(":")[2].split("/")[0])
        with delayed(port, ROUND_TRIP) as late:
            for other, where, target in ((port, "", 0.33), (late, ", 50 ms round trip", 0.25)):
                base = v.url.replace(f":{port}/", f":{other}/")
                with fresh_page(chromium) as page:
                    page.open(base + "colormaps.json")  # of the same origin, and at rest
                    page.evaluate(library + ";void (globalThis.voxelview = voxelview)")
                    bricks, chunks = measure(
                        page,
                        runs,
                        base=base,
                        layer=layer.id,
                        data=data,
                        side=image.shape[0] // POLICY.block_edge,
                    )
                    if other == port:
                        rows += plans(page)
                name = f"256³ uint8 by the brick stream{where}"
                rows.append(Row(name, bricks, chunks, "ms", "6 parallel chunk fetches", target))
    finally:
        v.close()
    return rows
