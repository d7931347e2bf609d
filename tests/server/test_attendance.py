"""Who looks is known, and pages are asked for pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.server.exhibit import TOKEN, Exhibit
from tests.server.page import Page
from viewer.errors import ClosedError, DeadlineError, ViewerError
from viewer.messages import PART_BYTES, TakePicture
from viewer.server import Server
from viewer.server.attendance import Attendance, Attendant, Shot

HERE = {"type": "presence", "size": [800, 600], "pixel_ratio": 2, "visible": True}


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    with Page(url) as page:
        yield page


@pytest.fixture
def attendance(server: Server, url: str) -> Attendance:
    return server.attendance(TOKEN)


def arrived(attendance: Attendance, page: Page, **said: Any) -> Attendant:
    """The page says what it is; what is known of it then."""
    page.send({**HERE, **said})

    def find(here: tuple[Attendant, ...]) -> Attendant | None:
        mine = [one for one in here if one.id == page.hello["session"]]
        return next((one for one in mine if one.said.visible == said.get("visible", True)), None)

    found = attendance.wait(find, 5)
    assert found is not None
    return found


def gone(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def wish(exhibit: Exhibit) -> TakePicture:
    return TakePicture(0, exhibit.document.state, None, 1.0, None, None, True, 30.0)


@pytest.fixture
def asked(
    attendance: Attendance, page: Page, exhibit: Exhibit
) -> tuple[Future[Shot], dict[str, Any]]:
    """A page was asked for a picture: what it will answer, and what it has heard."""
    attendant = arrived(attendance, page)
    answer = attendance.take(attendant.id, wish(exhibit))
    return answer, page.receive("take")


def test_a_page_is_known_once_it_has_said_so(attendance: Attendance, page: Page) -> None:
    assert attendance.attendants == ()
    found = arrived(attendance, page)
    assert found.said.size == (800, 600)
    assert found.said.pixel_ratio == 2
    assert found.user_agent.startswith("Python")
    assert abs(found.since - time.time()) < 60


def test_a_page_says_when_it_changes(attendance: Attendance, page: Page) -> None:
    first = arrived(attendance, page)
    second = arrived(attendance, page, visible=False)
    assert second.since == first.since
    assert len(attendance.attendants) == 1


def test_a_page_that_leaves_is_forgotten(attendance: Attendance, page: Page) -> None:
    arrived(attendance, page)
    page.close()
    gone(lambda: attendance.attendants == ())


def test_a_page_hears_the_document_of_the_call(
    asked: tuple[Future[Shot], dict[str, Any]], exhibit: Exhibit
) -> None:
    _, heard = asked
    assert heard["document"]["layers"].keys() == exhibit.document.state.layers.keys()
    assert heard["seconds"] == 30


def test_a_picture_comes_in_parts(asked: tuple[Future[Shot], dict[str, Any]], page: Page) -> None:
    answer, heard = asked
    body = bytes(range(256)) * 4096
    levels = {"layer": [0, 2]}
    page.send({"type": "taken", "request": heard["request"], "bytes": len(body), "levels": levels})
    for at in range(0, len(body), PART_BYTES):
        assert not answer.done()
        page.send(body[at : at + PART_BYTES])
    assert answer.result(30) == Shot(body, levels)


def test_a_page_says_why_there_is_no_picture(
    asked: tuple[Future[Shot], dict[str, Any]], page: Page
) -> None:
    answer, heard = asked
    page.send(
        {"type": "taken", "request": heard["request"], "error": "3 bricks", "kind": "deadline"}
    )
    with pytest.raises(DeadlineError, match="3 bricks"):
        answer.result(30)


def test_a_page_that_closes_meanwhile_is_an_error(
    asked: tuple[Future[Shot], dict[str, Any]], page: Page
) -> None:
    answer, _ = asked
    page.close()
    with pytest.raises(ClosedError, match="page was closed"):
        answer.result(30)


@pytest.mark.parametrize("size", [-1, 1 << 40])
def test_a_picture_beyond_the_bounds_ends_the_connection(
    asked: tuple[Future[Shot], dict[str, Any]], page: Page, size: int
) -> None:
    answer, heard = asked
    page.send({"type": "taken", "request": heard["request"], "bytes": size})
    page.until_closed()
    with pytest.raises(ClosedError):
        answer.result(30)


def test_a_late_picture_is_let_pass(
    asked: tuple[Future[Shot], dict[str, Any]],
    attendance: Attendance,
    page: Page,
    exhibit: Exhibit,
) -> None:
    late, heard = asked
    late.cancel()
    again = attendance.take(page.hello["session"], wish(exhibit))
    second = page.receive("take")
    for request in (heard["request"], second["request"]):
        page.send({"type": "taken", "request": request, "bytes": 4})
        page.send(b"pict" if request == second["request"] else b"late")
    assert again.result(30).png == b"pict"


def test_an_unknown_page_cannot_be_asked(attendance: Attendance, exhibit: Exhibit) -> None:
    with pytest.raises(ClosedError, match="has ended"):
        attendance.take("nobody", wish(exhibit))


def test_the_servers_own_thread_may_not_wait(
    server: Server, attendance: Attendance, exhibit: Exhibit
) -> None:
    caught: Future[BaseException | None] = Future()

    def wait() -> None:
        try:
            attendance.wait(lambda here: None, 1)
        except BaseException as error:
            caught.set_result(error)
        else:
            caught.set_result(None)

    server._loop.call_soon_threadsafe(wait)
    assert isinstance(caught.result(30), RuntimeError)


def test_a_closed_viewer_has_no_pages(server: Server, attendance: Attendance, page: Page) -> None:
    arrived(attendance, page)
    server.unmount(TOKEN)
    assert attendance.attendants == ()
    with pytest.raises(ViewerError):
        attendance.wait(lambda here: None, 5)
    with pytest.raises(ClosedError):
        server.attendance(TOKEN)


def test_the_wire_says_what_a_page_must_send(page: Page) -> None:
    page.send(json.dumps({"type": "presence", "size": "large"}))
    page.until_closed()
