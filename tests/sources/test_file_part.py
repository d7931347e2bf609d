"""Opened files are known again by what they were when they were opened, all of them."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any, cast

import nrrd
import numpy as np
import pytest
import tifffile
from astropy.io import fits

from viewer.errors import SourceError
from viewer.opening import as_labels, open_data, parse_location
from viewer.sources import as_source
from viewer.sources.file_part import FilePart, open_again
from viewer.sources.files.opened import Opened
from viewer.space import Box

VOLUME = np.random.default_rng(5).integers(0, 200, (9, 20, 30)).astype("u2")


def identity(path: Path, dataset: str | None = None) -> str | None:
    opened = open_data(parse_location(path, dataset))
    source: Any = as_source(opened.shown[0])
    found: str | None = source.identity
    opened.close()
    return found


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))


def test_a_header_is_known_by_its_voxels_too(tmp_path: Path) -> None:
    header = tmp_path / "a.nhdr"
    nrrd.write(str(header), VOLUME, {"encoding": "gzip"}, detached_header=True)
    before = identity(header)
    assert before is not None
    assert identity(header) == before
    touch(tmp_path / "a.raw.gz")
    assert identity(header) != before


def test_a_folder_is_known_from_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        tifffile.imwrite(tmp_path / f"{number}.tif", VOLUME[number])
    before = identity(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert identity(Path()) == before is not None
    touch(tmp_path / "1.tif")
    assert identity(tmp_path) != before


def test_pages_in_several_files_are_known_by_all_of_them(tmp_path: Path) -> None:
    names = ("a.ome.tif", "b.ome.tif")
    parts = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{z}</UUID></TiffData>'
        for z, name in enumerate(names)
    )
    for z, name in enumerate(names):
        said = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{z}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            f'SizeX="30" SizeY="20" SizeZ="2" SizeC="1" SizeT="1">{parts}</Pixels></Image></OME>'
        )
        tifffile.imwrite(
            tmp_path / name, VOLUME[z], description=said, metadata=None, compression="zlib"
        )
    opened = open_data(parse_location(tmp_path / names[0]))
    assert opened.shown[0].parts[0].shape == (2, 20, 30)
    opened.close()
    before = identity(tmp_path / names[0])
    assert before is not None
    assert identity(tmp_path / names[0]) == before
    touch(tmp_path / names[1])
    assert identity(tmp_path / names[0]) != before


def test_what_is_in_memory_is_called_by_the_file_as_it_was_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", VOLUME)
    opened = open_data(parse_location(tmp_path / "a.npz"))
    source: Any = as_source(opened.shown[0])
    before = source.identity
    np.savez_compressed(tmp_path / "a.npz", VOLUME + 1)
    touch(tmp_path / "a.npz")
    assert source.identity == before != identity(tmp_path / "a.npz")


def test_arrays_of_one_file_are_told_apart(tmp_path: Path) -> None:
    images = [fits.PrimaryHDU(VOLUME), fits.ImageHDU(VOLUME[::-1])]
    fits.HDUList(images).writeto(tmp_path / "a.fits")
    found = [identity(tmp_path / "a.fits", name) for name in ("0", "1")]
    assert None not in found
    assert found[0] != found[1]


def test_labels_written_as_floats_are_labels_in_other_processes(tmp_path: Path) -> None:
    fits.PrimaryHDU(VOLUME.astype("f4")).writeto(tmp_path / "a.fits")
    opened = open_data(parse_location(tmp_path / "a.fits"))
    source: Any = as_source(as_labels(opened.shown[0]))
    again, arguments = source.__reduce__()
    assert again is open_again
    there = open_again(*arguments)
    assert there.dtype == source.dtype == np.int32
    np.testing.assert_array_equal(there.read(0, Box.whole(VOLUME.shape)), VOLUME)
    opened.close()


def test_a_file_that_holds_less_than_it_did_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", VOLUME)
    opened = open_data(parse_location(tmp_path / "a.npz"))
    part = opened.shown[0].file
    assert isinstance(part, FilePart)
    with pytest.raises(SourceError, match="does not hold any more"):
        FilePart(part.opener, part.path, None, None, number=1).open()


def test_a_file_let_go_on_an_event_loop_is_closed_elsewhere(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VOLUME)
    threads: list[threading.Thread] = []
    closed = threading.Event()

    def close() -> None:
        threads.append(threading.current_thread())
        closed.set()

    def opener(path: str, dataset: str | None) -> Opened:
        return Opened(open_data(parse_location(path, dataset)).shown, close)

    class Anything:
        """That can be let go of."""

        def __init__(self, *arguments: object) -> None:
            del arguments

    async def let_go() -> None:
        part = FilePart(opener, str(tmp_path / "a.npy"), None, None)
        open_again(cast(Any, Anything), cast(Any, None), part)

    asyncio.run(let_go())
    assert closed.wait(30)
    assert threads != [threading.current_thread()]
