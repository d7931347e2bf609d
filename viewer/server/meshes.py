"""Meshes of labels over HTTP: for our page, for neuroglancer's client, and as files; and
the list of all labels, which comes of the same index.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

import msgspec

from viewer.errors import InvalidValueError, NotFoundError, TooLargeError
from viewer.server.handler import Handler, encode_body
from viewer.space import conversion

if TYPE_CHECKING:
    from viewer.layers import SurfaceLayer
    from viewer.meshing.mesh import Mesh
    from viewer.meshing.meshes import Meshes

MESH_SECONDS = 900.0
"""Seconds. A volume's first mesh waits for its index of labels; the page shows its progress."""

CONTENT_TYPES = {
    "": "application/octet-stream",
    "surface": "application/octet-stream",
    "ply": "application/x-ply",
    "obj": "model/obj",
    "stl": "model/stl",
    "glb": "model/gltf-binary",
}


class _MeshHandlerBase(Handler):
    def layer_id(self, arguments: tuple[str, ...]) -> str | None:
        return arguments[0]

    def meshes_of(self, layer_id: str) -> Meshes:
        """The layer's meshes; `NotFoundError` where it has none."""
        meshes = self.mount.served.layer(layer_id).meshes
        if meshes is None:
            raise NotFoundError(
                f"Layer {layer_id} has no meshes.", hint="Meshes are made of labels layers."
            )
        return meshes

    def point(self, kinds: list[str], shape: tuple[int, ...]) -> tuple[int, ...]:
        """Indices on the leading axes, from ``?point=7,0``; zeros by default."""
        leading = [n for kind, n in zip(kinds, shape, strict=True) if kind != "space"]
        text = parse_qs(self.request.query).get("point", [""])[0]
        if not text:
            return (0,) * len(leading)
        point = tuple(int(part) for part in text.split(","))
        if len(point) != len(leading) or any(i >= n for i, n in zip(point, leading, strict=True)):
            raise InvalidValueError(
                f"point={text} is not within the layer's leading axes of length {leading}."
            )
        return point


class InfoHandler(_MeshHandlerBase):
    """``layers/<id>/mesh/info``."""

    async def answer(self, *arguments: str) -> None:
        self.meshes_of(arguments[0])
        from viewer.meshing.formats import precomputed_info

        self.deliver(msgspec.json.encode(precomputed_info()), "application/json")


class ManifestHandler(_MeshHandlerBase):
    """``layers/<id>/mesh/<label>:0``: of which fragments the mesh consists."""

    async def answer(self, *arguments: str) -> None:
        layer_id, label = arguments
        self.meshes_of(layer_id)
        from viewer.meshing.formats import precomputed_manifest

        self.deliver(msgspec.json.encode(precomputed_manifest(int(label))), "application/json")


class LabelsHandler(_MeshHandlerBase):
    """``layers/<id>/labels``: which labels there are, how large and where (`viewer.label_table`).

    Waits while the volume is being indexed; the page shows the progress.
    """

    async def answer(self, *arguments: str) -> None:
        layer_id = arguments[0]
        meshes = self.meshes_of(layer_id)
        pyramid = self.mount.served.layer(layer_id).pyramid
        point = self.point([axis.kind for axis in pyramid.axes], pyramid.levels[0].shape)
        if self.unchanged(f'W/"{pyramid.generation}"'):
            return
        coding = self.coding

        def work(cancelled: Callable[[], bool]) -> tuple[bytes, str]:
            from viewer.label_table import encode_table

            index = meshes.index(point=point, cancelled=cancelled)
            return encode_body(encode_table(index), coding)

        body, encoding = await self.work(f"{layer_id}/labels", work, MESH_SECONDS)
        self.deliver(body, CONTENT_TYPES[""], encoding=encoding)


