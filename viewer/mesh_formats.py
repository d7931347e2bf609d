"""Meshes as bytes, for our page and for other programs.

Other programs want (x, y, z) with faces counter-clockwise from outside in a right-handed frame.
Ours are (z, y, x); to reverse the coordinates is a reflection, so the faces are reversed as well.
Coordinates are in nanometres where the layer has units, else as they are.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from viewer.errors import NotFoundError
from viewer.meshes import Mesh
from viewer.sources.protocol import Array


def encode(mesh: Mesh, format: str, *, to_nanometres: float) -> bytes:
    """A mesh as the content of a file.

    Parameters
    ----------
    mesh : Mesh
    format : {"precomputed", "ply", "obj", "stl", "glb"}
    to_nanometres : float
        Nanometres in one unit of the layer; 1 for a layer without units.

    Raises
    ------
    NotFoundError
        For another format.
    """
    if format not in FORMATS:
        raise NotFoundError(f"There is no mesh format {format!r}; there are {', '.join(FORMATS)}.")
    vertices = _reversed(mesh.vertices)
    if to_nanometres != 1.0:
        vertices = (vertices.astype(np.float64) * to_nanometres).astype(np.float32)
    return FORMATS[format](vertices, _reversed(mesh.faces), _reversed(mesh.normals))


def precomputed_info() -> dict[str, str]:
    """Content of ``mesh/info``: the legacy single-resolution layout."""
    return {"@type": "neuroglancer_legacy_mesh"}


def precomputed_manifest(label: int) -> dict[str, list[str]]:
    """Content of ``mesh/<label>:0``: the mesh is one fragment, named like the label."""
    return {"fragments": [str(label)]}


def _reversed(array: Array) -> Array:
    return np.ascontiguousarray(array[:, ::-1])


def _precomputed(vertices: Array, faces: Array, normals: Array) -> bytes:
    return b"".join(
        (
            struct.pack("<I", len(vertices)),
            vertices.astype("<f4", copy=False).tobytes(),
            faces.astype("<u4", copy=False).tobytes(),
        )
    )


def _ply(vertices: Array, faces: Array, normals: Array) -> bytes:
    names = ("x", "y", "z", "nx", "ny", "nz")
    header = "\n".join(
        (
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {len(vertices)}",
            *(f"property float {name}" for name in names),
            f"element face {len(faces)}",
            "property list uchar int vertex_indices",
            "end_header\n",
        )
    )
    rows = np.empty(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    rows["count"] = 3
    rows["corners"] = faces
    points = np.hstack((vertices, normals)).astype("<f4", copy=False)
    return header.encode() + points.tobytes() + rows.tobytes()


def _obj(vertices: Array, faces: Array, normals: Array) -> bytes:
    corners = np.repeat(faces.astype(np.int64) + 1, 2, axis=1)  # vertex and normal, from 1
    return "".join(
        (
            _lines("v %.9g %.9g %.9g\n", vertices),
            _lines("vn %.4f %.4f %.4f\n", normals),
            _lines("f %d//%d %d//%d %d//%d\n", corners),
        )
    ).encode()


def _lines(row: str, values: Array) -> str:
    return row * len(values) % tuple(values.ravel().tolist())


def _stl(vertices: Array, faces: Array, normals: Array) -> bytes:
    rows = np.zeros(
        len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]
    )
    corners = vertices[faces]
    rows["corners"] = corners
    wide = corners.astype(np.float64)
    across = np.cross(wide[:, 1] - wide[:, 0], wide[:, 2] - wide[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    rows["normal"] = across / np.where(length > 0, length, 1)
    return bytes(80) + struct.pack("<I", len(faces)) + rows.tobytes()


def _glb(vertices: Array, faces: Array, normals: Array) -> bytes:
    """glTF 2.0: one buffer with positions, normals and indices, all of four-byte components."""
    parts = [
        vertices.astype("<f4", copy=False).tobytes(),
        _unit(normals).astype("<f4", copy=False).tobytes(),
        faces.astype("<u4", copy=False).tobytes(),
    ]
    starts = [0, len(parts[0]), len(parts[0]) + len(parts[1])]
    float32, uint32, array_buffer, element_buffer = 5126, 5125, 34962, 34963
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "voxelview"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "mode": 4}]}
        ],
        "buffers": [{"byteLength": sum(map(len, parts))}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": len(part), "target": target}
            for start, part, target in zip(
                starts, parts, (array_buffer, array_buffer, element_buffer), strict=True
            )
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": float32,
                "count": len(vertices),
                "type": "VEC3",
                "min": vertices.min(axis=0).tolist(),
                "max": vertices.max(axis=0).tolist(),
            },
            {"bufferView": 1, "componentType": float32, "count": len(normals), "type": "VEC3"},
            {"bufferView": 2, "componentType": uint32, "count": faces.size, "type": "SCALAR"},
        ],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary = b"".join(parts)
    return b"".join(
        (
            struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary)),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(binary), b"BIN\0"),
            binary,
        )
    )


def _unit(normals: Array) -> Array:
    wide = normals.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


FORMATS: dict[str, Callable[[Array, Array, Array], bytes]] = {
    "precomputed": _precomputed,
    "ply": _ply,
    "obj": _obj,
    "stl": _stl,
    "glb": _glb,
}
