"""Between keyframes everything goes the way that suits it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import viewer
from viewer.errors import InvalidValueError, UnknownLayerError
from viewer.pictures.keyframes import Keyframes, slerp


@pytest.fixture
def v(viewer_: viewer.Viewer) -> viewer.Viewer:
    viewer_.add_image(np.zeros((4, 4, 4), np.uint8), name="a.b", contrast_limits=(0, 10))
    viewer_.add_labels(np.ones((4, 4, 4), np.uint8), name="cells")
    return viewer_


def between(v: viewer.Viewer, *keyframes: object, time: float) -> viewer.state.Document:
    return Keyframes(v.document.state, keyframes).state(time)  # type: ignore[arg-type]


def test_numbers_go_in_straight_lines(v: viewer.Viewer) -> None:
    now = between(v, (0, {"view.center": (0, 0, 0)}), (2, {"view.center": (4, 2, 0)}), time=0.5)
    assert now.view.center == (1.0, 0.5, 0.0)


def test_zoom_goes_in_equal_ratios(v: viewer.Viewer) -> None:
    now = between(v, (0, {"view.zoom": 1}), (2, {"view.zoom": 16}), time=1)
    assert now.view.zoom == pytest.approx(4)


def test_a_zoom_that_fits_the_data_steps(v: viewer.Viewer) -> None:
    keyframes = ((0, {"view.zoom": None}), (2, {"view.zoom": 16}))
    assert between(v, *keyframes, time=1.9).view.zoom is None
    assert between(v, *keyframes, time=2).view.zoom == 16


def test_the_camera_turns_the_short_way() -> None:
    half = slerp((0, 0, 0, 1), (0, 1, 0, 0), 0.5)
    assert half == pytest.approx((0, 0.5**0.5, 0, 0.5**0.5))
    same = slerp((0, 0, 0, 1), (0, 0, 0, -1), 0.3)
    assert np.abs(same) == pytest.approx((0, 0, 0, 1))


def test_slices_turn_as_the_camera_does(v: viewer.Viewer) -> None:
    turn = {"view.orientation": (0, 1, 0, 0)}
    half = between(v, (0, {}), (2, turn), time=1).view.orientation
    assert half == pytest.approx((0, 0.5**0.5, 0, 0.5**0.5))


def test_layers_are_named_and_styles_need_no_word(v: viewer.Viewer) -> None:
    change = {"layers": {"a.b": {"contrast_limits": (0, 20), "visible": False}}}
    now = between(v, (0, {}), (1, change), time=0.5)
    assert now.layers["l1"].style.contrast_limits == (0.0, 15.0)
    assert now.layers["l1"].visible is True
    assert between(v, (0, {}), (1, change), time=1).layers["l1"].visible is False


def test_colours_of_labels_step(v: viewer.Viewer) -> None:
    change = {"layers.cells.colors": {"1": "#ff0000"}}
    assert between(v, (0, {}), (1, change), time=0.9).layers["l2"].style.colors == {}
    assert between(v, (0, {}), (1, change), time=1).layers["l2"].style.colors == {"1": "#ff0000"}


def test_whole_numbers_stay_whole(v: viewer.Viewer) -> None:
    change = {"layers": {"cells": {"contour": 5}}}
    assert between(v, (0, {}), (1, change), time=0.5).layers["l2"].style.contour == 2


def test_whole_numbers_given_for_others_are_no_steps(v: viewer.Viewer) -> None:
    keyframes = ((0, {"layers.cells.opacity": 1}), (2, {"layers.cells.opacity": 0}))
    assert between(v, *keyframes, time=1).layers["l2"].style.opacity == 0.5


def test_a_keyframe_may_be_all_that_was_shown(v: viewer.Viewer, tmp_path: Path) -> None:
    v.view.camera.orientation = (0, 0, 0, 1)
    first = v.to_dict()
    v.view.center = (4, 4, 4)
    v.view.zoom = 4
    v.view.camera.orientation = (0, 1, 0, 0)
    v.layers["a.b"].contrast_limits = (0, 30)
    v.layers["cells"].selected = [1]
    v.layers["cells"].colors = {1: "#ff0000"}
    v.layers.move("cells", 0)
    v.theme = "light"
    last = v.document.state
    v.save(tmp_path / "last.json")
    v.load(first)
    keyframes = ((0, first), (2, tmp_path / "last.json"), (3, {"view.zoom": 16}))
    assert between(v, *keyframes, time=0) == v.document.state
    half = between(v, *keyframes, time=1)
    assert half.view.center == (3.0, 3.0, 3.0)
    assert half.layers["l1"].style.contrast_limits == (0.0, 20.0)
    assert half.view.camera.orientation == pytest.approx((0, 0.5**0.5, 0, 0.5**0.5))
    assert half.layers["l2"].style.selected == () and half.theme == "dark"
    assert between(v, *keyframes, time=2) == last
    assert between(v, *keyframes, time=2.5).view.zoom == pytest.approx(8)


def test_a_saved_view_of_other_layers_is_refused(v: viewer.Viewer) -> None:
    saved = v.to_dict()
    saved["layers"][1]["name"] = "gone"
    with pytest.raises(UnknownLayerError, match="'gone'"):
        v.animate([(0, saved)])
    with pytest.raises(InvalidValueError, match="newer"):
        v.animate([(0, {**v.to_dict(), "version": 99})])


def test_before_and_after_the_keyframes_nothing_moves(v: viewer.Viewer) -> None:
    keyframes = ((1, {"view.zoom": 2}), (2, {"view.zoom": 3}))
    assert between(v, *keyframes, time=0).view.zoom is None
    assert between(v, *keyframes, time=9).view.zoom == 3


def test_the_document_stays_as_it_is(v: viewer.Viewer) -> None:
    before = v.document.snapshot()
    between(v, (0, {"view.zoom": 1}), (2, {"view.zoom": 16}), time=1)
    assert v.document.snapshot() == before


@pytest.mark.parametrize(
    ("keyframes", "words"),
    [
        ([], "no keyframes"),
        ([(1, {"view.zoom": 2}), (0, {"view.zoom": 1})], "ascend"),
        ([("soon", {})], "no keyframe"),
        ([(0, {"view.zom": 2})], "zoom"),
        ([(0, {"view.zoom": -2})], "zoom"),
    ],
)
def test_what_cannot_be_set_is_refused_at_once(
    v: viewer.Viewer, keyframes: list[tuple[float, dict[str, object]]], words: str
) -> None:
    with pytest.raises(InvalidValueError, match=words):
        v.animate(keyframes)


def test_unknown_layers_are_named(v: viewer.Viewer) -> None:
    with pytest.raises(UnknownLayerError, match="'cells'"):
        v.animate([(0, {"layers": {"cell": {"opacity": 1}}})])
