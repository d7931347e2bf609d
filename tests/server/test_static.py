"""The client is served from where it is, and only the client."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from viewer.errors import InvalidValueError
from viewer.server import set_static_content_source
from viewer.server.content import CONTENT, CONTENT_TYPES


@pytest.fixture(autouse=True)
def package() -> Iterator[None]:
    """Go back to the package's client."""
    yield
    set_static_content_source()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A small client, with a secret beside and inside it."""
    folder = tmp_path / "client"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>client</title>")
    (folder / "assets" / "index-abc123.js").write_text("export {};" * 100)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "notes.txt").write_text("secret")
    (folder / ".env.js").write_text("secret")
    (tmp_path / "secret.js").write_text("secret")
    (folder / "link.js").symlink_to(tmp_path / "secret.js")
    set_static_content_source(path=folder)
    return folder


@pytest.mark.usefixtures("built")
class TestFiles:
    def test_the_page_is_asked_for_anew(self, url: str) -> None:
        page = httpx.get(url)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "no-cache" in page.headers["cache-control"]
        tag = {"If-None-Match": page.headers["etag"]}
        assert httpx.get(url, headers=tag).status_code == 304

    def test_hashed_assets_are_kept_for_ever(self, url: str) -> None:
        asset = httpx.get(f"{url}assets/index-abc123.js")
        assert asset.headers["content-type"] == "text/javascript; charset=utf-8"
        assert "immutable" in asset.headers["cache-control"]

    def test_the_policy_admits_the_client_and_nothing_else(self, url: str) -> None:
        policy = httpx.get(url).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        host = url.split("/")[2]
        assert f"connect-src 'self' ws://{host} wss://{host};" in policy

    @pytest.mark.parametrize(
        "path",
        [
            "notes.txt",
            ".env.js",
            "link.js",
            "assets",
            "assets/",
            "assets/nothing.js",
            "secret.js",
            "assets/.hidden.js",
        ],
    )
    def test_nothing_else_is_served(self, url: str, path: str) -> None:
        answer = httpx.get(url + path)
        assert answer.status_code == 404
        assert "secret" not in answer.text


def test_a_missing_client_says_what_to_do(url: str, tmp_path: Path) -> None:
    set_static_content_source(path=tmp_path)
    page = httpx.get(url)
    assert page.status_code == 503
    assert "make build" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert httpx.get(f"{url}assets/x.js").status_code == 404
    assert httpx.get(f"{url}layers/l1/zarr.json").status_code == 200


def test_the_package_comes_before_the_repository() -> None:
    folder = CONTENT.folder()
    assert folder is None or folder.name == "static"


@pytest.mark.parametrize(
    "wrong",
    [{"url": "localhost:5173"}, {"path": "/no/such/folder"}, {"url": "http://a", "path": "."}],
)
def test_impossible_sources_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError):
        set_static_content_source(**wrong)


def test_a_development_server_is_passed_through(url: str, built: Path) -> None:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, directory=str(built), **options)  # type: ignore

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as development:
        threading.Thread(target=development.serve_forever, args=(0.01,), daemon=True).start()
        origin = f"http://127.0.0.1:{development.server_address[1]}"
        set_static_content_source(url=f"{origin}/")
        page = httpx.get(url)
        assert "client" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert origin in page.headers["content-security-policy"]
        assert httpx.get(f"{url}assets/index-abc123.js?v=1").status_code == 200
        assert httpx.get(f"{url}assets/other.js").status_code == 404
        assert httpx.get(f"{url}layers/l1/zarr.json").status_code == 200
        development.shutdown()
    gone = httpx.get(url)
    assert gone.status_code == 502
    assert "set_static_content_source" in gone.json()["error"]["hint"]


def test_all_types_say_what_they_are() -> None:
    assert all("/" in value for value in CONTENT_TYPES.values())


def test_the_page_is_served_before_the_rest_of_the_server_is_imported() -> None:
    program = """
import sys, urllib.request
import numpy as np
import viewer, viewer.server.static

viewer.server.static.PAGE_SECONDS = 3600
v = viewer.Viewer()
v.add_image(np.zeros((8, 8, 8)))
v.add_labels(np.zeros((8, 8, 8), int))
urllib.request.urlopen(v.url).read(1)
late = "tornado.web", "tornado.websocket", "tornado.httpclient", "viewer.server.handler"
heavy = "numba", "zarr", "h5py", "scipy", "skimage", "dask", "cmap"
print(*[name for name in (*late, *heavy) if name in sys.modules])
"""
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
