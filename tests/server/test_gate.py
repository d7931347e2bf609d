"""No request gets past the gate without the token, the right host and the right origin."""

from __future__ import annotations

import json
import logging
import re
import socket
import urllib.parse
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from tests.server.exhibit import TOKEN, Exhibit
from viewer.policy import Policy
from viewer.server import Server
from viewer.server.refusal import Refusal
from viewer.server.routes import ROUTES, find_route

PATHS = {  # an address for every route
    r"layers/(l[1-9][0-9]{0,8})/(0|[1-9][0-9]?)/(c/[0-9/]{1,120})": "layers/l1/0/c/0/0/0",
    r"ws": "ws",
    r"bricks": "bricks",
    r"layers/(l[1-9][0-9]{0,8})/zarr\.json": "layers/l1/zarr.json",
    r"layers/(l[1-9][0-9]{0,8})/(0|[1-9][0-9]?)/zarr\.json": "layers/l1/0/zarr.json",
    r"layers/(l[1-9][0-9]{0,8})/labels": "layers/l2/labels",
    r"layers/(l[1-9][0-9]{0,8})/mesh/info": "layers/l2/mesh/info",
    r"layers/(l[1-9][0-9]{0,8})/mesh/(0|-?[1-9][0-9]{0,19}):0": "layers/l2/mesh/7:0",
    r"layers/(l[1-9][0-9]{0,8})/mesh/(0|-?[1-9][0-9]{0,19})(?:\.(surface|ply|obj|stl|glb))?": (
        "layers/l2/mesh/7.ply"
    ),
    r"layers/(l[1-9][0-9]{0,8})/surface(?:\.(ply|obj|stl|glb))?": "layers/l2/surface.ply",
    r"colormaps\.json": "colormaps.json",
    r"colormaps/((?:[A-Za-z0-9._~!'()*-]|%[0-9A-F]{2}){1,200})": "colormaps/viridis",
    ROUTES[-1].pattern.pattern: "",
}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
EXPECTED_HEADERS = (
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "x-content-type-options",
)


def raw(server: Server, request: bytes) -> bytes:
    """Everything the server says to these bytes until it closes or has told the length."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            head, _, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"\r\nContent-Length: (\d+)", head)
            closes = b"Connection: close" in head
            if head.startswith(b"HTTP/1.1 101"):
                break
            if length and not closes and len(body) >= int(length[1]):
                break
        return answer


def request(server: Server, target: str, headers: dict[str, str], method: str = "GET") -> bytes:
    """The head and body of the answer to a request with exactly these headers."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
    return raw(server, "\r\n".join(lines).encode("latin1"))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture
def base(url: str) -> str:
    """Path of the mounted exhibit."""
    return urllib.parse.urlsplit(url).path


@pytest.fixture
def host(server: Server) -> str:
    return f"127.0.0.1:{server.port}"


