"""Frames of labels and of images against zstd's own decompression."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import zstd

from viewer.kernels.compression import compress_image, compress_labels
from viewer.kernels.image_frames import image_frame
from viewer.kernels.label_frames import label_frame

BLOCK = 128 << 10
"""Bytes of content in a frame's block."""


@pytest.fixture(scope="module", autouse=True)
def kernels() -> None:
    """Wait for the kernels: before they are compiled there are no frames."""
    end = time.monotonic() + 300
    for size in (4, 8):
        while compress_labels(bytes(4096 * size), (16, 16, 16)) is None:
            assert time.monotonic() < end
            time.sleep(0.02)
    while compress_image(grain((64, 64, 64))) is None:
        assert time.monotonic() < end
        time.sleep(0.02)


def grain(shape: tuple[int, ...], dtype: str = "u1", spread: float = 20, seed: int = 0) -> Any:
    """An image that is but noise about a middle value."""
    return np.random.default_rng(seed).normal(128, spread, shape).clip(0, 255).astype(dtype)


def frame(labels: np.ndarray, room: int) -> bytes:
    """A frame of at most so many bytes, empty if it has more; nothing is written beyond."""
    data = np.ascontiguousarray(labels).reshape(-1)
    data.flags.writeable = False
    out = np.full(room + 64, 0xAB, np.uint8)
    nbytes = label_frame(
        data, math.prod(labels.shape[-1:]), math.prod(labels.shape[-2:]), out[:-64]
    )
    assert nbytes <= room
    assert (out[-64:] == 0xAB).all()
    return out[:nbytes].tobytes()


