"""Take the README's picture, `docs/images/viewer.png`: the real page with the example's data."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from scripts.chromium import FLAGS, REMEDY, find_chromium

TARGET = Path(__file__).parents[1] / "docs" / "images" / "viewer.png"

LIMIT_BYTES = 400_000

SIZE = (1120, 700)
"""CSS pixels of the window."""


def take(path: Path, size: tuple[int, int] = SIZE, pixel_ratio: float = 1) -> None:
    """Start the example, look at it, and save what is seen."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    os.environ["VOXELVIEW_HEADLESS"] = "1"
    import example
    import viewer

    with sync_playwright() as playwright:
        executable = find_chromium(playwright.chromium.executable_path)
        if executable is None:
            sys.exit(REMEDY)
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        page = browser.new_page(
            viewport={"width": size[0], "height": size[1]}, device_scale_factor=pixel_ratio
        )
        page.goto(example.v.url)
        page.wait_for_function("window.voxelview !== undefined")
        page.evaluate("window.voxelview.settled()")
        page.wait_for_timeout(500)  # transitions of the interface
        shot = page.screenshot()
        browser.close()
    viewer.stop()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(shot)).convert("RGB").save(path, optimize=True)
    assert path.stat().st_size < LIMIT_BYTES, f"{path} is too large for a repository"


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
