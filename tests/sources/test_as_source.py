"""What can be shown, where it lies, and what is said about everything else."""

from __future__ import annotations

import mmap
import subprocess
import sys
import weakref
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from viewer.errors import (
    ClosedError,
    InvalidDataError,
    InvalidValueError,
    SourceError,
    UnsupportedDataError,
)
from viewer.sources import Source, as_source
from viewer.sources.protocol import SampledSource
from viewer.space import Box

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64"]


def read(source: Source, *index: slice) -> np.ndarray:
    shape = source.levels[0].shape
    ranges = [s.indices(n) for s, n in zip(index, shape, strict=True)]
    return source.read(0, Box(tuple(r[0] for r in ranges), tuple(r[1] for r in ranges)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_read_as_it_is_and_named_in_native_order(dtype, order):
    data = (np.arange(5 * 6 * 7).reshape(5, 6, 7) % 120).astype(np.dtype(dtype).newbyteorder(order))
    source = as_source(data)
    assert source.dtype == np.dtype(dtype)
    assert source.dtype.isnative
    np.testing.assert_array_equal(read(source, np.s_[1:4], np.s_[2:6], np.s_[0:7]), data[1:4, 2:6])


@pytest.mark.parametrize(
    "data",
    [
        np.asfortranarray(np.arange(60).reshape(3, 4, 5)),
        np.arange(60).reshape(3, 4, 5)[::-1, :, ::-2],
        np.broadcast_to(np.arange(5), (3, 4, 5)),
        np.arange(60).reshape(3, 4, 5).view(np.recarray),
    ],
    ids=["fortran", "negative strides", "broadcast", "subclass"],
)
def test_any_memory_layout_is_read(data):
    np.testing.assert_array_equal(as_source(data).read(0, Box.whole(data.shape)), np.asarray(data))


def test_a_memory_map_is_read_without_being_loaded(tmp_path):
    data = np.memmap(tmp_path / "big.raw", np.uint8, "w+", shape=(1 << 12, 1 << 12, 1 << 8))
    data[7, 8, 9] = 10
    source = as_source(data)
    assert read(source, np.s_[7:8], np.s_[8:9], np.s_[9:10]).item() == 10
    source.close()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="tells what of a file is loaded")
def test_of_a_memory_map_voxels_far_apart_load_nothing_between_them(tmp_path):
    with (tmp_path / "sparse.raw").open("wb") as file:
        file.truncate(1 << 28)
    data = np.memmap(tmp_path / "sparse.raw", np.uint8, "r", shape=(256, 1024, 1024))
    source = as_source(data)
    assert isinstance(source, SampledSource)
    assert source.sample((0, 0, 0), data.shape, (8, 64, 512)).shape == (32, 16, 2)
    for z in range(0, 256, 8):  # a few at once, as for a first contrast window
        read(source, np.s_[z : z + 1], np.s_[513:529], np.s_[8:72])
    pages = 32 * (16 + 5)
    assert loaded(tmp_path / "sparse.raw") <= 2 * pages * mmap.PAGESIZE
    source.close()


def loaded(path: Path) -> int:
    """Bytes of a file that are mapped into this process's memory, and there."""
    ours, kibibytes = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line[0] in "0123456789abcdef":  # of a mapping, before what is said of it
            ours = line.endswith(str(path))
        elif ours and line.startswith("Rss:"):
            kibibytes += int(line.split()[1])
    return kibibytes * 1024


def test_a_closed_source_lets_go_of_its_memory_map(tmp_path):
    data = np.memmap(tmp_path / "a.raw", np.uint8, "w+", shape=(4, 5, 6))
    mapping = weakref.ref(data.base)
    source = as_source(data)
    read(source, np.s_[:], np.s_[:], np.s_[:])
    source.close()
    del data
    assert mapping() is None


def test_a_copy_of_a_memory_map_is_in_memory(tmp_path):
    """NumPy calls it a ``memmap`` as well, of no file."""
    mapped = np.memmap(tmp_path / "a.raw", np.uint8, "w+", shape=(4, 5, 6))
    mapped[:] = np.arange(120).reshape(4, 5, 6)
    copied = as_source(mapped.copy())
    assert copied.identity is None
    np.testing.assert_array_equal(copied.read(0, Box.whole(mapped.shape)), mapped)


@pytest.mark.parametrize(
    ("ndim", "names", "kinds"),
    [
        (2, "yx", "space space"),
        (3, "zyx", "space space space"),
        (4, "tzyx", "time space space space"),
        (5, "tczyx", "time channel space space space"),
        (6, "ptczyx", "other time channel space space space"),
    ],
)
def test_axes_have_names_by_their_number(ndim, names, kinds):
    axes = as_source(np.zeros((2,) * ndim), units="um").axes
    assert "".join(axis.name for axis in axes) == names
    assert [axis.kind for axis in axes] == kinds.split()
    assert {axis.unit for axis in axes if axis.kind == "space"} == {"µm"}
    assert {axis.unit for axis in axes if axis.kind != "space"} <= {""}


@pytest.mark.parametrize(
    ("labels", "spatial"),
    [
        (("t", "y", "x"), 2),
        (("Time", "y", "x"), 2),
        (("channel", "a", "b"), 2),
        (("angle", "z", "y", "x"), 3),
        (("z", "lat", "lon"), 3),
        (("a", "t", "y", "x"), 2),
    ],
)
def test_time_and_channel_are_never_spatial(labels, spatial):
    axes = as_source(np.zeros((2,) * len(labels)), axis_labels=labels).axes
    assert [axis.kind == "space" for axis in axes].count(True) == spatial
    assert tuple(axis.name for axis in axes) == labels


@pytest.mark.parametrize("labels", [("y", "x", "c"), ("z", "t", "y", "x"), ("y", "c", "x")])
def test_a_leading_axis_after_a_spatial_one_is_refused_with_the_remedy(labels):
    with pytest.raises(InvalidDataError) as caught:
        as_source(np.zeros((2,) * len(labels)), axis_labels=labels)
    assert "np.moveaxis" in caught.value.hint


@pytest.mark.parametrize("labels", [("t", "x"), ("y", "t"), ("t", "c", "x")])
def test_one_spatial_axis_is_no_picture(labels):
    with pytest.raises(InvalidDataError, match="fewer than two spatial axes"):
        as_source(np.zeros((2,) * len(labels)), axis_labels=labels)


@pytest.mark.parametrize("labels", [("y",), ("y", "y"), ("y", ""), (1, 2), "yxz"])
def test_labels_must_be_as_many_different_names(labels):
    with pytest.raises(InvalidDataError, match="different names"):
        as_source(np.zeros((2, 2)), axis_labels=labels)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (None, (1, 1, 1, 1)),
        (2, (1, 2, 2, 2)),
        ((40, 4, 4), (1, 40, 4, 4)),
        (np.array([0.5, 40, 4, 4]), (0.5, 40, 4, 4)),
    ],
)
def test_scale_is_for_all_axes_or_for_the_spatial_ones(scale, expected):
    assert as_source(np.zeros((2, 2, 2, 2)), scale=scale).levels[0].scale == expected


