"""The server: a thread with an event loop of its own, listening under one address.

It never touches the user's loop, so it works in a notebook, in ``python -i`` and in a script
alike. The thread is a daemon and so are the workers: Python exits when the user wants it to.
Everything that belongs to the loop is done on the loop; the methods here may be called from any
thread and wait for it a bounded time.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeoutError
from functools import cache, partial
from typing import TYPE_CHECKING

from viewer.cache import BlockCache
from viewer.errors import ClosedError, InvalidValueError
from viewer.messages import ServerMessage
from viewer.policy import POLICY, Policy
from viewer.server.admission import Admission
from viewer.server.attendance import Attendance
from viewer.server.content import CONTENT
from viewer.server.first_page import serve_first_page
from viewer.server.hosts import Hosts, bracketed, prefix_host
from viewer.server.loop import Loop
from viewer.server.mount import Encoded, Mount, Served
from viewer.server.sockets import Guest, bind
from viewer.server.workers import Workers

if TYPE_CHECKING:
    from viewer.server.listener import Listener

GOODBYE_SECONDS = 0.3
"""Seconds that pages get to read why their connection ends."""

WAIT_SECONDS = 3.0
"""Seconds that a caller waits for the loop, at most: it could hang in a bug, callers must not."""

LATE_IMPORT = "tornado.httpserver"
"""Without this the first page is answered by itself: it takes as long to import as all of ours."""

EXPIRY_SECONDS = 60.0
"""Seconds between looks at whether the time of a share is over, at most."""


class Server:
    """Serves mounted viewers over HTTP and WebSockets until it is stopped.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address to listen on.
    port : int, default 0
        0 takes a free one.
    allowed_hosts : iterable of str, default ()
        Further ``host`` or ``host:port`` that the server answers to (a proxy's).
    allow_origins : iterable of str, default ()
        Origins, as `check_origin` returns them, whose pages may read voxels and meshes.
    url_prefix : str, default ""
        As `check_prefix` returns it: where a proxy shows the server.
    policy : Policy, optional
        The bounds; default those in force.

    Raises
    ------
    InvalidValueError
        When the address cannot be listened on; the message names the port.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        allowed_hosts: Iterable[str] = (),
        allow_origins: Iterable[str] = (),
        url_prefix: str = "",
        policy: Policy = POLICY,
    ) -> None:
        self._policy = policy
        self._sockets = bind(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        self.host = host
        self.url_prefix = url_prefix.replace("{port}", str(self.port))
        self._hosts = Hosts(host, (*allowed_hosts, *prefix_host(self.url_prefix)), allow_origins)
        self._mounts: dict[str, Mount] = {}
        self._lock = threading.Lock()
        self._stopped = False
        self._process = os.getpid()
        self._loop = Loop()
        self._workers = Workers(self._loop, policy)
        self._callers = Workers(self._loop, policy)  # calls may take hours: pages don't wait there
        self._encoded: BlockCache[Encoded] = BlockCache(policy.encoded_bytes)

        # the tuple is made anew, so that a request never sees a mount come or go half-way
        self._admission = Admission(
            self._hosts, lambda: tuple(self._mounts.values()), lambda: CONTENT.url
        )
        self._listener: Listener | None = None
        self._hurried = False
        """Whether somebody waits for the loop."""
        self._thread = threading.Thread(target=self._run, name="voxelview-server", daemon=True)
        self._thread.start()
        _servers.add(self)

    @property
    def running(self) -> bool:
        """Whether it serves; False after `stop`, and in a forked child."""
        return not self._stopped and self._process == os.getpid()

    def url(self, token: str) -> str:
        """Address of the viewer mounted under `token`."""
        if prefix_host(self.url_prefix):
            return f"{self.url_prefix}v/{token}/"
        return self.direct_url(token)

    def direct_url(self, token: str) -> str:
        """Its address without a proxy."""
        wildcard = self.host in ("", "0.0.0.0", "::")
        name = socket.gethostname() if wildcard else bracketed(self.host)
        return f"http://{name}:{self.port}/v/{token}/"

    def mount(
        self,
        token: str,
        served: Served,
        *,
        read_only: bool = False,
        main: str = "",
        expires: float | None = None,
    ) -> None:
        """Serve `served` under `token`, and keep it alive until `unmount` or `stop`.

        Parameters
        ----------
        token : str
        served : Served
        read_only : bool, default False
            Whether it is for looking only.
        main : str, default ""
            Token under which it is served already: this is a share, and ends with that one.
        expires : float, optional
            Seconds since the epoch at which it is unmounted.
        """
        with self._lock:
            if not self.running:
                raise ClosedError(
                    "The server has been stopped.", hint="Make a new viewer.Viewer()."
                )
            if token in self._mounts:
                raise InvalidValueError("This token is in use.")
            if main and main not in self._mounts:
                raise ClosedError("This viewer has been closed.")
            self._mounts[token] = Mount(
                token,
                served,
                self._loop,
                self._workers,
                self._encoded,
                self._policy,
                callers=self._callers,
                read_only=read_only,
                main=self._mounts.get(main),
                expires=expires,
            )
        if expires is not None:
            self._loop.call_soon_threadsafe(self._expire, token)

    def unmount(self, token: str, reason: str = "The viewer was closed.") -> None:
        """Let go of what is mounted under `token`, telling its pages why; nothing if nothing is."""
        with self._lock:
            mounts = [self._mounts.pop(token, None)]
            mounts += [self._mounts.pop(share.token.decode()) for share in self._shares(token)]
        ended = [mount for mount in mounts if mount is not None]
        for mount in ended:
            mount.release()
        if ended:
            self._call(lambda: _close(ended, reason))

    def mounted(self, token: str) -> bool:
        """Whether something is served under `token`."""
        mount = self._mounts.get(token)
        return mount is not None and not mount.expired

    def broadcast(self, token: str, message: ServerMessage) -> None:
        """Send `message` to all pages of the viewer mounted under `token`, also of its shares."""
        mount = self._mounts.get(token)
        for one in (mount, *self._shares(token)) if mount is not None else ():
            one.broadcast(message)

    def attendance(self, token: str) -> Attendance:
        """The pages of the viewer mounted under `token`, also of its shares.

        Raises
        ------
        ClosedError
            When it has been unmounted.
        """
        mount = self._mounts.get(token)
        if mount is None:
            raise ClosedError("The server has been stopped.", hint="Make a new viewer.Viewer().")
        return mount.attendance

    def stop(self, reason: str = "The server was stopped.") -> None:
        """Close the sockets, tell the pages, and release everything; idempotent."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = self._hurried = True
            mounts, self._mounts = list(self._mounts.values()), {}
        if self._process != os.getpid():
            return  # a forked child has no thread to stop
        for mount in mounts:
            mount.release()
        try:
            self._loop.call_soon_threadsafe(self._begin_end, mounts, reason)
        except RuntimeError:
            return
        if threading.current_thread() is not self._thread:
            self._thread.join(WAIT_SECONDS)

    def forget(self) -> None:
        """In a forked child, which has no thread of ours: close the copies of our sockets."""
        for listening in self._sockets:
            listening.close()
        if self._listener is not None:
            self._listener.forget()

    def _shares(self, token: str) -> list[Mount]:
        return [mount for mount in tuple(self._mounts.values()) if mount.main == token.encode()]

    def _expire(self, token: str) -> None:
        """Unmount what has come to its end, or look again then. On the loop."""
        mount = self._mounts.get(token)
        if mount is None or mount.expires is None:
            return
        left = mount.expires - time.time()
        if left <= 0:
            self.unmount(token, "The time for which this was shared is over.")
        else:  # looked at now and then: the clock of a computer that sleeps jumps
            self._loop.call_later(min(left + 0.001, EXPIRY_SECONDS), self._expire, token)

    def _run(self) -> None:
        """Body of the server's thread."""
        guests: list[Guest] = []
        try:
            if LATE_IMPORT not in sys.modules:
                guests = serve_first_page(
                    self._sockets, self._admission, self._policy, lambda: self._hurried
                )
            if not self._stopped:
                self._serve(guests)
        except Exception:
            if not self._stopped:  # else Python ends, and imports nothing any more
                raise
        finally:
            self._stopped = True
            for connection in (*self._sockets, *(guest for guest, _ in guests)):
                connection.close()
            self._loop.close()

    def _serve(self, guests: list[Guest]) -> None:
        """Serve until `stop`, at first those who are there already."""
        from viewer.server.gate import Gate, make_application
        from viewer.server.listener import Listener
        from viewer.server.shortcut import Shortcut
        from viewer.server.static import expect_more

        application = cache(partial(make_application, self._hosts, self._policy))
        gate = Gate(application, self._admission)
        self._listener = listener = Listener(gate, Shortcut(self._admission), self._policy)
        loop = self._loop.open()
        loop.call_soon(listener.start, self._sockets, tuple(guests))
        if guests:
            loop.call_soon(expect_more)
        guests.clear()
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())

    def _begin_end(self, mounts: list[Mount], reason: str) -> None:
        import asyncio

        self._ending = asyncio.get_running_loop().create_task(self._end(mounts, reason))
        self._ending.add_done_callback(lambda done: done.get_loop().stop())

    async def _end(self, mounts: list[Mount], reason: str) -> None:
        import asyncio

        assert self._listener is not None
        self._listener.stop()
        self._workers.close()
        self._callers.close()
        for mount in mounts:
            mount.close(reason)
        # a page answers a WebSocket's closing frame within a moment, or not at all
        end = time.monotonic() + GOODBYE_SECONDS
        while any(mount.connections for mount in mounts) and time.monotonic() < end:
            await asyncio.sleep(0.005)
        self._listener.close_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=GOODBYE_SECONDS)

    def _call(self, function: Callable[[], None]) -> None:
        """Run `function` on the loop and wait for it, unless this is the loop."""
        if threading.current_thread() is self._thread:
            function()
            return
        self._hurried = True
        done: Future[None] = Future()

        def call() -> None:
            try:
                function()
            finally:
                done.set_result(None)

        try:
            self._loop.call_soon_threadsafe(call)
            done.result(WAIT_SECONDS)
        except (RuntimeError, WaitTimeoutError):
            pass  # stopped meanwhile


def _close(mounts: list[Mount], reason: str) -> None:
    for mount in mounts:
        mount.close(reason)


_servers: weakref.WeakSet[Server] = weakref.WeakSet()


def _forget_in_child() -> None:
    for server in _servers:
        server.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
