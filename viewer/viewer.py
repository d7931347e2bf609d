"""The Viewer: the top of the house, and what a user at a prompt holds in hand.

It owns the document and the layers (`viewer.adding` makes them), and mounts itself on the server,
which asks it for nothing but the document, a layer by id, and to pass on errors
(`viewer.server.Served`).
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from viewer import calls, state
from viewer.adding import Adding
from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.errors import ClosedError, DeadlineError, UnknownLayerError
from viewer.face import Face
from viewer.layers import AnyLayer
from viewer.messages import Change, Happened, Notice, Progress, Report
from viewer.pictures.picturing import Place
from viewer.pictures.showing import SIZE, Showing
from viewer.policy import POLICY
from viewer.saving import Saving
from viewer.scripting.scripting import Scripting
from viewer.shares import TOKEN_BYTES, Sharing, check_token

if TYPE_CHECKING:
    from viewer.server.attendance import Attendance

_log = logging.getLogger("viewer")

_viewers: set[Viewer] = set()
_viewers_lock = threading.Lock()


class Viewer(Face, Scripting, Showing, Saving, Sharing):
    """Shows arrays in the browser, at `url`.

    The server, one for the process, is started when there is none. The Viewer lives, and keeps
    its arrays alive, until `close` or `viewer.stop`, or to the end of a ``with`` block. All
    methods and attributes may be used from any thread.

    Parameters
    ----------
    title : str, optional
        Title of the page; default ``"Voxelview"``.
    token : str, optional
        What the address has after ``/v/``, for one that stays the same: at least 32 letters,
        digits, ``-`` and ``_`` that nobody can guess. Default: a new one.

    Examples
    --------
    >>> v = viewer.Viewer()
    >>> image = v.add_image(volume, scale=(40, 4, 4), units="nm")
    >>> print(v)
    http://127.0.0.1:41234/v/0123…/
    """

    def __init__(self, title: str | None = None, *, token: str | None = None) -> None:
        from viewer.server import get_server

        Adding.__init__(self, Document())
        Face.__init__(self, self._layers)
        Sharing.__init__(self)
        if title is not None:
            self._document.edit([Change(("title",), title)], author=VIEWER)
        self._errors: deque[Notice] = deque(maxlen=POLICY.notices)
        self._closed = False
        self._unsubscribe = self._document.subscribe(self._settle)
        self._token = secrets.token_hex(TOKEN_BYTES) if token is None else check_token(token)
        self._server = get_server()
        self._server.mount(self._token, self)
        with _viewers_lock:
            _viewers.add(self)

    # --- what is there ------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Address of the page. Whoever knows it sees the data: it holds the key."""
        self._open()
        if not self._server.running:
            raise ClosedError("The server has been stopped.", hint="Make a new viewer.Viewer().")
        return self._server.url(self._token)

    @property
    def errors(self) -> list[Notice]:
        """What went wrong while pages were served, oldest first; the same trouble once.

        At most `viewer.policy.Policy.notices` are kept.
        """
        return list(self._errors)

    @property
    def closed(self) -> bool:
        """Whether the viewer has been closed."""
        return self._closed

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the pages and let go of all data. Idempotent."""
        if self._end():
            self._server.unmount(self._token)
            self._close_headless()

    # --- for the server -----------------------------------------------------------------------

    def layer(self, id: str, /) -> AnyLayer:
        """The layer with this id; `UnknownLayerError` when there is none."""
        try:
            return self._layers[id]
        except KeyError:
            raise UnknownLayerError(f"There is no layer {id!r}.") from None

    def report(self, notice: Notice, /) -> None:
        """Keep an error in `errors` and show it on the pages."""
        if not notice.time:
            notice.time = time.time()
        with self._lock:
            same = [
                old
                for old in self._errors
                if (old.kind, old.message, old.layer) == (notice.kind, notice.message, notice.layer)
            ]
            for old in same:
                self._errors.remove(old)
            self._errors.append(notice)
        _log.info("%s", notice.message)
        if not self._closed:
            self._server.broadcast(self._token, Report(notice))

    def tell(self, progress: Progress) -> None:
        """Show progress on the pages."""
        calls.check()  # long work for another process ends here when nobody waits for it
        if not self._closed:
            self._server.broadcast(self._token, progress)

    # --- inside -------------------------------------------------------------------------------

    def _open(self) -> Document:
        if self._closed:
            raise ClosedError(
                "This viewer has been closed.", hint="Make a new one with viewer.Viewer()."
            )
        return self._document

    def _attendance(self) -> Attendance:
        return self._server.attendance(self._token)

    def _page_url(self) -> str:
        return self._server.direct_url(self._token)

    def _place(self) -> Place:
        from viewer import notebook

        port = self._server.port
        prefix = self._server.url_prefix or notebook.hub_prefix(port)
        return Place(self._page_url(), port, f"v/{self._token}/", prefix)

    def _made_exact(
        self, shown: state.Document, levels: Mapping[str, Iterable[int]], end: float
    ) -> state.Document | None:
        fresh = {}
        for key, before in shown.layers.items():
            layer = self._layers.get(key)
            if layer is None or not before.visible:
                continue
            with suppress(ClosedError):  # removed meanwhile
                while layer.pyramid.is_settling(levels.get(key, ())):
                    if time.monotonic() > end:
                        raise DeadlineError(
                            f"Coarse levels of {before.name!r} are still being read.",
                            hint="Take more time with timeout=…, or make them once for all with "
                            "layer.build_pyramid().",
                        )
                    time.sleep(0.02)
            now = self._open().state.layers.get(key)
            if now is not None and now.data.generation != before.data.generation:
                fresh[key] = msgspec.structs.replace(before, data=now.data)
        return msgspec.structs.replace(shown, layers={**shown.layers, **fresh}) if fresh else None

    def _pass_on(self, message: Happened) -> None:
        if not self._closed:
            self._server.broadcast(self._token, message)

    def _end(self) -> bool:
        """Let go of everything but the server's mount; False when that was done before."""
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            self._unsubscribe()
            layers = list(self._layers.values())
            self._layers.clear()
        self._end_scripting()
        with _viewers_lock:
            _viewers.discard(self)
        for layer in layers:
            layer.release()
        return True


