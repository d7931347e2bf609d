"""Errors speak of attributes and layers as people know them, whoever made them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import viewer
from viewer.document import naming
from viewer.errors import ConflictError, InvalidValueError
from viewer.messages import Change

SAVED_LAYERS = {"layers": [{"name": "blobs", "kind": "image"}, {"kind": "image"}]}


@pytest.fixture
def layers(viewer_: viewer.Viewer) -> tuple[Any, Any]:
    volume = np.zeros((2, 8, 8, 8), "u1")
    return viewer_.add_image(volume, name="blobs"), viewer_.add_labels(volume[0], name="cells")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("layers/l1/style/gamma", "gamma of 'blobs'"),
        ("layers/l1/style/contrast_limits/0", "contrast_limits[0] of 'blobs'"),
        ("layers/l1/metadata/of/3", "metadata['of'][3] of 'blobs'"),
        ("layers/l2/style/meshes", "show_meshes of 'cells'"),
        ("layers/l2/style/colors/17", "colors[17] of 'cells'"),
        ("layers/l9/style/gamma", "gamma"),
        ("view/zoom", "view.zoom"),
        ("view/camera/zoom", "view.camera.zoom"),
        ("view/position/t", "view.position['t']"),
        ("title", "title"),
    ],
)
def test_places_are_called_as_in_python(
    viewer_: viewer.Viewer, layers: Any, path: str, said: str
) -> None:
    assert naming.call(tuple(path.split("/")), viewer_.document.state) == said


def test_layers_of_a_saved_view_are_called_by_their_names() -> None:
    assert (
        naming.call((naming.SAVED, "layers", "0", "visible"), SAVED_LAYERS)
        == "visible of 'blobs' in the saved view"
    )
    assert naming.whole((naming.SAVED, "layers", "1"), SAVED_LAYERS) == (
        "The layer 1 in the saved view"
    )


SETTINGS = [
    (0, "contrast_limits", (3, 1)),
    (0, "contrast_limits", (float("nan"), 1)),
    (0, "gamma", "much"),
    (0, "visible", 2),
    (0, "metadata", {"a": object()}),
    (1, "contour", 99),
    (1, "show_meshes", "no"),
]


@pytest.mark.parametrize(("number", "name", "value"), SETTINGS)
def test_who_sets_an_attribute_reads_of_it_and_its_layer(
    layers: Any, number: int, name: str, value: object
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        setattr(layers[number], name, value)
    assert caught.value.message.startswith(name)
    assert f" of {layers[number].name!r} " in caught.value.message
    assert "layers/" not in str(caught.value)


def test_who_adds_a_layer_reads_of_the_argument(viewer_: viewer.Viewer) -> None:
    for name, value in (("gamma", 0), ("blending", "mix"), ("contrast_limits", (0, 1, 2))):
        with pytest.raises(InvalidValueError) as caught:
            viewer_.add_image(np.zeros((4, 4)), **{name: value})
        assert caught.value.message == f"{name}={value!r} is not allowed."


def test_whose_edit_came_too_late_reads_what_it_was(viewer_: viewer.Viewer, layers: Any) -> None:
    version = viewer_.document.version
    layers[0].gamma = 2
    path = ("layers", layers[0].id, "style", "gamma")
    with pytest.raises(ConflictError, match="The edit of gamma of 'blobs' against"):
        viewer_.document.edit([Change(path, 3)], author="a page", base=version)


def test_a_page_that_edits_what_is_not_its_own_reads_which(
    viewer_: viewer.Viewer, layers: Any
) -> None:
    change = Change(("layers", layers[0].id, "data"), None)
    with pytest.raises(InvalidValueError, match=r"^data of 'blobs' cannot be changed by a page"):
        viewer_.document.edit([change], author="a page")


@pytest.mark.parametrize(
    ("number", "field", "value"), [(0, "gamma", -1), (1, "selected", ["0"]), (0, "colormap", 3)]
)
def test_who_loads_a_view_reads_which_layer_is_wrong(
    viewer_: viewer.Viewer, layers: Any, number: int, field: str, value: object
) -> None:
    view = json.loads(json.dumps(viewer_.to_dict()))
    view["layers"][number]["style"][field] = value
    with pytest.raises(InvalidValueError, match=rf"{field}.* of '{layers[number].name}'"):
        viewer_.load(view)


@pytest.mark.parametrize("label", ["17", 1.5, None, True])
def test_what_is_no_label_is_said(layers: Any, label: Any) -> None:
    for function in (layers[1].go_to, layers[1].mesh, layers[1].selected.add):
        with pytest.raises(InvalidValueError, match="is not a label"):
            function(label)


def test_a_position_is_a_dict(viewer_: viewer.Viewer, layers: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"^view\.position=3 is not allowed"):
        viewer_.view.position = 3  # type: ignore[assignment]


def test_the_colour_of_a_surface_may_be_a_name(viewer_: viewer.Viewer) -> None:
    surface = viewer_.add_surface((np.eye(3), [[0, 1, 2]]))
    surface.color = "orange"
    assert surface.color == "#ffa500"
    with pytest.raises(InvalidValueError, match="'oringe' is not a colour"):
        surface.color = "oringe"
