"""What data says about itself, and what is made of it when it is wrong or missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import xarray
import zarr
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.test_adapters import write_ome_zarr
from viewer.errors import InvalidDataError, SourceError, UnsupportedDataError
from viewer.sources import as_source, describe
from viewer.sources.channel import channel_sources
from viewer.sources.description import Channel
from viewer.sources.geometry import plan_geometry, scale_levels
from viewer.space import Box

IMAGE = np.arange(2 * 8 * 20 * 30, dtype="u2").reshape(2, 8, 20, 30)


def ome(attributes: dict[str, Any], arrays: list[np.ndarray] | None = None) -> zarr.Group:
    group = zarr.open_group({}, mode="w", zarr_format=2)
    for level, array in enumerate(arrays or [IMAGE, IMAGE[..., ::2, ::2]]):
        group.create_array(str(level), data=np.ascontiguousarray(array))
    group.attrs.update(attributes)
    return group


def multiscale(**fields: Any) -> dict[str, Any]:
    return {"multiscales": [{"datasets": [{"path": "0"}, {"path": "1"}], **fields}]}


CZYX = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space"} for n in "zyx")]


def test_omero_channels_become_looks() -> None:
    channels = [
        {"label": "DAPI", "color": "0000FF", "window": {"start": 5, "end": 90}, "active": True},
        {"label": "GFP", "color": "#00ff00", "active": False},
    ]
    said = describe(ome({**multiscale(axes=CZYX), "omero": {"channels": channels}})).suggestions
    assert said.channel_axis == 0
    assert said.channels == (
        Channel("DAPI", "#0000ff", (5, 90)),
        Channel("GFP", "#00ff00", None, visible=False),
    )


@pytest.mark.parametrize(
    "omero",
    [
        None,
        "text",
        {"channels": None},
        {"channels": [{}]},
        {"channels": [3, {"color": "red", "window": {"start": 9, "end": 9}}, {}]},
    ],
    ids=str,
)
def test_nonsense_about_channels_is_passed_over(omero: object) -> None:
    source = as_source(ome({**multiscale(axes=CZYX), "omero": omero}))
    assert len(source.levels) == 2


def test_labels_bring_their_colours() -> None:
    colors = [
        {"label-value": 1, "rgba": [255, 0, 0, 128]},
        {"label-value": 7.0, "rgba": [0, 16, 255]},
        {"label-value": 0, "rgba": [0, 0, 0, 0]},
        {"label-value": 9},
        "nonsense",
    ]
    said = describe(ome({**multiscale(axes=CZYX), "image-label": {"colors": colors}})).suggestions
    assert said.labels
    assert said.label_colors == {1: "#ff0000", 7: "#0010ff"}


def test_the_transforms_of_level_and_image_are_joined() -> None:
    fields = {
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 2, 3, 3]},
                    {"type": "translation", "translation": [0, 1, 1, 1]},
                ],
            },
            {
                "path": "1",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 2, 6, 6]},
                    {"type": "translation", "translation": [0, 1, 2.5, 2.5]},
                ],
            },
        ],
        "coordinateTransformations": [
            {"type": "scale", "scale": [1, 10, 10, 10]},
            {"type": "translation", "translation": [0, 5, 0, 0]},
        ],
    }
    first, second = as_source(ome(multiscale(axes=CZYX, **fields))).levels
    assert (first.scale, first.translate) == ((1, 20, 30, 30), (0, 15, 10, 10))
    assert (second.scale, second.translate) == ((1, 20, 60, 60), (0, 15, 25, 25))


def test_units_of_different_axes_are_made_one() -> None:
    axes = [CZYX[0]] + [
        {"name": name, "type": "space", "unit": unit}
        for name, unit in zip("zyx", ("micrometer", "nanometer", "nanometer"), strict=True)
    ]
    scale = [{"type": "scale", "scale": [1, 2, 500, 500]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    source = as_source(ome(multiscale(axes=axes, datasets=datasets)))
    assert source.units == "nm" and source.levels[0].scale == (1, 2000, 500, 500)


def test_what_is_given_stands_above_what_the_data_says(tmp_path: Path) -> None:
    arrays = [IMAGE[0], IMAGE[0][:, ::2, ::2]]
    group = write_ome_zarr(tmp_path / "a.zarr", arrays, "0.5")
    source = as_source(group, scale=(30, 3, 3))
    assert source.levels[1].scale == (30, 6, 6) and source.units == "nm"
    assert as_source(group, units="um").levels[0].scale == pytest.approx((0.04, 0.004, 0.004))


def test_old_and_nameless_axes_are_tczyx() -> None:
    group = ome(multiscale(), [IMAGE[np.newaxis], IMAGE[np.newaxis, ..., ::2, ::2]])
    source = as_source(group)
    assert [axis.name for axis in source.axes] == ["t", "c", "z", "y", "x"]
    assert source.levels[1].scale == (1, 1, 1, 2, 2)


def test_a_level_that_is_missing_ends_the_levels_with_a_notice() -> None:
    group = ome(multiscale(axes=CZYX))
    del group["1"]
    described = describe(group)
    assert len(described.parts) == 1 and "'1'" in described.suggestions.notices[0]


def test_without_its_first_level_an_image_is_an_error() -> None:
    group = ome(multiscale(axes=CZYX))
    del group["0"]
    with pytest.raises(SourceError, match="Level '0'"):
        as_source(group)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "scale", "path", "color"]), inner)
    ),
    max_leaves=6,
)
FIELDS = ("axes", "coordinateTransformations", "name", "version", "omero", "image-label")


@given(st.sampled_from(FIELDS), JSON)
def test_no_metadata_hides_the_voxels(field: str, value: object) -> None:
    attributes = multiscale(axes=CZYX)
    target = attributes if field in ("omero", "image-label") else attributes["multiscales"][0]
    target[field] = json.loads(json.dumps(value))
    source = as_source(ome(attributes))
    assert source.read(0, Box((0,) * 4, (1,) * 4)).item() == 0


def test_channels_of_a_multiscale_image_have_its_levels() -> None:
    sources = channel_sources(ome(multiscale(axes=CZYX)), 0)
    assert [level.shape for level in sources[1].levels] == [(8, 20, 30), (8, 10, 15)]
    np.testing.assert_array_equal(sources[1].read(1, Box.whole((8, 10, 15))), IMAGE[1, :, ::2, ::2])


@given(st.integers(2, 500), st.integers(2, 5), st.booleans())
def test_rounded_sizes_give_whole_factors(n: int, factor: int, up: bool) -> None:
    coarse = max(-(-n // factor) if up else n // factor, 1)
    first = plan_geometry((n, n)).level
    _, level = scale_levels([(n, n), (coarse, coarse)], first)
    step = level.scale[0]
    assert step == pytest.approx(n / coarse, rel=0.5)
    assert level.translate[0] - step / 2 == pytest.approx(-0.5)
    if n >= 2 * factor * factor:  # else another factor gives this size too: 5 of 11, 5 of 28
        assert step == factor


@pytest.mark.parametrize(
    ("shapes", "remedy"),
    [
        ([(4, 8, 8), (4, 8, 8)], "np.stack"),
        ([(4, 8, 8), (8, 8)], "own layer"),
        ([(4, 8, 8), (4, 4, 9)], "np.stack"),
    ],
)
def test_arrays_that_are_no_levels_are_refused(shapes: list[tuple[int, ...]], remedy: str) -> None:
    with pytest.raises(InvalidDataError) as caught:
        as_source([np.zeros(shape) for shape in shapes])
    assert remedy in caught.value.hint


def test_levels_of_different_dtypes_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="uint8, float32"):
        as_source([np.zeros((8, 8), "u1"), np.zeros((4, 4), "f4")])


def test_levels_get_coarser_along_spatial_axes_alone() -> None:
    with pytest.raises(InvalidDataError, match="axis 't'"):
        as_source([np.zeros((4, 8, 8, 8)), np.zeros((2, 4, 4, 4))])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.array([0.0, 1, 4, 9]), "not in equal steps"),
        (np.array([3.0, 2, 1, 0]), "run downwards"),
        (np.array([0.0, 1, np.nan, 3]), "not all finite"),
        (np.array(list("abcd")), "not numbers"),
    ],
)
def test_coordinates_that_are_no_grid_are_a_notice(values: np.ndarray, said: str) -> None:
    data = xarray.DataArray(np.zeros((4, 5)), {"y": values}, ("y", "x"))
    described = describe(data)
    assert said in described.suggestions.notices[0]
    assert as_source(data).levels[0].translate == (0, 0)


def test_dates_are_no_positions() -> None:
    dates = np.array(["2024-01-01", "2024-01-02"], "M8[ns]")
    data = xarray.DataArray(np.zeros((2, 4, 5)), {"time": dates}, ("time", "y", "x"))
    described = describe(data)
    assert described.suggestions.notices == ()
    assert [axis.kind for axis in as_source(data).axes] == ["time", "space", "space"]


def test_degrees_are_no_part_of_a_length() -> None:
    coords: dict[str, Any] = {
        "depth": ("depth", [0.0, 2.0], {"units": "m"}),
        "lat": ("lat", [10.0, 11.0, 12.0, 13.0], {"units": "degrees_north"}),
        "lon": ("lon", [0.0, 0.5, 1.0], {"units": "degrees_east"}),
    }
    source = as_source(xarray.DataArray(np.zeros((2, 4, 3)), coords, ("depth", "lat", "lon")))
    assert source.units == ""
    assert source.levels[0].scale == (2, 1, 0.5)


def test_an_xarray_dataset_names_its_arrays() -> None:
    dataset = xarray.Dataset({"wind": (("y", "x"), np.zeros((3, 3)))})
    with pytest.raises(UnsupportedDataError, match="'wind'"):
        as_source(dataset)


def test_a_dask_array_of_unknown_size_is_refused() -> None:
    array = dask.array.zeros((9, 9), chunks=3)
    with pytest.raises(InvalidDataError) as caught:
        as_source(array[array[:, 0] > 0])
    assert "compute_chunk_sizes" in caught.value.hint


def test_dask_is_computed_by_the_active_client() -> None:
    import distributed

    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ):
        array = dask.array.from_array(IMAGE[0], chunks=(8, 10, 10)).map_blocks(_where, dtype="u2")
        source = as_source(array)
        assert source.read(0, Box((0, 0, 0), (1, 1, 1))).item() == 1
    assert source.read(0, Box((0, 0, 0), (1, 1, 1))).item() == 0
    source.close()


def _where(block: np.ndarray) -> np.ndarray:
    """1 on a worker, 0 on dask's own threads."""
    import distributed

    try:
        distributed.get_worker()
    except ValueError:
        return np.zeros_like(block)
    return np.ones_like(block)
