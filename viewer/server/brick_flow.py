"""How many bytes of bricks may be on their way to one page.

As many as the page takes in twice the time that it takes to hear from it, so that one who could
take more comes to show it: more would only be stale when it comes, if the page has moved on; fewer
would leave the network idle. Both are measured by what the page says that it has taken, end to end,
since whatever lies between (an SSH tunnel, a proxy) has buffers of its own. Pure bookkeeping, no
I/O.
"""

from __future__ import annotations

import math
from collections import deque

QUEUE_SECONDS = 0.1
"""Seconds of bricks that may wait somewhere, beyond what is travelling: a page that draws takes
bricks in bursts, and must not run dry."""

SAMPLES = 16
"""Measurements remembered: the best of them counts, so that one slow frame changes nothing."""


class Flow:
    """Bytes on their way, and how many may be.

    Parameters
    ----------
    start : int
        Bytes that may be on their way before anything has been measured.
    least, most : int
        Bounds of that in bytes, once it is measured.
    """

    def __init__(self, start: int, least: int, most: int) -> None:
        self.window = start
        """Bytes that may be on their way."""
        self._least = start
        self._least_measured = min(start, least)
        self._most = max(start, most)
        self._sent = 0
        self._taken = 0
        self._taken_at = 0.0
        self._under_way: deque[tuple[int, float, int, float, bool]] = deque()
        self._rates: deque[float] = deque(maxlen=SAMPLES)
        self._delay = math.inf

    @property
    def on_the_way(self) -> int:
        """Bytes sent, and not taken as far as is known."""
        return self._sent - self._taken

    def narrow(self, size: int) -> None:
        """The page expects that so many bytes suffice; ignored when it has been measured."""
        if not self._rates:
            self._least = max(min(self._least, size), self._least_measured)
            self.window = self._least

    def sent(self, size: int, now: float) -> int:
        """`size` bytes have been handed to the network; returns how many in all."""
        if not self.on_the_way:
            self._taken_at = now
        self._sent += size
        # A page that wants little says nothing about how much it could take.
        is_busy = 2 * self.on_the_way > self.window
        self._under_way.append((self._sent, now, self._taken, self._taken_at, is_busy))
        return self._sent

    def taken(self, total: int, now: float) -> None:
        """The page has taken so many bytes in all."""
        self._taken = max(self._taken, min(total, self._sent))
        self._taken_at = now
        while self._under_way and self._under_way[0][0] <= self._taken:
            _, at, taken, taken_at, is_busy = self._under_way.popleft()
            self._delay = min(now - at, self._delay)  # the others had to wait in a queue
            rate = (self._taken - taken) / max(now - taken_at, 1e-4)
            if is_busy:
                self._least = self._least_measured
            if is_busy or rate > max(self._rates, default=0.0):
                self._rates.append(rate)
                wait = 2 * self._delay + QUEUE_SECONDS
                self.window = int(min(max(max(self._rates) * wait, self._least), self._most))
