"""The page in windows of all sizes: nothing covers what one has to click."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.picture import show

UNCOVERED = """(buttons) => buttons.map((button) => {
  const { left, top, width, height } = button.getBoundingClientRect();
  const found = document.elementFromPoint(left + width / 2, top + height / 2);
  return button === found || button.contains(found);
})"""
"""Whether a click in the middle of each of these hits it."""


class Fragile:
    """An image that cannot be read once it is broken."""

    shape = (64, 64, 64)
    dtype = np.dtype(np.uint8)
    broken = False

    def __getitem__(self, box):
        if self.broken:
            raise OSError("[Errno 5] Input/output error: /data/experiments/2026/plate 7/stack.h5")
        return np.zeros([len(range(*part.indices(64))) for part in box], np.uint8)


@pytest.mark.parametrize("size", [(480, 360), (800, 600), (1000, 700), (1600, 1000)])
@pytest.mark.parametrize("layout", ["4panel", "xy"])
def test_messages_leave_buttons_free(viewer_, open_page, size, layout) -> None:
    data = Fragile()
    viewer_.add_image(data, rendering="mip")
    data.broken = True
    viewer_.view.layout = layout
    page = open_page(viewer_, size, errors=True)
    show(page, viewer_)
    buttons = page.get_by_role("button", name="Retry")
    buttons.first.wait_for()
    assert all(buttons.evaluate_all(UNCOVERED))
    # The panels say it; nothing pops up besides.
    page.locator(".toast").wait_for(state="detached")
    assert buttons.count() >= (4 if layout == "4panel" and size[0] > 480 else 1)
