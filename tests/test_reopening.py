"""Files that a program has written anew: refresh shows what they hold now, or says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest
import tifffile
import zarr
from astropy.io import fits

import viewer
from viewer.errors import SourceError
from viewer.space import Box
from viewer.state import Changed

OLD, NEW = np.random.default_rng(7).integers(0, 200, (2, 9, 20, 30)).astype("i2")

Write = Callable[[Path, np.ndarray], object]


def write_h5(path: Path, data: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("raw", data=data, chunks=(3, 10, 10), compression="gzip")


def write_zarr(path: Path, data: np.ndarray) -> None:
    zarr.save_array(str(path), data)


def write_folder(path: Path, data: np.ndarray) -> None:
    path.mkdir()
    for number, plane in enumerate(data):
        tifffile.imwrite(path / f"{number}.tif", plane)


def replace(path: Path, write: Write, data: np.ndarray) -> None:
    """As programs do that disturb nobody who reads."""
    other = path.parent / "other" / path.name
    other.parent.mkdir(exist_ok=True)
    write(other, data)
    if path.is_dir():
        shutil.rmtree(path)
    other.replace(path)
    age(path)


def rewrite(path: Path, write: Write, data: np.ndarray) -> None:
    """Onto the same file."""
    copy = path.parent / f"copy-{path.name}"
    write(copy, data)
    shutil.copyfile(copy, path)
    age(path)


def age(path: Path) -> None:
    """As if some time had passed since it was written first: clocks of disks are coarse."""
    os.utime(path, ns=(0, time.time_ns() + 10**9))


def open_one(v: viewer.Viewer, path: Path, **options: Any) -> Any:
    layer, *_ = v.open(path, **options)
    return layer


def voxels(layer: Any) -> np.ndarray:
    return np.asarray(layer.pyramid.read(0, Box.whole(layer.shape)))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


FORMATS: dict[str, Write] = {
    "a.npy": np.save,
    "a.npz": np.savez_compressed,
    "a.nii.gz": lambda path, data: nibabel.save(nibabel.Nifti1Image(data.T, np.eye(4)), path),
    "plain.tif": tifffile.imwrite,
    "zlib.tif": lambda path, data: tifffile.imwrite(path, data, compression="zlib"),
    "a.fits": lambda path, data: fits.PrimaryHDU(data).writeto(path),
    "a.h5": write_h5,
    "a.zarr": write_zarr,
    "slices": write_folder,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_was_replaced_is_shown_after_a_refresh(
    viewer_: viewer.Viewer, tmp_path: Path, name: str
) -> None:
    write, path = FORMATS[name], tmp_path / name
    write(path, OLD)
    layer = open_one(viewer_, path)
    np.testing.assert_array_equal(voxels(layer), OLD)
    replace(path, write, NEW)
    layer.refresh()
    np.testing.assert_array_equal(voxels(layer), NEW)
    np.testing.assert_array_equal(np.asarray(layer.data), NEW)
    assert layer.pyramid.generation == 1


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.nii.gz", "zlib.tif", "a.fits"])
def test_a_file_that_was_written_anew_in_place_is_shown_after_a_refresh(
    viewer_: viewer.Viewer, tmp_path: Path, name: str
) -> None:
    write, path = FORMATS[name], tmp_path / name
    write(path, OLD)
    layer = open_one(viewer_, path)
    rewrite(path, write, NEW)
    layer.refresh()
    np.testing.assert_array_equal(voxels(layer), NEW)


def test_of_a_refreshed_region_only_that_is_said_to_be_new(
    viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    path, changed = tmp_path / "a.npz", OLD.copy()
    np.savez(path, OLD)
    layer = open_one(viewer_, path)
    changed[2:4] = 500
    replace(path, np.savez, changed)
    layer.refresh(np.s_[2:4])
    np.testing.assert_array_equal(voxels(layer), changed)
    data = viewer_.document.state.layers[layer.id].data
    assert data.changes == (Changed(1, 0, (2, 0, 0), (4, 20, 30)),)


def test_channels_of_a_file_each_take_the_new_one_when_refreshed(
    viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    write_h5(path, OLD)
    layers: Any = viewer_.open(path, channel_axis=0)
    replace(path, write_h5, NEW)
    layers[1].refresh()
    np.testing.assert_array_equal(voxels(layers[1]), NEW[1])
    np.testing.assert_array_equal(voxels(layers[2]), OLD[2])
    layers[2].refresh()
    np.testing.assert_array_equal(voxels(layers[2]), NEW[2])


def test_labels_written_as_floats_stay_labels(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, OLD.astype("f4"))
    layer = open_one(viewer_, path, layer_type="labels")
    replace(path, np.save, NEW.astype("f4"))
    layer.refresh()
    assert layer.dtype == np.int32
    np.testing.assert_array_equal(voxels(layer), NEW)


def test_scale_and_looks_stay(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, OLD)
    layer = open_one(viewer_, path)
    layer.scale = (4, 2, 1)
    limits = layer.contrast_limits
    replace(path, np.save, NEW * 2)
    layer.refresh()
    assert layer.scale == (4, 2, 1)
    assert layer.contrast_limits == limits


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (NEW[:, :15], r"held int16 \(9, 20, 30\), and holds int16 \(9, 15, 30\) now"),
        (NEW.astype("u1"), r"holds uint8 \(9, 20, 30\) now"),
    ],
)
def test_another_shape_or_dtype_is_refused_and_the_layer_stays(
    viewer_: viewer.Viewer, tmp_path: Path, data: np.ndarray, message: str
) -> None:
    path = tmp_path / "a.npy"
    np.save(path, OLD)
    layer = open_one(viewer_, path)
    before = layer.data
    replace(path, np.save, data)
    with pytest.raises(SourceError, match=message) as caught:
        layer.refresh()
    assert "Remove the layer" in caught.value.hint
    assert layer.data is before
    assert layer.pyramid.generation == 0
    np.testing.assert_array_equal(voxels(layer), OLD)


def test_other_names_of_axes_are_refused(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, OLD, imagej=True, metadata={"axes": "ZYX"})
    layer = open_one(viewer_, path)
    tifffile.imwrite(path, OLD, imagej=True, metadata={"axes": "TYX"})
    age(path)
    with pytest.raises(SourceError, match=r"had the axes \(z, y, x\), and has \(t, y, x\) now"):
        layer.refresh()


def test_other_chunks_are_refused(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    zarr.create_array(path, data=OLD, chunks=(9, 20, 30))
    layer = open_one(viewer_, path)
    zarr.create_array(path, data=NEW, chunks=(3, 20, 30), overwrite=True)
    with pytest.raises(SourceError, match="other levels, chunks or compression"):
        layer.refresh()


def test_a_file_that_is_gone_or_cut_off_is_said_and_the_layer_stays(
    viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, OLD)
    layer = open_one(viewer_, path)
    path.write_bytes(path.read_bytes()[:99])
    with pytest.raises(SourceError, match="cannot be opened as NumPy archive"):
        layer.refresh()
    path.unlink()
    with pytest.raises(SourceError, match="There is no file"):
        layer.refresh()
    np.testing.assert_array_equal(voxels(layer), OLD)
    np.savez(path, NEW)
    layer.refresh()
    np.testing.assert_array_equal(voxels(layer), NEW)


def test_a_file_that_is_the_same_is_not_opened_again(
    viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, OLD)
    layer = open_one(viewer_, path)
    before = layer.data
    before[0] = 7
    layer.refresh()
    assert layer.data is before
    assert (voxels(layer)[0] == 7).all()


def test_what_a_user_hands_over_is_not_opened_again(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, OLD)
    mine = np.load(path, mmap_mode="r")
    layer = viewer_.add_image(mine)
    replace(path, np.save, NEW)
    layer.refresh()
    assert layer.data is mine
    np.testing.assert_array_equal(voxels(layer), OLD)


def test_a_file_is_found_from_wherever_one_stands(
    viewer_: viewer.Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "a.npz", OLD)
    monkeypatch.chdir(tmp_path)
    layer = open_one(viewer_, Path("a.npz"))
    replace(tmp_path / "a.npz", np.savez, NEW)
    monkeypatch.chdir("/")
    layer.refresh()
    np.testing.assert_array_equal(voxels(layer), NEW)


def test_the_old_file_is_closed_when_nobody_reads_it(
    viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    write_h5(path, OLD)
    layer = open_one(viewer_, path)
    old, reader = layer.data.file, layer.pyramid.source
    replace(path, write_h5, NEW)
    layer.refresh()
    np.testing.assert_array_equal(reader.read(0, Box.whole(OLD.shape)), OLD)
    del reader
    until(lambda: not old)
    np.testing.assert_array_equal(voxels(layer), NEW)


def test_the_new_file_is_closed_with_its_layer(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write_h5(path, OLD)
    layer = open_one(viewer_, path)
    replace(path, write_h5, NEW)
    layer.refresh()
    new = layer.data.file
    assert new
    viewer_.layers.remove(layer)
    assert not new


WRITER = """
import sys
import h5py