def test_an_address_is_known_for_every_route() -> None:
    assert [route.pattern.pattern for route in ROUTES] == list(PATHS)
    for path in PATHS.values():
        assert find_route(path, None) is not None


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler.__name__)
class TestEveryRoute:
    def headers(self, route: object, **changes: str) -> dict[str, str]:
        upgrade = UPGRADE if getattr(route, "socket", False) else {}
        return {"Connection": "close", **upgrade, **changes}

    def path(self, route: object) -> str:
        return PATHS[route.pattern.pattern]  # type: ignore[attr-defined]

    def test_is_refused_without_the_token(
        self, route: object, server: Server, base: str, host: str
    ) -> None:
        wrong = "f" * len(TOKEN)
        nothing = request(server, f"{base}no/such/path", {"Host": host, "Connection": "close"})
        for target in (
            f"/v/{wrong}/{self.path(route)}",
            f"/v//{self.path(route)}",
            f"/{self.path(route)}",
            f"/v/{TOKEN[:-1]}/{self.path(route)}",
            f"/v/{TOKEN}0/{self.path(route)}",
            f"/v/{TOKEN.upper()}/{self.path(route)}",
            f"/v/{TOKEN[:-1]}\xe9/{self.path(route)}",
            f"//v/{TOKEN}/{self.path(route)}",
            f"http://{host}/v/{TOKEN}/{self.path(route)}",
        ):
            answer = request(server, target, self.headers(route, Host=host))
            if status(answer) != 400:  # bytes that HTTP does not allow in a target
                assert status(answer) == 404
                assert answer.split(b"\r\n\r\n", 1)[1] == nothing.split(b"\r\n\r\n", 1)[1]

    @pytest.mark.parametrize(
        "name", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::2]", "a,b"]
    )
    def test_is_refused_under_another_name(
        self, route: object, server: Server, base: str, name: str
    ) -> None:
        answer = request(server, base + self.path(route), self.headers(route, Host=name))
        assert status(answer) in (400, 403)
        assert TOKEN.encode() not in answer

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://{host}", "{host}"]
    )
    def test_is_refused_to_pages_of_other_origins(
        self, route: object, server: Server, base: str, host: str, origin: str
    ) -> None:
        headers = self.headers(route, Host=host, Origin=origin.format(host=host))
        assert status(request(server, base + self.path(route), headers)) == 403

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "unheard-of"])
    def test_is_refused_to_loads_by_other_sites(
        self, route: object, server: Server, base: str, host: str, site: str
    ) -> None:
        headers = self.headers(route, Host=host) | {"Sec-Fetch-Site": site}
        assert status(request(server, base + self.path(route), headers)) == 403

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "X"])
    def test_takes_no_other_method(
        self, route: object, server: Server, base: str, host: str, method: str
    ) -> None:
        headers = self.headers(route, Host=host)
        assert status(request(server, base + self.path(route), headers, method)) == 405

    def test_takes_no_body(self, route: object, server: Server, base: str, host: str) -> None:
        headers = self.headers(route, Host=host)
        for extra in ({"Content-Length": "5"}, {"Transfer-Encoding": "chunked"}):
            answer = request(server, base + self.path(route), headers | extra)
            assert status(answer) == 413
            assert answer.count(b"HTTP/1.1") == 1

    def test_carries_the_security_headers(
        self, route: object, server: Server, exhibit: Exhibit, base: str, host: str
    ) -> None:
        if "mesh" in self.path(route):
            exhibit.add(np.array([[[0, 7], [7, 7]]] * 2), "labels")
        answer = request(server, base + self.path(route), self.headers(route, Host=host))
        head = answer.split(b"\r\n\r\n")[0].lower().decode()
        for name in EXPECTED_HEADERS:
            assert f"\r\n{name}: " in head
        assert "\r\nserver:" not in head


def test_a_link_from_elsewhere_opens_the_page_and_nothing_else(url: str) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for destination in ("document", "iframe"):
        headers = link | {"Sec-Fetch-Dest": destination}
        assert httpx.get(url, headers=headers).status_code != 403
        assert httpx.get(f"{url}layers/l1/zarr.json", headers=headers).status_code == 403
    assert httpx.get(url, headers=link | {"Sec-Fetch-Dest": "image"}).status_code == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
@pytest.mark.parametrize("port", ["", ":9000"])  # an SSH tunnel ends at any port
def test_this_machines_own_names_are_answered(
    server: Server, base: str, name: str, port: str
) -> None:
    headers = {"Host": name + port, "Connection": "close"}
    assert status(request(server, f"{base}layers/l1/zarr.json", headers)) == 200


def test_allowed_hosts_are_answered_and_may_connect(exhibit: Exhibit) -> None:
    server = Server(allowed_hosts=["lab.example:8888"])
    try:
        server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
        headers = {"Connection": "close", "Host": "lab.example:8888"}
        target = f"/v/{TOKEN}/colormaps.json"
        assert status(request(server, target, headers)) == 200
        for scheme in ("http", "https"):
            origin = {"Origin": f"{scheme}://lab.example:8888"}
            assert status(request(server, target, headers | origin)) == 200
        origin = {"Origin": "https://lab.example"}
        assert status(request(server, target, headers | origin)) == 403
        assert b"https://lab.example:8888" in request(server, target, headers)
    finally:
        server.stop()


def test_two_hosts_are_none(server: Server, base: str, host: str) -> None:
    text = f"GET {base} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert status(raw(server, text.encode())) in (400, 403)


def test_no_host_is_none(server: Server, base: str) -> None:
    assert status(raw(server, f"GET {base} HTTP/1.0\r\n\r\n".encode())) == 403


