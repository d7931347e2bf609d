"""What a notebook gets to show, and the addresses in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import viewer
from viewer.errors import InvalidValueError


@pytest.fixture
def prefix() -> Iterator[None]:
    viewer.stop()
    yield
    viewer.stop()
    viewer.set_server(url_prefix="")


def frame_source(html: str) -> str:
    return html.split('<iframe src="')[1].split('"')[0]


def test_the_frame_has_the_address_and_the_text_too() -> None:
    with viewer.Viewer("Rocks & roots") as v:
        v.add_image(np.zeros((4, 4, 4), "u1"))
        bundle = v._repr_mimebundle_()
        assert frame_source(bundle["text/html"]) == v.url
        assert "Rocks &amp; roots" in bundle["text/html"]
        assert v.url in bundle["text/plain"]


def test_where_no_frame_can_be_it_is_said_what_to_forward() -> None:
    with viewer.Viewer() as v:
        html = v._repr_mimebundle_()["text/html"]
        port = v.url.split("/v/")[0].rpartition(":")[2]
        assert f"forward its port {port} " in html


def test_a_closed_viewer_shows_no_frame() -> None:
    v = viewer.Viewer()
    v.close()
    assert v._repr_mimebundle_() == {"text/plain": repr(v)}


@pytest.mark.usefixtures("prefix")
def test_a_path_as_prefix_counts_in_notebooks_only() -> None:
    viewer.set_server(url_prefix="/user/ada/proxy/{port}")
    with viewer.Viewer() as v:
        assert v.url.startswith("http://127.0.0.1:")
        port, path = v.url.split("/v/")[0].rsplit(":", 1)[1], v.url.split("/v/")[1]
        source = frame_source(v._repr_mimebundle_()["text/html"])
        assert source == f"/user/ada/proxy/{port}/v/{path}"


@pytest.mark.usefixtures("prefix")
def test_an_address_as_prefix_is_what_viewers_print() -> None:
    viewer.set_server(url_prefix="https://example.org/data/{port}/")
    with viewer.Viewer() as v:
        assert v.url.startswith("https://example.org/data/")
        assert frame_source(v._repr_mimebundle_()["text/html"]) == v.url


def test_on_a_hub_the_prefix_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    with viewer.Viewer() as v:
        assert frame_source(v._repr_mimebundle_()["text/html"]).startswith("/user/ada/proxy/")


@pytest.mark.parametrize("prefix", ["user/ada", "ftp://example.org/", "/a b/", 3])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidValueError, match="url_prefix"):
        viewer.set_server(url_prefix=prefix)
