"""The list of labels, in Python: `LabelsLayer.statistics`, `mesh` and `go_to`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import viewer
from viewer.errors import NotFoundError


@pytest.fixture
def v() -> Iterator[viewer.Viewer]:
    with viewer.Viewer() as shown:
        yield shown


def cells() -> np.ndarray:
    data = np.zeros((2, 12, 16, 16), np.int16)
    data[0, 1:4, 2:5, 3:6] = -7
    data[1, 4:9, 4:8, 2:12] = 300
    return data


def test_statistics_are_those_of_what_is_shown(v: viewer.Viewer) -> None:
    layer = v.add_labels(cells(), scale=(40, 4, 4), translate=(100, 0, 0), units="nm")
    (row,) = layer.statistics
    assert row["label"] == -7 and row["count"] == 27
    assert row["start"].tolist() == [1, 2, 3] and row["stop"].tolist() == [4, 5, 6]
    assert row["centroid"].tolist() == [2, 3, 4]
    assert row["world"].tolist() == [180, 12, 16]
    v.view.position = {"t": 1.0}
    assert layer.statistics["label"].tolist() == [300]


def test_go_to_centres_the_view_on_a_label(v: viewer.Viewer) -> None:
    v.add_image(np.zeros((4, 4), np.uint8), units="µm")
    layer = v.add_labels(cells(), scale=(40, 4, 4), translate=(100, 0, 0), units="nm")
    layer.go_to(-7)
    assert v.view.center == pytest.approx((0.18, 0.012, 0.016))
    with pytest.raises(NotFoundError):
        layer.go_to(300)


def test_a_mesh_is_three_arrays(v: viewer.Viewer) -> None:
    layer = v.add_labels(cells(), scale=(40, 4, 4))
    vertices, faces, normals = layer.mesh(-7)
    assert vertices.shape == normals.shape and faces.max() == len(vertices) - 1
    assert np.allclose((vertices.min(0) + vertices.max(0)) / 2, (80, 12, 16), atol=1)
