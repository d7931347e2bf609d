"""What another process may call: the one list of methods, and how a call is done.

A Link reads and edits the document itself; what needs the data (adding, refreshing, meshes,
statistics, …) is done here, in the Viewer's process, by a *call*. Nothing that is not listed can
be called.

Who may call what, depends on the address. The Viewer's own is its owner's: with it, all that is
listed may be called, as in Python itself. With one that was shared (`Viewer.share`) nothing that
reaches files of this computer, or gives the viewer to yet others; with one for looking only
nothing but what looks.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from viewer.errors import (
    CancelledError,
    InvalidValueError,
    ReadOnlyError,
    TooLargeError,
    UnknownOptionError,
    did_you_mean,
)
from viewer.layers import ImageLayer, LabelsLayer, Layer, SurfaceLayer
from viewer.policy import POLICY
from viewer.regions import plan_region
from viewer.saved_view import without_sources
from viewer.values import Encoder, decode


class Callee(msgspec.Struct, frozen=True):
    """Something that may be called from another process."""

    looks: bool = False
    """Whether it changes nothing."""
    owners: bool = False
    """Whether it is for the Viewer's own address alone."""
    attribute: bool = False
    """Whether it is an attribute, read and set."""
    function: Callable[..., Any] | None = None
    """What to call with the object first; None for its own method of that name."""


def read(layer: Layer, region: Any = None, level: int = 0) -> Any:
    """The voxels of a part of a layer, at one of its levels, as an array."""
    levels = layer.pyramid.levels
    if not isinstance(level, int) or not 0 <= level < len(levels):
        raise InvalidValueError(f"level={level!r} does not exist.", hint=f"0 to {len(levels) - 1}.")
    box = plan_region(region, levels[level].shape)
    size = layer.pyramid.dtype.itemsize
    for n in box.shape:
        size *= n
    if size > POLICY.reply_bytes:
        raise TooLargeError(
            f"{size:,} bytes are too many at once; {POLICY.reply_bytes:,} are not.",
            hint="Ask for a smaller part, or a coarser level.",
        )
    return layer.pyramid.read(level, box)


def pages(viewer: Any) -> list[dict[str, Any]]:
    """What is known of each page that shows the viewer."""
    names = (
        *("id", "size", "pixel_ratio", "visible", "headless", "user_agent"),
        *("shared", "read_only"),
    )
    return [
        {**{name: getattr(page, name) for name in names}, "since": page.since.timestamp()}
        for page in viewer.sessions.values()
    ]


def screenshot(
    viewer: Any,
    *,
    size: Any = None,
    scale: float = 1,
    panel: Any = None,
    background: Any = None,
    overlays: bool = True,
    timeout: float = 30,
    session: str = "",
    document: Mapping[str, Any] | None = None,
) -> Any:
    """A picture, by a certain page, or of another document than that which is shown."""
    looks = (size, scale, panel, background, overlays, timeout)
    return viewer._picture_for_link(document, session, looks)


def hold_page(viewer: Any, size: Any = None, timeout: float = 30) -> None:
    """Have a page open, for many pictures, until this call is cancelled."""
    viewer._hold_page(size, timeout)


def to_dict(viewer: Any, *, owned: bool) -> dict[str, Any]:
    """What is shown; where files are, is for the owner to know."""
    view: dict[str, Any] = viewer.to_dict()
    return view if owned else without_sources(view)


def load(viewer: Any, view: Any, *, owned: bool) -> tuple[str, ...]:
    """Show what was saved; files are opened again for the owner."""
    shown: tuple[str, ...]
    shown = viewer.load(view) if owned else viewer.restore(view, "", files=False)
    return shown


def share(viewer: Any, read_only: bool = True, expires: Any = None) -> dict[str, Any]:
    """Make a further address."""
    return _told(viewer.share(read_only, expires))


def shares(viewer: Any) -> list[dict[str, Any]]:
    """The further addresses that are valid now."""
    return [_told(one) for one in viewer.shares]


def revoke(viewer: Any, token: str) -> None:
    """End a further address."""
    for one in viewer.shares:
        if one.token == token:
            one.revoke()


def _told(share: Any) -> dict[str, Any]:
    expires = None if share.expires is None else share.expires.timestamp()
    return {"token": share.token, "read_only": share.read_only, "expires": expires}


_DO = Callee()
_OWN = Callee(owners=True)
_LOOK = Callee(looks=True)
_ATTRIBUTE = Callee(attribute=True)

