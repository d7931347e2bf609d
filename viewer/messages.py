"""The messages of the document's WebSocket, one struct each.

A page opens ``ws`` and is greeted by `Hello`, then `Snapshot`. From there on the server sends a
`Patch` whenever the document changed, coalesced to the newest values when the page reads slowly
(the server remembers for each connection only the version last sent, never a queue). The page
sends `Edit`; the answer is `Accepted` or `Rejected`, and all *other* pages get the `Patch`. The
editing page, too, sees its change come back in a `Patch` whose ``version`` covers it, so every
page can simply adopt what the server says, and lay its own unacknowledged edits on top.

A change is a path into the document and the value to put there, or ``remove: true`` for an entry
of a dict. JSON text, one message a frame, tagged by ``type``. The reference (`docs/wire.md`) and
the client's types (`frontend/src/wire/types.ts`) are generated from this module and
`viewer.state`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from viewer.state import Document, Label, Panel

PROTOCOL = 1
"""Version of the wire; a page built for another one reloads itself."""


class Change(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Put `value` at `path`, or remove the dict entry there."""

    path: tuple[str, ...]
    """Field names and dict keys from the document's root: ``["layers", "l3", "name"]``."""
    value: Any = None
    remove: bool = False


class Notice(Struct, omit_defaults=True):
    """Something the user should read: also kept in `Viewer.errors`."""

    kind: str
    """Kind of the error (`viewer.errors`), as ``"source"``."""
    message: str
    hint: str = ""
    layer: str | None = None
    """Id of the layer concerned."""
    time: float = 0.0
    """Seconds since the epoch."""


# --- server to page ---------------------------------------------------------------------------


class Hello(Struct, tag_field="type", tag="hello"):
    """First message on a connection."""

    protocol: int
    version: str
    """Version of the package."""
    session: str
    """Id of this page while it is connected."""
    read_only: bool = False
    """Whether the address is for looking only (`Viewer.share`): edits and calls that change
    something are refused."""


class Snapshot(Struct, tag_field="type", tag="snapshot"):
    """The whole document; replaces whatever the page had."""

    version: int
    document: Document


class Patch(Struct, tag_field="type", tag="patch"):
    """The document went from version `base` to `version` by these changes, in order."""

    base: int
    version: int
    changes: list[Change]


class Accepted(Struct, tag_field="type", tag="accepted"):
    """The edit with this request number is part of the document as of `version`."""

    request: int
    version: int


class Rejected(Struct, tag_field="type", tag="rejected"):
    """The edit was refused as a whole; `present` puts back what is true now."""

    request: int
    version: int
    notice: Notice
    present: list[Change]


class Report(Struct, tag_field="type", tag="report"):
    """An error for the panel on the page."""

    notice: Notice


class Progress(Struct, tag_field="type", tag="progress"):
    """Long work behind a layer."""

    layer: str | None
    task: str
    """What is done, as a person would say it: ``"indexing labels"``."""
    done: float
    """0 to 1; 1 ends it."""


class Undone(Struct, tag_field="type", tag="undone"):
    """Answer to `Undo`."""

    redo: bool
    what: str | None
    """What was taken back or done again; null when there was nothing."""


class Saved(Struct, tag_field="type", tag="saved"):
    """Answer to `Save`: what `Viewer.to_dict` returns."""

    view: dict[str, Any]


class Loaded(Struct, tag_field="type", tag="loaded"):
    """Answer to `Load`."""

    missing: list[str]
    """Names of layers that are not here."""
    notice: Notice | None = None
    """Why it was refused, as a whole; null for success."""


class Closing(Struct, tag_field="type", tag="closing"):
    """The viewer was closed or the server stopped on purpose: do not reconnect."""

    reason: str


class Pong(Struct, tag_field="type", tag="pong"):
    """Answer to `Ping`."""

    time: float


class TakePicture(Struct, tag_field="type", tag="take"):
    """Draw this document, not what is on screen, and answer with `Taken`."""

    request: int
    document: Document
    size: tuple[int, int] | None
    """CSS pixels (width, height); None for those of what the page shows."""
    scale: float
    """Pixels of the picture for each CSS pixel."""
    panel: Panel | None
    """The only panel; None for all of the document's layout."""
    background: str | None
    """``#rrggbbaa`` where there is no data; None for the theme's."""
    overlays: bool
    """Whether scale bars, crosshairs and names are drawn."""
    seconds: float
    """Time for all of it; then the answer says what is missing."""


class Reply(Struct, tag_field="type", tag="reply"):
    """Answer to a `Call`. What it changed is part of the document as of `version`."""

    request: int
    version: int
    """Of the document, when it was done."""
    result: Any = None
    """What the method returned (`viewer.values`); the arrays in it have come before."""
    notice: Notice | None = None
    """Why it failed; null for success."""


# --- page to server ---------------------------------------------------------------------------


class Edit(Struct, tag_field="type", tag="edit", forbid_unknown_fields=True):
    """Change the document, all of it or nothing."""

    request: int
    """Counts up on the connection; comes back in the answer."""
    base: int | None
    """Version that the page had when the edit was made; null edits whatever is there now."""
    changes: list[Change]


class Ping(Struct, tag_field="type", tag="ping", forbid_unknown_fields=True):
    """Is the server alive? `time` comes back unchanged."""

    time: float


