"""Meshes of labels over HTTP: for our page, for neuroglancer's client, and as files."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from viewer.errors import InvalidValueError, NotFoundError, UnknownLayerError
from viewer.server.handler import Handler, encode_body
from viewer.space import conversion

MESH_SECONDS = 900.0
"""Seconds. A volume's first mesh waits for its index of labels; the page shows its progress."""

CONTENT_TYPES = {
    "": "application/octet-stream",
    "ply": "application/x-ply",
    "obj": "model/obj",
    "stl": "model/stl",
    "glb": "model/gltf-binary",
}


class _MeshHandlerBase(Handler):
    def layer_id(self, arguments: tuple[str, ...]) -> str | None:
        return arguments[0]

    def check_labels(self, layer_id: str) -> None:
        """Raise `NotFoundError` unless the layer has meshes."""
        if self.mount.served.layer(layer_id).meshes is None:
            raise NotFoundError(
                f"Layer {layer_id} has no meshes.", hint="Meshes are made of labels layers."
            )


class InfoHandler(_MeshHandlerBase):
    """``layers/<id>/mesh/info``."""

    async def answer(self, *arguments: str) -> None:
        self.check_labels(arguments[0])
        from viewer.mesh_formats import precomputed_info

        self.deliver(msgspec.json.encode(precomputed_info()), "application/json")


class ManifestHandler(_MeshHandlerBase):
    """``layers/<id>/mesh/<label>:0``: of which fragments the mesh consists."""

    async def answer(self, *arguments: str) -> None:
        layer_id, label = arguments
        self.check_labels(layer_id)
        from viewer.mesh_formats import precomputed_manifest

        self.deliver(msgspec.json.encode(precomputed_manifest(int(label))), "application/json")


class MeshHandler(_MeshHandlerBase):
    """``layers/<id>/mesh/<label>`` and ``….ply``, ``.obj``, ``.stl``, ``.glb``."""

    async def answer(self, *arguments: str) -> None:
        layer_id, label, extension = arguments
        self.check_labels(layer_id)
        work = self._prepare(layer_id, int(label), extension)
        if work is not None:
            # a queue of their own: making a mesh takes longer than reading a chunk
            body, encoding = await self.work(f"{layer_id}/mesh", work, MESH_SECONDS)
            self.deliver(body, CONTENT_TYPES[extension], encoding=encoding)

    def _prepare(
        self, layer_id: str, label: int, extension: str
    ) -> Callable[[Callable[[], bool]], tuple[bytes, str]] | None:
        layer = self.mount.served.layer(layer_id)
        pyramid, meshes = layer.pyramid, layer.meshes
        if meshes is None:
            raise UnknownLayerError(f"Layer {layer_id} has no meshes.")
        point = self._point([axis.kind for axis in pyramid.axes], pyramid.levels[0].shape)
        if self.unchanged(f'W/"{pyramid.generation}"'):
            return None
        compress = self.compresses
        to_nanometres = conversion(pyramid.source.units, "nm")

        def work(cancelled: Callable[[], bool]) -> tuple[bytes, str]:
            from viewer.mesh_formats import encode

            mesh = meshes.mesh(label, point=point, cancelled=cancelled)
            body = encode(mesh, extension or "precomputed", to_nanometres=to_nanometres)
            return encode_body(bytes(body), compress)

        return work

    def _point(self, kinds: list[str], shape: tuple[int, ...]) -> tuple[int, ...]:
        """Indices on the leading axes, from ``?point=7,0``; zeros by default."""
        leading = [n for kind, n in zip(kinds, shape, strict=True) if kind != "space"]
        text = self.request.query.removeprefix("point=")
        if not text:
            return (0,) * len(leading)
        point = tuple(int(part) for part in text.split(","))
        if len(point) != len(leading) or any(i >= n for i, n in zip(point, leading, strict=True)):
            raise InvalidValueError(
                f"point={text} is not within the layer's leading axes of length {leading}."
            )
        return point
