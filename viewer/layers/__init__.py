"""Layers: what `Viewer.add_image` and `Viewer.add_labels` return.

A layer ties three things together: its place in the document (all that can be seen and edited),
its `Pyramid` (the way to the voxels) and, for labels, its `Meshes`. It is a handle: attributes
are read from and written to the document, so what a page changes shows here at once. When the
layer is removed, here or on a page, it lets go of the data.
"""

from viewer.layers.image import ImageLayer
from viewer.layers.labels import LabelsLayer
from viewer.layers.layer import Layer, unique_name
from viewer.layers.surface import SurfaceLayer

AnyLayer = ImageLayer | LabelsLayer | SurfaceLayer
"""One of the kinds of layers that a viewer shows."""

__all__ = ["AnyLayer", "ImageLayer", "LabelsLayer", "Layer", "SurfaceLayer", "unique_name"]
