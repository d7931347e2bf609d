"""The document's WebSocket: one page, kept in step.

For each page the server remembers one number, the version it was last sent. When the document
changes, a task for the page asks `Document.changes_since` for what is different now and sends
that, then waits until it has left for the network. A page that reads slowly is therefore sent the
newest values less often, and nothing piles up. While nothing happens a change leaves at once; in
a burst, at most one message in `BURST_SECONDS`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

import msgspec
from tornado.websocket import WebSocketClosedError

from viewer._version import __version__
from viewer.document import naming, patch
from viewer.errors import (
    ClosedError,
    ConflictError,
    InvalidValueError,
    ReadOnlyError,
    ViewerError,
)
from viewer.messages import (
    PROTOCOL,
    Accepted,
    Call,
    Cancel,
    Change,
    Closing,
    Edit,
    Event,
    Happened,
    Hello,
    Listen,
    Load,
    Loaded,
    Notice,
    PageMessage,
    Patch,
    Ping,
    Pong,
    Presence,
    Progress,
    Rejected,
    Run,
    Save,
    Saved,
    ServerMessage,
    Snapshot,
    Taken,
    TakePicture,
    Undo,
    Undone,
)
from viewer.saved_view import without_sources
from viewer.server.attendance import Pictures, Shot, gone
from viewer.server.calls import Calls
from viewer.server.connection import Socket, seen
from viewer.server.hosts import is_loopback

BURST_SECONDS = 0.008
"""Seconds between two patches to one page: half a frame at 60 Hz."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PageMessage).decode


LOOKING = (Ping, Edit, Call, Cancel, Save, Load, Presence, Taken)
"""What is heard at an address for looking only; edits and calls are refused, where need be."""


class _Numbered(msgspec.Struct):
    """As much of an edit as is needed to refuse it."""

    request: int


