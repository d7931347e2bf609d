"""Views kept as files: the part of the Viewer that saves and loads them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer import saved_view, state
from viewer.adding_files import AddingFiles
from viewer.document.rules import VIEWER
from viewer.errors import ViewerError
from viewer.messages import Change, Notice

if TYPE_CHECKING:
    from viewer.saved_view import SavedLayer, SavedView


class Saving(AddingFiles):
    """What is shown, to a file and from it."""

    def to_dict(self) -> dict[str, Any]:
        """What is shown and how, as plain JSON: what `save` writes and `load` takes.

        The data itself is not in it, but where layers were opened from is.
        """
        return saved_view.to_dict(self._open().state, self._origins)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what is shown and how to a file of JSON.

        Styles, order, selections, view and title; the data itself stays where it is.

        Parameters
        ----------
        path : path
            A file of this name is replaced.
        """
        target = Path(path).expanduser()
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        beside = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            beside.write_text(text, "utf-8")
            beside.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise

    def load(self, view: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[str, ...]:
        """Show what was saved.

        Layers are found by name and kind. Those that are not here but were opened from a file or
        address are opened again; what cannot be had is reported (`errors`), and the rest is shown.
        Layers that are not in the file stay as they are, on top. It is one step for `undo`.

        Parameters
        ----------
        view : path or dict
            What `save` has written, or `to_dict` returned. May be written by hand: what is left
            out stays as it is.

        Returns
        -------
        tuple of str
            Names of the layers that are missing.

        Raises
        ------
        SourceError, InvalidValueError
            For a file that cannot be read, or is no saved view; names what is wrong in it, and
            what is allowed. Nothing is changed then.
        """
        given = view if isinstance(view, Mapping) else saved_view.read(Path(view).expanduser())
        return self._tell_missing(self._shown(given, VIEWER, files=True))

    def restore(self, view: Mapping[str, Any], session: str, /, *, files: bool) -> tuple[str, ...]:
        """`load` for a page, which is told what is missing by its names; for the server.

        Parameters
        ----------
        view : dict
        session : str
            Id of the page.
        files : bool
            Whether files may be opened again: for who holds the viewer's own address, who may do
            that anyway, and not for those to whom it was shared.
        """
        return tuple(layer.name for layer in self._shown(view, session, files=files))

    def _shown(self, given: object, author: str, *, files: bool) -> list[SavedLayer]:
        """Show what was saved; the layers that are missing."""
        document = self._open()
        saved = saved_view.parse(given)
        # refused before anything is opened
        present = saved_view.find(document.state, saved)
        document.rehearse(saved_view.plan_load(document.state, saved, present))
        opened = self._open_missing(saved, set(present)) if files else {}

        def plan(now: state.Document) -> list[Change]:
            found = saved_view.find(now, saved) | opened
            return [*_plan_names(now, saved, opened), *saved_view.plan_load(now, saved, found)]

        document.amend(plan, author=author)
        found = saved_view.find(document.state, saved)
        return [layer for number, layer in enumerate(saved.layers) if number not in found]

    def _open_missing(self, saved: SavedView, present: set[int]) -> dict[int, str]:
        """Open again what is missing: its number in the saved view → id of the layer."""
        wanted: dict[str, dict[int, int]] = {}
        for number, layer in enumerate(saved.layers):
            if number not in present and layer.source is not None:
                source = layer.source
                key = json.dumps([source.path, source.dataset, source.options], sort_keys=True)
                wanted.setdefault(key, {})[source.number] = number
        found: dict[int, str] = {}
        for numbers in wanted.values():
            origin = saved.layers[next(iter(numbers.values()))].source
            assert origin is not None
            try:
                layers = self.open(origin.path, dataset=origin.dataset, **origin.options)
            except (ViewerError, OSError, TypeError) as error:
                self.report(Notice("load", f"{origin.path} cannot be opened again: {error}"))
                continue
            for place, opened in enumerate(layers):
                if place in numbers:
                    found[numbers[place]] = opened.id
                else:
                    gone = Change(("layers", opened.id), remove=True)
                    self._document.edit([gone], author=VIEWER)
        return found

    def _tell_missing(self, missing: list[SavedLayer]) -> tuple[str, ...]:
        for layer in missing:
            self.report(
                Notice(
                    "load",
                    f"The {layer.kind} layer {layer.name!r} of the saved view is not here.",
                    "Add its data under this name, and load the view again.",
                )
            )
        return tuple(layer.name for layer in missing)


def _plan_names(now: state.Document, saved: SavedView, opened: Mapping[int, str]) -> list[Change]:
    """Give layers that were opened again the names they had."""
    taken = {layer.name for layer in now.layers.values()}
    changes = []
    for number, key in opened.items():
        layer: SavedLayer = saved.layers[number]
        if key in now.layers and layer.name not in taken:
            changes.append(Change(("layers", key, "name"), layer.name))
    return changes
