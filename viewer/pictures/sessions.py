"""The pages that show a viewer, and the pictures that they take.

A picture is never half-rendered: it is asked for with the whole document in hand, and the page
draws that document on a canvas of its own, at leisure, until every brick and mesh in view is there
at the level needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as WaitTimeoutError
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from viewer import state
from viewer.errors import (
    DeadlineError,
    InvalidValueError,
    TooLargeError,
    UnknownSessionError,
)
from viewer.messages import TakePicture
from viewer.pictures.picture import Picture, format_of
from viewer.policy import POLICY

if TYPE_CHECKING:
    from viewer.server.attendance import Attendance, Attendant

GRACE_SECONDS = 5.0
"""Seconds beyond its time that a page has to say what is missing."""

LEAST_PREFIX = 4
"""Letters of an id that suffice to find a session, where they do."""


Take = Callable[["Wish", str], Picture]
"""Takes a picture by the page with an id."""


class Session:
    """One attached page, visible or headless; what it was when it was looked up.

    Made by `Viewer.sessions`.
    """

    def __init__(
        self,
        attendant: Attendant,
        take: Take,
    ) -> None:
        self._attendant = attendant
        self._take = take

    @property
    def id(self) -> str:
        """What the page's status bar shows the beginning of; its button copies all of it."""
        return self._attendant.id

    @property
    def size(self) -> tuple[int, int]:
        """CSS pixels (width, height) of the window."""
        return self._attendant.said.size

    @property
    def pixel_ratio(self) -> float:
        """Pixels of the screen for each CSS pixel."""
        return self._attendant.said.pixel_ratio

    @property
    def visible(self) -> bool:
        """Whether somebody may see it: it is in front of its window, and not headless."""
        return self._attendant.said.visible and not self.headless

    @property
    def headless(self) -> bool:
        """Whether it was opened by a program, with no window."""
        return self._attendant.said.opener != ""

    @property
    def shared(self) -> bool:
        """Whether it came by an address of `Viewer.share`."""
        return self._attendant.shared

    @property
    def read_only(self) -> bool:
        """Whether that is for looking only."""
        return self._attendant.read_only

    @property
    def user_agent(self) -> str:
        """What the browser calls itself."""
        return self._attendant.user_agent

    @property
    def since(self) -> datetime:
        """When the page came, or came back."""
        return datetime.fromtimestamp(self._attendant.since).astimezone()

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
        """A picture by this very page; parameters and errors as `Viewer.screenshot`.

        It shows what Python and the viewer's own pages have set, also where somebody with an
        address for looking only has moved on for himself.
        """
        wish = Wish.checked(path, size, scale, panel, background, overlays, timeout)
        return self._take(wish, self.id)

    def __repr__(self) -> str:
        width, height = self.size
        kind = "headless" if self.headless else "visible" if self.visible else "in the background"
        share = ", shared" * self.shared + ", read-only" * self.read_only
        return f"<Session {self.id!r}: {width} × {height}, {kind}{share}>"


class Sessions(Mapping[str, Session]):
    """The pages that show a viewer now, by id, in the order in which they came.

    The beginning of an id will do where it is unmistakable.
    """

    def __init__(self, here: Callable[[], tuple[Attendant, ...]], take: Take) -> None:
        self._here = here
        self._take = take

    def __getitem__(self, id: str) -> Session:
        here = self._here()
        found = [one for one in here if one.id == id]
        if not found and isinstance(id, str) and len(id) >= LEAST_PREFIX:
            found = [one for one in here if one.id.startswith(id)]
        if len(found) != 1:
            ids = ", ".join(repr(one.id) for one in here)
            raise UnknownSessionError(
                f"There is no session {id!r}.",
                hint=f"Open are {ids}." if ids else "No page is open: see the viewer's url.",
            )
        return Session(found[0], self._take)

    def __iter__(self) -> Iterator[str]:
        return iter([one.id for one in self._here()])

    def __len__(self) -> int:
        return len(self._here())

    def __repr__(self) -> str:
        return f"<Sessions {[Session(one, self._take) for one in self._here()]}>"


def best(here: tuple[Attendant, ...]) -> Attendant | None:
    """The page to ask: the newest that is seen, else the newest without a window, else any.

    Those at shared addresses belong to others, and are asked only by name.
    """
    own = [one for one in here if not one.shared]
    seen = [one for one in own if one.said.visible and not one.said.opener]
    headless = [one for one in own if one.said.opener]
    found = seen or headless or own
    return found[-1] if found else None


