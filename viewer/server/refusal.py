"""Answers that are not what was asked for: always JSON, always the same shape."""

from __future__ import annotations

import msgspec

from viewer.errors import BusyError, CancelledError, ViewerError, http_status

RETRY_SECONDS = "1"


class Refusal(Exception):
    """A request that the gate turns away, with what it answers.

    Parameters
    ----------
    status : int
        HTTP status.
    kind, message, hint : str
        As in `viewer.messages.Notice`.
    headers : dict, optional
        Further headers.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        hint: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = error_body(kind, message, hint)

    @classmethod
    def of(cls, error: ViewerError) -> Refusal:
        """The refusal that `error` amounts to."""
        retry = isinstance(error, BusyError | CancelledError)
        return cls(
            http_status(error),
            error.kind,
            error.message,
            error.hint,
            {"Retry-After": RETRY_SECONDS} if retry else None,
        )

    @classmethod
    def nothing_here(cls) -> Refusal:
        """404, the same for an unknown token as for an unknown path behind a known one."""
        return cls(
            404, "notfound", "There is nothing at this address.", "The viewer may have been closed."
        )


def error_body(kind: str, message: str, hint: str = "") -> bytes:
    """``{"error": {"kind", "message", "hint"}}``."""
    return msgspec.json.encode({"error": {"kind": kind, "message": message, "hint": hint}})