def test_translate_is_zero_on_leading_axes():
    level = as_source(np.zeros((2, 2, 2, 2)), translate=(-1, 0, 3)).levels[0]
    assert level.translate == (0, -1, 0, 3)


@pytest.mark.parametrize(
    "scale",
    [(1, 1), (1, 1, 1, 1), "abc", (1, 1, "x"), (1, 0, 1), (1, -1, 1), (1, np.nan, 1), np.inf],
)
def test_an_impossible_scale_is_refused(scale):
    with pytest.raises(InvalidValueError, match="scale="):
        as_source(np.zeros((2, 2, 2)), scale=scale)


def test_an_infinite_translate_is_refused():
    with pytest.raises(InvalidValueError, match="finite"):
        as_source(np.zeros((2, 2, 2)), translate=(0, 0, np.inf))


def test_unknown_units_are_refused():
    with pytest.raises(InvalidValueError, match="furlong"):
        as_source(np.zeros((2, 2, 2)), units="furlong")


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (np.zeros((2, 2), complex), "np.abs(data)"),
        (np.zeros((2, 2), object), "astype"),
        (np.zeros((2, 2), "U3"), "astype"),
        (np.zeros((2, 2), "S3"), "astype"),
        (np.zeros((2, 2), "M8[s]"), "astype(np.int64)"),
        (np.zeros((2, 2), "m8[s]"), "astype(np.int64)"),
        (np.zeros((2, 2), np.longdouble), "astype(np.float64)"),
        (np.zeros((2, 2), [("height", "f4"), ("mass", "f4")]), "data['height']"),
        (np.ma.masked_array(np.zeros((2, 2))), "data.filled"),
        ([[1, 2], [3, 4]], "np.asarray(data)"),
        (None, "np.asarray(data)"),
        ("volume.tif", "np.asarray(data)"),
        (np.ndarray, "np.asarray(data)"),
    ],
    ids=str,
)
def test_what_has_no_picture_is_refused_with_the_remedy(data, remedy):
    with pytest.raises(UnsupportedDataError) as caught:
        as_source(data)
    assert isinstance(caught.value, TypeError)
    assert remedy in caught.value.hint


