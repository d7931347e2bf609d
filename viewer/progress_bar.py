"""A line on the terminal that says how far long work is."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

INTERVAL_SECONDS = 0.1
"""Seconds from one drawing to the next."""


class ProgressBar:
    """Drawn on a terminal only; written to a file or a pipe it would be noise.

    Parameters
    ----------
    stream : file, optional
        Default the standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream is not None and self._stream.isatty()
        self._start = time.monotonic()
        self._drawn = 0.0

    def show(self, task: str, done: float) -> None:
        """Draw it, unless that was done a moment ago; `done` is 0 to 1."""
        now = time.monotonic()
        if not self._shown or now - self._drawn < INTERVAL_SECONDS:
            return
        self._drawn = now
        spent = now - self._start
        left = f", {_spell(spent / done - spent)} left" if done > 0.01 and spent > 2 else ""
        line = f"{task}: {done:4.0%}{left}"
        room = shutil.get_terminal_size().columns - len(line) - 4
        if room >= 10:
            full = round(done * min(room, 40))
            line = f"{line} [{'#' * full}{'.' * (min(room, 40) - full)}]"
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()

    def close(self) -> None:
        """Remove it."""
        if self._shown and self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _spell(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
