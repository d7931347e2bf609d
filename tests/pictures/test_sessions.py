"""Sessions and the wishes of screenshots, as far as no page is needed."""

from __future__ import annotations

from typing import Any

import pytest

import viewer
from tests.server.page import Page
from viewer.errors import InvalidValueError, MissingExtraError, TooLargeError, UnknownSessionError
from viewer.pictures.sessions import hex_color


def attend(v: viewer.Viewer, page: Page, **said: Any) -> viewer.pictures.sessions.Session:
    """A page as the wire sees it becomes a session."""
    page.send({"type": "presence", "size": [800, 600], "pixel_ratio": 1, "visible": True} | said)
    id = page.hello["session"]
    assert v._attendance().wait(lambda here: any(one.id == id for one in here) or None, 30)
    return v.sessions[id]


def test_pages_come_and_go(viewer_: viewer.Viewer) -> None:
    assert len(viewer_.sessions) == 0
    with Page(viewer_.url) as page:
        session = attend(viewer_, page)
        assert list(viewer_.sessions) == [session.id]
        assert session.size == (800, 600) and session.visible and not session.headless
        assert session.since.tzinfo is not None
        assert "800 × 600, visible" in repr(session)
    assert viewer_._attendance().wait(lambda here: len(here) == 0 or None, 30)
    assert session.id not in viewer_.sessions


def test_a_session_is_found_by_the_beginning_of_its_id(viewer_: viewer.Viewer) -> None:
    with Page(viewer_.url) as page:
        session = attend(viewer_, page)
        assert viewer_.sessions[session.id[:6]].id == session.id
        assert session.id[:2] not in viewer_.sessions


def test_an_unknown_session_lists_those_there_are(viewer_: viewer.Viewer) -> None:
    with pytest.raises(UnknownSessionError, match="No page is open"):
        viewer_.sessions["nobody"]
    with Page(viewer_.url) as page:
        session = attend(viewer_, page)
        with pytest.raises(KeyError, match=session.id):
            viewer_.sessions["nobody"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"panel": "zx"}, "'xy', 'xz', 'yz', '3d'"),
        ({"size": 300}, "pair"),
        ({"size": (0, 10)}, "empty"),
        ({"scale": 0}, "scale"),
        ({"timeout": 0}, "timeout"),
        ({"background": "reddish"}, "colour"),
        ({"path": "figure"}, "what kind"),
    ],
)
def test_impossible_wishes_are_refused_at_once(
    viewer_: viewer.Viewer, wish: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidValueError, match=words):
        viewer_.screenshot(**wish)


def test_too_many_pixels_are_refused_at_once(viewer_: viewer.Viewer) -> None:
    with pytest.raises(TooLargeError, match="smaller size or scale"):
        viewer_.screenshot(size=(10_000, 10_000), scale=2)


def test_without_a_browser_it_is_said_how_to_get_one(
    viewer_: viewer.Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.pictures.browser.NAMES", ())
    monkeypatch.setattr("viewer.pictures.browser.ELSEWHERE", ())
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/nowhere")
    monkeypatch.delenv("VOXELVIEW_CHROMIUM", raising=False)
    with pytest.raises(MissingExtraError, match="playwright install chromium"):
        viewer_.screenshot()


def test_a_named_browser_is_the_only_candidate(
    viewer_: viewer.Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXELVIEW_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(MissingExtraError, match="VOXELVIEW_CHROMIUM"):
        viewer_.screenshot()


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("white", "#ffffffff"),
        ("transparent", "#00000000"),
        ("#ff000080", "#ff000080"),
        ((1, 0, 0), "#ff0000ff"),
        ((0, 0.5, 1, 0), "#0080ff00"),
    ],
)
def test_colours_are_written_in_many_ways(color: Any, expected: str) -> None:
    assert hex_color(color) == expected
