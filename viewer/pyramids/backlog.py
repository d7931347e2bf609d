"""Blocks that were shown as previews, and are made exactly in the background.

A reader who cannot wait gets a preview of what takes long to read, and the block goes on this list.
A few threads work it off, what was looked at last first, as long as no reader is at work himself.
What they have made is in the cache; then it is said which box that is, so that pages read it again.

    reader   preview ─┐                            ┌─ exact
    backlog           └─ quiet ─ make ─ announced ─┘

Coarse levels on the way to the one looked at are seen for a moment only: they are made last, while
nobody reads anything, and only where that is cheap.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from viewer.errors import ViewerError

QUIET_SECONDS = 0.3
"""Without a reader, until work begins; between the requests of one picture there is less."""

PATIENCE_SECONDS = 10.0
"""The longest that work which has not begun waits for readers: one of them may hang."""

REST_SECONDS = 2.0
"""Without a reader, until what was seen on the way is made: one who scrolls goes on sooner."""

PAUSE_SECONDS = 0.5
"""The longest that work under way waits for readers: they may wait for it, too."""

LOOK_SECONDS = 0.5
"""Without a reader, after which the next one begins a new look."""

LOOKS = 64
"""Looks from which on those that nothing waits for are forgotten."""

AGAIN_SECONDS = 30.0
"""How soon a block is not made again: it found no room in the cache."""

FIRST_NEWS_SECONDS = 0.5
"""From the beginning of the work to the first announcement; each makes pages ask again."""

NEWS_SHARE = 0.25
"""The next one comes after so much of the time that has passed."""

THREADS = max(1, min(3, (os.cpu_count() or 1) - 1))

NICENESS = 10
"""Of the threads, where threads have one: readers, and a page on the same computer, go first."""

Index = tuple[int, ...]
Item = tuple[int, Index]
"""Level and index of a block."""


class Backlog:
    """What is to be made of one pyramid.

    Parameters
    ----------
    make : callable
        ``make(level, index, cancelled)`` makes a block and keeps it.
    cheap : callable
        ``cheap(level)``: whether a block of this level takes little reading.
    announce : callable
        Called on a thread with blocks, all of one level, that are there now.
    tell : callable
        Called with the part that is done, 1.0 in the end.
    """

    def __init__(
        self,
        make: Callable[[int, Index, Callable[[], bool]], object],
        cheap: Callable[[int], bool],
        announce: Callable[[int, list[Index]], None],
        tell: Callable[[float], None],
    ) -> None:
        self._make = make
        self._cheap = cheap
        self._announce = announce
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting: dict[Item, int] = {}  # item → look
        self._under_way: set[Item] = set()
        self._made: list[Item] = []
        self._done: dict[Item, float] = {}  # item → when
        self._finest: dict[int, int] = {}  # look → finest level read
        self._look = 0
        self._readers = 0
        self._last_read = 0.0
        self._began = self._told = 0.0
        self._count = 0
        self._threads = 0
        self._announcing = 0
        self._aimed = True  # whether that is made which is looked at
        self._closed = False

    @contextmanager
    def reading(self, level: int) -> Iterator[None]:
        """While a reader is at work at a level."""
        with self._changed:
            now = time.monotonic()
            if not self._readers and now - self._last_read > LOOK_SECONDS:
                self._look += 1
                if len(self._finest) > LOOKS:
                    looks = set(self._waiting.values())
                    self._finest = {n: at for n, at in self._finest.items() if n in looks}
            self._readers += 1
            finest = self._finest.get(self._look, level)
            self._finest[self._look] = min(finest, level)
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._last_read = time.monotonic()

    def want(self, level: int, index: Index) -> None:
        """A block was shown as a preview."""
        item = (level, index)
        with self._changed:
            done = self._done.get(item)
            recent = done is not None and time.monotonic() - done < AGAIN_SECONDS
            if self._closed or recent or item in self._under_way:
                return
            self._waiting.pop(item, None)
            self._waiting[item] = self._look
            self._staff()

    def hurry(self, levels: Collection[int]) -> bool:
        """Whether blocks of some levels are still to become exact, or to be announced.

        Somebody waits for them. They are what is looked at from now on, whatever finer level was
        read in the same look.
        """
        with self._changed:
            if self._closed:
                return False
            late = [item for item in self._waiting if item[0] in levels]
            if not all(self._is_aim(item, self._waiting[item]) for item in late):
                self._look += 1
                self._finest[self._look] = max(level for level, _ in late)
                self._waiting.update(dict.fromkeys(late, self._look))
                self._staff()
            begun = [*self._under_way, *self._made]
            return bool(late or self._announcing) or any(level in levels for level, _ in begun)

    def _staff(self) -> None:
        """Threads for what is waiting; under the lock."""
        while self._threads < min(THREADS, len(self._waiting)):
            self._threads += 1
            threading.Thread(target=self._run, name="voxelview-exact", daemon=True).start()

    def forget(self) -> None:
        """The data has changed: what was made may be wanted again."""
        with self._changed:
            self._done.clear()

    def clear(self) -> None:
        """Begin nothing more of what has been wanted so far."""
        with self._changed:
            self._waiting.clear()

    def close(self) -> None:
        """Give up, now and for good."""
        with self._changed:
            self._closed = True
            self._waiting.clear()

    def _run(self) -> None:
        """Body of a thread: until nothing is left."""
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while (item := self._take()) is not None:
            made = False
            try:
                self._make(*item, self._pause)
                made = True
            except ViewerError:  # the preview stays; who reads there himself is told why
                pass
            except BaseException:
                with self._changed:
                    self._threads -= 1
                raise
            finally:
                self._finish(item, made)

    def _take(self) -> Item | None:
        """What to make next, as soon as readers are at rest; None when the thread should end."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            with self._changed:
                item = None if self._closed else self._next()
                if item is None:
                    self._threads -= 1
                    return None
                now = time.monotonic()
                aimed = self._is_aim(item, self._waiting[item])
                rest = QUIET_SECONDS if aimed else REST_SECONDS
                quiet = not self._readers and now - self._last_read >= rest
                if quiet or (aimed and now > end):
                    del self._waiting[item]
                    self._under_way.add(item)
                    self._aimed = aimed
                    if not self._count and len(self._under_way) == 1:
                        self._began = self._told = now
                    return item
            time.sleep(QUIET_SECONDS / 3)

    def _next(self) -> Item | None:
        """The first of the latest look, what is looked at before what is ahead; under the lock."""
        best: Item | None = None
        rank = (False, -1, -1)
        for item, look in self._waiting.items():
            aimed = self._is_aim(item, look)
            if self._is_worth(item, look) and (aimed, item[0], look) > rank:
                best, rank = item, (aimed, item[0], look)
        return best

    def _is_aim(self, item: Item, look: int) -> bool:
        """Whether a block is of the finest level of its look, or may be: pages look one ahead."""
        level, finest = item[0], self._finest.get(look, 0)
        return level <= finest or (0 < finest == level - 1 and self._cheap(level))

    def _is_worth(self, item: Item, look: int) -> bool:
        return item[0] <= self._finest.get(look, 0) + 1 or self._cheap(item[0])

    def _pause(self) -> bool:
        """Let readers go first, but not for long; whether to give up."""
        end = time.monotonic() + PAUSE_SECONDS
        while self._readers and not self._closed and time.monotonic() < end:
            time.sleep(0.01)
        return self._closed

    def _finish(self, item: Item, made: bool) -> None:
        with self._changed:
            now = time.monotonic()
            self._under_way.discard(item)
            self._done[item] = now
            self._count += 1
            if made:
                self._made.append(item)
            # What is made at rest is no reason to say that there is work left.
            left = len(self._under_way) + sum(
                self._is_aim(other, look) or (not self._aimed and self._is_worth(other, look))
                for other, look in self._waiting.items()
            )
            since = self._told - self._began
            due = not left or now - self._told >= max(FIRST_NEWS_SECONDS, since * NEWS_SHARE)
            news: list[Item] = []
            if due:
                news, self._made, self._told = self._made, [], now
            part = self._count / (self._count + left)
            if not left:
                self._count = 0
            if self._closed:
                return
            self._announcing += 1
        try:
            for level in sorted({level for level, _ in news}):
                self._announce(level, [index for at, index in news if at == level])
        finally:
            with self._changed:
                self._announcing -= 1
        self._tell(part)
