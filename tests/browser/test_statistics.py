"""The statistics panel, and the budgets that are chosen there."""

from __future__ import annotations

import re

import numpy as np

from tests.browser.picture import DARK, gray, nearest, positions, read, rest, show, wrong
from tests.browser.scene import add_scene, eventually

MIB = 1024 * 1024


def stats(page, name):
    return page.evaluate(f"window.voxelview.stats().{name}")


def test_a_key_opens_the_panel_which_causes_no_frames(viewer_, open_page):
    add_scene(viewer_)
    page = open_page(viewer_)
    show(page, viewer_)
    page.keyboard.press("\\")
    panel = page.get_by_role("region", name="Statistics")
    panel.wait_for()
    text = panel.inner_text()
    assert re.search(r"GPU\s+[\d.]+ MiB of 1.02 GiB|GPU\s+[\d.]+ MiB of 1 GiB", text)
    assert re.search(r"ramps\s+level 0 of 1", text)
    before = rest(page)
    page.wait_for_timeout(1200)  # two readings
    assert stats(page, "frames") == before["frames"]
    page.keyboard.press("\\")
    panel.wait_for(state="detached")


def test_budgets_are_remembered(viewer_, open_page):
    add_scene(viewer_)
    page = open_page(viewer_)
    show(page, viewer_)
    page.keyboard.press("\\")
    for name, size in (("GPU", 96), ("Memory", 80)):
        field = page.get_by_label(f"{name}, MiB, as a number")
        field.fill(str(size))
        field.press("Enter")
    assert stats(page, "gpuBudget") == 96 * MIB
    assert stats(page, "cacheBudget") == 80 * MIB
    page.reload()
    show(page, viewer_)
    assert stats(page, "gpuBudget") == 96 * MIB
    assert stats(page, "cacheBudget") == 80 * MIB


def test_a_small_budget_keeps_what_is_in_view_and_loses_what_was_long_ago(viewer_, open_page):
    data = np.random.default_rng(0).integers(0, 255, (160, 256, 256), dtype=np.uint8)
    viewer_.add_image(data, interpolation="nearest", contrast_limits=(0, 255))
    viewer_.view.layout = "xy"
    viewer_.view.zoom = 2.0
    viewer_.view.center = (10.0, 128.0, 128.0)
    page = open_page(viewer_, (620, 560))
    show(page, viewer_)
    budget = 6 * MIB  # of 13 MB of bricks; a slice needs 2.3 MB
    page.evaluate(f"window.voxelview.renderer.setBudgets({{ gpu: {budget}, cache: {64 * MIB} }})")
    for z in (10, 50, 80, 110, 150, 110, 10):
        viewer_.view.center = center = (float(z), 128.0, 128.0)
        show(page, viewer_)
        picture = read(page)
        values, inside = nearest(data, positions(picture.shape, center, 2.0, "xy"))
        assert wrong(picture, np.where(inside[..., None], gray(values, 0, 255), DARK)) == 0, z
        assert stats(page, "gpuBytes") <= budget
    # What is in memory needs not be sent again.
    received = stats(page, "receivedBytes")
    viewer_.view.center = (150.0, 128.0, 128.0)
    show(page, viewer_)
    assert stats(page, "receivedBytes") == received


def test_a_budget_too_small_for_the_view_is_told_and_the_page_rests(viewer_, open_page):
    data = np.random.default_rng(0).integers(100, 255, (64, 128, 128), dtype=np.uint8)
    viewer_.add_image(data, name="noise", contrast_limits=(0, 255))
    viewer_.view.layout = "xy"
    page = open_page(viewer_, (620, 560))
    show(page, viewer_)
    whole = (read(page).max(-1) > 60).sum()
    lend = "size => window.voxelview.renderer.setBudgets({ gpu: size, cache: 2 ** 26 })"
    page.evaluate(lend, 130_000)  # two bricks of 36 kB; the coarsest level shows four
    show(page, viewer_)
    told = page.get_by_text("Too large to show whole: noise")
    told.wait_for()
    before = rest(page)
    page.wait_for_timeout(500)
    assert page.evaluate("window.voxelview.stats()")["frames"] == before["frames"]
    assert 0 < (read(page).max(-1) > 60).sum() < whole
    page.get_by_role("button", name="Lend more").click()
    page.get_by_role("region", name="Statistics").wait_for()
    page.evaluate(lend, 64 * MIB)
    show(page, viewer_)
    told.wait_for(state="detached")
    eventually(lambda: (read(page).max(-1) > 60).sum() >= whole * 0.9)


def test_less_memory_forgets_what_is_out_of_view(viewer_, open_page):
    data = np.random.default_rng(0).integers(0, 255, (256, 128, 128), dtype=np.uint8)
    viewer_.add_image(data, interpolation="nearest", contrast_limits=(0, 255))
    viewer_.view.layout = "xy"
    viewer_.view.zoom = 2.0
    page = open_page(viewer_, (620, 560))
    for z in (10.0, 60.0, 110.0, 160.0, 210.0):
        viewer_.view.center = (z, 64.0, 64.0)
        show(page, viewer_)
    rest(page)
    held = stats(page, "cacheBytes")
    received = stats(page, "receivedBytes")
    page.evaluate(f"window.voxelview.renderer.setBudgets({{ gpu: {64 * MIB}, cache: {MIB} }})")
    show(page, viewer_)
    assert stats(page, "cacheBytes") < held
    # What is in view stays: nothing is sent again.
    rest(page)
    assert stats(page, "receivedBytes") == received
