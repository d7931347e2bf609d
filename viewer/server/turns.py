"""The turns of the server's loop: how long it has worked in the present one.

In one turn the loop hears everybody who has something to say. What it does for one of them, all
others wait for; so what takes long may be begun only while the turn has time for it.
"""

from __future__ import annotations

import time


class Turn:
    """Bounds what is done in one turn of the running loop.

    Parameters
    ----------
    seconds : float
        From the first question to the last that gets a yes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def has_time(self) -> bool:
        """Whether something may be begun; on the loop."""
        now = time.monotonic()
        if self._end is None:
            from asyncio import get_running_loop  # later than the first page

            self._end = now + self._seconds
            get_running_loop().call_soon(self._over)  # first of all in the next turn
        return now < self._end

    def _over(self) -> None:
        self._end = None
