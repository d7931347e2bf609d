"""Films of keyframes, with a page that nobody sees."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import viewer
from viewer.errors import CancelledError, InvalidValueError, MissingExtraError
from viewer.pictures.animation import Animation


@pytest.fixture(scope="module")
def fading(client: Path) -> Iterator[Animation]:
    """A white volume that fades away within 0.4 s, five frames."""
    with viewer.headless(size=(64, 49)) as v:
        v.add_image(np.full((8, 8, 8), 255, np.uint8), name="white", contrast_limits=(0, 255))
        v.view.center = (4, 3.5, 3.5)
        v.view.layout = "xy"
        yield v.animate(
            [(0, {}), (0.4, {"layers": {"white": {"opacity": 0.0}}})], fps=10, overlays=False
        )
    viewer.stop()


def test_every_frame_is_right(fading: Animation) -> None:
    values = [int(frame[24, 32, 0]) for frame in fading.frames()]
    assert len(values) == len(fading) == 5
    expected = [255 * (1 - part) + 15 * part for part in (0, 0.25, 0.5, 0.75, 1)]
    assert np.abs(np.array(values) - expected).max() <= 2


def test_a_gif_has_every_frame(fading: Animation, tmp_path: Path) -> None:
    fading.save(tmp_path / "fade.gif")
    with Image.open(tmp_path / "fade.gif") as film:
        assert film.n_frames == 5  # type: ignore[attr-defined]
        assert film.size == (64, 49)
        assert film.info["duration"] == 100


def test_a_folder_is_filled(fading: Animation, tmp_path: Path) -> None:
    fading.save(tmp_path / "fade")
    names = [f"frame-{index:04d}.png" for index in range(5)]
    assert sorted(file.name for file in (tmp_path / "fade").iterdir()) == names
    fading.save(tmp_path / "a%02d.jpg")
    assert len(list(tmp_path.glob("a0?.jpg"))) == 5


def test_a_film_has_even_edges(fading: Animation, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    fading.save(tmp_path / "fade.mp4")
    with av.open(str(tmp_path / "fade.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 5 and frames[0].shape == (48, 64, 3)
    assert frames[0][24, 32].min() > 230 and frames[-1][24, 32].max() < 40


def test_without_pyav_it_is_said_how_to_get_it(
    fading: Animation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"voxelview\[video\]"):
        fading.save(tmp_path / "fade.mp4")


def test_a_name_must_say_what_film_it_is(fading: Animation, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"\.mp4"):
        fading.save(tmp_path / "fade.docx")
    with pytest.raises(InvalidValueError, match="pattern"):
        fading.save(tmp_path / "fade-%s-%d.png")


def test_a_cancelled_film_leaves_nothing(fading: Animation, tmp_path: Path) -> None:
    caught: list[BaseException] = []
    frames = fading.frames()
    next(frames)

    def go_on() -> None:
        try:
            list(frames)
        except CancelledError as error:
            caught.append(error)

    fading.cancel()
    thread = threading.Thread(target=go_on)
    thread.start()
    thread.join(30)
    assert len(caught) == 1


def test_an_error_in_the_middle_removes_the_file(
    fading: Animation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = fading._keyframes.state
    monkeypatch.setattr(
        fading._keyframes, "state", lambda time: taken(time) if time < 0.25 else 1 / 0
    )
    for name in ("fade.gif", "b%02d.png"):
        with pytest.raises(ZeroDivisionError):
            fading.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
