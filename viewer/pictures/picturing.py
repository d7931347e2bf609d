"""What can be done with the pages that show a viewer, in its own process and over a Link."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from viewer import state
from viewer.document.document import Document
from viewer.errors import ViewerError
from viewer.messages import Progress
from viewer.pictures.picture import Picture
from viewer.pictures.sessions import Sessions, Wish, best

if TYPE_CHECKING:
    from viewer.pictures.animation import Animation
    from viewer.pictures.keyframes import Given
    from viewer.server.attendance import Attendant

FIRST_PAGE_SECONDS = 60.0
"""Seconds that a notebook's page may take to come, for its picture to be kept."""

Take = Callable[[Wish, state.Document], Picture]


class Place(msgspec.Struct, frozen=True):
    """Where a notebook finds the page; see `viewer.notebook.frame`."""

    url: str
    port: int | str
    path: str
    prefix: str


class Picturing(ABC):
    """The part of a Viewer, or a Link to one, that looks at its pages."""

    @abstractmethod
    def _open(self) -> Document:
        """The document; `ClosedError` when all is over."""

    @abstractmethod
    def _here(self) -> tuple[Attendant, ...]:
        """The pages that show it now."""

    @abstractmethod
    def _picture(self, wish: Wish, session: str = "") -> Picture:
        """A picture of what is shown now, by the page with this id; else by one that suits."""

    @abstractmethod
    def _camera(self, wish: Wish) -> AbstractContextManager[Take]:
        """A page that takes pictures: one that is open, else one that is closed afterwards."""

    @abstractmethod
    def _place(self) -> Place:
        """Where a notebook finds the page."""

    @abstractmethod
    def tell(self, progress: Progress) -> None:
        """Show progress on the pages."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Address of the page."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Title of the page."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether it has been closed."""

    @property
    def sessions(self) -> Sessions:
        """The pages that show this viewer now, by id: a mapping that follows them.

        Those at addresses of `share` are there, too, and say so.

        Examples
        --------
        >>> for session in v.sessions.values():
        ...     print(session.id, session.size, session.visible)
        >>> v.sessions["5f0c"].screenshot("theirs.png")
        """
        self._open()
        return Sessions(self._here, self._picture)

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
        self._open()
        return self._picture(Wish.checked(path, size, scale, panel, background, overlays, timeout))

    def animate(
        self,
        keyframes: Sequence[tuple[float, Given]],
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
        keyframes : sequence of (float, dict or path)
            Seconds from the start, ascending, and what is set then:
            ``{"view.camera.orientation": (0, 1, 0, 0)}``, or nested, with layers by their names:
            ``{"view": {"zoom": 4}, "layers": {"cells": {"opacity": 0.3}}}``; or all that was
            shown at some time: what `to_dict` returned, or a file that `save` has written.
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

    def show(self, *, height: int = 600) -> None:
        """Show the page: in a notebook below the cell, elsewhere in the browser.

        Parameters
        ----------
        height : int, default 600
            CSS pixels of the frame in a notebook.
        """
        from viewer import notebook

        if notebook.in_notebook():
            self._ipython_display_(height)
        else:
            import webbrowser

            webbrowser.open(self.url)

    def _ipython_display_(self, height: int = 600) -> None:
        """Show the page below a notebook's cell, and a picture for when it is gone."""
        from viewer import notebook

        page = f"voxelview-{secrets.token_hex(6)}"
        bundle = self._repr_mimebundle_(height=height, id=page)
        if notebook.in_notebook() and not self.closed:
            notebook.show(bundle, page, self._first_picture)
        else:
            print(bundle["text/plain"])

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None, *, height: int = 600, id: str = ""
    ) -> dict[str, str]:
        """What a notebook shows at the end of a cell: the page in a frame."""
        from viewer import notebook

        if self.closed:
            return {"text/plain": repr(self)}
        place = self._place()
        page = notebook.frame(
            id=id or f"voxelview-{secrets.token_hex(6)}",
            title=self.title,
            url=place.url,
            port=place.port,
            path=place.path,
            prefix=place.prefix,
            height=height,
        )
        return {"text/plain": f"{self!r}\n{self.url}", "text/html": page}

    def _first_picture(self) -> Picture | None:
        """What the first page shows as soon as there is one, and everything in view; None else."""
        end = time.monotonic() + FIRST_PAGE_SECONDS
        try:
            while best(self._here()) is None:
                if time.monotonic() > end:
                    return None
                time.sleep(0.2)
            return self.screenshot()
        except ViewerError:
            return None  # closed meanwhile, or too slow: the frame is what counts
