"""Times a page in a fresh headless browser, without instruments on the network.

Playwright watches every request, which slows a page that makes many of them more than one that
makes few. Here each measurement starts a Chromium with an empty profile, speaks to it by the few
words of the DevTools protocol that leave the network alone, and lets the page itself say when it
is done: milliseconds since the navigation started, by the page's own clock.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from scripts.chromium import FLAGS

SIZE = (1200, 800)
"""CSS pixels of the window."""

START_SECONDS = 30.0
"""Seconds until a browser that has not come up is given up."""


class Page:
    """The only page of a browser that was started for it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._count = 0

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One DevTools command and its answer; events in between are dropped."""
        self._count += 1
        request = {"id": self._count, "method": method, "params": parameters}
        self._connection.send(json.dumps(request))
        while True:
            answer: dict[str, Any] = json.loads(self._connection.recv(timeout=180))
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str, *, first: str = "") -> None:
        """Navigate; the script `first` runs before any of the page's own."""
        self.call("Page.enable")
        if first:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=first)
        self.call("Page.navigate", url=url)
        while self.evaluate("location.href") == "about:blank":
            time.sleep(0.005)

    def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression; a promise is awaited."""
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def picture(self, path: Path) -> None:
        """Save what the page shows as PNG."""
        import base64

        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def fresh_page(chromium: str) -> Iterator[Page]:
    """A page in a browser of its own, with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            chromium,
            "--headless=new",
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={SIZE[0]},{SIZE[1]}",
            "--hide-scrollbars",
            "--remote-debugging-port=0",
            "about:blank",
        ]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_page_address(Path(profile)), max_size=None, proxy=None) as connection:
                page = Page(connection)
                page.call(
                    "Emulation.setDeviceMetricsOverride",
                    width=SIZE[0],
                    height=SIZE[1],
                    deviceScaleFactor=1,
                    mobile=False,
                )
                yield page
        finally:
            browser.terminate()
            browser.wait(20)


def _page_address(profile: Path) -> str:
    """WebSocket address of the first page, as soon as the browser has written its port."""
    from urllib.request import ProxyHandler, build_opener

    end = time.monotonic() + START_SECONDS
    port_file = profile / "DevToolsActivePort"
    while time.monotonic() < end:
        try:
            port = port_file.read_text().splitlines()[0]
            direct = build_opener(ProxyHandler({}))
            with direct.open(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                pages = [entry for entry in json.load(answer) if entry["type"] == "page"]
            if pages:
                address: str = pages[0]["webSocketDebuggerUrl"]
                return address
        except (OSError, IndexError):
            pass
        time.sleep(0.02)
    raise TimeoutError(f"The browser did not come up within {START_SECONDS:g} s.")