class DocumentSocket(Socket):
    """``ws``: see the module's docstring and `viewer.messages`."""

    def open(self, *args: str, **kwargs: str) -> None:
        """Greet the page and keep it up to date from now on."""
        self._session = secrets.token_hex(8)
        self._sent = -1
        self._news = asyncio.Event()
        self._reports: deque[str] = deque(maxlen=self.mount.policy.notices)
        self._progress: dict[tuple[str | None, str], str] = {}
        self._listens: tuple[str, ...] = ()
        self._wishes: list[str] = []
        self._loading: set[asyncio.Task[None]] = set()
        self._pictures = Pictures(self.mount.policy.picture_bytes)
        compress = self.mount.policy.compress_loopback or not is_loopback(
            self.request.remote_ip or ""
        )
        self._calls = Calls(self.mount, self.send, compress=compress)
        if self.enter():
            self._writer = asyncio.create_task(self._write())

    def wake(self) -> None:
        self._news.set()

    def tell(self, message: ServerMessage, encoded: str) -> None:
        if isinstance(message, Progress):
            self._progress[message.layer, message.task] = encoded  # only the newest matters
        elif not isinstance(message, Happened) or self._wants(message.event):
            self._reports.append(encoded)
        self._news.set()

    def leave(self, reason: str) -> None:
        self._writer.cancel()
        try:
            self.write_message(_encode(Closing(reason)).decode()).add_done_callback(seen)
        except WebSocketClosedError:
            return
        self.close(1001, "closing")

    def on_close(self) -> None:
        super().on_close()
        if hasattr(self, "_calls"):
            self._calls.close()
            self._listen(())
            self._take_back()
        writer = getattr(self, "_writer", None)
        if writer is not None:
            writer.cancel()
            self.mount.attendance.leave(self._session)
            self._pictures.end(gone(self._session))

    async def on_message(self, message: str | bytes) -> None:
        # awaited by Tornado before it reads the next message: a page that does not read its
        # answers is not listened to
        if isinstance(message, bytes) and self._pictures.add(message):
            return
        if isinstance(message, bytes):
            try:
                await self._calls.receive(message)
            except ViewerError as error:
                self.close(1007, str(error).encode()[:120].decode(errors="ignore"))
            return
        answer = self._answer(message)
        if answer is not None:
            with suppress(ClosedError):
                await self.send(_encode(answer).decode())

    async def _write(self) -> None:
        try:
            await self.send(
                _encode(Hello(PROTOCOL, __version__, self._session, self.mount.read_only)).decode()
            )
            while True:
                self._news.clear()
                sent = False
                for text in self._pending():
                    await self.send(text)
                    sent = True
                if sent:
                    await asyncio.sleep(BURST_SECONDS)
                await self._news.wait()
        except ClosedError:
            pass

    def _pending(self) -> list[str]:
        """What the page has to be told now. No reference to the document survives this call."""
        texts = [*self._reports, *self._progress.values(), *self._wishes]
        self._wishes.clear()
        self._reports.clear()
        self._progress.clear()
        if self.mount.closed:
            return texts
        document = self.mount.served.document
        if document.version == self._sent:
            return texts
        news = document.changes_since(self._sent) if self._sent >= 0 else None
        message: ServerMessage
        if news is None:
            version, state = document.snapshot()
            message = Snapshot(version, state)
        else:
            version, changes = news
            message = Patch(self._sent, version, changes)
        self._sent = version
        return [_encode(message).decode(), *texts]

    def _answer(self, message: str | bytes) -> ServerMessage | None:
        try:
            request = _decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._refuse_message(message, error)
        if self.mount.read_only and not isinstance(request, LOOKING):
            return None
        if isinstance(request, Ping):
            return Pong(request.time)
        if isinstance(request, Call):
            self._calls.start(request)
            return None
        if isinstance(request, Cancel):
            self._calls.cancel(request.request)
            return None
        if isinstance(request, Listen):
            self._listen(request.events)
            return None
        if isinstance(request, Presence):
            if not self.mount.closed:
                agent = self.request.headers.get("User-Agent", "")[:500]
                self.mount.attendance.enter(
                    self._session,
                    request,
                    agent,
                    self._take,
                    shared=not self.mount.owned,
                    read_only=self.mount.read_only,
                )
            return None
        if isinstance(request, Taken):
            if not self._pictures.begin(request):
                self.close(1007, "unexpected picture")
            return None
        if isinstance(request, Undo):
            return self._undo(request)
        if isinstance(request, Save):
            return self._save()
        if isinstance(request, Load):
            self._load(request)
            return None
        if isinstance(request, Event | Run):
            if not (self.mount.closed or (self.mount.read_only and isinstance(request, Run))):
                self.mount.served.hear(request, self._session)
            return None
        return self._edit(request)

    def _take(self, wish: TakePicture, answer: Future[Shot]) -> None:
        if self not in self.mount.connections:
            answer.set_exception(gone(self._session))
            return
        self._pictures.ask(wish.request, answer)
        self._wishes.append(_encode(wish).decode())
        self._news.set()

    def _listen(self, events: tuple[str, ...]) -> None:
        if events != self._listens and not self.mount.closed:
            self.mount.served.listen(events, self._session)
        self._listens = events

    def _wants(self, event: Event | Run) -> bool:
        """Whether what happened on a page is this link's affair."""
        if isinstance(event, Run):
            return event.action.startswith(f"{self._session}.")
        return event.event in self._listens

    def _take_back(self) -> None:
        """Take the actions of a link that has gone off the pages."""
        if self.mount.closed:
            return
        document = self.mount.served.document
        own = [id for id in document.state.actions if id.startswith(f"{self._session}.")]
        if own:
            gone = [Change(("actions", id), remove=True) for id in own]
            document.edit(gone, author=self._session)

    def _undo(self, undo: Undo) -> ServerMessage | None:
        if self.mount.closed or self.mount.read_only:
            return None
        document = self.mount.served.document
        return Undone(undo.redo, document.undo(author=self._session, redo=undo.redo))

    def _save(self) -> ServerMessage | None:
        if self.mount.closed:
            return None
        view = self.mount.served.to_dict()
        return Saved(view if self.mount.owned else without_sources(view))

    def _load(self, request: Load) -> None:
        """Show what was saved; the answer comes when that is done, for files are opened."""
        mount, session = self.mount, self._session

        def work(_: Callable[[], bool]) -> tuple[str, ...]:
            if mount.read_only:
                raise ReadOnlyError.by("change", "the view")
            return mount.served.restore(request.view, session, files=mount.owned)

        async def answer() -> None:
            with suppress(ClosedError):  # the page, or the viewer, has gone
                try:
                    job = mount.callers.submit((mount.token, id(self)), work)
                    loaded = Loaded(list(await job.future))
                except ClosedError:
                    raise
                except ViewerError as error:
                    loaded = Loaded([], Notice(error.kind, error.message, error.hint))
                await self.send(_encode(loaded).decode())

        task = asyncio.create_task(answer())
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    def _edit(self, edit: Edit) -> ServerMessage | None:
        if self.mount.closed:
            return None
        document = self.mount.served.document
        if self.mount.read_only:
            state = document.state
            what = ", ".join(naming.call(tuple(c.path), state) for c in edit.changes[:4])
            return self._rejected(edit.request, ReadOnlyError.by("change", what), [])
        try:
            version = document.edit(edit.changes, author=self._session, base=edit.base)
        except ConflictError as error:
            return self._rejected(edit.request, error, list(error.present))
        except ViewerError as error:
            return self._rejected(
                edit.request, error, [patch.present(document.state, c.path) for c in edit.changes]
            )
        return Accepted(edit.request, version)

    def _refuse_message(self, message: str | bytes, error: Exception) -> ServerMessage | None:
        try:
            request = msgspec.json.decode(message, type=_Numbered).request
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.close(1007, str(error)[:100])
            return None
        return self._rejected(request, InvalidValueError(str(error)), [])

    def _rejected(
        self, request: int, error: ViewerError, present: list[Change]
    ) -> ServerMessage | None:
        if self.mount.closed:
            return None
        notice = Notice(error.kind, error.message, error.hint)
        return Rejected(request, self.mount.served.document.version, notice, present)
