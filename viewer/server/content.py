"""The built client: where it is found, and what it consists of."""

from __future__ import annotations

import hashlib
from pathlib import Path

from viewer.errors import InvalidValueError, NotFoundError
from viewer.server.coding import SMALLEST, encode

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What the client may consist of; everything else is not served."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For what has a hash of its content in its name."""
ASK_AGAIN = "private, no-cache"
"""Keep it, ask whether it is current."""

_PACKAGE = Path(__file__).parents[1]


class ContentSource:
    """Where the client comes from: the package, unless a developer said otherwise."""

    def __init__(self) -> None:
        self.url = ""
        """Development server, without a slash at the end; ``""`` for files."""
        self._path: Path | None = None

    def set(self, *, url: str | None = None, path: str | Path | None = None) -> None:
        """See `viewer.server.set_static_content_source`."""
        if url is not None and path is not None:
            raise InvalidValueError("Give url= or path=, not both.")
        if url is not None and not url.startswith(("http://", "https://")):
            raise InvalidValueError(
                f"url={url!r} is not an address of a web server.", hint="As http://localhost:5173."
            )
        folder = None if path is None else Path(path).expanduser().resolve()
        if folder is not None and not folder.is_dir():
            raise InvalidValueError(f"path={str(path)!r} is not a folder.")
        self.url = (url or "").rstrip("/")
        self._path = folder

    def folder(self) -> Path | None:
        """The folder of the built client; None when there is none. The one place that knows."""
        candidates = (
            [self._path] if self._path else [_PACKAGE / "static", _PACKAGE.parent / "static"]
        )
        for candidate in candidates:
            if (candidate / "index.html").is_file():
                return candidate
        return None


CONTENT = ContentSource()


def content_fields(content_type: str, cache_control: str = "no-store") -> bytes:
    """The headers that go with it."""
    return (
        f"Content-Type: {content_type}\r\n"
        f"Cache-Control: {cache_control}\r\n"
        "Vary: Accept-Encoding, Origin\r\n"
    ).encode("latin1")


def read_content(folder: Path, name: str, coding: str) -> tuple[bytes, str, str]:
    """A file of the client: what it holds, in which content coding, and its entity tag."""
    path = (folder / name).resolve()
    # the route admits no dots at the start of a name; this also stops symbolic links
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise nothing_there()
    content = path.read_bytes()
    etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    if not coding or len(content) < SMALLEST:
        return content, "", etag
    return encode(content, coding), coding, etag


def nothing_there() -> NotFoundError:
    """What is raised for an address that nothing is at."""
    return NotFoundError(
        "There is nothing at this address.", hint="The viewer may have been closed."
    )
