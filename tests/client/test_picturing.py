"""Pages take pictures for a Link as for the Viewer itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import viewer
from tests.client.conftest import Far
from tests.server.photographer import Photographer
from viewer import errors


def test_pages_are_sessions(link: viewer.Link, far: Far) -> None:
    with Photographer(far.url) as page:
        sessions = link.sessions
        session = sessions[page.id[:8]]
        assert list(sessions) == [page.id] and session.id == page.id
        assert (session.size, session.pixel_ratio) == ((800, 600), 1.0)
        assert session.visible and not (session.headless or session.shared)
        assert session.since.tzinfo is not None
    with pytest.raises(KeyError, match="No page is open"):
        link.sessions["nobody"]


def test_a_certain_page_takes_a_picture(link: viewer.Link, far: Far, tmp_path: Path) -> None:
    with Photographer(far.url) as first, Photographer(far.url) as second:
        for page in (first, second):
            picture = link.sessions[page.id].screenshot(tmp_path / f"{page.id}.png", panel="xy")
            assert picture.shape == (6, 8, 4) and picture._repr_png_()
        assert (first.taken, second.taken) == (1, 1)
        assert first.wishes[0]["panel"] == "xy"
        with Image.open(tmp_path / f"{second.id}.png") as saved:
            assert saved.size == (8, 6)


def test_a_picture_shows_what_was_set_before(link: viewer.Link, far: Far) -> None:
    with Photographer(far.url):
        link.layers[0].opacity = 0.6
        assert link.screenshot()[0, 0, 0] == 153


def test_impossible_wishes_are_refused_here(link: viewer.Link) -> None:
    for wish in ({"panel": "zx"}, {"size": 300}, {"background": "reddish"}, {"path": "figure"}):
        with pytest.raises(errors.InvalidValueError):
            link.screenshot(**wish)  # type: ignore[arg-type]


def test_a_film_is_made_far_away_and_saved_here(
    link: viewer.Link, far: Far, tmp_path: Path
) -> None:
    version = link.document.version
    with Photographer(far.url) as page:
        fade = [(0, {"layers.image.opacity": 1}), (0.5, {"layers": {"image": {"opacity": 0}}})]
        film = link.animate(fade, fps=8)
        assert [int(frame[0, 0, 0]) for frame in film.frames()] == [255, 191, 128, 64, 0]
        film.save(tmp_path / "fade")
        assert len(list((tmp_path / "fade").iterdir())) == 5
        assert page.taken == 10
    assert link.document.version == version


def test_a_cancelled_film_lets_the_page_go(link: viewer.Link, far: Far) -> None:
    with Photographer(far.url):
        film = link.animate([(0, {}), (5, {"view.zoom": 4})], fps=10)
        frames = film.frames()
        next(frames)
        film.cancel()
        with pytest.raises(errors.CancelledError):
            next(frames)
        assert link.screenshot().shape == (6, 8, 4)


def test_without_a_browser_there_it_is_said_here(
    viewer_: viewer.Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXELVIEW_CHROMIUM", "/nowhere/chromium")
    viewer_.add_image(np.zeros((4, 5, 6), np.uint8))
    with viewer.connect(viewer_.url, timeout=30) as link:
        with pytest.raises(errors.MissingExtraError, match="VOXELVIEW_CHROMIUM"):
            link.screenshot()
        with pytest.raises(errors.MissingExtraError, match="VOXELVIEW_CHROMIUM"):
            list(link.animate([(0, {}), (1, {"view.zoom": 2})]).frames())


def test_guests_take_no_pictures(viewer_: viewer.Viewer) -> None:
    with viewer.connect(viewer_.share().url, timeout=30) as guest:
        with pytest.raises(errors.ReadOnlyError):
            guest.screenshot()
        with pytest.raises(errors.ReadOnlyError):
            list(guest.sessions)


def test_a_notebook_shows_the_page_of_a_link(link: viewer.Link) -> None:
    bundle = link._repr_mimebundle_(height=321)
    assert bundle["text/plain"] == f"{link!r}\n{link.url}"
    assert link.url in bundle["text/html"] and "321px" in bundle["text/html"]


def test_elsewhere_the_page_opens_in_the_browser(
    link: viewer.Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    link.show()
    assert opened == [link.url]
