"""The public surface, locked: a change here is a change for users, and belongs in the changelog."""

from __future__ import annotations

import inspect
import subprocess
import sys

import viewer
from viewer.options import IMAGE_OPTIONS, LABELS_OPTIONS
from viewer.view import Camera, View


def members(kind: type) -> list[str]:
    return sorted(name for name in dir(kind) if not name.startswith("_"))


def test_the_package() -> None:
    assert sorted(viewer.__all__) == [
        *("ImageLayer", "LabelsLayer", "Layer", "Link", "SurfaceLayer", "Viewer", "__version__"),
        "cache_info",
        *(
            "clear_cache",
            "connect",
            "errors",
            "events",
            "headless",
            "imshow",
            "open",
            "set_cache_limit",
            "set_server",
            "set_static_content_source",
            "stop",
        ),
    ]
    assert dir(viewer) == sorted(viewer.__all__)
    assert all(getattr(viewer, name) is not None for name in viewer.__all__)
    assert not hasattr(viewer, "bogus")


def test_the_viewer() -> None:
    assert members(viewer.Viewer) == [
        *("active", "add", "add_action", "add_image", "add_labels", "add_surface", "animate"),
        "bind_key",
        *("close", "closed", "document", "errors", "events", "events_of", "hear"),
        *("layer", "layers", "listen", "load", "open", "redo", "report", "restore", "save"),
        *("screenshot", "sessions", "share", "shares", "show", "tell", "theme", "title"),
        *("to_dict", "txn", "undo", "url", "view"),
    ]


def test_the_link() -> None:
    own = {"call", "call_async", "connected", "read_only"}
    assert set(members(viewer.Link)) >= own
    assert set(members(viewer.Link)) - own <= set(members(viewer.Viewer))


def test_the_layers() -> None:
    layer = {
        *(
            "affine",
            "axis_labels",
            "build_pyramid",
            "data",
            "describe",
            "dtype",
            "events",
            "id",
            "meshes",
            "metadata",
            "name",
        ),
        *("opacity", "pyramid", "refresh", "release", "sample", "scale", "shape", "translate"),
        *("units", "visible", "zarr_url"),
    }
    assert set(members(viewer.Layer)) == layer
    assert set(members(viewer.ImageLayer)) - layer == {
        *("blending", "colormap", "contrast_limits", "gamma", "interpolation", "kind"),
        *("isosurface", "rendering", "reset_contrast_limits"),
    }
    assert set(members(viewer.LabelsLayer)) - layer == {
        *("colors", "contour", "hidden", "kind", "mesh_url", "seed", "selected", "show_meshes"),
        *("export_meshes", "go_to", "mesh", "mesh_opacity", "set_mesh", "show_selected_only"),
        *("silhouette", "statistics"),
    }
    assert set(members(viewer.SurfaceLayer)) - layer == {
        *("color", "colormap", "contrast_limits", "gamma", "kind", "reset_contrast_limits"),
        *("silhouette", "surface"),
    }


def test_the_layer_list() -> None:
    from viewer.layer_list import LayerList

    assert members(LayerList) == ["clear", "index", "move", "names", "remove"]


def test_the_view() -> None:
    assert members(View) == [
        *("axis_lines", "camera", "center", "colorbar", "layout", "orientation", "position"),
        *("scale_bar", "slice_along", "slices_in_3d", "sliders", "split", "title", "units"),
        *("upright", "zoom"),
    ]
    assert members(Camera) == ["face", "orientation", "zoom"]


def test_the_options() -> None:
    def keywords(function: object) -> tuple[str, ...]:
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)

    image = (
        *("name", "scale", "translate", "affine", "units", "axis_labels", "channel_axis"),
        *("colormap", "contrast_limits", "gamma", "opacity", "blending", "visible"),
        *("interpolation", "rendering", "metadata"),
    )
    labels = (
        *("name", "scale", "translate", "affine", "units", "axis_labels", "opacity", "visible"),
        *("selected", "hidden", "show_selected_only", "colors", "seed", "contour", "show_meshes"),
        *("mesh_opacity", "silhouette", "metadata"),
    )
    assert keywords(viewer.Viewer.add_image) == image
    assert keywords(viewer.Viewer.add_labels) == labels
    assert (set(image), set(labels)) == (IMAGE_OPTIONS, LABELS_OPTIONS)
    assert keywords(viewer.imshow) == ("title",)
    assert keywords(viewer.open) == ("title",)
    assert keywords(viewer.Viewer.open) == ("dataset", "layer_type")
    assert keywords(viewer.set_server) == (
        *("host", "port", "allowed_hosts", "allow_origins", "url_prefix"),
    )
    assert keywords(viewer.set_static_content_source) == ("url", "path")
    assert list(inspect.signature(viewer.Viewer).parameters) == ["title", "token"]


def test_everything_public_is_documented() -> None:
    kinds = (viewer.Viewer, viewer.ImageLayer, viewer.LabelsLayer, View, Camera)
    missing = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name in members(kind)
        if name != "kind" and not inspect.getattr_static(kind, name).__doc__
    ]
    assert missing == []


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    program = """
import sys, time
start = time.process_time()  # whatever else the machine does
import viewer
print(time.process_time() - start)
viewer.Viewer, viewer.imshow
print(*[m for m in ("numba", "zarr", "h5py", "cmap", "skimage", "scipy", "tornado")
        if m in sys.modules])
"""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, loaded = result.stdout.split("\n")[:2]
    assert float(seconds) < 0.5
    assert loaded == ""
