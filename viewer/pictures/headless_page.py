"""A page that nobody sees, for pictures: a browser of this machine, shown one viewer."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from viewer.errors import DeadlineError

if TYPE_CHECKING:
    from viewer.server.attendance import Attendance, Attendant

POLL_SECONDS = 0.2
"""Seconds between looks whether the browser is still there while its page is waited for."""


class HeadlessPage:
    """Opens a page on `url`; close it, or use it in a ``with`` block.

    Parameters
    ----------
    url : str
        Address of the viewer.
    attendance : Attendance
        Its pages.
    size : (int, int)
        CSS pixels.
    timeout : float
        Seconds that the page may take to come.

    Raises
    ------
    MissingExtraError
        When there is no browser; the hint says how to get one.
    DeadlineError
        When the page does not come.
    """

    def __init__(
        self, url: str, attendance: Attendance, size: tuple[int, int], timeout: float
    ) -> None:
        from viewer.pictures.browser import Browser, find_browser, may_sandbox

        attendance.refuse_loop()
        executable = find_browser()
        key = secrets.token_hex(8)
        address = f"{url}?headless={key}&size={size[0]}x{size[1]}"
        end = time.monotonic() + timeout

        def ours(here: tuple[Attendant, ...]) -> Attendant | None:
            return next((one for one in here if one.said.opener == key), None)

        for sandbox in (True, False) if may_sandbox() else (False,):
            self._browser = Browser(executable, address, size, sandbox=sandbox)
            try:
                # without its sandbox where it cannot have one, as in many containers
                while self._browser.running and time.monotonic() < end:
                    found = attendance.wait(ours, POLL_SECONDS)
                    if found is not None:
                        self.id = found.id
                        return
            except BaseException:
                self._browser.close()
                raise
            died = not self._browser.running
            self._browser.close()
            if not died:
                break
        raise DeadlineError(
            f"{executable} ended before it had opened the page."
            if died
            else f"{executable} opened no page within {timeout:g} s.",
            hint="Try it by hand, or name another browser in VOXELVIEW_CHROMIUM.",
        )

    def close(self) -> None:
        """End the browser. Idempotent."""
        self._browser.close()

    def __enter__(self) -> HeadlessPage:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
