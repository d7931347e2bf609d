"""OME-Zarr over HTTP, the door to the voxels for every program: what describes them.

The voxels themselves come through `viewer.server.chunk_door`.
"""

from __future__ import annotations

import msgspec

from viewer import chunks
from viewer.server.handler import Handler
from viewer.state import ImageLayer

JSON = "application/json"


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
