"""The document's types: everything on screen, as plain JSON with one definition.

These structs are the only place where the document's fields, their allowed values and defaults
are written down. Python validates every change against them (`viewer.document`), the wire sends
them as JSON (`viewer.messages`), and the client's TypeScript types are generated from their
schema. Field names are napari's and OME-Zarr's.

Two kinds of fields live side by side. Those that anybody may edit (styles, view, order) and
those that describe the data (`Data`), which only the Viewer's own process writes.

World coordinates in the document are (z, y, x) in `View.units`, already converted from each
layer's own units. Label ids are decimal strings: JSON numbers stop at 53 bits.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Unit = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]
Label = Annotated[str, Meta(pattern=r"^-?[0-9]{1,20}$")]
HexColor = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$")]
Blending = Literal["translucent", "additive", "opaque", "minimum"]
Interpolation = Literal["nearest", "linear"]
Rendering = Literal["none", "mip", "translucent"]
Panel = Literal["xy", "xz", "yz", "3d"]
Layout = Literal["4panel", "xy", "xz", "yz", "3d"]
Theme = Literal["dark", "light"]


class State(Struct, forbid_unknown_fields=True, omit_defaults=False):
    """Base of the document's structs: unknown fields are refused."""


class Value(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """Base of those that are replaced as a whole."""


Row = tuple[float, float, float, float]
Affine = tuple[Row, Row, Row]
"""Upper three rows of a homogeneous matrix over (z, y, x)."""

IDENTITY: Affine = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))


# --- what the data is (written by the Viewer's process only) ---------------------------------


class Axis(Value, frozen=True):
    """One axis of a layer's data."""

    name: str
    kind: Literal["space", "time", "channel", "other"]
    unit: str = ""
    """Canonical unit as given for the layer (`viewer.space.METRES`; ``""`` for none)."""


class Level(Value, frozen=True):
    """One resolution level; level 0 is the data as given."""

    shape: tuple[int, ...]
    """Voxels along every axis, array order."""
    scale: tuple[float, ...]
    """Distance of neighbouring voxels along every axis; space in `View.units`."""
    translate: tuple[float, ...]
    """World position of the centre of voxel 0 along every axis; space in `View.units`."""


class Histogram(Value, frozen=True):
    """Counts of the values of a bounded sample, for the contrast control."""

    start: float
    """Lower edge of the first bin, in data values."""
    stop: float
    """Upper edge of the last bin, in data values."""
    counts: tuple[int, ...]


class Changed(Value, frozen=True):
    """A part of the data that has changed, by one step of the generation."""

    generation: int
    """The generation that it made."""
    level: int
    """This level and all coarser ones have changed; finer ones have not."""
    start: tuple[int, ...]
    """First voxel on every axis, in voxels of level 0."""
    stop: tuple[int, ...]
    """One after the last voxel on every axis, in voxels of level 0."""


class Data(Value, frozen=True):
    """What stands behind a layer, as much as a client must know to ask for it."""

    dtype: str
    """NumPy name of the array's dtype: ``"uint8"``, ``"bool"``, ``"float16"``, …"""
    axes: tuple[Axis, ...]
    """Array order. The trailing two or three of kind ``"space"`` are displayed."""
    levels: tuple[Level, ...]
    """Finest first."""
    brick: tuple[int, int, int]
    """Voxels (z, y, x) from one brick to the next, the same for every level."""
    apron: tuple[int, int, int]
    """Voxels (z, y, x) that a brick carries beyond `brick` at its far side: 0 or 1."""
    affine: Affine = IDENTITY
    """Takes what scale and translate make of a voxel's (z, y, x) to the world; lengths in
    `View.units`. Without z, the first row is that of the identity."""
    generation: int = 0
    """Counts refreshes: bricks, chunks and meshes of an older generation are stale, but for what
    `changes` says."""
    changes: tuple[Changed, ...] = ()
    """What the last steps of the generation changed, oldest first, one a step up to `generation`.
    What is of the generation before the oldest, or newer, is stale only where these touch it."""
    histogram: Histogram | None = None
    """None for labels."""


# --- how it looks (edited by everybody) -------------------------------------------------------


class ImageStyle(State):
    """How an image looks. Value v is drawn as ``colormap(((v - low) / (high - low)) ** gamma)``."""

    colormap: str = "gray"
    """A name known to `cmap` (matplotlib's names), or a colour: black to that colour."""
    contrast_limits: tuple[float, float] = (0.0, 1.0)
    """(low, high) in data values; low < high."""
    gamma: Annotated[float, Meta(ge=0.05, le=20.0)] = 1.0
    opacity: Unit = 1.0
    blending: Blending = "translucent"
    interpolation: Interpolation = "linear"
    rendering: Rendering = "none"
    """How it fills the 3-D panel beside its slices: not at all; by the greatest value along every
    line of sight; or as a cloud, the denser the greater its values."""