@pytest.mark.parametrize(
    "path",
    [
        "layers/l1/0/c/0/0/0/",
        "layers/l1//zarr.json",
        "layers/l01/zarr.json",
        "layers/l1/00/zarr.json",
        "layers/l1/0/c/0/0/00",
        "layers/l1/0/c/0/0/-0",
        "layers/l1/0/c/0/0",
        "layers/%6C1/zarr.json",
        "layers/l1/zarr.json?",
        "layers/l1/zarr.json?a=1",
        "layers/l1/../l1/zarr.json",
        "./layers/l1/zarr.json",
        "%2e%2e/secret.js",
        "../secret.js",
        "layers/l1/zarr.json%00",
        "layers/l1/zarr.json;x",
        "colormaps/virid%69s%",
        "assets//x.js",
        "assets/..%2f..%2fx.js",
    ],
)
def test_only_the_canonical_spelling_is_there(
    server: Server, base: str, host: str, path: str
) -> None:
    assert status(request(server, base + path, {"Host": host, "Connection": "close"})) == 404


def test_a_missing_slash_is_redirected_relatively(url: str) -> None:
    answer = httpx.get(f"{url[:-1]}?theme=light")
    assert answer.status_code == 308
    assert urllib.parse.urljoin(url[:-1], answer.headers["location"]) == f"{url}?theme=light"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999999\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_malformed_requests_get_an_answer_with_all_headers(server: Server, nonsense: bytes) -> None:
    answer = raw(server, nonsense)
    assert status(answer) in (400, 403, 413)
    assert answer.count(b"HTTP/1.1") == 1
    for name in EXPECTED_HEADERS:
        assert name.encode() in answer.lower()


def test_long_headers_are_cut_off(server: Server) -> None:
    try:
        answer = raw(server, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (1 << 20))
    except ConnectionError:
        answer = b""
    assert b"200" not in answer.split(b"\r\n")[0]


@pytest.fixture
def strict() -> Iterator[Server]:
    """A server with small bounds."""
    server = Server(policy=Policy(connections=3, header_seconds=0.3))
    yield server
    server.stop()


def test_slow_requests_are_cut_off(strict: Server) -> None:
    with socket.create_connection(("127.0.0.1", strict.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.recv(10) == b""


def test_connections_are_counted_before_they_say_anything(strict: Server) -> None:
    address = ("127.0.0.1", strict.port)
    held = [socket.create_connection(address, timeout=30) for _ in range(3)]
    try:
        with socket.create_connection(address, timeout=30) as refused:
            assert refused.recv(10) == b""
    finally:
        for connection in held:
            connection.close()
    assert httpx.get(f"http://127.0.0.1:{strict.port}/").status_code == 404


def test_errors_are_json(url: str) -> None:
    answer = httpx.get(f"{url}layers/l77/zarr.json")
    assert answer.status_code == 404
    assert set(json.loads(answer.content)["error"]) == {"kind", "message", "hint"}


def test_people_who_open_a_dead_link_are_told_by_a_page(server: Server) -> None:
    accept = "text/html,application/xhtml+xml,*/*;q=0.8"
    answer = httpx.get(
        f"http://127.0.0.1:{server.port}/v/{TOKEN[::-1]}/", headers={"Accept": accept}
    )
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "The viewer may have been closed." in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_pages_of_errors_repeat_nothing_as_markup() -> None:
    refusal = Refusal(403, "host", "<script>", hint="a & b").as_page()
    assert b"<script>" not in refusal.body
    assert b"a &amp; b" in refusal.body


def test_the_token_is_in_no_log(
    server: Server, exhibit: Exhibit, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)

    def fails(*arguments: object) -> None:
        raise RuntimeError(f"a bug that quotes {url}")

    pyramid = exhibit.layer("l1").pyramid
    object.__setattr__(pyramid, "read_at_hand", fails)
    for path in ("", "layers/l1/zarr.json", "layers/l1/0/c/0/0/0", "nothing", "ws", "a?b"):
        httpx.get(url + path)
    httpx.get(url[:-1])
    httpx.post(url)
    base = urllib.parse.urlsplit(url).path
    raw(server, f"GET {base} HTTP/1.1\r\nHost: localhost\r\nbroken\r\n\r\n".encode())
    raw(server, f"GET {base} HTTP/1.1\r\nbro ken\r\n\r\n".encode())
    assert "a bug that quotes" in caplog.text
    assert "/v/…/layers/l1/zarr.json" in caplog.text
    assert TOKEN not in caplog.text
