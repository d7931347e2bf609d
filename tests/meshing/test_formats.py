"""Meshes as files: what a reader of each format finds, in x, y, z and still outward."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from viewer.errors import InvalidValueError
from viewer.meshing.formats import FORMATS, encode, precomputed_info, precomputed_manifest
from viewer.meshing.mesh import Mesh
from viewer.meshing.meshes import Meshes
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source

Triangles = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def mesh() -> Mesh:
    data = np.zeros((8, 9, 10), np.uint8)
    data[1:3, 2:6, 3:9] = 1
    source = as_source(data, scale=(4, 2, 1), units="µm")
    return Meshes(Pyramid(source, "labels")).mesh(1, smoothing=0)


def read_precomputed(data: bytes) -> Triangles:
    (count,) = struct.unpack_from("<I", data)
    vertices = np.frombuffer(data, "<f4", 3 * count, 4).reshape(-1, 3)
    return vertices, np.frombuffer(data, "<u4", offset=4 + 12 * count).reshape(-1, 3)


def read_ply(data: bytes) -> Triangles:
    header, body = data.split(b"end_header\n", 1)
    numbers = [int(line.split()[-1]) for line in header.split(b"\n") if b"element" in line]
    vertices = np.frombuffer(body, "<f4", 6 * numbers[0]).reshape(-1, 6)[:, :3]
    rows = np.frombuffer(body, [("n", "u1"), ("f", "<u4", 3)], numbers[1], 24 * numbers[0])
    assert (rows["n"] == 3).all()
    return vertices, rows["f"]


def read_obj(data: bytes) -> Triangles:
    lines = [line.split() for line in data.decode().splitlines()]
    vertices = [list(map(float, words[1:])) for words in lines if words[0] == "v"]
    faces = [[int(w.split("//")[0]) - 1 for w in words[1:]] for words in lines if words[0] == "f"]
    return np.array(vertices), np.array(faces)


def read_stl(data: bytes) -> Triangles:
    (count,) = struct.unpack_from("<I", data, 80)
    rows = np.frombuffer(data, [("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")], count, 84)
    corners = rows["v"].reshape(-1, 3)
    across = np.cross(rows["v"][:, 1] - rows["v"][:, 0], rows["v"][:, 2] - rows["v"][:, 0])
    assert ((across * rows["n"]).sum(1) > 0).all()
    return corners, np.arange(len(corners)).reshape(-1, 3)


def read_glb(data: bytes) -> Triangles:
    magic, version, length, size, kind = struct.unpack_from("<4sIII4s", data)
    assert (magic, version, length, kind) == (b"glTF", 2, len(data), b"JSON")
    scene = json.loads(data[20 : 20 + size])
    binary = data[28 + size :]
    arrays = []
    for accessor in scene["accessors"]:
        view = scene["bufferViews"][accessor["bufferView"]]
        dtype = {5126: "<f4", 5125: "<u4"}[accessor["componentType"]]
        raw = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        arrays.append(np.frombuffer(raw, dtype).reshape(-1, 3))
    assert scene["accessors"][0]["max"] == arrays[0].max(0).tolist()
    return arrays[0], arrays[2]


READERS = {
    "precomputed": read_precomputed,
    "ply": read_ply,
    "obj": read_obj,
    "stl": read_stl,
    "glb": read_glb,
}


@pytest.mark.parametrize("format", FORMATS)
def test_vertices_are_in_x_y_z(mesh: Mesh, format: str) -> None:
    vertices, _ = READERS[format](encode(mesh, format))
    assert vertices.min(0) == pytest.approx([2.5, 1.5 * 2, 0.5 * 4])
    assert vertices.max(0) == pytest.approx([8.5, 5.5 * 2, 2.5 * 4])


@pytest.mark.parametrize("format", FORMATS)
def test_faces_look_outward(mesh: Mesh, format: str) -> None:
    vertices, faces = READERS[format](encode(mesh, format))
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    assert (a * np.cross(b, c)).sum() > 0


def test_precomputed_fragments_are_in_nanometres(mesh: Mesh) -> None:
    vertices, _ = read_precomputed(encode(mesh, "precomputed", to_nanometres=1000.0))
    assert vertices.max(0) == pytest.approx([8500, 11000, 10000])


def test_the_manifest_names_the_fragment() -> None:
    assert precomputed_manifest(2**64 - 1) == {"fragments": ["18446744073709551615"]}
    assert precomputed_info() == {"@type": "neuroglancer_legacy_mesh"}


def test_another_format_is_refused_with_the_known_ones(mesh: Mesh) -> None:
    with pytest.raises(InvalidValueError, match="glb"):
        encode(mesh, "fbx")
