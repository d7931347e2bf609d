"""Fixtures of the tests that look at the real page in a real Chromium.

    def test_shows_a_volume(viewer_, open_page, settled):
        viewer_.add_image(volume)
        page = open_page(viewer_)
        settled(page)
        …

A test that provokes errors says so with ``open_page(v, errors=True)``; for all others anything
that the page writes to the console as an error, and any uncaught exception, fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.chromium import FLAGS, LIGHT, REMEDY, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Frame, Page

    import viewer

SETTLE_SECONDS = 30.0
"""How long a page may take until everything in view is loaded and drawn."""

SETTLE = """async (milliseconds) => {
  const end = performance.now() + milliseconds;
  while (window.voxelview === undefined) {
    if (performance.now() > end) return "window.voxelview never appeared";
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const late = new Promise((resolve) => setTimeout(resolve, end - performance.now(), "late"));
  const first = await Promise.race([window.voxelview.settled(), late]);
  return first === "late" ? JSON.stringify(window.voxelview.status()) : null;
}"""


@pytest.fixture(scope="session")
def _browser_type() -> Iterator[BrowserType]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def chromium_browser(_browser_type: BrowserType, client: Path) -> Iterator[Browser]:
    """One browser for the whole run; the client it will show is built."""
    executable = find_chromium(_browser_type.executable_path)
    if executable is None:
        pytest.fail(REMEDY, pytrace=False)
    browser = _browser_type.launch(executable_path=executable, args=[*FLAGS, *LIGHT])
    yield browser
    browser.close()


@pytest.fixture
def open_page(chromium_browser: Browser) -> Iterator[Callable[..., Page]]:
    """``open_page(v, size=(1200, 800), errors=False, pixel_ratio=1)``: a new page on a viewer.

    `v` may be a Viewer or a URL. Each call is a window of its own (nothing is shared but the
    document). Extra keywords go to Playwright's ``new_context``.
    """
    contexts = []
    complaints: list[str] = []

    def open_page(
        v: viewer.Viewer | str,
        size: tuple[int, int] = (1200, 800),
        *,
        errors: bool = False,
        pixel_ratio: float = 1,
        **options: object,
    ) -> Page:
        context = chromium_browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=pixel_ratio,
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * SETTLE_SECONDS)
        if not errors:
            page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
            page.on(
                "console",
                lambda message: (
                    complaints.append(f"console: {message.text}")
                    if message.type == "error"
                    else None
                ),
            )
        page.goto(str(v))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def settled() -> Callable[..., None]:
    """``settled(page, seconds=30)``: wait until everything in view is loaded and drawn."""

    def settled(page: Page | Frame, seconds: float = SETTLE_SECONDS) -> None:
        status = page.evaluate(SETTLE, 1000 * seconds)
        assert status is None, f"not settled after {seconds:g} s: {status}"

    return settled
