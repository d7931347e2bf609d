"""What a Viewer does with the pages that show it: it asks them for pictures, and opens its own."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from viewer import calls, state
from viewer.document import patch
from viewer.pictures.headless_page import HeadlessPage
from viewer.pictures.picture import Picture
from viewer.pictures.picturing import Picturing, Take
from viewer.pictures.sessions import Wish, best, check_size

if TYPE_CHECKING:
    from viewer.server.attendance import Attendance, Attendant

SIZE = (1200, 900)
"""CSS pixels of a page that nobody sees, unless somebody says otherwise."""

HELD_SECONDS = 0.05
"""Seconds between looks whether somebody far away still needs a page."""


class Showing(Picturing):
    """The part of the Viewer that looks at its pages."""

    _lock: threading.RLock
    _headless: HeadlessPage | None = None

    @abstractmethod
    def _attendance(self) -> Attendance:
        """The pages, as the server knows them."""

    @abstractmethod
    def _page_url(self) -> str:
        """Address of the page for a browser on this machine."""

    @abstractmethod
    def _made_exact(
        self, shown: state.Document, levels: Mapping[str, Iterable[int]], end: float
    ) -> state.Document | None:
        """The document of data that has become exact since; None when it was exact.

        Parameters
        ----------
        shown : Document
            What was shown.
        levels : mapping
            The levels of each layer that it was made of, by the layer's id.
        end : float
            `DeadlineError` is raised when it is not exact until then.
        """

    def _here(self) -> tuple[Attendant, ...]:
        return self._attendance().attendants

    def _picture(
        self, wish: Wish, session: str = "", shown: state.Document | None = None
    ) -> Picture:
        now = self._open().state if shown is None else shown
        if session:
            return self._taken(wish, now, session)
        with self._camera(wish) as take:
            return take(wish, now)

    @contextmanager
    def _camera(self, wish: Wish) -> Iterator[Take]:
        attendance = self._attendance()
        found = best(attendance.attendants)
        if found is not None:
            yield lambda one, shown: self._taken(one, shown, found.id)
            return
        with HeadlessPage(self._page_url(), attendance, wish.size or SIZE, wish.timeout) as page:
            yield lambda one, shown: self._taken(one, shown, page.id)

    def _taken(self, wish: Wish, shown: state.Document, id: str) -> Picture:
        """The picture by one page; again, as long as previews in it have become exact since."""
        end = time.monotonic() + wish.timeout
        while True:
            picture, levels = wish.taken(self._attendance(), id, shown)
            exact = self._made_exact(shown, levels, end)
            if exact is None or time.monotonic() > end:
                return picture
            shown = exact

    def _picture_for_link(self, document: object, session: str, looks: Any) -> Picture:
        """A picture for another process; `document` is None for what is shown now."""
        wish = Wish.checked(None, *looks)
        shown = None
        if document is not None:
            shown = patch.convert(document, state.Document, ("document",))
        return self._picture(wish, session, shown)

    def _hold_page(self, size: Any, timeout: float) -> None:
        """Have a page open until the call that this is done for is cancelled."""
        with self._camera(Wish.checked(None, size, 1, None, None, True, timeout)):
            while True:
                calls.check()
                self._open()
                time.sleep(HELD_SECONDS)

    def _open_headless(self, size: Any, timeout: float = 60) -> None:
        """Attach a page that nobody sees; it goes with the viewer."""
        checked = check_size(size)
        page = HeadlessPage(self._page_url(), self._attendance(), checked, timeout)
        with self._lock:
            self._headless, before = page, self._headless
        if before is not None:
            before.close()

    def _close_headless(self) -> None:
        with self._lock:
            page, self._headless = self._headless, None
        if page is not None:
            page.close()
