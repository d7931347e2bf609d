"""OME-Zarr over HTTP: the door to the voxels for every program."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from viewer import chunks
from viewer.server.handler import Handler, encode_body
from viewer.state import ImageLayer

JSON = "application/json"
BINARY = "application/octet-stream"


class _VoxelHandler(Handler):
    def layer_id(self, arguments: tuple[str, ...]) -> str | None:
        return arguments[0]


class GroupHandler(_VoxelHandler):
    """``layers/<id>/zarr.json``: axes, units, levels, and how an image is shown."""

    async def answer(self, *arguments: str) -> None:
        (layer_id,) = arguments
        served = self.mount.served
        pyramid = served.layer(layer_id).pyramid
        shown = served.document.state.layers.get(layer_id)
        window = color = None
        name = layer_id
        if shown is not None:
            name = shown.name
        if isinstance(shown, ImageLayer):
            window = shown.style.contrast_limits
            if shown.style.colormap.startswith("#"):
                color = shown.style.colormap
        document = chunks.group_metadata(pyramid, name, window=window, color=color)
        self.deliver(msgspec.json.encode(document), JSON)


class ArrayHandler(_VoxelHandler):
    """``layers/<id>/<level>/zarr.json``: shape, data type and chunks of a level."""

    async def answer(self, *arguments: str) -> None:
        layer_id, level = arguments
        pyramid = self.mount.served.layer(layer_id).pyramid
        self.deliver(msgspec.json.encode(chunks.array_metadata(pyramid, int(level))), JSON)


class ChunkHandler(_VoxelHandler):
    """``layers/<id>/<level>/c/…``: the voxels of a chunk."""

    async def answer(self, *arguments: str) -> None:
        layer_id, level, key = arguments
        work = self._prepare(layer_id, int(level), key)
        if work is not None:
            body, encoding = await self.work(layer_id, work)
            self.deliver(body, BINARY, encoding=encoding)

    def _prepare(
        self, layer_id: str, level: int, key: str
    ) -> Callable[[Callable[[], bool]], tuple[bytes, str]] | None:
        """What a worker has to do; None when the answer needs no voxels.

        Synchronous, so that no frame of a waiting request holds the layer: the work itself does,
        and is dropped with it.
        """
        pyramid = self.mount.served.layer(layer_id).pyramid
        index = chunks.parse_key(key, pyramid, level)
        if self.unchanged(f'W/"{pyramid.generation}"'):
            return None
        compress = self.compresses
        if self.request.method == "HEAD" and not compress:
            metadata = chunks.array_metadata(pyramid, level)
            shape = metadata["chunk_grid"]["configuration"]["chunk_shape"]
            size = math.prod(shape) * pyramid.dtype.itemsize
            self.set_header("Content-Length", str(size))
            self.deliver(b"", BINARY)
            return None
        return lambda cancelled: encode_body(
            bytes(chunks.read_chunk(pyramid, level, index, cancelled)), compress
        )
