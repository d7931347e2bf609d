"""The brick stream against six parallel fetches of Zarr chunks, in a real browser.

Milliseconds for the whole of an image of 256³ voxels at full resolution, as a page receives it.
"""

from __future__ import annotations

from tests.benchmarks.page_timer import fresh_page
from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

RUNS = 5

BRICKS = """(async () => {
  const indices = [];
  for (let z = 0; z < %(side)d; z++)
    for (let y = 0; y < %(side)d; y++)
      for (let x = 0; x < %(side)d; x++) indices.push(1, 0, z, y, x);
  const socket = new WebSocket("%(base)sbricks".replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const start = performance.now();
  let left = indices.length / 5;
  const all = new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      socket.send(JSON.stringify({ type: "credit", bytes: data.byteLength }));
      if (--left === 0) resolve();
    };
  });
  socket.send(JSON.stringify({ type: "open", volume: 1, layer: "%(layer)s", point: [] }));
  socket.send(JSON.stringify({ type: "want", generation: 1, bricks: indices }));
  await all;
  const time = performance.now() - start;
  socket.close();
  return time;
})()"""

CHUNKS = """(async () => {
  const urls = [];
  for (let z = 0; z < %(side)d; z++)
    for (let y = 0; y < %(side)d; y++)
      for (let x = 0; x < %(side)d; x++)
        urls.push(`%(base)slayers/%(layer)s/0/c/${z}/${y}/${x}`);
  const start = performance.now();
  const worker = async () => {
    for (let url = urls.pop(); url !== undefined; url = urls.pop()) {
      const answer = await fetch(url, { cache: "no-store" });
      if (!answer.ok) throw new Error(`${answer.status} ${url}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map(worker));
  return performance.now() - start;
})()"""


def run(chromium: str, runs: int = RUNS) -> list[Row | Skipped]:
    """Measure both in turn in one page; the first round only warms up."""
    import viewer
    from viewer.policy import POLICY

    image = image_like(segmentation())
    v = viewer.Viewer()
    try:
        layer = v.add_image(image)
        words = {"base": v.url, "layer": layer.id}
        bricks = BRICKS % {**words, "side": image.shape[0] // POLICY.brick_edge}
        chunks = CHUNKS % {**words, "side": image.shape[0] // POLICY.block_edge}
        times: dict[str, list[float]] = {bricks: [], chunks: []}
        with fresh_page(chromium) as page:
            page.open(v.url + "colormaps.json")  # of the same origin, and at rest
            for round_ in range(runs + 1):
                for script, found in times.items():
                    milliseconds = float(page.evaluate(script))
                    if round_:
                        found.append(milliseconds)
    finally:
        v.close()
    name = "256³ uint8 over the brick stream"
    return [
        Row(name, middle(times[bricks]), middle(times[chunks]), "ms", "6 parallel chunk fetches")
    ]
