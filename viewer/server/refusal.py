"""Answers that are not what was asked for: JSON, always of the same shape.

Who opens an address in a browser, an old link perhaps, is told the same by a page.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from viewer.errors import BusyError, CancelledError, ViewerError, http_status

RETRY_SECONDS = "1"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{message}</title>
<style>
:root {{ color-scheme: dark light; font: 15px/1.5 system-ui, sans-serif }}
body {{ display: grid; place-content: center; height: 90vh; margin: 0 24px; text-align: center }}
h1 {{ font-size: 18px; font-weight: 600 }}
</style>
<h1>{message}</h1>
<p>{hint}</p>
</html>
"""


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
        self.message, self.hint = message, hint
        self.body = error_body(kind, message, hint)

    def as_page(self) -> Refusal:
        """The same for people: the gate answers so where a browser wants to show a page."""
        from html import escape  # its table of entities is long

        page = PAGE.format(message=escape(self.message), hint=escape(self.hint))
        self.headers = {**self.headers, "Content-Type": "text/html; charset=utf-8"}
        self.body = page.encode()
        return self

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
    def unexpected(cls) -> Refusal:
        """500: a bug of ours, already logged."""
        return cls(
            500,
            "unexpected",
            "Something went wrong inside the viewer.",
            "Python's log knows more.",
        )

    @classmethod
    def preflight(cls, methods: Iterable[str]) -> Refusal:
        """What a browser is told that asks whether another site's page may ask (CORS)."""
        answer = cls(
            200,
            "preflight",
            "",
            headers={
                "Access-Control-Allow-Methods": ", ".join(methods),
                "Access-Control-Allow-Headers": "If-None-Match, Range",
                "Access-Control-Allow-Private-Network": "true",  # this machine, from the internet
                "Access-Control-Max-Age": "600",
                "Vary": "Origin",
            },
        )
        answer.body = b""
        return answer

    @classmethod
    def nothing_here(cls) -> Refusal:
        """404, the same for an unknown token as for an unknown path behind a known one."""
        return cls(
            404, "notfound", "There is nothing at this address.", "The viewer may have been closed."
        )


def error_body(kind: str, message: str, hint: str = "") -> bytes:
    """``{"error": {"kind", "message", "hint"}}``."""
    return msgspec.json.encode({"error": {"kind": kind, "message": message, "hint": hint}})
