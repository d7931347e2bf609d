"""Who reads bricks for a page at the moment, and who may begin.

They are few, so that what the page comes to want is begun soon. But one who has been away for long
is with a slow source, or one that hangs, and the layers of other sources do not wait for him: he
counts among those of his own layer only.
"""

from __future__ import annotations

from collections.abc import Iterator

from viewer.pyramids.pyramid import Key, Pyramid
from viewer.server.brick_plan import Share

HOPS = 3
"""Batches with the workers at a time: one being read, one waiting, one on its way back."""

LONG_SECONDS = 0.1
"""Seconds after which a reader holds nobody up any more but those of his layer."""


class Readers:
    """The readers of one page."""

    def __init__(self) -> None:
        self._all: dict[Share, tuple[str, int, float]] = {}

    def begin(self, share: Share, layer: str, size: int, now: float) -> None:
        """One begins, who will bring so many bytes of a layer."""
        self._all[share] = (layer, size, now)

    def end(self, share: Share) -> None:
        """He is back."""
        del self._all[share]

    def wait(self, now: float) -> float | None:
        """Seconds until another may begin if nobody comes back before; None if he may now."""
        since = sorted(begun for _, _, begun in self._prompt(now))
        return since[-HOPS] + LONG_SECONDS - now if len(since) >= HOPS else None

    def coming(self, now: float) -> int:
        """Bytes that will be brought soon: what hangs takes no room on the way."""
        return sum(size for _, size, _ in self._prompt(now))

    def are_all_at(self, layer: str) -> bool:
        """Whether a layer has as many readers as it may."""
        return sum(at == layer for at, _, _ in self._all.values()) >= HOPS

    def bring(self, pyramid: Pyramid, block: Key) -> bool:
        """Whether one of them is about to bring a block."""
        return any(share.pyramid is pyramid and block in share.blocks for share in self._all)

    def _prompt(self, now: float) -> Iterator[tuple[str, int, float]]:
        return (one for one in self._all.values() if now - one[2] < LONG_SECONDS)
