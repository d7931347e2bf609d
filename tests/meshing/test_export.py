"""`labels.export_meshes`: a file for each label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

import viewer
from viewer.errors import InvalidValueError, NotFoundError, SourceError
from viewer.messages import Progress

LABELS = [3, 17, 2**63 + 5]


def cells() -> np.ndarray:
    data = np.zeros((12, 16, 20), np.uint64)
    data[1:4, 2:6, 3:8] = 3
    data[5:11, 2:12, 10:18] = 17
    data[8:10, 12:15, 2:4] = 2**63 + 5
    return data


@pytest.fixture
def v() -> Iterator[viewer.Viewer]:
    with viewer.Viewer() as shown:
        yield shown


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("format", ["ply", "obj", "stl", "glb"])
def test_every_label_becomes_a_file(v: viewer.Viewer, tmp_path: Path, format: str) -> None:
    layer = v.add_labels(cells())
    assert layer.export_meshes(tmp_path / "new", format=format) == 3
    assert names(tmp_path / "new") == {f"{label}.{format}" for label in LABELS}


def test_files_hold_what_mesh_returns(v: viewer.Viewer, tmp_path: Path) -> None:
    layer = v.add_labels(cells(), scale=(40, 4, 4), units="nm")
    layer.export_meshes(tmp_path, [17], "precomputed", progress=False)
    assert names(tmp_path) == {"info", "17", "17:0"}
    assert json.loads((tmp_path / "info").read_text()) == {"@type": "neuroglancer_legacy_mesh"}
    assert json.loads((tmp_path / "17:0").read_text()) == {"fragments": ["17"]}
    body = (tmp_path / "17").read_bytes()
    vertices = layer.mesh(17)[0]
    assert np.frombuffer(body, "<u4", 1) == len(vertices)
    stored = np.frombuffer(body, "<f4", vertices.size, 4).reshape(-1, 3)
    assert np.allclose(stored[:, ::-1], vertices)


def test_what_is_asked_for_in_vain_is_told_before_anything_is_written(
    v: viewer.Viewer, tmp_path: Path
) -> None:
    layer = v.add_labels(cells())
    with pytest.raises(NotFoundError, match="18"):
        layer.export_meshes(tmp_path / "a", [17, 18])
    with pytest.raises(InvalidValueError, match="precomputed"):
        layer.export_meshes(tmp_path / "a", format="vtk")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").touch()
    with pytest.raises(SourceError):
        layer.export_meshes(tmp_path / "file")


def test_pages_are_told_how_far_it_is(v: viewer.Viewer, tmp_path: Path) -> None:
    told: list[Progress] = []
    layer = v.add_labels(cells())
    layer.statistics  # noqa: B018  the index is there
    object.__setattr__(v, "tell", told.append)
    layer.export_meshes(tmp_path)
    assert {progress.task for progress in told} == {"exporting meshes"}
    assert told[-1].done == 1


def test_a_cluster_writes_the_same_files(v: viewer.Viewer, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["cells"] = cells()
    with h5py.File(tmp_path / "cells.h5") as file:
        layer = v.add_labels(file["cells"], scale=(4, 2, 1))
        layer.export_meshes(tmp_path / "here")
        with (
            distributed.LocalCluster(
                n_workers=1, processes=False, dashboard_address=None, protocol="inproc://"
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            assert layer.export_meshes(tmp_path / "there", client=client) == 3
    for label in LABELS:
        one, other = (tmp_path / place / f"{label}.ply" for place in ("here", "there"))
        assert one.read_bytes() == other.read_bytes()


def test_an_interruption_leaves_whole_files(v: viewer.Viewer, tmp_path: Path) -> None:
    layer = v.add_labels(cells())

    def interrupt(progress: Progress) -> None:
        if progress.task == "exporting meshes" and progress.done < 1:
            raise KeyboardInterrupt

    layer.statistics  # noqa: B018  the index is there
    object.__setattr__(v, "tell", interrupt)
    with pytest.raises(KeyboardInterrupt):
        layer.export_meshes(tmp_path)
    assert not [name for name in names(tmp_path) if name.endswith(".part")]