class MeshHandler(_MeshHandlerBase):
    """``layers/<id>/mesh/<label>`` and ``….ply``, ``.obj``, ``.stl``, ``.glb``; for our page
    ``.surface``, in the form of ``layers/<id>/surface``.

    ``?level=2`` asks for the surface at a level of the pyramid; the header ``Voxelview-Level``
    says which it is, for small labels vanish from coarse ones. Without, the finest that is not
    too large; if that is a coarser one, ``Voxelview-Note`` has the words.

    ``?seed=12,40,7`` is the voxel (z, y, x) of level 0 that was clicked at: where all labels are
    not known yet, what hangs together with it is answered, and ``Voxelview-Whole: 0`` says so. The
    same request without a seed waits for the whole label.

    ``?tolerance=0.5`` takes out faces, which moves the surface by so much at most, in the layer's
    units.
    """

    async def answer(self, *arguments: str) -> None:
        layer_id, label, extension = arguments
        work = self._prepare(layer_id, int(label), extension)
        if work is not None:
            # a queue of their own: making a mesh takes longer than reading a chunk
            body, encoding, mesh = await self.work(f"{layer_id}/mesh", work, MESH_SECONDS)
            self.set_header("Voxelview-Level", str(mesh.level))
            if mesh.note:
                self.set_header("Voxelview-Note", mesh.note)
            if not mesh.whole:
                self.set_header("Voxelview-Whole", "0")
                self.clear_header("ETag")  # soon there will be more of it
                self.set_header("Cache-Control", "no-store")
            self.deliver(body, CONTENT_TYPES[extension], encoding=encoding)

    def _prepare(
        self, layer_id: str, label: int, extension: str
    ) -> Callable[[Callable[[], bool]], tuple[bytes, str, Mesh]] | None:
        layer = self.mount.served.layer(layer_id)
        pyramid, meshes = layer.pyramid, self.meshes_of(layer_id)
        point = self.point([axis.kind for axis in pyramid.axes], pyramid.levels[0].shape)
        if self.unchanged(f'W/"{pyramid.generation}"'):
            return None
        coding = self.coding
        to_nanometres = conversion(pyramid.source.units, "nm")

        asked = {name: values[0] for name, values in parse_qs(self.request.query).items()}
        level = min(int(asked["level"]), len(pyramid.levels) - 1) if "level" in asked else None
        seed = tuple(map(int, asked["seed"].split(","))) if "seed" in asked else None
        make = partial(
            meshes.mesh,
            label,
            point=point,
            tolerance=float(asked.get("tolerance", 0)),
            seed=seed,
        )

        def work(cancelled: Callable[[], bool]) -> tuple[bytes, str, Mesh]:
            from viewer.meshing.formats import encode
            from viewer.meshing.surfaces import encode_mesh

            try:
                mesh = make(level=level, cancelled=cancelled)
            except TooLargeError:
                if level is None:
                    raise
                mesh = make(cancelled=cancelled)
            if extension == "surface":
                return (*encode_body(encode_mesh(mesh), coding), mesh)
            body = encode(mesh, extension or "precomputed", to_nanometres=to_nanometres)
            return (*encode_body(bytes(body), coding), mesh)

        return work


class SurfaceHandler(_MeshHandlerBase):
    """``layers/<id>/surface`` for our page, ``….ply``, ``.obj``, ``.stl``, ``.glb`` for others."""

    async def answer(self, *arguments: str) -> None:
        layer_id, extension = arguments
        layer = self.mount.served.layer(layer_id)
        if layer.kind != "surface":
            raise NotFoundError(f"Layer {layer_id} is no surface.")
        if self.unchanged(f'W/"{layer.pyramid.generation}"'):
            return
        surface, place = cast("SurfaceLayer", layer).surface()
        coding = self.coding

        def work(cancelled: Callable[[], bool]) -> tuple[bytes, str]:
            from viewer.meshing.formats import encode
            from viewer.meshing.surfaces import encode_surface

            if not extension:
                return encode_body(encode_surface(surface, place), coding)
            return encode_body(bytes(encode(surface.mesh(place), extension)), coding)

        body, encoding = await self.work(f"{layer_id}/mesh", work)
        self.deliver(body, CONTENT_TYPES[extension], encoding=encoding)