def imshow(data: Any, *, title: str | None = None, **options: Any) -> tuple[Viewer, Any]:
    """Show an array in a viewer of its own.

    Parameters
    ----------
    data : array
        See `Viewer.add`.
    title : str, optional
        Title of the page.
    **options
        Those of `Viewer.add_labels` or `Viewer.add_image`.

    Returns
    -------
    viewer : Viewer
    layer : ImageLayer, LabelsLayer or list of ImageLayer
    """
    shown = Viewer(title)
    try:
        return shown, shown.add(data, **options)
    except BaseException:
        shown.close()
        raise


def headless(title: str | None = None, *, size: tuple[int, int] = SIZE) -> Viewer:
    """A viewer with a page of its own that nobody sees, for scripts that make pictures.

    It needs Chromium, Chrome or Edge on this machine; `Viewer.close`, or the end of the ``with``
    block, ends it.

    Parameters
    ----------
    title : str, optional
        Title of the page.
    size : (int, int), default (1200, 900)
        CSS pixels (width, height) of the page, and of its pictures.

    Raises
    ------
    MissingExtraError
        When no browser is found; the hint says how to get one.

    Examples
    --------
    >>> with viewer.headless(size=(1200, 900)) as v:
    ...     v.add_image(volume)
    ...     v.screenshot("figure.png", scale=2)
    """
    shown = Viewer(title)
    try:
        shown._open_headless(size)
    except BaseException:
        shown.close()
        raise
    return shown


def open(path: str | Path, *, title: str | None = None, **options: Any) -> Viewer:
    """Show what is in a file, folder or behind an address, in a viewer of its own.

    Parameters
    ----------
    path : str or Path
        See `Viewer.open`.
    title : str, optional
        Title of the page; default the name of the file.
    **options
        Those of `Viewer.open`.

    Returns
    -------
    Viewer
        With the layers that were made.
    """
    shown = Viewer(title or Path(path).name or None)
    try:
        shown.open(path, **options)
    except BaseException:
        shown.close()
        raise
    return shown


def stop() -> None:
    """Stop the server, close all viewers and let go of all data. Idempotent.

    Addresses are dead afterwards. A new Viewer starts a new server.
    """
    from viewer.server import stop_server

    stop_server()  # first, so that pages read that the server was stopped
    with _viewers_lock:
        viewers = list(_viewers)
    for viewer in viewers:
        viewer._end()
        viewer._close_headless()
