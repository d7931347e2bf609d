"""A share lets others in, to look or to work, until it is taken back."""

from __future__ import annotations

import time
import typing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest

import viewer
from tests.server.page import Page
from tests.server.photographer import Photographer
from viewer import calls, errors, messages
from viewer.server.document_socket import LOOKING
from viewer.server.routes import ROUTES
from viewer.shares import seconds_of


@pytest.fixture
def shown(viewer_: viewer.Viewer) -> viewer.Viewer:
    """A viewer with a layer of each kind."""
    viewer_.add_image(np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6), name="image")
    viewer_.add_labels(np.pad(np.ones((2, 3, 3), np.uint8), 1), name="cells")
    viewer_.add_surface((np.eye(3), np.array([[0, 1, 2]])), name="surface")
    return viewer_


def test_a_share_is_an_address_of_its_own(shown: viewer.Viewer) -> None:
    share = shown.share()
    assert share.read_only and share.valid and share.expires is None
    assert share.url != shown.url and share.token in share.url and str(share) == share.url
    assert shown.shares == (share,)
    with viewer.connect(share.url) as guest:
        assert guest.read_only
        assert guest.layers.names == ("image", "cells", "surface")


def test_guests_follow_what_the_viewer_does(shown: viewer.Viewer) -> None:
    with Page(shown.share().url) as guest:
        assert guest.hello["read_only"] is True
        shown.title = "new"
        guest.catch_up(shown.document.version)
        assert guest.document["title"] == "new"
        shown.report(messages.Notice("source", "The disk is gone."))
        assert guest.receive("report")["notice"]["message"] == "The disk is gone."


def test_guests_edit_nothing(shown: viewer.Viewer) -> None:
    before = shown.document.version
    with viewer.connect(shown.share().url) as guest:
        with pytest.raises(errors.ReadOnlyError, match="Cannot change opacity of 'image': "):
            guest.layers["image"].opacity = 0.5
        with pytest.raises(PermissionError):
            guest.layers.remove("cells")
        with pytest.raises(errors.ReadOnlyError):
            guest.view.center = (1, 1, 1)
    assert shown.document.version == before


def test_guests_call_only_what_looks(shown: viewer.Viewer) -> None:
    before = shown.document.version
    with viewer.connect(shown.share().url) as guest:
        for subject in (None, *guest.layers):
            for name, callee in calls.callees(subject or guest).items():
                if not callee.looks and not callee.attribute:
                    with pytest.raises(errors.ReadOnlyError):
                        guest.call(name, layer=subject)
                if callee.attribute:
                    guest.call(name, layer=subject)
                    with pytest.raises(errors.ReadOnlyError):
                        guest.call(name, 1, layer=subject)
        with pytest.raises(errors.ViewerError):
            guest.add_image(np.zeros((3, 3, 3)))
    with viewer.connect(shown.share().url) as guest:
        assert guest.layers["cells"].mesh(1)[0].shape[1] == 3
        assert guest.layers["image"].data[1, 2, 3] == shown.layers["image"].data[1, 2, 3]
    assert shown.document.version == before


def test_every_other_message_of_a_guest_is_left_unheard() -> None:
    kinds = set(typing.get_args(messages.PageMessage))
    answered = {messages.Ping, messages.Edit, messages.Call, messages.Cancel}
    looks = {messages.Save, messages.Load}  # saving is looking; loading is refused
    page = {messages.Presence, messages.Taken}  # it is there, and takes pictures when asked
    assert set(LOOKING) == answered | looks | page <= kinds


def test_no_route_takes_anything_from_guests(shown: viewer.Viewer) -> None:
    share = shown.share()
    for route in ROUTES:
        path = route.pattern.pattern if route.pattern.pattern.isalpha() else "colormaps.json"
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = httpx.request(method, share.url + path, content=b"{}")
            assert answer.status_code == 405


def test_who_may_write_can(shown: viewer.Viewer) -> None:
    share = shown.share(read_only=False)
    with viewer.connect(share.url) as colleague:
        colleague.layers["image"].opacity = 0.25
        added = colleague.add_labels(np.ones((4, 5, 6), np.uint8))
        assert added.name in shown.layers.names
    assert shown.layers["image"].opacity == 0.25


def test_what_reaches_beyond_the_viewer_is_its_owners(shown: viewer.Viewer, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 6)))
    with viewer.connect(shown.share(read_only=False).url) as colleague:
        cells = colleague.layers["cells"]
        for attempt in (
            lambda: colleague.open(tmp_path / "a.npy"),
            lambda: colleague.layers["image"].build_pyramid(tmp_path / "b.zarr"),
            lambda: cells.export_meshes(tmp_path / "meshes"),
            lambda: colleague.share(),
            lambda: colleague.shares,
            lambda: colleague.call("revoke", "x"),
        ):
            with pytest.raises(errors.ReadOnlyError, match="the viewer's own address"):
                attempt()
    assert [file.name for file in tmp_path.iterdir()] == ["a.npy"]
    assert "a" not in shown.layers.names