class LabelsStyle(State):
    """How a segmentation looks. Label 0 is transparent."""

    opacity: Unit = 0.5
    selected: tuple[Label, ...] = ()
    """Labels whose meshes are shown and which are drawn stronger, in order of selection."""
    hidden: tuple[Label, ...] = ()
    show_selected_only: bool = False
    colors: dict[Label, HexColor] = field(default_factory=dict)
    """Colours that override the stable colour of a label."""
    seed: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    """Another seed deals the stable colours anew."""
    contour: Annotated[int, Meta(ge=0, le=32)] = 0
    """Width in screen pixels of outlines drawn instead of filled labels; 0 fills."""
    meshes: bool = True
    """Whether meshes of the selected labels are shown in the 3-D panel."""
    mesh_opacity: Unit = 1.0
    """Of the meshes, 0 (clear) to 1 (solid)."""
    silhouette: Unit = 0.0
    """How much clearer faces of meshes are that look at the camera: at 1 only outlines remain."""


class SurfaceStyle(State):
    """How a surface looks. Values are coloured as those of images; without, `color` does."""

    opacity: Unit = 1.0
    silhouette: Unit = 0.0
    """How much clearer faces are that look at the camera: at 1 only outlines remain."""
    colormap: str = "viridis"
    """As `ImageStyle.colormap`."""
    contrast_limits: tuple[float, float] = (0.0, 1.0)
    """(low, high) of the values; low < high."""
    gamma: Annotated[float, Meta(ge=0.05, le=20.0)] = 1.0
    color: HexColor = "#c8c8c8"
    """Colour of a surface without values."""


class ImageLayer(State, tag_field="kind", tag="image"):
    """An image: its values are a quantity."""

    id: str
    name: str
    data: Data
    style: ImageStyle
    visible: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)


class LabelsLayer(State, tag_field="kind", tag="labels"):
    """A segmentation: its values are identities."""

    id: str
    name: str
    data: Data
    style: LabelsStyle
    visible: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)


class SurfaceLayer(State, tag_field="kind", tag="surface"):
    """Triangles. Where they are, `data` says as one voxel that spans their bounding box."""

    id: str
    name: str
    data: Data
    style: SurfaceStyle
    vertices: int
    faces: int
    valued: bool
    """Whether each vertex has a value."""
    visible: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)


OBLIQUE = (0.2064221, 0.2935779, 0.0650846, 0.9311101)
"""Quaternion: 35° about y, then 25° about x. From above and aside all three slices are seen."""


class Camera(State):
    """The camera of the 3-D panel; it looks at `View.center`."""

    orientation: tuple[float, float, float, float] = OBLIQUE
    """Unit quaternion (x, y, z, w) turning world into view; identity looks along +z as xy does.
    While nobody has turned it, it is the default after `View.upright`."""
    zoom: Positive | None = None
    """CSS pixels per world unit at the centre; None fits the data into the panel."""


class Slider(Value, frozen=True):
    """A leading axis (time, channel, …), the union over the layers that have it."""

    name: str
    unit: str
    start: float
    """World position of the first sample."""
    stop: float
    """World position of the last sample, inclusive."""
    step: float
    """World distance of neighbouring samples."""


class View(State):
    """What part of the world is looked at, and how the window is laid out."""

    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """World position (z, y, x) where the three slices cross and panels are centred."""
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    """Unit quaternion (x, y, z, w) turning the world into the slices' own x, y, z, about `center`.
    The panel xy shows their x to the right and their y downwards, and so on; identity lies along
    the axes of the world. While nobody has turned them, it is `upright`."""
    upright: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    """How the slices lie that show the data as its field does, heads up: as the layer says that
    came first, when there was no other."""
    zoom: Positive | None = None
    """CSS pixels per world unit in the slice panels; None fits the data into each panel."""
    layout: Layout = "4panel"
    split: tuple[Unit, Unit] = (0.5, 0.5)
    """Position (x, y) of the dividers of ``"4panel"`` as fractions of the panels' area."""
    position: dict[str, float] = field(default_factory=dict)
    """World position on every leading axis, by the axis's name."""
    camera: Camera = field(default_factory=Camera)
    units: str = ""
    """Unit of all spatial world coordinates; ``""`` for voxels."""
    sliders: tuple[Slider, ...] = ()
    """The leading axes, derived from the layers by the Viewer's process."""
    scale_bar: bool = True
    axis_lines: bool = True
    """Whether the lines of the crosshair and the axis labels are drawn."""
    title: Annotated[str, Meta(max_length=200)] = ""
    """A line above the panels, also in pictures; ``""`` for none."""
    colorbar: bool = False
    """Whether each visible layer with a colour map has a colour bar beside the panels."""
    slices_in_3d: bool = True


class Action(Value, frozen=True):
    """Something of Python's that a page offers: in the palette, by a key, in menus of layers."""

    title: str
    key: str | None = None
    """As `KeyboardEvent.key` gives it, lower case for letters; ``Shift+`` or ``Alt+`` before."""
    layer: str | None = None
    """In the menu of the layer with this id, or of this kind; None for the palette alone."""


class Document(State):
    """All of it."""

    title: str = "Voxelview"
    theme: Theme = "dark"
    layers: dict[str, ImageLayer | LabelsLayer | SurfaceLayer] = field(default_factory=dict)
    """By layer id."""
    order: tuple[str, ...] = ()
    """Layer ids, bottom first."""
    active: str | None = None
    """Id of the layer whose controls are shown."""
    view: View = field(default_factory=View)
    actions: dict[str, Action] = field(default_factory=dict)
    """What Python has added to the page, by id; written by the Viewer alone."""
    listening: tuple[str, ...] = ()
    """Events that Python wants to hear of (``"click"``, ``"hover"``, ``"key"``); pages send no
    others. Written by the Viewer alone."""
