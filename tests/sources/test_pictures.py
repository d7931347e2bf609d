"""PNG and JPEG files: a picture alone, and slices of a volume in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.sources.suite import SHAPE, Fallible
from tests.sources.test_files import FileSuite, opened, read
from viewer.errors import InvalidDataError
from viewer.opening import find_format, parse_location


def write(path: Path, voxels: np.ndarray) -> None:
    Image.fromarray(voxels).save(path)


class TestPictureFolder(Fallible, FileSuite):
    """In the order of their numbers, among other files."""

    chunks = (1, *SHAPE[1:])

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        (folder / "scan").mkdir()
        for number, plane in enumerate(arrays[0], start=5):  # 9 and 10
            write(folder / "scan" / f"slice{number}.PNG", plane)
        write(folder / "scan" / "preview.jpg", np.zeros((8, 8), "u1"))
        (folder / "scan" / "notes.txt").write_text("of a Monday")
        return folder / "scan"

    def break_(self, data: object, folder: Path) -> None:
        for file in folder.rglob("*.PNG"):
            file.write_bytes(file.read_bytes()[:60])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16"])
def test_a_picture_is_read_as_it_is(tmp_path: Path, dtype: str) -> None:
    picture = np.random.default_rng(0).integers(0, 250, (20, 30)).astype(dtype)
    write(tmp_path / "a.png", picture)
    (shown,) = opened(tmp_path / "a.png").shown
    assert read(shown).dtype == dtype and shown.names == ("y", "x")
    np.testing.assert_array_equal(read(shown), picture)


def test_colours_are_red_green_and_blue(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (4, 20, 30, 4)).astype("u1")
    for number, picture in enumerate(pictures):
        write(tmp_path / f"{number}.png", picture)
    (shown,) = opened(tmp_path).shown
    assert shown.names == ("channel", "z", "y", "x")
    assert [channel.name for channel in shown.suggestions.channels] == ["red", "green", "blue"]
    np.testing.assert_array_equal(read(shown), np.moveaxis(pictures[..., :3], -1, 0))


def test_pictures_of_different_sizes_are_no_volume(tmp_path: Path) -> None:
    write(tmp_path / "a.jpg", np.zeros((20, 30), "u1"))
    write(tmp_path / "b.jpg", np.zeros((20, 31), "u1"))
    with pytest.raises(InvalidDataError, match=r"b\.jpg holds uint8 \(20, 31\)"):
        opened(tmp_path)


def test_a_picture_without_a_telling_name_is_known_by_its_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a.jpg", np.zeros((20, 30), "u1"))
    (tmp_path / "a.jpg").rename(tmp_path / "a")
    assert find_format(parse_location(tmp_path / "a")).name == "PNG or JPEG"
