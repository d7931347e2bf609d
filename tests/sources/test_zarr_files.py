"""Zarr files that hold several images: which is meant, and what is said of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import zarr

from viewer.errors import InvalidDataError, SourceError
from viewer.opening import open_data, parse_location


def write_group(path: Path, **attributes: Any) -> Path:
    zarr.open_group(path, mode="a", zarr_format=2).attrs.update(attributes)
    return path


def write_image(path: Path, *levels: str) -> Path:
    for level in levels[:1]:
        zarr.create_array(path / level, shape=(8, 64, 64), dtype="u1", zarr_format=2)
    datasets = [{"path": level} for level in levels]
    return write_group(path, multiscales=[{"version": "0.4", "datasets": datasets}])


def names(path: object) -> list[str]:
    opened = open_data(parse_location(path))
    found = [described.suggestions.name for described in opened.shown]
    opened.close()
    return found


def test_images_of_a_plate_are_named_by_their_wells(tmp_path: Path) -> None:
    wells = [{"path": f"A/{number}"} for number in (1, 2)]
    plate = write_group(tmp_path / "plate.zarr", plate={"wells": wells})
    images = [{"path": "f0"}, {"path": "f1"}]
    write_group(plate / "A" / "1", well={"images": images})
    for field in ("f0", "f1"):
        write_image(plate / "A" / "1" / field, "0")
    with pytest.raises(InvalidDataError, match=r"plate of 2 wells.*plate\.zarr:A/1/f0"):
        open_data(parse_location(plate))
    with pytest.raises(InvalidDataError, match=r"plate\.zarr:A/1/f0.*A/1/f1"):
        open_data(parse_location(f"{plate}:A/1"))
    assert names(f"{plate}:A/1/f0") == ["f0"]


def test_of_several_images_the_first_is_shown_and_the_others_are_told(tmp_path: Path) -> None:
    several = write_group(tmp_path / "a.zarr", **{"bioformats2raw.layout": 3})
    write_image(several / "0", "0")
    write_image(several / "1", "0")
    opened = open_data(parse_location(several))
    (notice,) = opened.shown[0].suggestions.notices
    assert "dataset='1' or a.zarr:1 opens the next" in notice
    opened.close()


def test_images_that_are_not_whole_hide_no_others(tmp_path: Path) -> None:
    group = write_group(tmp_path / "a.zarr")
    write_image(group / "good", "0")
    write_group(group / "hollow", multiscales=[{"datasets": [{"path": "0"}]}])
    assert names(group) == ["good"]


def test_a_level_that_is_not_there_is_said(tmp_path: Path) -> None:
    opened = open_data(parse_location(write_image(tmp_path / "a.zarr", "0", "1")))
    (notice,) = opened.shown[0].suggestions.notices
    assert notice == "Level '1' and coarser ones are not used: it is not there."
    opened.close()
    write_group(tmp_path / "b.zarr", multiscales=[{"datasets": [{"path": "0"}]}])
    with pytest.raises(SourceError, match=r"'0' .*b\.zarr.* it is not there"):
        open_data(parse_location(tmp_path / "b.zarr"))
