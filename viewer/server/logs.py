"""What the server writes into logs, and what it never writes: the token.

The gate takes the token off the path before any handler sees the request, so access lines cannot
contain it. Tracebacks of bugs are masked all the same, because an exception's message can quote
whatever it likes. Requests are logged at debug level only.
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tornado.web import RequestHandler

logger = logging.getLogger("viewer.server")

_TOKEN = re.compile(r"(?<=/v/)[^/\s?#'\"]+|\b[0-9a-f]{40}\b")


def masked(text: str) -> str:
    """`text` with everything that looks like a token replaced by ``…``."""
    return _TOKEN.sub("…", text)


def log_bug(error: BaseException) -> None:
    """Log an error that is not the user's with its traceback, without tokens."""
    logger.error(
        "A bug of the viewer: please report it.\n%s",
        masked("".join(traceback.format_exception(error))).rstrip(),
    )


def log_request(handler: RequestHandler) -> None:
    """One line a request, at debug level; Tornado's own access log stays silent."""
    request = handler.request
    log_answer(
        handler.get_status(), request.method or "", request.uri or "", request.request_time()
    )


def log_answer(status: int, method: str, path: str, seconds: float) -> None:
    """As `log_request`, of a request that had no handler."""
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("%d %s /v/…%s %.1f ms", status, method, masked(path), 1000 * seconds)
