"""The Link: what `connect` returns, with the Viewer's attributes and methods."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer.adding import Adding
from viewer.adding_files import AddingFiles
from viewer.client.address import Address, parse_address
from viewer.client.layers import linked
from viewer.client.picturing import Picturing
from viewer.client.replica import Replica
from viewer.client.sharing import Sharing
from viewer.client.wire import Wire
from viewer.document.document import Document
from viewer.errors import ClosedError, LinkError, UnknownLayerError
from viewer.face import Face
from viewer.layers import AnyLayer
from viewer.messages import Happened, Listen, Notice, Patch, Progress, Report, Snapshot
from viewer.saved_view import read as read_view
from viewer.saving import Saving
from viewer.scripting.scripting import Scripting

if TYPE_CHECKING:
    from viewer.scripting.actions import Actions


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


class Link(Face, Scripting, Picturing, Sharing):
    """A viewer in another process; made by `connect`.

    Layers are found, and styles, the view and everything else are read and set, as on the Viewer.
    Arrays that are added are sent there. May be used from any thread.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._layers: dict[str, AnyLayer] = {}
        self._listening: tuple[str, ...] = ()
        self._lock = threading.RLock()
        Picturing.__init__(self, Wire(address, self._adopt, self._told))
        self._document = self._replica = Replica(self._wire, timeout)
        Face.__init__(self, self._layers)
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
    open = _forward("open", AddingFiles)

    undo = _forward("undo", Scripting)
    redo = _forward("redo", Scripting)
    to_dict = _forward("to_dict", Saving)

    # --- views ---------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what is shown and how to a file of JSON, here; see `Viewer.save`."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        Path(path).expanduser().write_text(text, "utf-8")

    def load(self, view: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[str, ...]:
        """Show what was saved, in a file here or as a dict; see `Viewer.load`."""
        given: object = view if isinstance(view, Mapping) else read_view(Path(view).expanduser())
        missing: tuple[str, ...] = self.call("load", given)
        return missing

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection, and nothing else. Idempotent."""
        self._end_scripting()
        self._wire.end("This link has been closed.")

    # --- for its layers -------------------------------------------------------------------------

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
        if message is None and self._made_actions is not None:
            # not on this thread, on which the answers come
            renew = self._made_actions.renew
            threading.Thread(target=renew, name="voxelview-actions", daemon=True).start()
        if isinstance(message, Happened):
            self.hear(message.event, message.session)
        if isinstance(message, Progress):
            self._progress(message)