class Pointer(Struct, forbid_unknown_fields=True):
    """What is under the pointer; nothing where it is outside of all panels."""

    panel: Panel | None = None
    position: tuple[float, float, float] | None = None
    """World position (z, y, x) in `View.units`."""
    layer: str | None = None
    """Id of the topmost layer with something there."""
    index: tuple[int, ...] | None = None
    """Of the voxel in the layer's data, array order."""
    value: Annotated[str, Meta(max_length=100)] | None = None
    """Of that voxel, as Python would print it; null while it is not loaded."""
    label: Label | None = None
    """The label that is drawn there."""
    modifiers: tuple[Literal["Shift", "Control", "Alt", "Meta"], ...] = ()


class Event(Struct, tag_field="type", tag="event", forbid_unknown_fields=True):
    """Something happened that is in `Document.listening`."""

    event: Literal["click", "hover", "key"]
    pointer: Pointer
    button: Literal["left", "middle", "right"] = "left"
    clicks: Literal[1, 2] = 1
    key: Annotated[str, Meta(max_length=40)] = ""


class Run(Struct, tag_field="type", tag="run", forbid_unknown_fields=True):
    """Do one of `Document.actions`."""

    action: str
    pointer: Pointer
    layer: str | None = None
    """Id of the layer in whose menu it was chosen."""


class Presence(Struct, tag_field="type", tag="presence", forbid_unknown_fields=True):
    """The sender is a page that shows pictures, and can take them; sent again when it changes."""

    size: tuple[int, int]
    """CSS pixels (width, height) of the window."""
    pixel_ratio: float
    """Pixels of the screen for each CSS pixel."""
    visible: bool
    """Whether it is in front, not in a background tab."""
    opener: str = ""
    """Key of the program that opened it unseen; empty for a person's."""


class Taken(Struct, tag_field="type", tag="taken", forbid_unknown_fields=True):
    """Answer to `TakePicture`: a PNG follows in binary frames of at most `PART_BYTES`."""

    request: int
    bytes: int = 0
    """Of the PNG."""
    error: str = ""
    """Why there is none; then no frames follow."""
    kind: str = ""
    """Of the error: ``"deadline"``, ``"source"``, ``"toolarge"`` or ``"closed"``."""
    levels: dict[str, list[int]] = {}
    """What the picture is made of: by layer id, the levels of its bricks."""


class Undo(Struct, tag_field="type", tag="undo", forbid_unknown_fields=True):
    """Take back what was done last, by anybody; or do again what was taken back."""

    redo: bool = False


class Save(Struct, tag_field="type", tag="save", forbid_unknown_fields=True):
    """Ask for what is shown, to be kept."""


class Load(Struct, tag_field="type", tag="load", forbid_unknown_fields=True):
    """Show what was saved; at the viewer's own address, files that are missing are opened again."""

    view: dict[str, Any]


class Call(Struct, tag_field="type", tag="call", forbid_unknown_fields=True):
    """Call a method of the viewer or of a layer (`viewer.calls` lists them); a `Reply` comes back.

    Attributes are read by calling them without arguments, and set with one.
    """

    request: int
    """Counts up on the connection, together with those of edits."""
    method: str
    layer: str = ""
    """Id of the layer; empty for the viewer."""
    args: list[Any] = []
    """JSON values, as `viewer.values` writes them."""
    kwargs: dict[str, Any] = {}


class Cancel(Struct, tag_field="type", tag="cancel", forbid_unknown_fields=True):
    """Nobody waits for the reply to this call any more: end it where that is possible."""

    request: int


class Listen(Struct, tag_field="type", tag="listen", forbid_unknown_fields=True):
    """Tell me what people do on pages, as `Happened`; replaces what was asked for before."""

    events: tuple[Literal["click", "hover", "key"], ...]


class Happened(Struct, tag_field="type", tag="happened"):
    """What somebody did on a page, for those who `Listen`."""

    event: Event | Run
    session: str
    """Id of the page."""


PAGE_EVENTS = ("click", "hover", "key")
"""What pages send as `Event`, while somebody listens."""


# --- both ways, in binary ---------------------------------------------------------------------


class Piece(Struct, forbid_unknown_fields=True):
    """A part of an array, in a binary frame of msgpack; the message that names it comes after."""

    array: int
    """Number of the array, chosen by the sender, once on the connection."""
    dtype: str | list[Any]
    """As NumPy spells it: ``"<u2"``; for records the list of their fields."""
    shape: tuple[int, ...]
    size: int
    """Bytes of the whole array, in C order."""
    offset: int
    """Where this piece begins, in bytes; the pieces of an array come in order."""
    length: int
    """Bytes of this piece, at most 768 KiB, before coding."""
    coding: str
    """How `body` is compressed: ``"zstd"``, or ``""`` for not at all."""
    body: bytes


PART_BYTES = 1 << 19
"""Bytes of one binary frame of a picture, at most."""

ServerMessage = (
    Hello
    | Snapshot
    | Patch
    | Accepted
    | Rejected
    | Report
    | Progress
    | Closing
    | Pong
    | Reply
    | Happened
    | Undone
    | TakePicture
    | Saved
    | Loaded
)
PageMessage = (
    Edit | Ping | Call | Cancel | Event | Run | Undo | Save | Load | Presence | Taken | Listen
)
