"""A picture is an array and a PNG."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viewer.errors import InvalidDataError, InvalidValueError
from viewer.pictures.picture import Picture


@pytest.fixture
def picture() -> Picture:
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[0, :] = (255, 0, 0, 255)
    pixels[1, 0] = (0, 0, 255, 128)
    return Picture(pixels)


def test_it_is_an_array(picture: Picture) -> None:
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (2, 3, 4) and picture.dtype == np.uint8
    assert (picture[0, 0] == (255, 0, 0, 255)).all()


def test_its_png_holds_every_pixel(picture: Picture) -> None:
    again = Picture.from_png(picture.png)
    assert (again == picture).all()
    assert picture._repr_png_() == picture.png
    head, _, body = picture.data_uri.partition(",")
    assert head == "data:image/png;base64" and base64.b64decode(body) == picture.png


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.webp", "a.tif"])
def test_files_keep_the_opacity(picture: Picture, tmp_path: Path, name: str) -> None:
    picture.save(tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert np.array(image.convert("RGBA"))[1, 0, 3] == 128
        assert image.size == (3, 2)


def test_jpeg_is_white_where_nothing_is(tmp_path: Path) -> None:
    Picture(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert (np.array(image) > 250).all()


def test_a_suffix_must_say_what_it_is(picture: Picture, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"\.png"):
        picture.save(tmp_path / "figure")
    with pytest.raises(InvalidValueError, match="what kind"):
        picture.save(tmp_path / "figure.docx")


def test_a_part_of_the_channels_is_no_picture(picture: Picture) -> None:
    assert picture[..., 0]._repr_png_() is None
    with pytest.raises(InvalidDataError, match="whole picture"):
        _ = picture[..., 0].png
