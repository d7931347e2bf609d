"""Who holds the viewer's own address may share it, also from far away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import viewer
from tests.client.conftest import Far
from viewer import errors


def test_a_share_made_far_away_lets_others_look(link: viewer.Link, far: Far) -> None:
    share = link.share(expires=timedelta(hours=2))
    assert share.read_only and share.valid and share.url.startswith(far.url.split("/v/")[0])
    assert share.expires is not None
    assert timedelta(hours=1.9) < share.expires - datetime.now(UTC) <= timedelta(hours=2)
    with viewer.connect(share.url, timeout=30) as guest:
        assert guest.read_only and guest.layers.names == link.layers.names
        with pytest.raises(errors.ReadOnlyError):
            guest.title = "mine"
    assert [one.url for one in link.shares] == [share.url]
    share.revoke()
    share.revoke()
    assert not share.valid and repr(share) == "<Share (ended)>"
    assert link.shares == ()
    with pytest.raises(errors.LinkError, match="does not know this token"):
        viewer.connect(share.url, timeout=30)


def test_one_that_may_write(link: viewer.Link) -> None:
    share = link.share(read_only=False)
    assert "read and write" in repr(share)
    with viewer.connect(share.url, timeout=30) as colleague:
        colleague.title = "ours"
        assert not colleague.read_only
    link.call("errors")  # answered after what was done before
    assert link.title == "ours"
    link.title = "far away"
    share.revoke()


def test_mistakes_are_told_in_the_same_words(link: viewer.Link) -> None:
    with pytest.raises(errors.InvalidValueError, match="'30min', '2h'"):
        link.share(expires="2 hours")
    with pytest.raises(errors.InvalidValueError, match="True or False"):
        link.share(read_only="yes")  # type: ignore[arg-type]
    assert link.shares == ()
