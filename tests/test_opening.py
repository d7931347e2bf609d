"""Files, folders and addresses: which array is meant, and what becomes of it in a viewer."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

import viewer
from tests.sources.test_adapters import write_ome_zarr
from viewer.errors import (
    InvalidDataError,
    InvalidValueError,
    MissingExtraError,
    NotFoundError,
    SourceError,
    UnknownOptionError,
    UnsupportedDataError,
)
from viewer.opening import FORMATS, find_format, open_data, parse_location
from viewer.sources.files.opened import Hold, load_extra
from viewer.space import Box

VOLUME = np.random.default_rng(0).integers(0, 99, (9, 20, 30)).astype("u2")


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    """With one image, one table and one text."""
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["raw/volume"] = VOLUME
        file["points"] = np.zeros((100, 3))
        file["note"] = "hello"
    return path


@pytest.fixture
def image_with_labels(tmp_path: Path) -> Path:
    """An OME-Zarr image of two channels, with labels that have colours."""
    path = tmp_path / "cells.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=np.stack([VOLUME, VOLUME]))
    axes = ["c", "z", "y", "x"]
    datasets = [{"path": "0"}]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": datasets}]
    channels = [{"label": "DAPI", "color": "0000ff"}, {"label": "GFP", "color": "00ff00"}]
    group.attrs["omero"] = {"channels": channels}
    labels = group.create_group("labels")
    labels.attrs["labels"] = ["nuclei", "lost"]
    nuclei = labels.create_group("nuclei")
    nuclei.create_array("0", data=VOLUME)
    nuclei.attrs["multiscales"] = [{"axes": axes[1:], "datasets": datasets}]
    nuclei.attrs["image-label"] = {"colors": [{"label-value": 5, "rgba": [255, 0, 0, 255]}]}
    return path


# --- which file, and which array ---------------------------------------------------------------


def test_a_colon_divides_only_what_is_not_a_file(h5: Path, tmp_path: Path) -> None:
    assert parse_location(f"{h5}:raw/volume").dataset == "raw/volume"
    odd = tmp_path / "a:b.npy"
    odd.touch()
    assert parse_location(odd).path == str(odd)
    assert parse_location(f"{tmp_path}/none.h5:x").dataset is None
    assert parse_location("http://host:80/a.zarr").dataset is None
    assert parse_location("http://host:80/a.zarr:b/c").dataset == "b/c"
    assert parse_location("s3://bucket/a.h5:b/c").dataset == "b/c"
    assert parse_location("http://a.map:80/b").dataset is None
    assert parse_location(h5, "raw").dataset == "raw"
    with pytest.raises(InvalidValueError):
        parse_location("")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.NPY", "NumPy"),
        ("a.ome.tiff", "TIFF"),
        ("a.nii.gz", "NIfTI"),
        ("a.fits.gz", "FITS"),
        ("a.mrc.gz", "MRC"),
        ("a.ims", "HDF5"),
        ("a.zarr.zip", "Zarr"),
    ],
)
def test_the_name_says_the_format(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).touch()
    assert find_format(parse_location(tmp_path / name)).name == kind


def test_without_a_telling_name_the_first_bytes_do(h5: Path, tmp_path: Path) -> None:
    h5.rename(tmp_path / "data")
    assert find_format(parse_location(tmp_path / "data")).name == "HDF5"
    (tmp_path / "other").write_bytes(b"hello")
    with pytest.raises(UnsupportedDataError) as caught:
        find_format(parse_location(tmp_path / "other"))
    assert all(format.name in caught.value.hint for format in FORMATS)


def test_the_only_picture_is_opened(h5: Path) -> None:
    opened = open_data(parse_location(h5))
    assert opened.shown[0].parts[0].shape == VOLUME.shape
    opened.close()


def test_several_pictures_are_listed(h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file["raw/second"] = VOLUME
    with pytest.raises(InvalidDataError, match="holds 2 arrays") as caught:
        open_data(parse_location(h5))
    assert "raw/second (9 × 20 × 30, uint16), raw/volume" in caught.value.hint
    assert "scan.h5:raw/second" in caught.value.hint


def test_a_name_that_is_not_there_is_answered_with_those_that_are(h5: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        open_data(parse_location(h5, "volume"))
    assert "raw/volume (9 × 20 × 30, uint16)" in caught.value.hint


def test_a_file_without_pictures_says_what_it_has(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", times=np.arange(5))
    with pytest.raises(InvalidDataError, match="no array that can be shown") as caught:
        open_data(parse_location(tmp_path / "a.npz"))
    assert "times (5, int64)" in caught.value.hint


@pytest.mark.parametrize(
    ("array", "remedy"),
    [
        (np.zeros((4, 8, 8), complex), "np.abs(data)"),
        (np.zeros(9), "data[np.newaxis]"),
        (np.array([[{}, {}]]), "data.astype(np.float32)"),
    ],
)
def test_a_file_of_one_array_says_what_to_do_with_it(
    tmp_path: Path, array: np.ndarray, remedy: str
) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(InvalidDataError, match=re.escape(remedy)):
        open_data(parse_location(tmp_path / "a.npy"))


@pytest.mark.parametrize(
    ("path", "remedy"),
    [(["a.tif", "b.tif"], "one after the other"), (None, "Give the name")],
)
def test_what_is_no_path_is_said(path: object, remedy: str) -> None:
    with pytest.raises(InvalidValueError, match=remedy):
        parse_location(path)


def test_wildcards_are_not_expanded(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"glob\.glob"):
        open_data(parse_location(tmp_path / "*.tif"))


@pytest.mark.skipif(sys.platform == "win32", reason="its locks raise something else")
def test_a_file_that_is_being_written_is_said(h5: Path) -> None:
    script = "import h5py, sys; file = h5py.File(sys.argv[1], 'a'); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(h5)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            with pytest.raises(SourceError, match="Another program has it open"):
                open_data(parse_location(h5))
        finally:
            writer.communicate(b"\n")


def test_arrays_of_a_plain_zarr_group_are_chosen_alike(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("em/raw", data=VOLUME)
    write_ome_zarr(tmp_path / "a.zarr" / "image", [VOLUME, VOLUME[:, ::2, ::2]], "0.5")
    with pytest.raises(InvalidDataError) as caught:
        open_data(parse_location(tmp_path / "a.zarr"))
    assert "em/raw (9 × 20 × 30, uint16), image (9 × 20 × 30, uint16)." in caught.value.hint
    assert len(open_data(parse_location(tmp_path / "a.zarr", "image")).shown[0].parts) == 2
    assert open_data(parse_location(tmp_path / "a.zarr", "em/raw")).shown[0].parts
    with pytest.raises(NotFoundError):
        open_data(parse_location(tmp_path / "a.zarr", "em/none"))


@pytest.mark.parametrize("name", ["a.h5", "a.npy", "a.npz", "a.tif", "a.nii", "a.nrrd", "a.mrc"])
def test_a_damaged_file_is_a_source_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not at all" * 200)
    with pytest.raises(SourceError, match="cannot be opened as") as caught:
        open_data(parse_location(tmp_path / name))
    assert caught.value.hint


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        open_data(parse_location(tmp_path / "none.h5"))
    with pytest.raises(SourceError, match="no Zarr array or group"):
        open_data(parse_location(tmp_path))


def test_a_missing_library_names_the_command() -> None:
    with pytest.raises(MissingExtraError) as caught:
        load_extra("voxelview_has_no_such_library.io", "tiff", "TIFF files")
    assert caught.value.hint == "Install it: pip install 'voxelview[tiff]'"
    with pytest.raises(MissingExtraError) as caught:
        load_extra("voxelview_has_no_such_library", "remote", "addresses", alone=True)
    assert caught.value.hint == "Install it: pip install voxelview_has_no_such_library"


def test_a_shared_file_is_closed_by_its_last_layer() -> None:
    closed: list[int] = []
    hold = Hold(lambda: closed.append(1), 2)
    hold.release()
    assert not closed
    hold.release()
    assert closed


# --- in a viewer -------------------------------------------------------------------------------


def test_an_opened_file_is_a_layer_and_closed_with_it(h5: Path, viewer_: viewer.Viewer) -> None:
    (layer,) = viewer_.open(h5, name="brain", scale=2, units="um", colormap="magma")
    assert isinstance(layer, viewer.ImageLayer)
    assert (layer.name, layer.units, layer.scale) == ("brain", "µm", (2, 2, 2))
    assert layer.colormap == "magma"
    dataset = layer.data
    assert isinstance(dataset, h5py.Dataset) and dataset
    viewer_.layers.remove(layer)
    assert not dataset


def test_stop_closes_what_open_opened(h5: Path) -> None:
    shown = viewer.open(h5)
    dataset = shown.layers[0].data
    assert shown.title == "scan.h5"
    viewer.stop()
    assert not dataset


def test_a_file_that_cannot_be_shown_is_closed_again(h5: Path, viewer_: viewer.Viewer) -> None:
    with pytest.raises(InvalidValueError):
        viewer_.open(h5, scale=-1)
    assert len(viewer_.layers) == 0
    with h5py.File(h5, "r+"):  # fails while it is open for reading
        pass


def test_an_image_comes_with_its_channels_and_labels(
    image_with_labels: Path, viewer_: viewer.Viewer
) -> None:
    layers = viewer_.open(image_with_labels)
    assert [layer.name for layer in layers] == ["DAPI", "GFP", "nuclei"]
    assert [layer.kind for layer in layers] == ["image", "image", "labels"]
    assert layers[0].colormap == "#0000ff"  # type: ignore[union-attr]
    assert dict(layers[2].colors) == {5: "#ff0000"}  # type: ignore[union-attr]
    np.testing.assert_array_equal(layers[1].pyramid.read(0, Box.whole(VOLUME.shape)), VOLUME)


def test_add_takes_labels_of_ome_zarr_for_labels(
    image_with_labels: Path, viewer_: viewer.Viewer
) -> None:
    layer = viewer_.add(zarr.open_group(image_with_labels / "labels" / "nuclei", mode="r"))
    assert (layer.kind, dict(layer.colors)) == ("labels", {5: "#ff0000"})


def test_a_channel_axis_may_stay_whole(image_with_labels: Path, viewer_: viewer.Viewer) -> None:
    image, labels = viewer_.open(image_with_labels, channel_axis=None, name="all")
    assert (image.name, image.shape) == ("all", (2, *VOLUME.shape))
    assert labels.name == "nuclei"


@pytest.mark.parametrize(
    ("name", "dtype", "kind"),
    [
        ("cells_labels", "i4", "labels"),
        ("seg", "u1", "labels"),
        ("sub-01_dseg", "u1", "labels"),
        ("brain-mask", "bool", "labels"),
        ("segmentation", "f4", "image"),
        ("relabeled", "u1", "image"),
        ("raw", "u4", "image"),
    ],
)
def test_integers_called_labels_are_labels(
    tmp_path: Path, viewer_: viewer.Viewer, name: str, dtype: str, kind: str
) -> None:
    np.save(tmp_path / f"{name}.npy", VOLUME.astype(dtype))
    (layer,) = viewer_.open(tmp_path / f"{name}.npy")
    assert layer.kind == kind
    assert layer.name == name
    (other,) = viewer_.open(tmp_path / f"{name}.npy", layer_type="image")
    assert other.kind == "image"


@pytest.mark.parametrize("compressed", [True, False])
def test_whole_floating_point_numbers_are_opened_as_labels(
    tmp_path: Path, viewer_: viewer.Viewer, compressed: bool
) -> None:
    numbers = VOLUME.astype("f4")
    numbers[0] = np.nan
    path = tmp_path / ("a.npz" if compressed else "a.npy")
    np.savez(path, a=numbers) if compressed else np.save(path, numbers)
    (layer,) = viewer_.open(path, layer_type="labels")
    assert (layer.kind, layer.dtype) == ("labels", "int32")
    found = layer.pyramid.read(0, Box.whole(VOLUME.shape))
    np.testing.assert_array_equal(found, np.concatenate([0 * VOLUME[:1], VOLUME[1:]]))


def test_other_numbers_are_no_labels(tmp_path: Path, viewer_: viewer.Viewer) -> None:
    np.savez(tmp_path / "a.npz", a=VOLUME / 4)
    with pytest.raises(UnsupportedDataError, match="is no label: labels are whole numbers"):
        viewer_.open(tmp_path / "a.npz", layer_type="labels")


def test_what_open_does_not_know_is_refused(h5: Path, viewer_: viewer.Viewer) -> None:
    with pytest.raises(UnknownOptionError, match="colourmap"):
        viewer_.open(h5, colourmap="gray")
    with pytest.raises(InvalidValueError, match="layer_type"):
        viewer_.open(h5, layer_type="mesh")  # type: ignore[arg-type]


def test_labels_that_cannot_be_shown_do_not_hide_the_image(
    image_with_labels: Path, viewer_: viewer.Viewer
) -> None:
    nuclei = zarr.open_group(image_with_labels / "labels" / "nuclei", mode="r+")
    del nuclei["0"]
    nuclei.create_array("0", data=VOLUME.astype("f4"))
    layers = viewer_.open(image_with_labels)
    assert [layer.name for layer in layers] == ["DAPI", "GFP"]
    assert "labels are integers" in viewer_.errors[0].message


# --- from afar ---------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server of the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_ome_zarr_is_opened_from_a_web_server(
    web: str, image_with_labels: Path, viewer_: viewer.Viewer
) -> None:
    layers = viewer_.open(f"{web}/cells.zarr")
    assert [layer.name for layer in layers] == ["DAPI", "GFP", "nuclei"]
    np.testing.assert_array_equal(layers[2].pyramid.read(0, Box.whole(VOLUME.shape)), VOLUME)
    (again,) = viewer_.open(f"{web}/cells.zarr:labels/nuclei")
    assert again.kind == "labels"


def test_what_a_web_server_does_not_have_is_said(web: str, viewer_: viewer.Viewer) -> None:
    with pytest.raises(SourceError, match=r"no Zarr array or group at http://.*/none\.zarr"):
        viewer_.open(f"{web}/none.zarr")
    with pytest.raises(UnsupportedDataError) as caught:
        viewer_.open(f"{web}/a.nrrd")
    assert "Download" in caught.value.hint


def test_a_server_that_is_not_there_is_a_source_error(viewer_: viewer.Viewer) -> None:
    for name in ("a.zarr", "a.tif"):
        with pytest.raises(SourceError, match="cannot be reached"):
            viewer_.open(f"http://127.0.0.1:9/{name}")


def test_connections_are_closed_with_the_layers(web: str, image_with_labels: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        viewer.open(f"{web}/cells.zarr")
        viewer.stop()
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


# --- the command line --------------------------------------------------------------------------


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "viewer", *map(str, arguments)]


def test_the_command_line_serves_until_it_is_interrupted(h5: Path, client: Path) -> None:
    process = subprocess.Popen(
        command(h5, "--no-browser", "--layer-type", "labels"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v/[0-9a-f]{40}/", url)
        with urllib.request.urlopen(f"{url}layers/l1/zarr.json") as response:
            assert b"image-label" in response.read()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert (rest, "Traceback" in errors) == ("", False)


def test_the_command_line_says_what_it_would_open(h5: Path) -> None:
    done = subprocess.run(command("--info", h5), capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"{h5}: image 'volume'\n"
        "  shape   9 × 20 × 30, uint16, 10.8 KB\n"
        "  axes    z 9 × 1, y 20 × 1, x 30 × 1\n"
        "  levels  9 × 20 × 30\n"
        "  chunks  none\n"
    )


def test_who_has_seen_enough_of_it_ends_it_without_a_word(h5: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(command("--info", h5), stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.h5"], "voxelview: There is no file none.h5.\n  Check the path.\n"),
        (["scan.h5:x"], "voxelview: There is no 'x' in scan.h5.\n"),
        (["--port", "70000", "scan.h5"], "voxelview: "),
        ([], "usage: voxelview"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line_and_a_hint(h5: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        command(*arguments, "--no-browser"),
        capture_output=True,
        text=True,
        check=False,
        cwd=h5.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