def test_a_wrong_object_is_told_what_it_lacks():
    with pytest.raises(UnsupportedDataError, match="lacks shape, dtype, __getitem__"):
        as_source(object())


@pytest.mark.parametrize("shape", [(), (5,), (0, 5), (5, 5, 0), (1,) * 7], ids=str)
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(InvalidDataError, match="shape") as caught:
        as_source(np.zeros(shape))
    assert isinstance(caught.value, ValueError)
    assert caught.value.hint


class Sliced:
    """Has shape, dtype and slices, nothing more."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.shape = data.shape
        self.dtype = data.dtype

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        if index[0].start > 2:
            raise RuntimeError("the disk is gone")
        return self.data[index]


def test_whatever_is_sliced_like_an_array_is_read():
    data = np.arange(64).reshape(4, 4, 4)
    np.testing.assert_array_equal(
        as_source(Sliced(data)).read(0, Box((1, 0, 0), (2, 4, 4))), data[1:2]
    )


def test_a_failing_array_is_a_source_error_that_quotes_it():
    source = as_source(Sliced(np.zeros((4, 4, 4))))
    with pytest.raises(SourceError, match="RuntimeError: the disk is gone") as caught:
        source.read(0, Box((3, 0, 0), (4, 4, 4)))
    assert caught.value.__context__ is None  # whose traceback would hold the array


def test_a_closed_source_lets_go_of_its_array_even_while_its_error_is_kept():
    data = Sliced(np.zeros((4, 4, 4)))
    array = weakref.ref(data)
    source = as_source(data)
    with pytest.raises(SourceError) as caught:
        source.read(0, Box((3, 0, 0), (4, 4, 4)))
    source.close()
    del data
    assert array() is None
    assert caught.value
    with pytest.raises(ClosedError):
        source.read(0, Box((0, 0, 0), (1, 1, 1)))


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (2, 3, 4)}, {"chunks": (2, 3, 4), "compression": "gzip"}]
)
def test_hdf5_datasets_are_read(tmp_path, options):
    data = np.arange(5 * 6 * 7, dtype=">i4").reshape(5, 6, 7)
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        source = as_source(file.create_dataset("volume", data=data, **options), scale=(3, 1, 1))
        assert source.chunks == options.get("chunks")
        assert source.dtype.isnative
        np.testing.assert_array_equal(
            source.read(0, Box((1, 1, 1), (4, 5, 6))), data[1:4, 1:5, 1:6]
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_hdf5_keeps_every_dtype(tmp_path, dtype):
    data = (np.arange(24).reshape(2, 3, 4) % 100).astype(dtype)
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        source = as_source(file.create_dataset("volume", data=data))
        assert source.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(source.read(0, Box.whole(data.shape)), data)


def test_a_dataset_of_a_closed_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        dataset = file.create_dataset("volume", data=np.zeros((3, 3, 3)))
    with pytest.raises(SourceError, match="closed") as caught:
        as_source(dataset)
    assert "Keep the file open" in caught.value.hint


def test_a_file_closed_later_is_a_source_error(tmp_path):
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        source = as_source(file.create_dataset("volume", data=np.zeros((3, 3, 3))))
    with pytest.raises(SourceError, match="'/volume' has been closed"):
        source.read(0, Box.whole((3, 3, 3)))


def test_an_error_that_is_kept_does_not_keep_the_dataset(tmp_path):
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        dataset = file.create_dataset("volume", data=np.zeros((3, 3, 3)))
        source = as_source(dataset)
    alive = weakref.ref(dataset)
    del dataset
    with pytest.raises(SourceError) as caught:
        source.read(0, Box.whole((3, 3, 3)))
    source.close()
    assert alive() is None
    with pytest.raises(ClosedError):
        source.read(0, Box.whole((3, 3, 3)))
    assert caught.value


def test_a_damaged_file_is_a_source_error(tmp_path):
    path = tmp_path / "volume.h5"
    with h5py.File(path, "w") as file:
        data = np.random.default_rng(0).integers(0, 255, (64, 64, 64), dtype=np.uint8)
        dataset = file.create_dataset("volume", data=data, chunks=(32,) * 3, compression="gzip")
        offset = dataset.id.get_chunk_info(0).byte_offset
    with path.open("r+b") as raw:
        raw.seek(offset)
        raw.write(bytes(256))
    with h5py.File(path) as file, pytest.raises(SourceError, match="Reading the HDF5 dataset"):
        as_source(file["volume"]).read(0, Box.whole((64, 64, 64)))


def test_a_file_or_group_names_its_arrays(tmp_path):
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        file["labels"] = np.zeros((3, 3))
        with pytest.raises(UnsupportedDataError, match="'labels'"):
            as_source(file)
    group = zarr.create_group({})
    group.create_array("raw", shape=(3, 3), dtype="u1")
    with pytest.raises(UnsupportedDataError, match="holds several arrays: 'raw'"):
        as_source(group)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_zarr_arrays_of_both_formats_are_read(dtype, version):
    data = (np.arange(5 * 6 * 7).reshape(5, 6, 7) % 100).astype(dtype)
    array = zarr.create_array({}, data=data, chunks=(2, 3, 4), zarr_format=version)
    source = as_source(array)
    assert source.chunks == (2, 3, 4)
    assert source.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(source.read(0, Box((1, 1, 1), (4, 5, 6))), data[1:4, 1:5, 1:6])


def test_of_a_sharded_zarr_array_the_inner_chunk_counts():
    array = zarr.create_array({}, shape=(8, 8), dtype="u1", chunks=(2, 2), shards=(4, 4))
    assert as_source(array).chunks == (2, 2)


def test_a_zarr_array_whose_store_breaks_is_a_source_error(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", data=np.ones((4, 4)), chunks=(4, 4))
    (tmp_path / "a.zarr" / "c" / "0" / "0").write_bytes(b"broken")
    with pytest.raises(SourceError, match=r"Reading 'a\.zarr' at"):
        as_source(array).read(0, Box.whole((4, 4)))


@given(st.integers(0, 8), st.integers(0, 8))
def test_shapes_are_taken_or_refused_but_never_crash(ndim, size):
    data = np.zeros((size,) * ndim, np.uint8) if size**ndim < 1 << 16 else np.zeros((2, 2))
    try:
        source = as_source(data)
    except InvalidDataError:
        assert data.size == 0 or not 2 <= data.ndim <= 6
    else:
        assert source.levels[0].shape == data.shape


def test_nothing_heavy_is_imported_to_show_an_array():
    code = (
        "import sys, numpy as np, viewer.bricks, viewer.chunks\n"
        "import viewer.pyramids.pyramid, viewer.pyramids.statistics\n"
        "from viewer.sources import as_source\n"
        "from viewer.space import Box\n"
        "p = viewer.pyramids.pyramid.Pyramid(as_source(np.zeros((99, 99, 99))), 'image')\n"
        "viewer.bricks.read_brick(p, 1, 0, (), (0, 0, 0)); p.read(0, Box.whole((99, 99, 99)))\n"
        "viewer.pyramids.statistics.sample_statistics(p)\n"
        "print(sorted({'h5py', 'zarr', 'numba', 'scipy', 'skimage'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
