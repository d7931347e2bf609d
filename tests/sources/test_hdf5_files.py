"""HDF5 files that are being written, lead elsewhere, or are packed by other filters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from viewer.errors import SourceError
from viewer.opening import open_data, parse_location
from viewer.sources import as_source
from viewer.space import Box

VOLUME = np.arange(9 * 20 * 30, dtype="u2").reshape(9, 20, 30)


def read_whole(path: Path) -> Any:
    opened = open_data(parse_location(path))
    source = as_source(opened.shown[0])
    try:
        return source.read(0, Box.whole(source.levels[0].shape))
    finally:
        source.close()
        opened.close()


def test_a_filter_that_is_not_here_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((9, 20, 30))
        properties.set_filter(32017, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((9, 20, 30))
        dataset = h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_UINT16, space, properties)
        dataset.write_direct_chunk((0, 0, 0), b"packed", 0)
    if h5py.h5z.filter_avail(32017):
        pytest.skip("hdf5plugin is here")
    with pytest.raises(SourceError, match=r"filter that is not here: SZ.*pip install hdf5plugin"):
        read_whole(tmp_path / "a.h5")


def test_a_file_that_leads_to_others_shows_what_is_there(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["volume"] = VOLUME
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["energies"] = np.arange(5)
        file["entry/volume"] = h5py.ExternalLink("data.h5", "/volume")
        file["entry/gone"] = h5py.ExternalLink("gone.h5", "/volume")
    assert np.array_equal(read_whole(tmp_path / "a.h5"), VOLUME)


def test_a_file_is_read_while_it_is_written_for_readers(tmp_path: Path) -> None:
    script = """if True:
        import h5py, sys
        file = h5py.File(sys.argv[1], "w", libver="latest")
        file.create_dataset("a", (9, 20, 30), "u2", chunks=(1, 20, 30), fillvalue=7)[:2] = 1
        file.swmr_mode = True
        print(flush=True)
        input()
    """
    path = tmp_path / "a.h5"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            voxels = read_whole(path)
        finally:
            writer.communicate(b"\n")
    assert voxels[:2].max() == 1 and voxels[2:].min() == 7