def test_where_files_are_only_the_owner_is_told(shown: viewer.Viewer, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 6)))
    (layer,) = shown.open(tmp_path / "a.npy")
    with viewer.connect(shown.url) as own:
        view = own.to_dict()
    assert view["layers"][-1]["source"]["path"] == str(tmp_path / "a.npy")
    for read_only in (True, False):
        with viewer.connect(shown.share(read_only=read_only).url) as link:
            assert "source" not in link.to_dict()["layers"][-1]
    shown.layers.remove(layer)
    with viewer.connect(shown.share(read_only=False).url) as link:
        assert link.load(view) == ("a",)
    with viewer.connect(shown.url) as own:
        assert own.load(view) == ()
    assert shown.layers.names[-1] == "a"


def test_pages_at_shared_addresses_are_sessions(shown: viewer.Viewer) -> None:
    guests, colleagues = shown.share(), shown.share(read_only=False)
    with Photographer(guests.url) as guest, Photographer(colleagues.url) as colleague:
        sessions = shown.sessions
        assert set(sessions) == {guest.id, colleague.id}
        theirs, ours = sessions[guest.id], sessions[colleague.id]
        assert (theirs.shared, theirs.read_only) == (True, True)
        assert (ours.shared, ours.read_only) == (True, False)
        assert repr(theirs).endswith("visible, shared, read-only>")
        picture = theirs.screenshot()
        assert guest.taken == 1 and picture.shape == (6, 8, 4)
        guests.revoke()
        guest.until_gone()
        shown._attendance().wait(lambda here: len(here) < 2, 30)  # it is heard of a moment later
        assert list(shown.sessions) == [colleague.id]
        with pytest.raises(errors.ClosedError):
            theirs.screenshot()


def test_no_picture_is_asked_of_guests_but_by_name(
    shown: viewer.Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXELVIEW_CHROMIUM", "/nowhere/chromium")
    with Photographer(shown.share().url) as guest:
        with pytest.raises(errors.MissingExtraError):
            shown.screenshot()
        with Photographer(shown.url) as own:
            shown.screenshot()
            assert (guest.taken, own.taken) == (0, 1)


def test_revoking_sends_away_who_is_there(shown: viewer.Viewer) -> None:
    share, other = shown.share(), shown.share()
    with Page(share.url) as guest, Page(other.url) as stays:
        share.revoke()
        share.revoke()
        assert "not shared any more" in guest.receive("closing")["reason"]
        guest.until_closed()
        shown.title = "still here"
        stays.catch_up(shown.document.version)
    assert not share.valid and repr(share) == "<Share (ended)>"
    assert shown.shares == (other,)
    assert httpx.get(share.url).status_code == 404
    with pytest.raises(errors.LinkError, match="does not know this token"):
        viewer.connect(share.url)


def test_a_share_expires(shown: viewer.Viewer) -> None:
    share = shown.share(expires=5)  # time enough to come, on a machine that is busy
    assert share.expires is not None
    assert timedelta(0) < share.expires - datetime.now(UTC) <= timedelta(seconds=5)
    with Page(share.url) as guest:
        assert "is over" in guest.receive("closing")["reason"]
        guest.until_closed()
    assert time.time() >= share.expires.timestamp()
    assert httpx.get(share.url).status_code == 404
    assert shown.shares == ()


def test_shares_end_with_the_viewer(shown: viewer.Viewer) -> None:
    share = shown.share()
    with viewer.connect(share.url) as guest:
        shown.close()
        assert not share.valid
        while not guest.closed:  # until the farewell has come
            time.sleep(0.01)
        with pytest.raises(errors.ClosedError):
            guest.title = "?"
    assert httpx.get(share.url).status_code == 404


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("90s", 90), ("30min", 1800), ("2h", 7200), ("1.5 h", 5400), ("7d", 604800), (60, 60.0)],
)
def test_durations(duration: object, seconds: float) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["2 hours", "", "h", 0, -1, float("nan"), True, [], 1e300])
def test_other_durations_are_refused(shown: viewer.Viewer, duration: object) -> None:
    with pytest.raises(errors.InvalidValueError, match="'30min', '2h'"):
        shown.share(expires=duration)  # type: ignore[arg-type]
    assert shown.shares == ()


def test_a_token_of_ones_own(viewer_: viewer.Viewer) -> None:
    token = "b" * 39 + "-"
    with viewer.Viewer(token=token) as mine:
        assert mine.url.endswith(f"/v/{token}/")
    with pytest.raises(errors.InvalidValueError, match="cannot be a token"):
        viewer.Viewer(token="secret")
