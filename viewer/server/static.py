"""The built client: where it is found, and how it is served."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from viewer.errors import InvalidValueError, NotFoundError, SourceError
from viewer.server.handler import Handler, encode_body

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


class StaticHandler(Handler):
    """The page and whatever it loads."""

    async def answer(self, *arguments: str) -> None:
        name = arguments[0] or "index.html"
        if CONTENT.url:
            await self._pass_through(name)
        else:
            await self._file(name)

    async def _file(self, name: str) -> None:
        content_type = CONTENT_TYPES.get(Path(name).suffix)
        if content_type is None:
            raise _nothing()
        folder = CONTENT.folder()
        if folder is None:
            if name != "index.html":
                raise _nothing()
            self.set_status(503)
            self.deliver(MISSING.encode(), CONTENT_TYPES[".html"])
            return
        coding = self.coding
        body, encoding, etag = await self.work(
            "static", lambda cancelled: _read(folder, name, coding)
        )
        if name.startswith("assets/"):  # their names contain a hash of their content
            self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        elif self.unchanged(etag):
            return
        self.deliver(body, content_type, encoding=encoding)

    async def _pass_through(self, name: str) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        client = AsyncHTTPClient(force_instance=True, max_body_size=FETCH_BYTES)
        try:
            response = await client.fetch(
                f"{CONTENT.url}/{name}{query}", follow_redirects=False, raise_error=False
            )
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
        self.set_status(response.code)
        self.deliver(response.body, response.headers.get("Content-Type", "text/plain"))


def _read(folder: Path, name: str, coding: str) -> tuple[bytes, str, str]:
    path = (folder / name).resolve()
    # the route admits no dots at the start of a name; this also stops symbolic links
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise _nothing()
    content = path.read_bytes()
    etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    body, encoding = encode_body(content, coding)
    return body, encoding, etag


def _nothing() -> NotFoundError:
    return NotFoundError(
        "There is nothing at this address.", hint="The viewer may have been closed."
    )