VIEWER: Mapping[str, Callee] = {
    "add": _DO,
    "add_image": _DO,
    "add_labels": _DO,
    "add_surface": _DO,
    "errors": _ATTRIBUTE,
    "hold_page": Callee(function=hold_page),
    "load": Callee(function=load),
    "open": _OWN,
    "pages": Callee(function=pages),
    "redo": _DO,
    "revoke": Callee(owners=True, function=revoke),
    "screenshot": Callee(function=screenshot),
    "share": Callee(owners=True, function=share),
    "shares": Callee(owners=True, function=shares),
    "to_dict": Callee(looks=True, function=to_dict),
    "undo": _DO,
}
"""Of the viewer."""

LAYER: Mapping[str, Callee] = {
    "affine": _ATTRIBUTE,
    "build_pyramid": _OWN,
    "read": Callee(looks=True, function=read),
    "refresh": _DO,
    "scale": _ATTRIBUTE,
    "translate": _ATTRIBUTE,
}
"""Of every layer."""

KINDS: Mapping[type, Mapping[str, Callee]] = {
    ImageLayer: {**LAYER, "isosurface": _DO, "sample": _DO},
    LabelsLayer: {
        **LAYER,
        "export_meshes": _OWN,
        "go_to": _DO,
        "mesh": _LOOK,
        "set_mesh": _DO,
        "statistics": _ATTRIBUTE,
    },
    SurfaceLayer: {**LAYER, "data": _ATTRIBUTE, "reset_contrast_limits": _DO},
}
"""Of each kind of layer."""


def callees(subject: object) -> Mapping[str, Callee]:
    """What may be called of a viewer or a layer."""
    for kind, listed in KINDS.items():
        if isinstance(subject, kind):
            return listed
    return VIEWER


def perform(
    subject: Any,
    method: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    array: Callable[[int], Any],
    layer: Callable[[str], Any],
    read_only: bool = False,
    owned: bool = True,
) -> Any:
    """Do what a call asks for.

    Parameters
    ----------
    subject : Viewer or Layer
    method, args, kwargs
        Of `viewer.messages.Call`.
    array, layer : callable
        As for `viewer.values.decode`.
    read_only : bool, default False
        Whether only those may be called that change nothing.
    owned : bool, default True
        Whether those may be called that are for the Viewer's own address.

    Raises
    ------
    UnknownOptionError
        For what may not be called, or not with these arguments.
    ReadOnlyError
        For what would change something and may not.
    ViewerError
        Whatever the method raises.
    """
    listed = callees(subject)
    callee = listed.get(method)
    if callee is None:
        raise UnknownOptionError(
            f"{method!r} cannot be called from another process.", hint=did_you_mean(method, listed)
        )
    changes = bool(args or kwargs) if callee.attribute else not callee.looks
    if read_only and changes:
        raise ReadOnlyError.by("call", method)
    if callee.owners and not owned:
        raise ReadOnlyError(
            f"{method}() reaches beyond this viewer, and this address of it was shared.",
            hint="It needs the viewer's own address. Data can be sent: add_image(array).",
        )
    given = [decode(value, array, layer) for value in args]
    named = {name: decode(value, array, layer) for name, value in kwargs.items()}
    if callee.attribute:
        return _attribute(subject, method, given, named)
    bound = callee.function or getattr(subject, method)
    signature = inspect.signature(bound)
    if "progress" in signature.parameters:
        named["progress"] = False  # the bar is drawn where the user is
    if "owned" in signature.parameters:
        named["owned"] = owned
    if callee.function is not None:
        given.insert(0, subject)
    try:
        signature.bind(*given, **named)
    except TypeError as error:
        raise UnknownOptionError(f"{method}(): {error}.") from None
    return bound(*given, **named)


def _attribute(subject: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if kwargs or len(args) > 1:
        raise UnknownOptionError(f"{name} is an attribute: read it with no argument, set with one.")
    if not args:
        return getattr(subject, name)
    try:
        setattr(subject, name, args[0])
    except AttributeError:
        raise UnknownOptionError(f"{name} cannot be set.") from None
    return None


def encode(value: Any, number: Callable[[], int]) -> tuple[Any, dict[int, Any]]:
    """What a method returned, as JSON-like builtins and the arrays that travel before."""
    encoder = Encoder(number)
    return encoder.encode(value), encoder.arrays


# --- the end of a call that nobody waits for --------------------------------------------------

_ended: ContextVar[threading.Event | None] = ContextVar("ended", default=None)


@contextmanager
def cancellable(ended: threading.Event) -> Iterator[None]:
    """Let `check` end what runs inside, on this thread, once `ended` is set."""
    token = _ended.set(ended)
    try:
        yield
    finally:
        _ended.reset(token)


def check() -> None:
    """Raise `CancelledError` inside a call that nobody waits for any more."""
    ended = _ended.get()
    if ended is not None and ended.is_set():
        raise CancelledError("The call was cancelled.")
