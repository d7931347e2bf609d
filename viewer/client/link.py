"""The Link: what `connect` returns, with the Viewer's attributes and methods."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeoutError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer.adding import Adding
from viewer.client.address import Address, parse_address
from viewer.client.layers import linked
from viewer.client.replica import Replica
from viewer.client.wire import Wire
from viewer.document.document import Document
from viewer.errors import ClosedError, DeadlineError, LinkError, UnknownLayerError
from viewer.face import Face
from viewer.layers import AnyLayer, Layer
from viewer.messages import Happened, Listen, Notice, Patch, Progress, Report, Snapshot
from viewer.pictures.picture import Picture, format_of
from viewer.progress_bar import ProgressBar
from viewer.saved_view import read as read_view
from viewer.saving import Saving
from viewer.scripting.scripting import Scripting
from viewer.values import Encoder, decode, pieces

if TYPE_CHECKING:
    from viewer.scripting.actions import Actions

POLL_SECONDS = 0.1
"""Seconds between looks at the progress of a call that is waited for."""


def connect(address: str, token: str | None = None, timeout: float = 10.0) -> Link:
    """Use a viewer in another process, or on another computer, as if it were in this one.

    Parameters
    ----------
    address : str
        What ``print(v.url)`` shows there; or ``"host:port"``, with the token apart.
    token : str, optional
        The part of the address after ``/v/``. Default: that of the address, else the environment
        variable ``VOXELVIEW_TOKEN``.
    timeout : float, default 10
        Seconds to connect, and for each edit.

    Returns
    -------
    Link
        Has the attributes and methods of `Viewer`. Best used in a ``with`` block, at the end of
        which it is closed; the viewer, its pages and other links stay.

    Raises
    ------
    LinkError (a ConnectionError)
        When the viewer cannot be reached, saying why: nobody listens, the token is wrong, it is
        no viewer, or one of another version.
    InvalidValueError (a ValueError)
        For what is no address, or without a token.

    Examples
    --------
    >>> with viewer.connect("http://127.0.0.1:8765/v/0123…/") as v:
    ...     v.layers["image"].colormap = "magma"
    ...     v.add_labels(segmentation, name="cells")
    """
    return Link(parse_address(address, token), timeout)


def _forward(name: str, kind: type = Adding) -> Callable[..., Any]:
    """A method of the Viewer that is called there."""
    original = getattr(kind, name)

    @functools.wraps(original)
    def method(self: Link, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        return self.call(name, *args, timeout=timeout, **kwargs)

    return method


@dataclass(frozen=True)
class LinkedSession:
    """A page that shows the viewer, as it was when it was asked for; see `Viewer.sessions`."""

    id: str
    size: tuple[int, int]
    pixel_ratio: float
    visible: bool
    headless: bool
    user_agent: str
    since: float
    """Seconds since the epoch."""


class Link(Face, Scripting):
    """A viewer in another process; made by `connect`.

    Layers are found, and styles, the view and everything else are read and set, as on the Viewer.
    Arrays that are added are sent there. May be used from any thread.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._layers: dict[str, AnyLayer] = {}
        self._bars: dict[tuple[str | None, str], tuple[str, float]] = {}
        self._listening: tuple[str, ...] = ()
        self._lock = threading.RLock()
        self._wire = Wire(address, self._adopt, self._told)
        self._document = self._replica = Replica(self._wire, timeout)
        super().__init__(self._layers)
        self._wire.begin()
        self._wire.open(timeout)

    # --- what is there --------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Address of the page. Whoever knows it may do what this link may."""
        self._open()
        return self._address.url

    @property
    def document(self) -> Document:
        """A copy of the viewer's document, which follows it; edits of it are made there."""
        return self._open()

    @property
    def errors(self) -> list[Notice]:
        """What went wrong while pages were served, oldest first (`Viewer.errors`)."""
        errors: list[Notice] = self.call("errors")
        return errors

    @property
    def read_only(self) -> bool:
        """Whether the address is for looking only (`Viewer.share`)."""
        return self._wire.read_only

    @property
    def connected(self) -> bool:
        """Whether the connection is there; one that was lost is tried again all the time."""
        return self._wire.connected

    @property
    def closed(self) -> bool:
        """Whether the link, or the viewer, has been closed."""
        return bool(self._wire.ended)

    # --- adding data ----------------------------------------------------------------------------

    add = _forward("add")
    add_image = _forward("add_image")
    add_labels = _forward("add_labels")
    add_surface = _forward("add_surface")
    open = _forward("open")

    undo = _forward("undo", Scripting)
    redo = _forward("redo", Scripting)
    to_dict = _forward("to_dict", Saving)

    # --- views and pictures ---------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what is shown and how to a file of JSON, here; see `Viewer.save`."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        Path(path).expanduser().write_text(text, "utf-8")

    def load(self, view: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[str, ...]:
        """Show what was saved, in a file here or as a dict; see `Viewer.load`."""
        given: object = view if isinstance(view, Mapping) else read_view(Path(view).expanduser())
        missing: tuple[str, ...] = self.call("load", given)
        return missing

    def screenshot(self, path: str | Path | None = None, **options: Any) -> Picture:
        """A picture of all that has been set until now; see `Viewer.screenshot`.

        A file is written here; everything else is done where the viewer is.
        """
        if path is not None:
            format_of(path)
        self._wire.check_thread()
        picture = Picture(self._watch(self.call_async("screenshot", **options), None))
        if path is not None:
            picture.save(path)
        return picture

    @property
    def sessions(self) -> dict[str, LinkedSession]:
        """The pages that show the viewer now, by id."""
        return {page["id"]: LinkedSession(**page) for page in self.call("pages")}

    # --- calls ----------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        *args: Any,
        layer: Layer | str | int | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a method of the viewer, or of one of its layers, by name.

        What the methods of this object and its layers do, with a time limit. Ctrl-C ends the wait
        and, where that is possible, what is waited for.

        Parameters
        ----------
        method : str
            As ``"refresh"``; attributes are read so, too.
        *args, **kwargs
            Of the method.
        layer : Layer, str or int, optional
            Whose method; default the viewer's.
        timeout : float, optional
            Seconds to wait; default for as long as it takes.

        Raises
        ------
        DeadlineError (a TimeoutError)
            When it takes longer.
        LinkError (a ConnectionError)
            When the connection is lost meanwhile.
        ViewerError
            What the method raises there.
        """
        self._wire.check_thread()
        future = self.call_async(method, *args, layer=layer, **kwargs)
        try:
            return self._watch(future, timeout)
        except (WaitTimeoutError, KeyboardInterrupt) as error:
            if isinstance(error, DeadlineError) or future.done():
                raise
            future.cancel()
            if isinstance(error, KeyboardInterrupt):
                raise
            raise DeadlineError(
                f"{method}() did not end within {timeout:g} seconds.",
                hint="It was told to end. Give it a longer timeout, or use call_async.",
            ) from None

    def call_async(
        self, method: str, *args: Any, layer: Layer | str | int | None = None, **kwargs: Any
    ) -> Future[Any]:
        """Call a method as `call` does, and do not wait.

        Returns
        -------
        concurrent.futures.Future
            Of the result. ``cancel()`` tells the viewer that nobody waits any more.
        """
        document = self._open()
        layer_id = "" if layer is None else self._layer_list._find(document.state, layer)
        encoder = Encoder(self._wire.number)
        given = [encoder.encode(value) for value in args]
        named = {name: encoder.encode(value) for name, value in kwargs.items()}
        shown: Future[Any] = Future()
        ended = threading.Event()

        def send() -> None:
            try:
                self._send(encoder.arrays, ended, str(kwargs.get("name") or "array"))
                if ended.is_set():
                    return
                answer = self._wire.call(method, layer_id, given, named)
            except BaseException as error:
                if shown.set_running_or_notify_cancel():
                    shown.set_exception(error)
                return
            shown.add_done_callback(lambda done: answer.cancel() if done.cancelled() else None)
            answer.add_done_callback(finish)

        def finish(answer: Future[Any]) -> None:
            if answer.cancelled() or not shown.set_running_or_notify_cancel():
                return
            try:
                shown.set_result(decode(answer.result(), self._wire.arrays.take, self._layer))
            except BaseException as error:
                shown.set_exception(error)

        if encoder.arrays:  # sending takes a while
            shown.add_done_callback(lambda done: ended.set() if done.cancelled() else None)
            threading.Thread(target=send, name="voxelview-upload", daemon=True).start()
        else:
            send()
        return shown

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection, and nothing else. Idempotent."""
        self._end_scripting()
        self._wire.end("This link has been closed.")

    # --- for its layers -------------------------------------------------------------------------

    def tell(self, progress: Progress) -> None:
        """Progress is told by the viewer's process."""

    def report(self, notice: Notice, /) -> None:
        """Errors of callbacks are logged; those of data are kept by the viewer's process."""

    def layer(self, id: str, /) -> AnyLayer:
        """The layer with this id; `UnknownLayerError` when there is none."""
        try:
            return self._layers[id]
        except KeyError:
            raise UnknownLayerError(f"There is no layer {id!r}.") from None

    def listen(self, events: tuple[str, ...], session: str = "") -> None:
        """Have the viewer's process tell what people do on pages."""
        self._listening = events
        with suppress(LinkError, ClosedError):  # said again by the next connection
            self._wire.tell(Listen(events))  # type: ignore[arg-type]

    # --- inside ---------------------------------------------------------------------------------

    def _open(self) -> Document:
        if self._wire.ended:
            raise ClosedError(self._wire.ended, hint="Connect again, if the viewer is still there.")
        return self._replica

    def _layer(self, layer_id: str) -> AnyLayer | None:
        return self._layers.get(layer_id)  # None: somebody has removed it already

    def _adopt(self, message: Snapshot | Patch) -> bool:
        """On the connection's thread."""
        if not self._replica.adopt(message):
            return False
        now = self._replica.state.layers
        for layer_id in self._layers.keys() - now.keys():
            self._layers.pop(layer_id).release()
        for layer_id in now.keys() - self._layers.keys():
            self._layers[layer_id] = linked(self, now[layer_id])
        return True

    @property
    def _actions(self) -> Actions:
        with self._lock:
            if self._made_actions is None:
                from viewer.scripting.actions import Actions

                owner: Any = self
                self._made_actions = Actions(
                    owner, self._reactions, lambda: f"{self._wire.session}."
                )
            return self._made_actions

    def _pass_on(self, message: Happened) -> None:
        """Nobody is linked to a link."""

    def _told(self, message: Report | Progress | Happened | None) -> None:
        """On the connection's thread; None when there is a new one."""
        if message is None and self._listening:
            self.listen(self._listening)
        if isinstance(message, Happened):
            self.hear(message.event, message.session)
        if isinstance(message, Progress):
            key = (message.layer, message.task)
            if message.done >= 1:
                self._bars.pop(key, None)
            else:
                self._bars[key] = (message.task, message.done)

    def _watch(self, future: Future[Any], seconds: float | None) -> Any:
        """Result of a future, with a bar on the terminal meanwhile."""
        bar = ProgressBar()
        left = seconds
        try:
            while True:
                step = POLL_SECONDS if left is None else min(POLL_SECONDS, left)
                try:
                    return future.result(step)
                except WaitTimeoutError:
                    if future.done():
                        raise  # what was called took too long, not we
                    if left is not None:
                        left -= step
                        if left <= 0:
                            raise
                running = next(iter(self._bars.values()), None)
                if running is not None:
                    bar.show(*running)
        finally:
            bar.close()

    def _send(self, arrays: Mapping[int, Any], ended: threading.Event, name: str) -> None:
        key = (None, f"sending {name}")
        try:
            for number, array in arrays.items():
                for piece in pieces(number, array):
                    if ended.is_set():
                        return
                    self._bars[key] = (key[1], piece.offset / max(piece.size, 1))
                    self._wire.send(piece)
        finally:
            self._bars.pop(key, None)