class Wish(msgspec.Struct, frozen=True):
    """How a picture shall be; see `Viewer.screenshot`."""

    path: Path | None = None
    size: tuple[int, int] | None = None
    scale: float = 1
    panel: state.Panel | None = None
    background: str | None = None
    overlays: bool = True
    timeout: float = 30

    @classmethod
    def checked(
        cls,
        path: str | Path | None,
        size: Any,
        scale: float,
        panel: Any,
        background: Any,
        overlays: bool,
        timeout: float,
    ) -> Wish:
        """The wish, if it can be granted; else the errors of `Viewer.screenshot`."""
        if path is not None:
            format_of(path)
        if size is not None:
            size = check_size(size)
        if not 0 < scale <= 64:
            raise InvalidValueError(f"scale={scale!r} is not between 0 and 64.")
        if size is not None:
            check_pixels(size[0] * scale, size[1] * scale)
        panels = get_args(state.Panel)
        if panel is not None and panel not in panels:
            raise InvalidValueError(f"panel={panel!r} is none of {', '.join(map(repr, panels))}.")
        if not timeout > 0:
            raise InvalidValueError(f"timeout={timeout!r} is no time.")
        return cls(
            None if path is None else Path(path),
            size,
            float(scale),
            panel,
            None if background is None else hex_color(background),
            bool(overlays),
            float(timeout),
        )

    @property
    def options(self) -> dict[str, Any]:
        """All but where it is saved, as keywords."""
        names = ("size", "scale", "panel", "background", "overlays", "timeout")
        return {name: getattr(self, name) for name in names}

    def taken(
        self, attendance: Attendance, id: str, shown: state.Document
    ) -> tuple[Picture, dict[str, list[int]]]:
        """The picture, by the page with this id, and the levels of each layer that it is made of;
        saved where that was wished.
        """
        request = TakePicture(
            request=0,
            document=shown,
            size=self.size,
            scale=self.scale,
            panel=self.panel,
            background=self.background,
            overlays=self.overlays,
            seconds=self.timeout,
        )
        answer = attendance.take(id, request)
        try:
            shot = answer.result(self.timeout + GRACE_SECONDS)
        except WaitTimeoutError:
            if answer.done():  # what the page says is a TimeoutError, too
                raise
            answer.cancel()
            raise DeadlineError(
                f"Session {id} did not answer within {self.timeout:g} s.",
                hint="Its page may be frozen, or asleep in a background tab: bring it to the "
                "front, close it, or take more time with timeout=….",
            ) from None
        picture = Picture.from_png(shot.png)
        if self.path is not None:
            picture.save(self.path)
        return picture, shot.levels


def check_size(size: Any) -> tuple[int, int]:
    """`size` as whole CSS pixels.

    Raises
    ------
    InvalidValueError
        When it is no pair of positive numbers.
    """
    try:
        width, height = (int(value) for value in size)
    except (TypeError, ValueError):
        raise InvalidValueError(
            f"size={size!r} is no pair of numbers.", hint="As size=(1200, 900)."
        ) from None
    if width < 1 or height < 1:
        raise InvalidValueError(f"size={size!r} is empty.", hint="As size=(1200, 900).")
    return width, height


def check_pixels(width: float, height: float) -> None:
    """Refuse a picture of more pixels than a page can draw.

    Raises
    ------
    TooLargeError
    """
    edge, pixels = POLICY.picture_edge, POLICY.picture_pixels
    if max(width, height) > edge or width * height > pixels:
        raise TooLargeError(
            f"A picture of {width:.0f} × {height:.0f} pixels is too large: at most {edge} along "
            f"an edge and {pixels} in all.",
            hint="Take a smaller size or scale.",
        )


def hex_color(color: Any) -> str:
    """A colour as ``#rrggbbaa``.

    Parameters
    ----------
    color : str or sequence of float
        A name as ``"white"`` or ``"transparent"``, ``"#rrggbb"``, ``"#rrggbbaa"``, or three or
        four numbers from 0 to 1, as in matplotlib.

    Raises
    ------
    InvalidValueError
    """
    import cmap

    try:
        if isinstance(color, str):
            parts = cmap.Color(color).rgba8
            values = [parts.r, parts.g, parts.b, round(255 * parts.a)]
        else:
            numbers = [float(value) for value in color]
            if len(numbers) not in (3, 4) or not all(0 <= value <= 1 for value in numbers):
                raise ValueError
            values = [round(255 * value) for value in (*numbers, 1.0)[:4]]
    except (TypeError, ValueError):
        raise InvalidValueError(
            f"background={color!r} is no colour.",
            hint="As 'white', 'transparent', '#rrggbb', or numbers from 0 to 1.",
        ) from None
    return "#" + "".join(f"{value:02x}" for value in values)
