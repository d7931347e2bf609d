"""Pictures in a row: a film of keyframes, made one frame after the other, each of them whole."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viewer.errors import CancelledError, InvalidValueError, MissingExtraError
from viewer.pictures.keyframes import Keyframes
from viewer.pictures.picture import Picture
from viewer.progress_bar import ProgressBar
from viewer.state import Document as State

if TYPE_CHECKING:
    from viewer.pictures.sessions import Wish

FILMS = (".mp4", ".mov", ".mkv")
"""What PyAV writes; the rest is Pillow's."""

Take = Callable[["Wish", State], Picture]


class Animation:
    """A film that has not been made yet; `save` or `frames` makes it.

    Made by `Viewer.animate`. What the document holds beside the keyframes is as it was then.
    """

    def __init__(
        self,
        keyframes: Keyframes,
        fps: float,
        wish: Wish,
        camera: Callable[[Wish], contextlib.AbstractContextManager[Take]],
        tell: Callable[[float], None],
    ) -> None:
        if not 0 < fps <= 240:
            raise InvalidValueError(f"fps={fps!r} is not between 0 and 240.")
        self._keyframes = keyframes
        self._fps = float(fps)
        self._wish = wish
        self._camera = camera
        self._tell = tell
        self._cancelled = threading.Event()

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self._fps

    @property
    def duration(self) -> float:
        """Seconds from the first keyframe to the last."""
        return self._keyframes.duration

    def __len__(self) -> int:
        """Number of frames, the last keyframe's included."""
        return round(self.duration * self._fps) + 1

    def __repr__(self) -> str:
        return f"<Animation of {self.duration:g} s: {len(self)} frames>"

    def cancel(self) -> None:
        """End the making, from any thread: it raises `CancelledError`, and leaves no file."""
        self._cancelled.set()

    def frames(self) -> Generator[Picture, None, None]:
        """The frames, one by one, made when they are asked for.

        Raises
        ------
        CancelledError
            After `cancel`; and what `Viewer.screenshot` raises.
        """
        self._cancelled.clear()
        bar = ProgressBar()
        try:
            with self._camera(self._wish) as take:
                for index in range(len(self)):
                    if self._cancelled.is_set():
                        raise CancelledError("The animation was cancelled.")
                    time = min(index / self._fps, self.duration)
                    yield take(self._wish, self._keyframes.state(time))
                    done = (index + 1) / len(self)
                    bar.show("animation", done)
                    self._tell(min(done, 0.999))
        finally:
            bar.close()
            self._tell(1.0)

    def save(self, path: str | Path) -> None:
        """Make the film and write it; Ctrl-C or `cancel` ends it and removes what was written.

        Parameters
        ----------
        path : str or Path
            ``"turn.mp4"`` (also .mov, .mkv), which needs PyAV; ``"turn.gif"``; ``"turn/"`` or
            another name without suffix for a folder of ``frame-0000.png``, …; or a pattern as
            ``"turn-%04d.png"``.

        Raises
        ------
        MissingExtraError
            For a film without PyAV; the hint says how to get it.
        InvalidValueError
            For another suffix.
        CancelledError
            After `cancel`.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if "%" in target.name:
            self._save_series(target.parent, target.name)
        elif suffix == "":
            self._save_series(target, "frame-%04d.png")
        elif suffix == ".gif":
            self._whole(target, self._save_gif)
        elif suffix in FILMS:
            _av()  # before the first frame
            self._whole(target, self._save_film)
        else:
            raise InvalidValueError(
                f"{str(path)!r} does not say what kind of film it is.",
                hint="Give it a suffix: .mp4, .mov, .mkv or .gif; or name a folder.",
            )

    def _whole(self, target: Path, write: Callable[[Path], None]) -> None:
        try:
            write(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _save_series(self, folder: Path, pattern: str) -> None:
        try:
            names = [pattern % index for index in range(len(self))]
        except (TypeError, ValueError):
            raise InvalidValueError(
                f"{pattern!r} is no pattern for one number.", hint="As 'frame-%04d.png'."
            ) from None
        folder.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        try:
            with contextlib.closing(self.frames()) as frames:
                for name, frame in zip(names, frames, strict=True):
                    written.append(folder / name)
                    frame.save(folder / name)
        except BaseException:
            for file in written:
                file.unlink(missing_ok=True)
            raise

    def _save_gif(self, target: Path) -> None:
        from PIL import Image

        def images(frames: Iterator[Picture]) -> Iterator[Image.Image]:
            for frame in frames:
                image = Image.fromarray(np.ascontiguousarray(frame[..., :3]))
                yield image.quantize(256)

        with contextlib.closing(self.frames()) as frames:
            each = images(frames)
            duration = max(round(1000 / self._fps), 20)  # browsers slow down what is faster
            next(each).save(
                target, "GIF", save_all=True, append_images=each, duration=duration, loop=0
            )

    def _save_film(self, target: Path) -> None:
        from fractions import Fraction

        av = _av()
        rate = Fraction(self._fps).limit_denominator(1001)
        with contextlib.closing(self.frames()) as frames, av.open(str(target), "w") as film:
            stream = None
            for frame in frames:
                # H.264 halves the resolution of colours, so edges are even
                height, width = (edge - edge % 2 for edge in frame.shape[:2])
                if stream is None:
                    stream = film.add_stream("libx264", rate=rate)
                    stream.width, stream.height = width, height
                    stream.pix_fmt = "yuv420p"
                    stream.options = {"crf": "18"}
                pixels = np.ascontiguousarray(frame[:height, :width, :3]).view(np.ndarray)
                film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            if stream is not None:
                film.mux(stream.encode())


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise MissingExtraError(
            "Films need PyAV.",
            hint="Run 'pip install voxelview[video]', or save a .gif or a folder of pictures.",
        ) from None
    return av
