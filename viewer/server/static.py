"""How the built client is served."""

from __future__ import annotations

import asyncio
from pathlib import Path

from viewer.errors import SourceError
from viewer.server.content import (
    ASK_AGAIN,
    CONTENT,
    CONTENT_TYPES,
    FOR_EVER,
    content_fields,
    nothing_there,
    read_content,
)
from viewer.server.direct import DirectRequest
from viewer.server.responses import matches
from viewer.server.routes import load_handlers

FETCH_BYTES = 64 << 20
"""Bytes. The largest file taken from a development server."""

PAGE_SECONDS = 0.05
"""After which a page that has been sent is being read, and what it will ask for can be made ready:
the rest of this server, whose import takes as long as the page's."""

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
            raise nothing_there()
        folder = CONTENT.folder()
        if folder is None:
            if name != "index.html":
                raise nothing_there()
            self.send(503, content_fields(CONTENT_TYPES[".html"]), MISSING.encode())
            return
        coding = self.coding()
        self.work(
            "static",
            lambda cancelled: read_content(folder, name, coding),
            lambda found: self._deliver(name, content_type, found),
        )

    def _deliver(self, name: str, content_type: str, found: tuple[bytes, str, str]) -> None:
        body, encoding, etag = found
        if name.startswith("assets/"):  # their names contain a hash of their content
            self.send(200, content_fields(content_type, FOR_EVER), body, coding=encoding)
            return
        fields = content_fields(content_type, ASK_AGAIN) + b"ETag: %b\r\n" % etag.encode()
        if matches(self.headers.get("If-None-Match"), etag):
            self.send(304, fields)
        else:
            self.send(200, fields, body, coding=encoding)
        if name == "index.html":
            expect_more()

    def _pass_on(self, response: tuple[int, str, bytes]) -> None:
        status, content_type, body = response
        self.send(status, content_fields(content_type), body)


def expect_more() -> None:
    """The page has been sent: get ready for what it will ask for. On the loop."""
    asyncio.get_running_loop().call_later(PAGE_SECONDS, load_handlers)


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
