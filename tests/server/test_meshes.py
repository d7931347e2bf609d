"""Meshes over HTTP, for our page, for neuroglancer's client and as files."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from tests.server.exhibit import Exhibit, Sliced
from viewer.policy import Policy


@pytest.fixture
def cells(exhibit: Exhibit) -> str:
    """A labels layer with a cube of label 7 and one of a 64-bit label."""
    data = np.zeros((20, 20, 20), np.uint64)
    data[4:9, 4:9, 4:9] = 7
    data[12:16, 12:16, 12:16] = 2**63 + 5
    return exhibit.add(data, "labels", scale=(2.0, 1.0, 1.0), units="µm")


def test_the_info_names_the_legacy_format(url: str, cells: str) -> None:
    assert httpx.get(f"{url}layers/{cells}/mesh/info").json() == {
        "@type": "neuroglancer_legacy_mesh"
    }


@pytest.mark.parametrize("label", [7, 2**63 + 5])
def test_the_manifest_leads_to_a_fragment(url: str, cells: str, label: int) -> None:
    base = f"{url}layers/{cells}/mesh/"
    (name,) = httpx.get(f"{base}{label}:0").json()["fragments"]
    body = httpx.get(base + name).content
    count = int(np.frombuffer(body, "<u4", 1)[0])
    vertices = np.frombuffer(body, "<f4", 3 * count, 4).reshape(count, 3)
    faces = np.frombuffer(body, "<u4", offset=4 + 12 * count)
    assert faces.size % 3 == 0
    assert faces.max() < count
    start, stop = (4, 9) if label == 7 else (12, 16)
    middle = (start + stop - 1) / 2 * 1000  # x, y, z in nanometres
    centre = (vertices.min(0) + vertices.max(0)) / 2
    np.testing.assert_allclose(centre, (middle, middle, 2 * middle), atol=200)


@pytest.mark.parametrize(
    ("extension", "start"), [("ply", b"ply"), ("obj", b""), ("stl", b""), ("glb", b"glTF")]
)
def test_files_for_other_programs(url: str, cells: str, extension: str, start: bytes) -> None:
    answer = httpx.get(f"{url}layers/{cells}/mesh/7.{extension}")
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert len(answer.content) > 500


@pytest.mark.parametrize(
    "path", ["mesh/8", "mesh/07", "mesh/7.exe", "mesh/7:1", "mesh/99999999999999999999", "mesh/"]
)
def test_what_is_not_there_is_404(url: str, cells: str, path: str) -> None:
    assert httpx.get(f"{url}layers/{cells}/{path}").status_code == 404


def test_images_have_no_meshes(url: str) -> None:
    for path in ("info", "7:0", "7"):
        assert httpx.get(f"{url}layers/l1/mesh/{path}").status_code == 404


def test_a_point_on_the_leading_axes_chooses(exhibit: Exhibit, url: str) -> None:
    data = np.zeros((2, 8, 8, 8), np.uint8)
    data[1, 2:5, 2:5, 2:5] = 3
    base = f"{url}layers/{exhibit.add(data, 'labels')}/mesh/3"
    assert httpx.get(f"{base}?point=1").status_code == 200
    assert httpx.get(base).status_code == 404
    assert httpx.get(f"{base}?point=2").status_code == 400
    assert httpx.get(f"{base}?point=0,0").status_code == 400
    assert httpx.get(f"{base}?point=x").status_code == 404


def test_a_mesh_is_sent_again_only_after_a_refresh(exhibit: Exhibit, url: str, cells: str) -> None:
    address = f"{url}layers/{cells}/mesh/7"
    tag = {"If-None-Match": httpx.get(address).headers["etag"]}
    assert httpx.get(address, headers=tag).status_code == 304
    exhibit.layer(cells).pyramid.refresh()
    assert httpx.get(address, headers=tag).status_code == 200


def test_the_list_of_labels_says_how_large_they_are_and_where(url: str, cells: str) -> None:
    answer = httpx.get(f"{url}layers/{cells}/labels")
    body = answer.content
    assert np.frombuffer(body, "<u8", 1).tolist() == [2]
    assert np.frombuffer(body, "<u8", 2, 8).tolist() == [7, 2**63 + 5]
    assert np.frombuffer(body, "<u8", 2, 24).tolist() == [125, 64]
    assert np.frombuffer(body, "<f4", 3, 40).tolist() == [6, 6, 6]
    boxes = np.frombuffer(body, "<i4", 12, 64).reshape(2, 6)
    assert boxes.tolist() == [[4, 4, 4, 9, 9, 9], [12, 12, 12, 16, 16, 16]]
    assert len(body) == 64 + 48
    tag = {"If-None-Match": answer.headers["etag"]}
    assert httpx.get(f"{url}layers/{cells}/labels", headers=tag).status_code == 304


def test_labels_are_listed_at_a_point_of_the_leading_axes(exhibit: Exhibit, url: str) -> None:
    data = np.zeros((2, 8, 8, 8), np.uint8)
    data[1, 2:5, 2:5, 2:5] = 3
    base = f"{url}layers/{exhibit.add(data, 'labels')}/labels"
    assert [httpx.get(f"{base}?point={n}").content[0] for n in (0, 1)] == [0, 1]
    assert httpx.get(f"{url}layers/l1/labels").status_code == 404


def test_a_coarser_level_has_fewer_faces_and_says_so(exhibit: Exhibit, url: str) -> None:
    data = np.zeros((200, 200, 200), np.uint8)
    data[20:180, 20:180, 20:180] = 3
    data[2:4, 2:4, 2:4] = 7
    base = f"{url}layers/{exhibit.add(data, 'labels')}/mesh/"
    assert len(exhibit.layer(base.split("/")[-3]).pyramid.levels) > 1
    fine, coarse = httpx.get(f"{base}3"), httpx.get(f"{base}3?level=1")
    assert fine.headers["Voxelview-Level"] == "0" and coarse.headers["Voxelview-Level"] == "1"
    assert len(coarse.content) < len(fine.content) / 3
    assert httpx.get(f"{base}7?level=9").headers["Voxelview-Level"] == "0"
    assert httpx.get(f"{base}3?level=x").status_code == 404


def test_our_page_gets_normals_along_in_the_layers_units(url: str, cells: str) -> None:
    body = httpx.get(f"{url}layers/{cells}/mesh/7.surface").content
    count, faces, valued, _ = np.frombuffer(body, "<u4", 4).tolist()
    assert np.allclose(np.frombuffer(body, "<f8", 3, 16), (6, 6, 12))
    start = 40 + 12 * count
    vertices = np.frombuffer(body, "<f4", 3 * count, 40).reshape(-1, 3)
    normals = np.frombuffer(body, "<i2", 4 * count, start + 12 * faces).reshape(-1, 4)[:, :3]
    assert len(body) == start + 12 * faces + 8 * count and not valued
    assert np.allclose(np.linalg.norm(normals, axis=1), 32767, atol=3)
    assert (normals * vertices).sum(1).min() > 0  # outward


def test_a_label_too_large_for_its_level_comes_with_a_note(
    exhibit: Exhibit, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = np.zeros((200, 200, 200), np.uint8)
    data[20:180, 20:180, 20:180] = 3
    base = f"{url}layers/{exhibit.add(data, 'labels')}/mesh/"
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=100_000))
    answer = httpx.get(f"{base}3")
    assert answer.headers["Voxelview-Level"] == "1"
    assert answer.headers["Voxelview-Note"] == (
        "Label 3 is too large to be shown finer than level 1."
    )
    assert "Voxelview-Note" not in httpx.get(f"{base}3?level=1").headers


def test_a_tolerance_takes_faces_out(url: str, cells: str) -> None:
    base = f"{url}layers/{cells}/mesh/7"
    plain, simple = httpx.get(base), httpx.get(f"{base}?tolerance=0.2")
    assert 0 < len(simple.content) < len(plain.content)


def test_a_clicked_label_is_answered_before_the_volume_is_indexed(
    exhibit: Exhibit, url: str
) -> None:
    data = np.zeros((100, 100, 200), np.uint8)
    data[10:20, 10:20, 10:20] = data[10:20, 10:20, 180:190] = 7
    layer = exhibit.add(Sliced(data), "labels")
    address = f"{url}layers/{layer}/mesh/7"
    piece = httpx.get(f"{address}?seed=15,15,15")
    assert piece.headers["Voxelview-Whole"] == "0"
    assert piece.headers["Cache-Control"] == "no-store" and "ETag" not in piece.headers
    whole = httpx.get(address)
    assert "Voxelview-Whole" not in whole.headers
    assert len(whole.content) > 1.9 * len(piece.content)
    assert httpx.get(f"{address}?seed=15,15,15").content == whole.content


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("seed=0,0,20", 400),
        ("seed=1,2", 404),
        ("seed=-1,2,3", 404),
        ("tolerance=nan", 404),
        ("level=0&", 404),
        ("seed=1,2,3&level=0", 404),
        ("level=0&seed=4,4,4&tolerance=1e-3", 200),
    ],
)
def test_a_query_has_one_spelling(url: str, cells: str, query: str, status: int) -> None:
    assert httpx.get(f"{url}layers/{cells}/mesh/7?{query}").status_code == status


def test_a_mesh_that_nobody_waits_for_is_given_up(exhibit: Exhibit, url: str, cells: str) -> None:
    began, given_up = threading.Event(), threading.Event()
    meshes = exhibit.layers[cells].meshes
    make = meshes.mesh

    def slow(label: int, *, cancelled: Callable[[], bool], **options: Any) -> Any:
        began.set()
        for _ in range(3000):
            if cancelled():
                given_up.set()
                break
            time.sleep(0.01)
        return make(label, cancelled=cancelled, **options)

    meshes.mesh = slow
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port)) as client:
        target, host = f"{address.path}layers/{cells}/mesh/7", address.netloc.decode()
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert began.wait(30)
        assert not given_up.is_set()
    assert given_up.wait(30)
    meshes.mesh = make
    assert httpx.get(f"{url}layers/{cells}/mesh/7").status_code == 200
