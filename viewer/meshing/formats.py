"""A mesh as bytes for other programs.

All of them want x, y, z. Swapping the order of coordinates mirrors space, so the corners of every
face are swapped as well and surfaces stay outward. Files hold the layer's own units; neuroglancer
and what reads its precomputed meshes wants nanometres.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.errors import InvalidValueError
from viewer.meshing.mesh import Mesh

FORMATS = ("precomputed", "ply", "obj", "stl", "glb")


def precomputed_info() -> dict[str, str]:
    """``mesh/info`` of neuroglancer's legacy single-resolution layout."""
    return {"@type": "neuroglancer_legacy_mesh"}


def precomputed_manifest(label: int) -> dict[str, list[str]]:
    """``mesh/<label>:0``: the one fragment that the mesh consists of."""
    return {"fragments": [str(label)]}


def encode(mesh: Mesh, format: str, *, to_nanometres: float = 1.0) -> bytes:
    """The file.

    Parameters
    ----------
    mesh : Mesh
    format : {"precomputed", "ply", "obj", "stl", "glb"}
        The legacy precomputed fragment; PLY, STL and glTF in their binary forms; Wavefront text.
    to_nanometres : float
        Nanometres in the mesh's unit (1 without unit); used by ``"precomputed"`` alone.

    Raises
    ------
    InvalidValueError
        For another format.
    """
    vertices = np.ascontiguousarray(mesh.vertices[:, ::-1], "<f4")
    faces = np.ascontiguousarray(mesh.faces[:, ::-1], "<u4")
    if format == "precomputed":
        scaled = (vertices * np.float64(to_nanometres)).astype("<f4")
        return struct.pack("<I", len(vertices)) + scaled.tobytes() + faces.tobytes()
    normals = np.ascontiguousarray(mesh.normals[:, ::-1], "<f4")
    if format == "ply":
        return _ply(vertices, normals, faces)
    if format == "obj":
        return _obj(vertices, normals, faces)
    if format == "stl":
        return _stl(vertices, faces)
    if format == "glb":
        return _glb(vertices, normals, faces)
    raise InvalidValueError(
        f"Meshes cannot be written as {format!r}.", hint=f"Formats: {', '.join(FORMATS)}."
    )


def _ply(vertices: npt.NDArray[Any], normals: npt.NDArray[Any], faces: npt.NDArray[Any]) -> bytes:
    header = "\n".join(
        [
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {len(vertices)}",
            *(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")),
            f"element face {len(faces)}",
            "property list uchar uint vertex_indices",
            "end_header\n",
        ]
    )
    rows = np.empty(len(faces), [("count", "u1"), ("corners", "<u4", 3)])
    rows["count"] = 3
    rows["corners"] = faces
    return header.encode() + np.hstack((vertices, normals)).tobytes() + rows.tobytes()


def _obj(vertices: npt.NDArray[Any], normals: npt.NDArray[Any], faces: npt.NDArray[Any]) -> bytes:
    # Nine digits give back every float32 exactly.
    lines = ["v {:.9g} {:.9g} {:.9g}".format(*row) for row in vertices.tolist()]
    lines += ["vn {:.6g} {:.6g} {:.6g}".format(*row) for row in normals.tolist()]
    lines += ["f {0}//{0} {1}//{1} {2}//{2}".format(*row) for row in (faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode()


def _stl(vertices: npt.NDArray[Any], faces: npt.NDArray[Any]) -> bytes:
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    rows = np.zeros(
        len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]
    )
    rows["normal"] = np.divide(across, length, out=np.zeros_like(across), where=length > 0)
    rows["corners"] = corners
    return b"voxelview".ljust(80) + struct.pack("<I", len(faces)) + rows.tobytes()


def _glb(vertices: npt.NDArray[Any], normals: npt.NDArray[Any], faces: npt.NDArray[Any]) -> bytes:
    binary = vertices.tobytes() + normals.tobytes() + faces.tobytes()
    size = vertices.nbytes
    views = [
        {"buffer": 0, "byteOffset": 0, "byteLength": size, "target": 34962},
        {"buffer": 0, "byteOffset": size, "byteLength": size, "target": 34962},
        {"buffer": 0, "byteOffset": 2 * size, "byteLength": faces.nbytes, "target": 34963},
    ]
    vectors = {"componentType": 5126, "type": "VEC3", "count": len(vertices)}
    description = {
        "asset": {"version": "2.0", "generator": "voxelview"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "mode": 4}]}
        ],
        "accessors": [
            {
                **vectors,
                "bufferView": 0,
                "min": vertices.min(0).tolist(),
                "max": vertices.max(0).tolist(),
            },
            {**vectors, "bufferView": 1},
            {"bufferView": 2, "componentType": 5125, "type": "SCALAR", "count": faces.size},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(description, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    return b"".join(
        (
            struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary)),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(binary), b"BIN\0"),
            binary,
        )
    )
