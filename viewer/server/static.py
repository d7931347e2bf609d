"""The built client: where it is found, and how it is served."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from viewer.errors import InvalidValueError, NotFoundError, SourceError
from viewer.server.coding import SMALLEST, encode
from viewer.server.direct import DirectRequest, matches
from viewer.server.routes import load_handlers

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

FETCH_BYTES = 64 << 20
"""Bytes. The largest file taken from a development server."""

PAGE_SECONDS = 0.05
"""After which a page that has been sent is being read, and what it will ask for can be made ready:
the rest of this server, whose import takes as long as the page's."""

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
"""Keep it, ask whether it is current."""

_PACKAGE = Path(__file__).parents[1]

MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Voxelview: client not built</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; background: #17191c; color: #e6e6e6;
         display: grid; place-content: center; height: 100vh; margin: 0; text-align: center }
  code { background: #2a2d32; padding: 2px 6px; border-radius: 4px }
</style>
<h1>The client has not been built yet</h1>
<p>Python is serving your data, but the page that shows it is missing.<br>
Run <code>make build</code> in the project's folder, then reload.</p>
</html>
"""


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


class StaticRequest(DirectRequest):
    """One request for the page, or for what it loads."""

    def answer(self) -> None:
        name = self.arguments[0] or "index.html"
        if CONTENT.url:
            query = self.start_line.path.partition("?")[2]
            self.wait(_fetch(f"{CONTENT.url}/{name}{query and f'?{query}'}"), self._pass_on)
            return
        content_type = CONTENT_TYPES.get(Path(name).suffix)
        if content_type is None:
            raise _nothing()
        folder = CONTENT.folder()
        if folder is None:
            if name != "index.html":
                raise _nothing()
            self.send(503, _fields(CONTENT_TYPES[".html"]), MISSING.encode())
            return
        coding = self.coding()
        self.work(
            "static",
            lambda cancelled: _read(folder, name, coding),
            lambda found: self._deliver(name, content_type, found),
        )

    def _deliver(self, name: str, content_type: str, found: tuple[bytes, str, str]) -> None:
        body, encoding, etag = found
        if name.startswith("assets/"):  # their names contain a hash of their content
            self.send(200, _fields(content_type, _FOR_EVER), body, coding=encoding)
            return
        fields = _fields(content_type, _ASK_AGAIN) + b"ETag: %b\r\n" % etag.encode()
        if matches(self.headers.get("If-None-Match"), etag):
            self.send(304, fields)
        else:
            self.send(200, fields, body, coding=encoding)
        if name == "index.html":
            asyncio.get_running_loop().call_later(PAGE_SECONDS, load_handlers)

    def _pass_on(self, response: tuple[int, str, bytes]) -> None:
        status, content_type, body = response
        self.send(status, _fields(content_type), body)


def _fields(content_type: str, cache_control: str = "no-store") -> bytes:
    return (
        f"Content-Type: {content_type}\r\n"
        f"Cache-Control: {cache_control}\r\n"
        "Vary: Accept-Encoding, Origin\r\n"
    ).encode("latin1")


async def _fetch(url: str) -> tuple[int, str, bytes]:
    """Status, content type and body that a development server answers with."""
    from tornado.httpclient import AsyncHTTPClient, HTTPClientError

    client = AsyncHTTPClient(force_instance=True, max_body_size=FETCH_BYTES)
    try:
        response = await client.fetch(url, follow_redirects=False, raise_error=False)
    except (OSError, HTTPClientError) as error:
        raise SourceError(
            f"The client's development server at {CONTENT.url} does not answer: {error}",
            hint="Start it, or call viewer.set_static_content_source() to go back.",
        ) from None
    finally:
        client.close()
    if response.code == 599:
        raise SourceError(
            f"The client's development server at {CONTENT.url} does not answer.",
            hint="Start it, or call viewer.set_static_content_source() to go back.",
        )
    return response.code, response.headers.get("Content-Type", "text/plain"), response.body


def _read(folder: Path, name: str, coding: str) -> tuple[bytes, str, str]:
    path = (folder / name).resolve()
    # the route admits no dots at the start of a name; this also stops symbolic links
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise _nothing()
    content = path.read_bytes()
    etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    if not coding or len(content) < SMALLEST:
        return content, "", etag
    return encode(content, coding), coding, etag


def _nothing() -> NotFoundError:
    return NotFoundError(
        "There is nothing at this address.", hint="The viewer may have been closed."
    )
