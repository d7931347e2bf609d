"""Every kind of file, by the same suite as objects, and what files say about themselves."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import mrcfile
import nibabel
import nrrd
import numpy as np
import pytest
import tifffile
import zarr
from astropy.io import fits
from scipy.spatial.transform import Rotation

from tests.sources.suite import SHAPE, Fallible, SourceSuite
from tests.sources.test_adapters import CHUNKS, write_ome_zarr
from viewer.affine import apply
from viewer.errors import InvalidDataError, SourceError
from viewer.opening import open_data, parse_location
from viewer.sources import Description, as_source
from viewer.sources.files.opened import Opened
from viewer.space import Box
from viewer.state import IDENTITY


def opened(path: Path | str, dataset: str | None = None) -> Opened:
    return open_data(parse_location(path, dataset))


def read(described: Description) -> np.ndarray:
    source = as_source(described)
    return np.array(source.read(0, Box.whole(source.levels[0].shape)))


class FileSuite(SourceSuite):
    """Of a file that `write` writes."""

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        raise NotImplementedError

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        self.held: list[Opened] = []
        self.path = self.write(arrays, folder)
        return self.again(folder)

    def again(self, folder: Path) -> Any:
        self.held.append(opened(self.path))
        return self.held[-1].shown[0]

    def end(self, data: Any) -> None:
        for one in self.held:
            one.close()
        self.held.clear()

    def test_what_was_opened_is_indexed_as_an_array(self, arrays: Any, data: Any) -> None:
        opened, array = data[0].parts[0], arrays[0]
        assert (opened.ndim, opened.shape) == (array.ndim, array.shape)
        assert np.asarray(opened).dtype == array.dtype
        for index in (np.s_[:], 3, -1, np.s_[2:4], np.s_[..., ::2], np.s_[1, :, 5]):
            np.testing.assert_array_equal(np.asarray(opened[index]), array[index])


class TestNpy(FileSuite):
    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        np.save(folder / "a.npy", arrays[0])
        return folder / "a.npy"


class TestNpz(FileSuite):
    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        np.savez_compressed(folder / "a.npz", offsets=np.arange(5), volume=arrays[0])
        return folder / "a.npz"


class TestHdf5File(Fallible, FileSuite):
    chunks = CHUNKS
    units = "µm"
    scale = (2.0, 0.5, 0.5)

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        with h5py.File(folder / "a.nwb", "w") as file:
            file["times"] = np.arange(7)
            dataset = file.create_dataset("a/b/c", data=arrays[0], chunks=CHUNKS)
            dataset.attrs["element_size_um"] = self.scale
        return folder / "a.nwb"

    def break_(self, data: Any, folder: Path) -> None:
        self.held[-1].close()


class TestZarrFolder(FileSuite):
    chunks = CHUNKS

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        group = zarr.open_group(folder / "a.zarr", mode="w")
        group.create_array("only", data=arrays[0], chunks=CHUNKS)
        return folder / "a.zarr"


class TestOmeZarrFolder(FileSuite):
    levels = 3
    chunks = CHUNKS
    units = "nm"
    scale = (40.0, 4.0, 4.0)

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        write_ome_zarr(folder / "a.ome.zarr", arrays, "0.5")
        return folder / "a.ome.zarr"


class TestOmeZarrZip(TestOmeZarrFolder):
    """Packed with its folder."""

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        write_ome_zarr(folder / "a.zarr", arrays, "0.4")
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            for file in (folder / "a.zarr").rglob("*"):
                archive.write(file, file.relative_to(folder))
        return folder / "a.zip"


class TestTiff(FileSuite):
    """Uncompressed: mapped into memory."""

    units = "µm"
    scale = (3.0, 0.5, 0.5)

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        tifffile.imwrite(
            folder / "a.tif",
            arrays[0],
            imagej=True,
            resolution=(2.0, 2.0),
            metadata={"axes": "ZYX", "spacing": 3, "unit": "um"},
        )
        return folder / "a.tif"


class TestOmeTiff(FileSuite):
    levels = 2
    chunks = (1, 16, 16)
    units = "µm"
    scale = (2.0, 0.25, 0.25)

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        options: dict[str, Any] = {"tile": (16, 16), "compression": "zlib", "photometric": 1}
        with tifffile.TiffWriter(folder / "a.ome.tif") as file:
            metadata = {
                "axes": "ZYX",
                **{f"PhysicalSize{axis}": 0.25 for axis in "XY"},
                **{f"PhysicalSize{axis}Unit": "µm" for axis in "XY"},
                "PhysicalSizeZ": 2000,
                "PhysicalSizeZUnit": "nm",
            }
            file.write(arrays[0], subifds=1, metadata=metadata, **options)
            file.write(arrays[1], subfiletype=1, **options)
        return folder / "a.ome.tif"


class TestNifti(FileSuite):
    """Stored (x, y, z), with x from right to left, as most programs do."""

    units = "mm"
    scale = (2.0, 1.5, 0.5)
    suffix = ".nii"

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        affine = np.diag([-0.5, 1.5, 2.0, 1.0])
        affine[:3, 3] = 17.0, -3.0, 4.0
        image = nibabel.Nifti1Image(arrays[0].transpose(2, 1, 0)[::-1], affine)
        image.header.set_xyzt_units("mm")
        nibabel.save(image, folder / f"a{self.suffix}")
        return folder / f"a{self.suffix}"

    def test_its_voxels_lie_where_the_affine_says(self, source: Any) -> None:
        # the first voxel of x is stored last
        assert source.levels[0].translate == (4.0, -3.0, 17.0 - 0.5 * (SHAPE[2] - 1))


class TestNiftiGzip(TestNifti):
    suffix = ".nii.gz"


class TestNrrd(FileSuite):
    units = "mm"
    scale = (2.0, 1.5, 0.5)
    encoding = "raw"

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        header = {
            "encoding": self.encoding,
            "space": "left-posterior-superior",
            "space directions": np.diag([0.5, 1.5, 2.0]),
            "space origin": [1.0, 2.0, 3.0],
        }
        nrrd.write(str(folder / "a.nrrd"), arrays[0], header, index_order="C")
        return folder / "a.nrrd"

    def test_its_voxels_lie_where_the_header_says(self, source: Any) -> None:
        assert source.levels[0].translate == (3.0, 2.0, 1.0)


class TestNrrdGzip(TestNrrd):
    encoding = "gzip"


class TestMrc(FileSuite):
    units = "Å"
    scale = (4.0, 4.0, 4.0)
    name = "a.mrc"

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        with mrcfile.new(
            folder / self.name, arrays[0], compression="gzip" if ".gz" in self.name else None
        ) as file:
            file.set_volume()
            file.voxel_size = 4.0
        return folder / self.name


class TestMrcGzip(TestMrc):
    name = "a.mrc.gz"


class TestFits(FileSuite):
    units = "µm"
    scale = (2.0, 0.5, 0.5)
    name = "a.fits"

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        hdu = fits.PrimaryHDU(arrays[0])  # uint16 is stored shifted, as int16
        for number, step in enumerate((0.5, 0.5, 2.0), 1):
            hdu.header[f"CDELT{number}"] = step
            hdu.header[f"CUNIT{number}"] = "um"
        hdu.header["BUNIT"] = "adu"
        hdu.writeto(folder / self.name)
        return folder / self.name

    def test_its_unit_is_kept(self, data: list[Any]) -> None:
        assert data[0].suggestions.metadata == {"unit": "adu"}


class TestFitsGzip(TestFits):
    name = "a.fits.gz"


# --- what files say about channels and labels ------------------------------------------------


def test_further_images_of_a_tiff_are_told_but_thumbnails_are_not(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for shape in ((20, 30), (5, 6), (22, 30)):
            file.write(np.zeros(shape, "u1"))
    first, third = opened(tmp_path / "a.tif"), opened(tmp_path / "a.tif", "2")
    (notice,) = first.shown[0].suggestions.notices
    assert notice.startswith("a.tif holds 2 images") and "dataset='2' or a.tif:2 opens" in notice
    assert third.shown[0].suggestions.notices == ()
    first.close()
    third.close()


class TestTiffFolder(FileSuite):
    """In the order of their numbers, among other files."""

    chunks = (1, *SHAPE[1:])

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        (folder / "scan").mkdir()
        for number, plane in enumerate(arrays[0], start=5):  # 9 and 10
            tifffile.imwrite(folder / "scan" / f"slice{number}.TIF", plane, compression="zlib")
        (folder / "scan" / "notes.txt").write_text("of a Monday")
        return folder / "scan"


def test_a_folder_of_photographs_has_red_green_and_blue(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (4, 20, 30, 3)).astype("u1")
    for number, picture in enumerate(pictures):
        tifffile.imwrite(tmp_path / f"{number}.tif", picture, photometric="rgb")
    (described,) = opened(tmp_path).shown
    assert described.names == ("channel", "z", "y", "x")
    assert described.suggestions.channel_axis == 0
    np.testing.assert_array_equal(read(described), np.moveaxis(pictures, -1, 0))


def test_slices_of_different_sizes_are_said(tmp_path: Path) -> None:
    for number, size in enumerate((30, 30, 31)):
        tifffile.imwrite(tmp_path / f"{number}.tif", np.zeros((20, size), "u1"))
    with pytest.raises(InvalidDataError, match=r"2\.tif holds uint8 \(20, 31\), and 0\.tif uint8"):
        opened(tmp_path)


def test_a_slice_that_has_changed_is_said(tmp_path: Path) -> None:
    for number in range(3):
        tifffile.imwrite(tmp_path / f"{number}.tif", np.zeros((20, 30), "u1"))
    (described,) = opened(tmp_path).shown
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((20, 30), "u2"))
    with pytest.raises(SourceError, match=r"1\.tif holds uint16"):
        read(described)


def test_a_folder_of_volumes_is_no_volume(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 20, 30), "u1"))
    with pytest.raises(InvalidDataError, match=r"a\.tif in .* is no slice"):
        opened(tmp_path)


def test_channels_of_an_ome_tiff_have_names(tmp_path: Path) -> None:
    data = np.arange(2 * 3 * 16 * 16, dtype="u2").reshape(2, 3, 16, 16)
    tifffile.imwrite(
        tmp_path / "a.ome.tif", data, metadata={"axes": "CZYX", "Channel": {"Name": ["a", "b"]}}
    )
    file = opened(tmp_path / "a.ome.tif")
    said = file.shown[0].suggestions
    assert said.channel_axis == 0 and [channel.name for channel in said.channels] == ["a", "b"]
    file.close()


def test_channels_between_spatial_axes_come_first(tmp_path: Path) -> None:
    data = np.arange(3 * 2 * 16 * 17, dtype="u2").reshape(3, 2, 16, 17)
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata={"axes": "ZCYX"})
    file = opened(tmp_path / "a.tif")
    assert file.shown[0].names == ("c", "z", "y", "x")
    np.testing.assert_array_equal(read(file.shown[0]), data.transpose(1, 0, 2, 3))
    file.close()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_photograph_has_red_green_and_blue(tmp_path: Path, compression: str | None) -> None:
    data = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", compression=compression)
    file = opened(tmp_path / "a.tif")
    said = file.shown[0].suggestions
    assert [channel.name for channel in said.channels] == ["red", "green", "blue"]
    np.testing.assert_array_equal(read(file.shown[0]), data.transpose(2, 0, 1))
    file.close()


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1)])
def test_voxels_of_any_orientation_lie_where_nibabel_says(
    tmp_path: Path, axes: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    data = np.random.default_rng(0).integers(0, 99, (8, 9, 10)).astype("i2")
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, sign, step) in enumerate(zip(axes, signs, (1.0, 2.0, 3.0), strict=True)):
        affine[world, axis] = sign * step
    affine[:3, 3] = 5, 6, 7
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / "a.nii")
    file = opened(tmp_path / "a.nii")
    voxels, level = read(file.shown[0]), as_source(file.shown[0]).levels[0]
    index = np.array([2, 3, 4])
    world = nibabel.affines.apply_affine(affine, index)
    found = [
        round((w - t) / s)
        for w, t, s in zip(world[::-1], level.translate, level.scale, strict=True)
    ]
    assert voxels[tuple(found)] == data[tuple(index)]


def turned(seed: int) -> np.ndarray:
    """A voxel-to-world matrix (x, y, z) with a rotation, in no particular direction."""
    affine = np.eye(4)
    rotation = Rotation.random(random_state=seed).as_matrix()
    affine[:3, :3] = rotation @ np.diag([1.0, 2.0, 3.0])
    affine[:3, 3] = 5, 6, 7
    return affine


def lies_at(shown: Description, voxels: np.ndarray, value: int) -> np.ndarray:
    """World position (x, y, z) of the voxel with a value."""
    (index,) = np.argwhere(voxels == value)
    level = as_source(shown).levels[0]
    return apply(shown.affine, index * level.scale + np.array(level.translate))[::-1]


@pytest.mark.parametrize("seed", range(6))
def test_an_oblique_affine_is_the_layers(tmp_path: Path, seed: int) -> None:
    data, affine = np.arange(8 * 9 * 10, dtype="i2").reshape(8, 9, 10), turned(seed)
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / "a.nii")
    shown = opened(tmp_path / "a.nii").shown[0]
    voxels = read(shown)
    # numbers in the file are of single precision
    for index in ((0, 0, 0), (2, 3, 4), (7, 8, 9)):
        expected = nibabel.affines.apply_affine(affine, index)
        assert lies_at(shown, voxels, data[index]) == pytest.approx(expected, abs=1e-4)
    assert np.diag(np.array(shown.affine)).min() > 0  # axes are as near to the world's as they are


def test_an_affine_without_meaning_leaves_the_voxel_size(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((9, 9, 9), "u1"), None)
    image.header.set_zooms((1, 2, 3))
    image.header.set_sform(np.zeros((4, 4)), code=1)
    nibabel.save(image, tmp_path / "a.nii")
    shown = opened(tmp_path / "a.nii").shown[0]
    assert as_source(shown).levels[0].scale == (3, 2, 1) and shown.affine == IDENTITY


@pytest.mark.parametrize("seed", range(3))
def test_oblique_axes_of_nrrd_are_the_layers(tmp_path: Path, seed: int) -> None:
    data, affine = np.arange(4 * 5 * 6, dtype="i2").reshape(6, 5, 4), turned(seed)
    header = {
        "space": "right-anterior-superior",
        "space directions": affine[:3, :3].T,
        "space origin": affine[:3, 3],
    }
    nrrd.write(str(tmp_path / "a.nrrd"), data, header, index_order="C")
    shown = opened(tmp_path / "a.nrrd").shown[0]
    expected = (affine @ (3, 4, 5, 1))[:3]
    assert lies_at(shown, read(shown), data[5, 4, 3]) == pytest.approx(expected)


def test_segments_of_slicer_are_labels_in_their_colours(tmp_path: Path) -> None:
    said = {"Segment0_LabelValue": "1", "Segment0_Color": "1 0.5 0", "Segment0_Name": "liver"}
    said |= {"Segment1_LabelValue": "2", "Segment1_Color": "of a cherry"}
    nrrd.write(str(tmp_path / "a.nrrd"), np.zeros((4, 5, 6), "u1"), said)
    said_of_it = opened(tmp_path / "a.nrrd").shown[0].suggestions
    assert said_of_it.labels and said_of_it.label_colors == {1: "#ff8000"}


def test_scaled_nifti_is_read_as_nibabel_reads_it(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(9, 10, 11, 3)).astype("f4")
    image = nibabel.Nifti1Image(data, np.eye(4))
    image.set_data_dtype("i2")
    nibabel.save(image, tmp_path / "a.nii")
    shown = opened(tmp_path / "a.nii").shown[0]
    expected = np.asanyarray(nibabel.load(tmp_path / "a.nii").dataobj)
    np.testing.assert_array_equal(read(shown), expected.transpose(3, 2, 1, 0))
    assert shown.names == ("t", "z", "y", "x")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_in_colours_has_red_green_and_blue(tmp_path: Path, suffix: str) -> None:
    data = np.random.default_rng(0).integers(0, 255, (8, 9, 10, 3)).astype("u1")
    voxels = data.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-1, 1, 2, 1])), tmp_path / f"a{suffix}")
    shown = opened(tmp_path / f"a{suffix}").shown[0]
    assert shown.names == ("channel", "z", "y", "x")
    assert [channel.name for channel in shown.suggestions.channels] == ["red", "green", "blue"]
    np.testing.assert_array_equal(read(shown), data[::-1].transpose(3, 2, 1, 0))


def test_a_stack_of_particles_is_no_volume(tmp_path: Path) -> None:
    with mrcfile.new(tmp_path / "a.mrcs", np.zeros((5, 16, 16), "f4")) as file:
        file.set_image_stack()
    with_stack = opened(tmp_path / "a.mrcs")
    assert with_stack.shown[0].names == ("p", "y", "x")
    with_stack.close()


@pytest.mark.parametrize("kinds", ["RA DEC FREQ STOKES", "RA DEC STOKES FREQ"])
def test_the_spectrum_is_the_depth_of_a_sky_cube(tmp_path: Path, kinds: str) -> None:
    cube = np.random.default_rng(0).random((1, 7, 20, 30)).astype("f4")
    hdu = fits.PrimaryHDU(cube if kinds.endswith("STOKES") else cube.swapaxes(0, 1))
    for number, kind in enumerate(kinds.split(), 1):
        hdu.header[f"CTYPE{number}"] = kind
    hdu.writeto(tmp_path / "a.fits")
    file = opened(tmp_path / "a.fits")
    assert file.shown[0].names == ("stokes", "z", "y", "x")
    np.testing.assert_array_equal(read(file.shown[0]), cube)
    file.close()


def test_a_sky_image_has_no_length(tmp_path: Path) -> None:
    hdu = fits.PrimaryHDU(np.zeros((20, 30), "f4"))
    for number, kind in enumerate(("RA---TAN", "DEC--TAN"), 1):
        hdu.header[f"CTYPE{number}"], hdu.header[f"CUNIT{number}"] = kind, "deg"
        hdu.header[f"CDELT{number}"] = 1e-4
    fits.HDUList([hdu, fits.ImageHDU(np.zeros((3, 4)), name="small")]).writeto(tmp_path / "a.fits")
    file = opened(tmp_path / "a.fits")
    source = as_source(file.shown[0])
    assert source.units == "" and source.levels[0].scale == (1, 1)
    file.close()
    extension = opened(tmp_path / "a.fits", "SMALL")
    assert read(extension.shown[0]).shape == (3, 4)
    extension.close()
