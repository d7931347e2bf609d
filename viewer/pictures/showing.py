"""What a Viewer can do with the pages that show it: name them, and have pictures taken."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer import state
from viewer.document.document import Document
from viewer.messages import Progress
from viewer.pictures.headless_page import HeadlessPage
from viewer.pictures.picture import Picture
from viewer.pictures.sessions import Sessions, Wish, best, check_size

if TYPE_CHECKING:
    from viewer.pictures.animation import Animation, Take
    from viewer.server.attendance import Attendance

SIZE = (1200, 900)
"""CSS pixels of a page that nobody sees, unless somebody says otherwise."""


class Showing(ABC):
    """The part of the Viewer that looks at its pages."""

    _lock: threading.RLock
    _headless: HeadlessPage | None = None

    @abstractmethod
    def _open(self) -> Document:
        """The document; `ClosedError` when all is over."""

    @abstractmethod
    def _attendance(self) -> Attendance:
        """The pages, as the server knows them."""

    @abstractmethod
    def _page_url(self) -> str:
        """Address of the page for a browser on this machine."""

    @abstractmethod
    def tell(self, progress: Progress) -> None:
        """Show progress on the pages."""

    @abstractmethod
    def _made_exact(
        self, shown: state.Document, levels: Mapping[str, Iterable[int]], end: float
    ) -> state.Document | None:
        """What was shown, of data that has become exact since; None when it was exact.

        What of each layer, by id, was shown are some of its levels. Raises `DeadlineError` when it is not until `end`.
        """

    @property
    def sessions(self) -> Sessions:
        """The pages that show this viewer now, by id: a mapping that follows them.

        Examples
        --------
        >>> for session in v.sessions.values():
        ...     print(session.id, session.size, session.visible)
        >>> v.sessions["5f0c"].screenshot("theirs.png")
        """
        self._open()
        return Sessions(
            self._attendance(), lambda wish, id: self._taken(wish, self._open().state, id)
        )

    def screenshot(
        self,
        path: str | Path | None = None,
        *,
        size: tuple[int, int] | None = None,
        scale: float = 1,
        panel: state.Panel | None = None,
        background: Any = None,
        overlays: bool = True,
        timeout: float = 30,
    ) -> Picture:
        """A picture of all that has been set until now, with everything loaded and drawn.

        The page that is in front takes it, beside what it shows. With no page open, a browser
        without a window is started, and closed again; for more pictures than one, use
        `viewer.headless`. From any thread, and from callbacks.

        Parameters
        ----------
        path : str or Path, optional
            Also write it there: ``"figure.png"``, or what else Pillow writes.
        size : (int, int), optional
            CSS pixels (width, height); default those of the panels as they are seen.
        scale : float, default 1
            Pixels of the picture for each CSS pixel: 2 for a screen of high resolution, 4 for
            print. Lettering and lines grow with it; of the data, finer levels are shown.
        panel : {"xy", "xz", "yz", "3d"}, optional
            Only this one; default the view's layout.
        background : colour, optional
            Where there is no data: ``"white"``, ``"transparent"``, ``"#rrggbb"``, or numbers from
            0 to 1; default that of the theme.
        overlays : bool, default True
            Whether crosshair, axis and panel names and scale bar are drawn, as far as the view
            has them.
        timeout : float, default 30
            Seconds that loading and drawing may take.

        Returns
        -------
        Picture
            An array of (height, width, 4) uint8, which a notebook shows.

        Raises
        ------
        DeadlineError
            When something had not come in time; the message says what.
        SourceError
            When something in view cannot be read, or the browser cannot draw.
        TooLargeError
            For more pixels than `viewer.policy.Policy` or the browser allow.
        ClosedError
            When the page was closed meanwhile.
        MissingExtraError
            With no page open, and no browser to be found.
        """
        wish = Wish.checked(path, size, scale, panel, background, overlays, timeout)
        return self._picture(wish, self._open().state)

    def animate(
        self,
        keyframes: Sequence[tuple[float, Mapping[str, Any]]],
        fps: float = 30,
        *,
        size: tuple[int, int] | None = None,
        scale: float = 1,
        panel: state.Panel | None = None,
        background: Any = None,
        overlays: bool = True,
        timeout: float = 30,
    ) -> Animation:
        """A film: how the view and the layers' styles change from keyframe to keyframe.

        The document stays as it is, and so do the pages. Numbers go in straight lines, zoom in
        equal ratios, the camera by the shortest turn; all else steps when its keyframe comes.

        Parameters
        ----------
        keyframes : sequence of (float, dict)
            Seconds from the start, ascending, and what is set then:
            ``{"view.camera.orientation": (0, 1, 0, 0)}``, or nested, with layers by their names:
            ``{"view": {"zoom": 4}, "layers": {"cells": {"opacity": 0.3}}}``.
        fps : float, default 30
            Frames a second.
        size, scale, panel, background, overlays, timeout
            Of each frame, as in `screenshot`.

        Returns
        -------
        Animation
            To be made by `Animation.save` or `Animation.frames`.

        Examples
        --------
        >>> turn = v.animate([(0, {"view.camera.orientation": (0, 0, 0, 1)}),
        ...                   (3, {"view.camera.orientation": (0, 1, 0, 0)})], panel="3d")
        >>> turn.save("turn.mp4")
        """
        from viewer.pictures.animation import Animation
        from viewer.pictures.keyframes import Keyframes

        wish = Wish.checked(None, size, scale, panel, background, overlays, timeout)
        return Animation(
            Keyframes(self._open().state, keyframes),
            fps,
            wish,
            self._camera,
            lambda done: self.tell(Progress(None, "animation", done)),
        )

    def _picture(self, wish: Wish, shown: state.Document) -> Picture:
        with self._camera(wish) as take:
            return take(wish, shown)

    @contextmanager
    def _camera(self, wish: Wish) -> Iterator[Take]:
        """A page that takes pictures: one that is open, else one that is closed afterwards."""
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