with h5py.File(sys.argv[1], "w", libver="latest") as file:
    data = file.create_dataset("raw", (9, 20, 30), "u1", chunks=(1, 20, 30))
    data[:3] = 1
    file.swmr_mode = True
    file.flush()
    print(flush=True)
    sys.stdin.readline()
    data[3:] = 2
    data.flush()
    print(flush=True)
    sys.stdin.readline()
"""


def test_chunks_that_a_program_goes_on_writing_are_seen_after_a_refresh(
    viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        layer = open_one(viewer_, path)
        assert (voxels(layer)[3:] == 0).all()
        print(file=writer.stdin, flush=True)
        writer.stdout.readline()
        age(path)
        layer.refresh()
        found = voxels(layer)
        viewer_.layers.remove(layer)
        print(file=writer.stdin, flush=True)
    assert (found[:3] == 1).all()
    assert (found[3:] == 2).all()


# --- pyramids that were built -----------------------------------------------------------------


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """With coarse levels, and a cache folder of its own."""
    monkeypatch.setenv("VOXELVIEW_CACHE", str(tmp_path / "cache"))
    return np.full((8, 600, 600), 20, "u1")


def coarsest(layer: Any) -> set[int]:
    levels = layer.pyramid.levels
    assert len(levels) > 1
    last = len(levels) - 1
    return {
        int(value) for value in np.unique(layer.pyramid.read(last, Box.whole(levels[-1].shape)))
    }


@pytest.mark.parametrize(("name", "write"), [("a.npy", np.save), ("a.npz", np.savez)])
def test_levels_that_were_built_of_the_old_file_are_not_of_the_new_one(
    viewer_: viewer.Viewer, tmp_path: Path, large: np.ndarray, name: str, write: Write
) -> None:
    path = tmp_path / name
    write(path, large)
    layer = open_one(viewer_, path)
    assert layer.build_pyramid(progress=False) is not None
    replace(path, write, large + 50)
    layer.refresh()
    assert coarsest(layer) == {70}
    again = open_one(viewer_, path)
    assert coarsest(again) == {70}
    built = layer.build_pyramid(progress=False)  # it is as in its file again
    assert built is not None
    assert coarsest(layer) == {70}


def test_levels_are_not_kept_for_a_file_that_was_replaced_meanwhile(
    viewer_: viewer.Viewer, tmp_path: Path, large: np.ndarray
) -> None:
    path = tmp_path / "a.npy"
    np.save(path, large)
    layer = open_one(viewer_, path)
    replace(path, np.save, large + 50)
    with pytest.raises(viewer.errors.InvalidValueError, match="as it is in a file"):
        layer.build_pyramid(progress=False)
