"""Everything that can go wrong, as one tree.

    ViewerError
    ├── DataError                what was handed over cannot be shown
    │   ├── UnsupportedDataError (TypeError)   a kind of object or dtype that has no picture
    │   └── InvalidDataError     (ValueError)  the right kind with impossible content
    ├── InvalidValueError        (ValueError)  a setting outside its allowed values
    ├── UnknownOptionError       (TypeError)   a keyword that does not exist, with a suggestion
    ├── UnknownLayerError        (KeyError)    no layer of that name, index or id
    ├── UnknownAxisError         (KeyError)    no leading axis of that name
    ├── UnknownSessionError      (KeyError)    no page of that id
    ├── NotFoundError            (LookupError) a level, chunk, label or file that is not there
    ├── SourceError              (OSError)     the user's array failed while it was read
    ├── ConflictError            (RuntimeError) a stale patch, with the present value
    ├── TooLargeError            (ValueError)  more was asked at once than the bounds allow
    ├── BusyError                (RuntimeError) a queue is full: try again
    ├── DeadlineError            (TimeoutError) work took longer than its deadline
    ├── ClosedError              (RuntimeError) the viewer, layer or server has been closed
    ├── LinkError                (ConnectionError) a viewer in another process is out of reach
    ├── ReadOnlyError            (PermissionError) more than a shared address allows
    ├── CancelledError           (RuntimeError) nobody waits for this work any more
    └── MissingExtraError        (ImportError) an optional dependency, and how to install it

Each also subclasses the builtin that a caller would expect, so ``except KeyError`` works.
A message gives the bad value, the allowed ones and the way out; `hint` is that way out alone,
for places that show it separately. `HTTP_STATUS` is the one table from errors to HTTP; what is
not in the tree is a bug of ours and answered with 500.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class ViewerError(Exception):
    """Base of all errors raised on purpose by this package.

    Parameters
    ----------
    message : str
        What went wrong: the bad value and the allowed ones.
    hint : str, default ""
        The way out, as a sentence.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:  # KeyError would print the repr of its argument
        return f"{self.message} {self.hint}".strip()

    @property
    def kind(self) -> str:
        """Name of the error for the wire: the class name without ``Error``, lower case."""
        return type(self).__name__.removesuffix("Error").lower()


class DataError(ViewerError):
    """What was handed over cannot be shown."""


class UnsupportedDataError(DataError, TypeError):
    """A kind of object or dtype that has no picture."""


class InvalidDataError(DataError, ValueError):
    """The right kind of object with impossible content (empty, 0-d, inconsistent)."""


class InvalidValueError(ViewerError, ValueError):
    """A setting outside its allowed values."""


class UnknownOptionError(ViewerError, TypeError):
    """A keyword that does not exist."""


class UnknownLayerError(ViewerError, KeyError):
    """No layer of that name, index or id."""


class UnknownAxisError(ViewerError, KeyError):
    """No leading axis of that name."""


class UnknownSessionError(ViewerError, KeyError):
    """No page of that id is open."""


class NotFoundError(ViewerError, LookupError):
    """A level, chunk, label or file that is not there."""


class SourceError(ViewerError, OSError):
    """The user's array failed while it was read (a closed file, a lost disk)."""


class ConflictError(ViewerError, RuntimeError):
    """A patch was made against a state that somebody else has changed since.

    Attributes
    ----------
    present : sequence of `viewer.messages.Change`
        What is true now at every path of the refused edit.
    """

    def __init__(self, message: str, *, hint: str = "", present: Sequence[Any] = ()) -> None:
        super().__init__(message, hint=hint)
        self.present = tuple(present)


class TooLargeError(ViewerError, ValueError):
    """More was asked at once than the bounds in `viewer.policy` allow."""


class BusyError(ViewerError, RuntimeError):
    """A bounded queue is full; the same request may succeed in a moment."""


class DeadlineError(ViewerError, TimeoutError):
    """Work took longer than its deadline."""


class ClosedError(ViewerError, RuntimeError):
    """The viewer, layer or server has been closed."""


class LinkError(ViewerError, ConnectionError):
    """A viewer in another process cannot be reached, or the connection to it was lost."""


class ReadOnlyError(ViewerError, PermissionError):
    """The address is for looking only, or at least not the viewer's own (`Viewer.share`)."""

    @classmethod
    def by(cls, verb: str, what: str) -> ReadOnlyError:
        """For an attempt to change something."""
        return cls(
            f"Cannot {verb} {what}: this address is for looking only.",
            hint="Ask whoever shared it for one that may change things.",
        )


class CancelledError(ViewerError, RuntimeError):
    """Nobody waits for this work any more."""


class MissingExtraError(ViewerError, ImportError):
    """An optional dependency is not installed."""


HTTP_STATUS: dict[type[ViewerError], int] = {
    DataError: 502,
    SourceError: 502,
    InvalidValueError: 400,
    UnknownLayerError: 404,
    UnknownAxisError: 404,
    UnknownSessionError: 404,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    BusyError: 503,
    ClosedError: 404,
    LinkError: 502,
    ReadOnlyError: 403,
    DeadlineError: 504,
    CancelledError: 503,
    MissingExtraError: 502,
}
"""HTTP status for each error; subclasses inherit, the most derived entry wins."""


def http_status(error: BaseException) -> int:
    """HTTP status code for `error`: its class's entry in `HTTP_STATUS`, else 500."""
    for cls in type(error).__mro__:
        if cls in HTTP_STATUS:
            return HTTP_STATUS[cls]
    return 500


def error_of(kind: str, message: str, hint: str = "") -> ViewerError:
    """The error that another process told of by its `ViewerError.kind`."""
    kinds = [ViewerError]
    for known in kinds:  # grows: all the tree
        kinds += known.__subclasses__()
    found = next((known for known in kinds if known(message).kind == kind), ViewerError)
    return found(message, hint=hint)


def reason_of(error: BaseException) -> str:
    """What somebody else's error says, as a part of a sentence of ours."""
    return f"{type(error).__name__}: {error}".rstrip(". :")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"Did you mean 'colormap'?"`` for the known name nearest to `name`, else their list."""
    import difflib

    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not close:  # an abbreviation: cmap is spelled, in order, by the letters of colormap
        close = [candidate for candidate in names if _abbreviates(name, candidate)][:1]
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names)}."


def _abbreviates(short: str, word: str) -> bool:
    letters = iter(word)
    return len(short) > 1 and all(letter in letters for letter in short)
