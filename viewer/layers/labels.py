"""Labels: values are identities, with a size, a place, a colour and a surface each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer import state
from viewer.affine import apply
from viewer.document.rules import VIEWER
from viewer.label_set import LabelColors, LabelSet, spell_all, spell_colors, whole
from viewer.layers.layer import Layer, Owner
from viewer.messages import Change
from viewer.pyramids.pyramid import Pyramid
from viewer.settings import Setting

if TYPE_CHECKING:
    from viewer.meshing.meshes import Meshes


class LabelsLayer(Layer):
    """A segmentation: its values are identities, 0 is background. See `Viewer.add_labels`."""

    kind = "labels"

    show_selected_only: Setting[bool] = Setting(
        "style", "show_selected_only", doc="Whether other labels are not drawn; default False."
    )
    seed: Setting[int] = Setting(
        "style",
        "seed",
        doc="Another one, 0 to 2**32 - 1, deals the stable colours anew; default 0.",
    )
    contour: Setting[int] = Setting(
        "style", "contour", doc="Outlines of so many pixels, 0 to 32; 0 (default) fills labels."
    )

    def __init__(self, owner: Owner, layer_id: str, name: str, data: Any, pyramid: Pyramid) -> None:
        super().__init__(owner, layer_id, name, data, pyramid)
        self._open_meshes: Meshes | None = None
        self._selected = LabelSet(self, "selected")
        self._hidden = LabelSet(self, "hidden")
        self._colors = LabelColors(self)

    @property
    def selected(self) -> LabelSet:
        """Labels drawn stronger and shown as meshes: a set of ints that follows the document.

        Assign any iterable of ints, or use ``add``, ``discard``, ``update``, ``clear``. The
        background 0 is left out.
        """
        self._located()
        return self._selected

    @selected.setter
    def selected(self, labels: Iterable[int]) -> None:
        self._set(("style", "selected"), spell_all(labels, "selected"))

    @property
    def hidden(self) -> LabelSet:
        """Labels that are not drawn, as `selected`."""
        self._located()
        return self._hidden

    @hidden.setter
    def hidden(self, labels: Iterable[int]) -> None:
        self._set(("style", "hidden"), spell_all(labels, "hidden"))

    @property
    def colors(self) -> LabelColors:
        """Colours given to labels: ``{17: "orange"}``; reads ``{17: "#ffa500"}``."""
        self._located()
        return self._colors

    @colors.setter
    def colors(self, colors: Mapping[int, object]) -> None:
        self._set(("style", "colors"), spell_colors(colors))

    @property
    def show_meshes(self) -> bool:
        """Whether selected labels are shown as meshes in the 3-D panel; default True."""
        return bool(self._get(("style", "meshes")))

    @show_meshes.setter
    def show_meshes(self, value: bool) -> None:
        self._set(("style", "meshes"), value)

    mesh_opacity: Setting[float] = Setting(
        "style", "mesh_opacity", doc="Of the meshes, 0 (clear) to 1 (solid); default 1."
    )
    silhouette: Setting[float] = Setting(
        "style",
        "silhouette",
        doc="How much clearer faces of meshes are that look at the camera, 0 (default) to 1: only "
        "outlines remain.",
    )

    @property
    def mesh_url(self) -> str:
        """Address of the meshes: ``/<label>.ply`` and so on below it; neuroglancer reads it too."""
        return f"{self._open_owner().url}layers/{self._id}/mesh"

    @property
    def meshes(self) -> Meshes:
        """Surfaces of the labels: ``layer.meshes.mesh(17)``."""
        self._located()
        from viewer.meshing.meshes import Meshes

        with self._lock:
            if self._open_meshes is None:
                self._open_meshes = Meshes(self.pyramid, on_progress=self._report)
            return self._open_meshes

    @property
    def statistics(self) -> Any:
        """How large the labels are and where: a structured array with a row for each.

        Fields: ``label``; ``count`` of voxels; ``start`` and ``stop`` of the bounding box
        (z, y, x), half-open, in voxels; ``centroid`` in voxels, ``world`` the same in `units`.
        The whole volume is read for it, once; with time or other leading axes, that of the view.
        """
        from viewer.label_table import statistics

        index = self.meshes.index(point=self._shown_point())
        return statistics(index, self.dtype, self.pyramid.levels[0], self.pyramid.affine)

    def mesh(self, label: int, *, level: int | None = None) -> tuple[Any, Any, Any]:
        """The surface of one label.

        Parameters
        ----------
        label : int
        level : int, optional
            Of the pyramid, 0 the finest; default the finest whose surface is not too large.

        Returns
        -------
        vertices : float32 ndarray (n, 3)
            (z, y, x) in the layer's `units`.
        faces : uint32 ndarray (m, 3)
            Indices of vertices; outward by the right-hand rule in (z, y, x) coordinates.
        normals : float32 ndarray (n, 3)

        Raises
        ------
        NotFoundError
            For a label without voxels, and data without a z axis.
        InvalidValueError
            For a level that does not exist.
        TooLargeError
            For a surface that no level makes small enough.
        """
        mesh = self.meshes.mesh(whole(label), level=level, point=self._shown_point())
        return mesh.vertices, mesh.faces, mesh.normals

    def set_mesh(self, label: int, data: Any) -> None:
        """Show another surface for a label than that of its voxels, from now on.

        Parameters
        ----------
        label : int
        data : tuple of arrays, or None
            ``(vertices, faces)``, as `mesh` returns them: (z, y, x) in the layer's `units`. None
            goes back to the voxels.

        Raises
        ------
        InvalidDataError
            For what is no surface.
        """
        from viewer.meshing.surfaces import as_surface, plan_place

        mesh = None if data is None else as_surface(data).mesh(plan_place())
        meshes = self.meshes
        meshes.give(label, mesh)
        # a step of the generation that changes no voxel: pages ask for the mesh again
        self._renew(lambda pyramid: pyramid.place(pyramid.levels[0], pyramid.affine))

    def export_meshes(
        self,
        folder: str | os.PathLike[str],
        labels: Iterable[int] | None = None,
        format: str = "ply",
        *,
        progress: bool = True,
        client: Any = None,
    ) -> int:
        """Write meshes to a folder, a file for each label.

        A few are made and written at a time; Ctrl-C ends it, and what was written stays. With time
        or other leading axes, those of what the view shows.

        Parameters
        ----------
        folder : path
            Made if it is not there; files of the same name are replaced.
        labels : iterable of int, optional
            Default all, the largest first.
        format : {"ply", "obj", "stl", "glb", "precomputed"}, default "ply"
            ``"precomputed"`` is a folder that neuroglancer reads as a source of meshes.
        progress : bool, default True
            Show a bar on the terminal; pages always do.
        client : dask.distributed.Client, optional
            Do the work on its cluster, whose workers must reach data and folder by the same names.

        Returns
        -------
        int
            How many meshes were written.

        Raises
        ------
        InvalidValueError, NotFoundError
            For another format, or a label without voxels; nothing is written then.
        SourceError
            When the data cannot be read, or the folder not be written.
        CancelledError
            When the layer was removed meanwhile.
        """
        from viewer.meshing.export import export_meshes

        with self._telling(progress) as tell:
            return export_meshes(
                self.meshes,
                self.pyramid,
                Path(folder).expanduser().absolute(),
                labels=None if labels is None else [int(label) for label in labels],
                point=self._shown_point(),
                format=format,
                client=client,
                told=tell,
                cancelled=lambda: self._owner is None,
            )

    def go_to(self, label: int) -> None:
        """Centre the view on a label: on the middle of its bounding box.

        Raises
        ------
        NotFoundError
            When no voxel has this label.
        """
        box = self.meshes.bounds(whole(label), point=self._shown_point())

        def plan(now: state.Document) -> list[Change]:
            data = now.layers[self._id].data
            level = data.levels[0]
            center = tuple(
                origin + step * ((a + b - 1) // 2)
                for origin, step, a, b in zip(
                    level.translate[-3:], level.scale[-3:], box.start, box.stop, strict=True
                )
            )
            return [Change(("view", "center"), tuple(apply(data.affine, center).tolist()))]

        self._located()[0].amend(plan, author=VIEWER)

    def release(self) -> None:
        """Let go of the data; the layer is of no use afterwards. Idempotent."""
        with self._lock:
            super().release()
            meshes, self._open_meshes = self._open_meshes, None
        if meshes is not None:
            meshes.close()

    def _made_meshes(self) -> Meshes | None:
        return self._open_meshes