def cells(shape: tuple[int, ...], count: int, seed: int = 0) -> np.ndarray:
    """Regions around so many random points."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, shape, (count, len(shape)))
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)[..., None, :]
    return np.square(grid - points).sum(-1).argmin(-1).astype(np.uint32) + 1


def drawn(draw: st.DrawFn) -> np.ndarray:
    """Labels of any kind, from one everywhere to noise: a seed is drawn, voxels would be slow."""
    dtype = draw(st.sampled_from(["u4", "u8"]))
    row, column = draw(st.sampled_from([(1, 1), (7, 3), (64, 1), (16, 16), (100, 9)]))
    depth = draw(st.sampled_from([300, 5000, 17_000, 40_000])) // (row * column) + 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    few = rng.integers(0, 2**64, draw(st.sampled_from([1, 2, 50, 10_000])), np.uint64)
    length = draw(st.sampled_from([1, 2, 5, 100, 3000]))
    count = depth * column * row
    labels = rng.choice(few, count).repeat(rng.geometric(1 / length, count))[:count]
    if draw(st.booleans()):  # planes that are nearly alike
        labels = np.resize(labels[: row * column], count)
        where = rng.integers(0, count, count // draw(st.sampled_from([5, 50, 500])))
        labels[where] = rng.choice(few, len(where))
    return labels.astype(dtype).reshape(depth, column, row)


@settings(deadline=None, max_examples=60)
@given(st.composite(drawn)(), st.sampled_from([0.25, 4.0]))
def test_a_frame_holds_the_labels_or_is_given_up(labels: np.ndarray, room: float) -> None:
    made = frame(labels, int(labels.nbytes * room))
    assert not made or zstd.decompress(made) == labels.tobytes()


@pytest.mark.parametrize("dtype", ["u4", "u8", "i4", "i8"])
@pytest.mark.parametrize(
    "shape", [(40, 40, 40), (1, 90, 70), (300, 50), (5000,), (2, 3, 20, 30, 40)]
)
def test_labels_of_any_shape_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    whole = cells((40, 60, 60), 30).repeat(2).astype(dtype)
    labels = whole[: math.prod(shape)].reshape(shape)
    made = compress_labels(labels.tobytes(), shape)
    assert made is not None
    assert zstd.decompress(made) == labels.tobytes()


@pytest.mark.parametrize("dtype", ["u4", "u8"])
def test_a_last_block_may_be_one_new_label(dtype: str) -> None:
    labels = np.ones(2 * BLOCK // np.dtype(dtype).itemsize + 1, dtype)
    labels[-1] = 77
    assert zstd.decompress(frame(labels, labels.nbytes)) == labels.tobytes()


@pytest.mark.parametrize("dtype", ["u4", "u8"])
def test_a_frame_of_cells_is_smaller_than_zstd_makes_it(dtype: str) -> None:
    labels = cells((48, 48, 48), 40).astype(dtype)
    made = compress_labels(labels.tobytes(), labels.shape)
    assert made is not None
    assert len(made) < len(zstd.compress(labels.tobytes(), 5))


@pytest.mark.parametrize(
    "labels",
    [
        np.random.default_rng(0).integers(0, 2**60, (20, 20, 20), np.uint64),
        cells((20, 20, 20), 9).astype(np.uint16),
        np.ones((2, 3, 4), np.uint64),
        np.ones((129, 128, 128), np.uint32),
    ],
    ids=["noise", "16 bits", "few", "more than browsers decode"],
)
def test_other_labels_are_left_to_others(labels: np.ndarray) -> None:
    assert compress_labels(labels.tobytes(), labels.shape) is None


def image_rows(draw: st.DrawFn) -> np.ndarray:
    """Bytes of an image (plane, row, byte), from two values to noise, with what seldom occurs."""
    width = draw(st.sampled_from([64, 256, 1024]))
    count = draw(st.sampled_from([BLOCK, BLOCK + 1024, 2 * BLOCK, 2 * BLOCK + 3 * 1024])) // width
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.sampled_from([(1, count), (count, 1), (count // 4, 4)]))
    nbytes = math.prod(shape) * width
    kind = draw(st.sampled_from(["normal", "geometric", "uniform", "words"]))
    if kind == "normal":
        data = rng.normal(100, draw(st.sampled_from([1, 5, 30, 90])), nbytes)
    elif kind == "geometric":
        data = rng.geometric(draw(st.sampled_from([0.01, 0.2, 0.6])), nbytes)
    elif kind == "uniform":
        data = rng.integers(0, draw(st.sampled_from([2, 3, 17, 130, 256])), nbytes)
    else:
        data = rng.normal(0, 3000, nbytes // 2).astype("<i2").view(np.uint8)
    data = data.clip(0, 255).astype(np.uint8)
    rare = rng.integers(0, nbytes, draw(st.sampled_from([0, 1, 300])))
    data[rare] = rng.integers(0, 256, len(rare))
    return data.reshape(*shape, width)


@settings(deadline=None, max_examples=60)
@given(st.composite(image_rows)(), st.booleans())
def test_a_frame_holds_the_image_or_is_given_up(rows: np.ndarray, steady: bool) -> None:
    room = 3 * rows.nbytes // 2
    out = np.full(room + 64, 0xAB, np.uint8)
    pairs, widths = np.empty(1 << 16, np.uint32), np.empty(1 << 16, np.uint8)
    nbytes = image_frame(rows, steady, pairs, widths, out[:room])
    assert (out[room:] == 0xAB).all()
    assert not nbytes or zstd.decompress(out[:nbytes].tobytes()) == rows.tobytes()


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "i2", "f4"])
@pytest.mark.parametrize(
    "shape", [(64, 64, 64), (1, 400, 512), (500, 640), (200_000,), (3, 5, 24, 40, 32)]
)
def test_images_of_any_shape_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    image = grain(shape, dtype)
    made = compress_image(image)
    assert made is not None
    assert zstd.decompress(made) == image.tobytes()


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize(
    "cut",
    [np.s_[5:69, 3:67, 7:71], np.s_[:, ::-1, 16:80], np.s_[::2, 1:, :128], np.s_[:, :, ::2]],
    ids=["box", "backwards", "steps", "not together"],
)
def test_an_image_is_read_where_it_lies(dtype: str, cut: tuple[slice, ...]) -> None:
    image = grain((80, 80, 130), dtype)[cut]
    made = compress_image(image)
    assert made is not None
    assert zstd.decompress(made) == image.tobytes()


@pytest.mark.parametrize("spread", [4, 20, 60])
def test_a_frame_of_grain_is_about_as_small_as_zstd_makes_it(spread: float) -> None:
    image = grain((64, 64, 64), spread=spread)
    made = compress_image(image)
    assert made is not None
    assert len(made) < 1.015 * len(zstd.compress(image.tobytes(), 1))


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(0).integers(0, 256, (64, 64, 64), np.uint8),
        np.where(np.arange(64) < 48, 0, grain((64, 64, 64))),
        np.tile(grain((64, 8)), (64, 1, 8)),
        np.zeros((64, 64, 64), np.uint8),
        grain((32, 32, 32)),
        grain((65, 51, 61)),
        grain((129, 256, 256)),
    ],
    ids=["noise", "background", "tiles", "nothing", "few", "lines in parts", "too much"],
)
def test_other_images_are_left_to_others(image: np.ndarray) -> None:
    assert compress_image(image) is None


@pytest.mark.parametrize("spread", [5, 20, 60])
def test_a_frame_is_whole_also_of_an_image_that_changes_meanwhile(spread: float) -> None:
    image = grain((64, 64, 64), spread=spread)
    over = threading.Event()

    def change() -> None:
        rng = np.random.default_rng(1)
        while not over.is_set():
            image[...] = np.roll(image, rng.integers(256)) + rng.integers(256, dtype=np.uint8)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(50):
            made = compress_image(image, steady=False)
            assert made is None or len(zstd.decompress(made)) == image.nbytes
    finally:
        over.set()
        changing.join()
