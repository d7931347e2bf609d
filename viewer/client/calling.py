"""Calls of methods in the viewer's process: sent, awaited with a bar, given up."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeoutError
from typing import Any

from viewer.client.wire import Wire
from viewer.document.document import Document
from viewer.errors import DeadlineError
from viewer.layer_list import LayerList
from viewer.layers import AnyLayer, Layer
from viewer.messages import Progress
from viewer.progress_bar import ProgressBar
from viewer.values import Encoder, decode, pieces

POLL_SECONDS = 0.1
"""Seconds between looks at the progress of a call that is waited for."""


class Calling(ABC):
    """The part of a Link that calls.

    Parameters
    ----------
    wire : Wire
        Its connection.
    """

    _layer_list: LayerList

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._bars: dict[tuple[str | None, str], tuple[str, float]] = {}

    @abstractmethod
    def _open(self) -> Document:
        """The copy of the document; `ClosedError` when all is over."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether it is over."""

    @abstractmethod
    def _layer(self, layer_id: str) -> AnyLayer | None:
        """The layer with this id; None where somebody has removed it."""

    def call(
        self,
        method: str,
        *args: Any,
        layer: Layer | str | int | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a method of the viewer, or of one of its layers, by name.

        What the methods of this object and its layers do, with a time limit. Ctrl-C ends the wait
        and, where that is possible, what is waited for.

        Parameters
        ----------
        method : str
            As ``"refresh"``; attributes are read so, too.
        *args, **kwargs
            Of the method.
        layer : Layer, str or int, optional
            Whose method; default the viewer's.
        timeout : float, optional
            Seconds to wait; default for as long as it takes.

        Raises
        ------
        DeadlineError (a TimeoutError)
            When it takes longer.
        LinkError (a ConnectionError)
            When the connection is lost meanwhile.
        ViewerError
            What the method raises there.
        """
        self._wire.check_thread()
        future = self.call_async(method, *args, layer=layer, **kwargs)
        try:
            return self._watch(future, timeout)
        except (WaitTimeoutError, KeyboardInterrupt) as error:
            if isinstance(error, DeadlineError) or future.done():
                raise
            future.cancel()
            if isinstance(error, KeyboardInterrupt):
                raise
            raise DeadlineError(
                f"{method}() did not end within {timeout:g} seconds.",
                hint="It was told to end. Give it a longer timeout, or use call_async.",
            ) from None

    def call_async(
        self, method: str, *args: Any, layer: Layer | str | int | None = None, **kwargs: Any
    ) -> Future[Any]:
        """Call a method as `call` does, and do not wait.

        Returns
        -------
        concurrent.futures.Future
            Of the result. ``cancel()`` tells the viewer that nobody waits any more.
        """
        document = self._open()
        layer_id = "" if layer is None else self._layer_list._find(document.state, layer)
        encoder = Encoder(self._wire.number)
        given = [encoder.encode(value) for value in args]
        named = {name: encoder.encode(value) for name, value in kwargs.items()}
        shown: Future[Any] = Future()
        ended = threading.Event()

        def send() -> None:
            try:
                self._send(encoder.arrays, ended, str(kwargs.get("name") or "array"))
                if ended.is_set():
                    return
                answer = self._wire.call(method, layer_id, given, named)
            except BaseException as error:
                if shown.set_running_or_notify_cancel():
                    shown.set_exception(error)
                return
            shown.add_done_callback(lambda done: answer.cancel() if done.cancelled() else None)
            answer.add_done_callback(finish)

        def finish(answer: Future[Any]) -> None:
            if answer.cancelled() or not shown.set_running_or_notify_cancel():
                return
            try:
                shown.set_result(decode(answer.result(), self._wire.arrays.take, self._layer))
            except BaseException as error:
                shown.set_exception(error)

        if encoder.arrays:  # sending takes a while
            shown.add_done_callback(lambda done: ended.set() if done.cancelled() else None)
            threading.Thread(target=send, name="voxelview-upload", daemon=True).start()
        else:
            send()
        return shown

    def _progress(self, message: Progress) -> None:
        """The viewer's process says how far it is."""
        key = (message.layer, message.task)
        if message.done >= 1:
            self._bars.pop(key, None)
        else:
            self._bars[key] = (message.task, message.done)

    def _watch(self, future: Future[Any], seconds: float | None) -> Any:
        """Result of a future, with a bar on the terminal meanwhile."""
        bar = ProgressBar()
        left = seconds
        try:
            while True:
                step = POLL_SECONDS if left is None else min(POLL_SECONDS, left)
                try:
                    return future.result(step)
                except WaitTimeoutError:
                    if future.done():
                        raise  # what was called took too long, not we
                    if left is not None:
                        left -= step
                        if left <= 0:
                            raise
                running = next(iter(self._bars.values()), None)
                if running is not None:
                    bar.show(*running)
        finally:
            bar.close()

    def _send(self, arrays: Mapping[int, Any], ended: threading.Event, name: str) -> None:
        key = (None, f"sending {name}")
        try:
            for number, array in arrays.items():
                for piece in pieces(number, array):
                    if ended.is_set():
                        return
                    self._bars[key] = (key[1], piece.offset / max(piece.size, 1))
                    self._wire.send(piece)
        finally:
            self._bars.pop(key, None)
