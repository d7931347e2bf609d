"""What all handlers share: headers, errors as JSON, work that ends when the client leaves."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from tornado.web import RequestHandler

from viewer.errors import CancelledError, ViewerError, http_status
from viewer.server.coding import SMALLEST, choose_coding, encode
from viewer.server.direct import SOURCE_STATUS
from viewer.server.headers import set_security_headers
from viewer.server.logs import log_bug
from viewer.server.mount import Mount
from viewer.server.refusal import Refusal
from viewer.server.responses import matches
from viewer.server.workers import Job, Work

T = TypeVar("T")


class Handler(RequestHandler):
    """Base of the HTTP handlers. They answer in `answer`; errors raised there become JSON."""

    SUPPORTED_METHODS = ("GET", "HEAD")

    def initialize(self, mount: Mount) -> None:
        """Called by Tornado with what the gate found."""
        self.mount = mount
        self._job: Job[Any] | None = None

    def set_default_headers(self) -> None:
        """Called by Tornado for every response, also before an error is written."""
        set_security_headers(self)

    def compute_etag(self) -> str | None:
        """No hash over megabytes of voxels: handlers know a generation."""
        return None

    async def get(self, *arguments: str) -> None:
        """Answer; what goes wrong is told in JSON."""
        try:
            await self.answer(*arguments)
        except CancelledError as error:
            if not self._gone():  # else nobody is there to be told
                self.refuse(Refusal.of(error))
        except ViewerError as error:
            if http_status(error) in SOURCE_STATUS and not self.mount.closed:
                self.mount.report(error, self.layer_id(arguments))
            if not self._gone():
                self.refuse(Refusal.of(error))

    async def head(self, *arguments: str) -> None:
        """As `get`; Tornado leaves the body out."""
        await self.get(*arguments)

    def answer(self, *arguments: str) -> Awaitable[None]:
        """Write the response; overridden."""
        raise NotImplementedError

    def layer_id(self, arguments: tuple[str, ...]) -> str | None:
        """The layer that the request is about."""
        return None

    async def work(self, source: str, work: Work[T], seconds: float | None = None) -> T:
        """Result of `work` done by a worker; dropped when the client leaves."""
        if self._gone():  # before Tornado began to watch for it
            raise CancelledError("The client has gone.")
        self._job = self.mount.start(source, work)
        try:
            return await self.mount.finish(self._job, seconds)
        finally:
            self._job = None

    def on_connection_close(self) -> None:
        """The client has gone before it had its answer."""
        if self._job is not None:
            self.mount.withdraw(self._job)

    def refuse(self, refusal: Refusal) -> None:
        """Answer with an error."""
        self.clear()
        self.set_status(refusal.status)
        for name, value in refusal.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", "application/json")
        self.finish(refusal.body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Called by Tornado for what is not in our tree of errors: a bug."""
        self.set_header("Content-Type", "application/json")
        self.finish(Refusal.unexpected().body)

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Called by Tornado before `write_error`."""
        if value is not None:
            log_bug(value)

    def unchanged(self, etag: str) -> bool:
        """Set the entity tag; whether the client has this very version (answered with 304)."""
        self.set_header("ETag", etag)
        self.set_header("Cache-Control", "private, no-cache")  # keep it, ask whether it is current
        if not matches(self.request.headers.get("If-None-Match"), etag):
            return False
        self.set_status(304)
        self.finish()
        return True

    @property
    def coding(self) -> str:
        """The content coding that pays, ``""`` for none."""
        return choose_coding(
            self.request.headers.get("Accept-Encoding", ""),
            self.request.remote_ip or "",
            self.mount.policy.compress_loopback,
        )

    def deliver(self, body: bytes, content_type: str, *, encoding: str = "") -> None:
        """Write the whole response."""
        self.set_header("Content-Type", content_type)
        self.set_header("Vary", "Accept-Encoding, Origin")
        if encoding:
            self.set_header("Content-Encoding", encoding)
        self.finish(body)

    def _gone(self) -> bool:
        stream = getattr(self.request.connection, "stream", None)
        return stream is None or stream.closed()


def encode_body(body: bytes, coding: str) -> tuple[bytes, str]:
    """`body` and its content coding; for workers, because it takes milliseconds."""
    if not coding or len(body) < SMALLEST:
        return body, ""
    return encode(body, coding), coding
