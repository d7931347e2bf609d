"""The page at every size, in both themes, and what it weighs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.scene import Scene, add_scene, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

OpenPage = Callable[..., "Page"]
Settled = Callable[..., None]

QUOTA = 150 * 1024
"""Bytes, compressed, of everything before the first paint."""

OVERFLOWS = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility === "visible")
  .filter((e) => !e.closest(".sidebar, .palette, .histogram, .status-bar, svg, .stage canvas"))
  .filter((e) => { const b = e.getBoundingClientRect();
    return b.left < -9 || b.top < -9 || b.right > innerWidth + 9 || b.bottom > innerHeight + 9; })
  .map((e) => e.tagName + "." + e.className)"""


@pytest.fixture
def scene(viewer_: viewer.Viewer) -> Scene:
    return add_scene(viewer_)


@pytest.mark.parametrize(
    "size", [(320, 568), (360, 640), (700, 400), (800, 600), (1200, 800), (3840, 2160)]
)
def test_nothing_sticks_out_at_any_size(
    scene: Scene, open_page: OpenPage, settled: Settled, size: tuple[int, int]
) -> None:
    page = open_page(scene.v, size)
    settled(page)
    assert page.evaluate(OVERFLOWS) == []
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    assert stage["width"] * stage["height"] > 0.5 * size[0] * size[1]


@pytest.mark.parametrize("pixel_ratio", [1, 2])
def test_the_canvas_fills_the_stage_with_the_screens_pixels(
    scene: Scene, open_page: OpenPage, settled: Settled, pixel_ratio: int
) -> None:
    page = open_page(scene.v, (801, 601), pixel_ratio=pixel_ratio)
    settled(page)
    pixels, shown, room = page.evaluate(
        """() => { const c = document.querySelector(".stage canvas"), s = c.parentElement;
                   return [[c.width, c.height], [c.clientWidth, c.clientHeight],
                           [s.clientWidth, s.clientHeight]]; }"""
    )
    assert shown == room
    assert pixels == [pixel_ratio * length for length in room]


def test_on_a_narrow_page_the_layer_panel_lies_over_the_picture(
    scene: Scene, open_page: OpenPage, settled: Settled
) -> None:
    page = open_page(scene.v, (700, 400))
    settled(page)
    before = page.locator(".stage").bounding_box()
    assert page.locator(".sidebar").count() == 0
    page.keyboard.press("l")
    page.locator(".sidebar").wait_for()
    assert page.locator(".stage").bounding_box() == before


CONTRAST = """(selectors) => {
  const channel = (c) =>
    c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  return selectors.flatMap((selector) => [...document.querySelectorAll(selector)].map((e) => {
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    return [selector, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; }));
}"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_has_enough_contrast(
    scene: Scene, open_page: OpenPage, settled: Settled, theme: str
) -> None:
    scene.v.theme = theme
    page = open_page(scene.v)
    eventually(lambda: page.evaluate(f"document.documentElement.dataset.theme === '{theme}'"))
    settled(page)
    selectors = [".row-label", ".layer-name", ".brand h1", ".sidebar-note", ".segments button"]
    measured = page.evaluate(CONTRAST, [*selectors, ".connection", ".section-head h2", ".number"])
    assert len(measured) > 10
    assert [entry for entry in measured if entry[1] < 4.5] == []


def test_focus_is_seen(scene: Scene, open_page: OpenPage, settled: Settled) -> None:
    page = open_page(scene.v)
    settled(page)
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { const e = document.activeElement; if (e === document.body) return null;
              const look = (e, part) => { const s = getComputedStyle(e, part);
                return s.outlineStyle !== "none" || s.borderColor !== "rgba(0, 0, 0, 0)"; };
              return [e.outerHTML.slice(0, 80), look(e) || e.matches(".range, .divider, .handle")
                || e.parentElement.matches(".swatch:focus-within")]; }"""
        )
        if seen is not None and not seen[1]:
            unseen.append(seen[0])
    assert unseen == []


def test_every_control_has_a_name(scene: Scene, open_page: OpenPage, settled: Settled) -> None:
    page = open_page(scene.v)
    settled(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [role=slider]")]
            .filter((e) => !(e.ariaLabel ?? e.innerText ?? "").trim())
            .map((e) => e.outerHTML.slice(0, 100))"""
    )
    assert nameless == []


def test_the_page_is_light(client: Path) -> None:
    files = [*client.glob("assets/*.js"), *client.glob("assets/*.css"), client / "index.html"]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < QUOTA


def test_the_page_needs_nothing_from_elsewhere(client: Path) -> None:
    index = (client / "index.html").read_text()
    for address in re.findall(r"""(?:src|href)="([^"]*)\"""", index):
        assert address.startswith("./"), address
    assert not re.search(r"<script(?![^>]*src=)", index), "inline scripts are forbidden"
    assert not list(client.rglob("*.map"))
