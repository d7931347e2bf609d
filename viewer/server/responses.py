"""The heads of responses that are written below Tornado's handlers."""

from __future__ import annotations

import time
from functools import lru_cache
from http import HTTPStatus

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def response_head(
    status: int,
    common: bytes,
    fields: bytes,
    length: int,
    *,
    coding: str = "",
    wish: str | None = None,
    version: str = "HTTP/1.1",
) -> bytes:
    """All that comes before the body.

    Parameters
    ----------
    status : int
    common : bytes
        The headers of every response, each with the end of its line.
    fields : bytes
        The response's own, likewise.
    length : int
        Bytes of the body.
    coding : str, default ""
        Its content coding.
    wish, version : str
        The request's Connection header, and its version of HTTP.
    """
    parts = [_status(status), common, fields, _date(int(time.time()))]
    if status != 304:
        parts.append(b"Content-Length: %d\r\n" % length)
    if coding:
        parts.append(b"Content-Encoding: %b\r\n" % coding.encode())
    if wish is not None:
        wish = wish.lower()
        if wish == "close" or (wish == "keep-alive" and version == "HTTP/1.0"):
            parts.append(b"Connection: %b\r\n" % wish.encode())
    parts.append(b"\r\n")
    return b"".join(parts)


def matches(condition: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this version, weakly compared (RFC 9110, 13.1.2)."""
    if condition is None:
        return False
    known = (tag.strip().removeprefix("W/") for tag in condition.split(","))
    return condition.strip() == "*" or etag.removeprefix("W/") in known


@lru_cache
def _status(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()


@lru_cache(1)
def _date(second: int) -> bytes:
    """In English, whatever the locale is; `email.utils` takes longer to import than the page."""
    year, month, day, hours, minutes, seconds, weekday, *_ = time.gmtime(second)
    clock = f"{hours:02}:{minutes:02}:{seconds:02}"
    date = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {clock} GMT"
    return b"Date: %b\r\n" % date.encode()
