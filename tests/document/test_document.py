"""The document: atomic, versioned, and the same for everybody in the end."""

from __future__ import annotations

import math
import threading
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer import state
from viewer.document.document import Document, shortest
from viewer.errors import ConflictError, InvalidValueError
from viewer.messages import Change


def make_data(**given: Any) -> state.Data:
    """A movie of 5 time points, 2 apart, of 10 × 11 × 12 voxels."""
    axes = tuple(
        state.Axis(name, "time" if name == "t" else "space") for name in ("t", "z", "y", "x")
    )
    level = state.Level((5, 10, 11, 12), (2.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0))
    values: dict[str, Any] = {
        "dtype": "uint8",
        "axes": axes,
        "levels": (level,),
        "brick": (16, 16, 16),
        "apron": (0, 0, 0),
        **given,
    }
    return state.Data(**values)


def image(layer: str, name: str, **style: Any) -> Change:
    value = state.ImageLayer(layer, name, make_data(), state.ImageStyle(**style))
    return Change(("layers", layer), value)


def labels(layer: str, name: str) -> Change:
    value = state.LabelsLayer(layer, name, make_data(), state.LabelsStyle())
    return Change(("layers", layer), value)


@pytest.fixture
def document() -> Document:
    """An image l1 and labels l2."""
    document = Document()
    document.edit([image("l1", "raw"), labels("l2", "cells")], author="viewer")
    return document


def put(document: Document, path: str, value: object, author: str = "viewer", **base: int) -> int:
    return document.edit([Change(tuple(path.split("/")), value)], author=author, **base)


def plain(document: Document) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document.state))


def patched(json: Any, changes: list[Change]) -> None:
    """What a page does with a Patch."""
    for change in msgspec.json.decode(msgspec.json.encode(changes)):
        *parents, last = change["path"]
        node = json
        for key in parents:
            node = node[key]
        if change.get("remove"):
            node.pop(last, None)
        else:
            node[last] = change.get("value")


# --- edits ------------------------------------------------------------------------------------


def test_an_edit_makes_a_version_and_leaves_the_old_state_as_it_was(document: Document) -> None:
    before = document.state
    version = put(document, "layers/l1/style/gamma", 2)
    assert document.version == version == 2
    assert document.state.layers["l1"].style.gamma == 2.0
    assert before.layers["l1"].style.gamma == 1.0


def test_what_an_edit_does_not_touch_is_shared(document: Document) -> None:
    before = document.state
    put(document, "layers/l1/style/gamma", 2)
    assert document.state.layers["l2"] is before.layers["l2"]
    assert document.state.view is before.view


def test_an_edit_that_changes_nothing_makes_no_version(document: Document) -> None:
    told: list[int] = []
    document.subscribe(lambda: told.append(document.version))
    assert put(document, "layers/l1/style/gamma", 1.0) == 1
    assert told == []


def test_a_refused_edit_changes_nothing_at_all(document: Document) -> None:
    before = document.state
    with pytest.raises(InvalidValueError):
        document.edit([Change(("title",), "new"), Change(("view", "zoom"), -1.0)], author="viewer")
    assert document.state is before
    assert document.version == 1


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("layers/l1/style/opacity", 3, "opacity=3 .* from 0 to 1"),
        ("layers/l1/style/opacity", "1", "opacity='1'"),
        ("layers/l1/style/opacity", True, "opacity=True"),
        ("layers/l1/style/blending", "add", "'additive', 'minimum', 'opaque', 'translucent'"),
        ("layers/l1/style/contrast_limits", (2, 1), "low < high"),
        ("layers/l1/style/contrast_limits", (-1e308, 1e308), "low < high"),
        ("layers/l1/style/contrast_limits", (0, math.nan), "nan"),
        ("layers/l1/style/contrast_limits", (0, math.inf), "inf"),
        ("layers/l1/style/contrast_limits", (1,), "contrast_limits"),
        ("layers/l1/style/colormap", "virdis", "Did you mean 'viridis'"),
        ("layers/l1/style/gama", 1, "Did you mean 'gamma'"),
        ("layers/l1/style/gamma/x", 1, "has no parts"),
        ("layers/l1/name", " ", "empty"),
        ("layers/l1/name", "cells", "another layer"),
        ("layers/l1/id", "l9", "differs from its key"),
        ("layers/l1/metadata", {"a": object()}, "JSON"),
        ("layers/l1/metadata", {"a": [1.0, math.nan]}, r"metadata\['a'\]\[1\]=nan of 'raw'"),
        ("layers/l1/metadata", {"a": 2**64}, "64 bits"),
        ("layers/l1/metadata", {"a": "\ud800"}, "metadata"),
        ("layers/l1/metadata", 5, "metadata=5"),
        ("layers/l9/visible", True, "no layer 'l9'.* There are: '"),
        ("layers/l2/style/selected", ("7", "7"), "twice"),
        ("layers/l2/style/selected", ("07",), "without padding"),
        ("layers/l2/style/selected", ("0",), "background"),
        ("layers/l2/style/selected", (7,), "decimal label"),
        ("layers/l2/style/colors", {"7": "red"}, "#ff8800"),
        ("layers/l2/style/colors/x", "#ff0000", "decimal label"),
        ("order", ("l1",), "permutation"),
        ("order", ("l1", "l1"), "permutation"),
        ("active", "l9", "not a layer"),
        ("view/center", (1, 2), "center"),
        ("view/center", (1, 2, math.nan), "nan"),
        ("view/zoom", 0, "greater than 0 or None"),
        ("view/layout", "2panel", "'4panel'"),
        ("view/camera/orientation", (0, 0, 0, 0), "quaternion"),
        ("view/orientation", (0, 0, 0, 0), "quaternion"),
        ("view/orientation", (0, 0, 1), "orientation"),
        ("view/orientation", (0, 0, math.inf, 1), "inf"),
        ("view/position", {}, "leading axes are"),
        ("view/position/t", 9, "0 to 8"),
        ("view/position/q", 1, "leading axes are"),
        ("theme", "blue", "'dark', 'light'"),
        ("titel", "x", "Did you mean 'title'"),
        ("title", None, "title=None"),
    ],
)
def test_a_bad_value_is_refused_with_path_value_and_remedy(
    document: Document, path: str, value: object, said: str
) -> None:
    with pytest.raises(InvalidValueError, match=said) as caught:
        put(document, path, value)
    assert caught.value.hint
    assert document.version == 1


def test_a_struct_field_cannot_be_removed(document: Document) -> None:
    with pytest.raises(InvalidValueError, match="cannot be removed"):
        document.edit([Change(("title",), remove=True)], author="viewer")


def test_numpy_values_become_plain_ones(document: Document) -> None:
    put(document, "view/center", np.array([1, 2, 3], "f4"))
    put(document, "layers/l1/style/opacity", np.float32(0.5))
    put(document, "layers/l1/metadata", {"shape": np.arange(2), 3: np.int64(4)})
    assert document.state.view.center == (1.0, 2.0, 3.0)
    assert type(document.state.layers["l1"].style.opacity) is float
    assert document.state.layers["l1"].metadata == {"shape": [0, 1], "3": 4}


def test_a_bad_field_inside_a_whole_layer_is_named(document: Document) -> None:
    with pytest.raises(InvalidValueError, match=r"^opacity=7 is not allowed"):
        document.edit([image("l3", "third", opacity=7)], author="viewer")


def test_a_callers_dict_is_not_shared_with_the_document(document: Document) -> None:
    metadata = {"a": [1]}
    put(document, "layers/l1/metadata", metadata)
    metadata["a"].append(2)
    assert document.state.layers["l1"].metadata == {"a": [1]}


# --- fields that follow -----------------------------------------------------------------------


def test_order_and_active_follow_the_layers(document: Document) -> None:
    assert document.state.order == ("l1", "l2")
    assert document.state.active == "l2"
    document.edit([Change(("layers", "l2"), remove=True)], author="viewer")
    assert document.state.order == ("l1",)
    assert document.state.active == "l1"
    document.edit([Change(("layers", "l1"), remove=True)], author="viewer")
    assert document.state.active is None


def test_sliders_and_positions_follow_the_layers(document: Document) -> None:
    assert document.state.view.sliders == (state.Slider("t", "", 0.0, 8.0, 2.0),)
    assert document.state.view.position == {"t": 0.0}
    put(document, "view/position/t", 8)
    short = state.Level((2, 10, 11, 12), (2.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0))
    for layer in ("l1", "l2"):
        put(document, f"layers/{layer}/data", make_data(levels=(short,)))
    assert document.state.view.position == {"t": 2.0}
    document.edit([Change(("layers", layer), remove=True) for layer in ("l1", "l2")], author="p")
    assert document.state.view.sliders == ()
    assert document.state.view.position == {}


def test_the_center_stays_in_the_middle_until_somebody_moves_it(document: Document) -> None:
    assert document.state.view.center == (5.0, 5.0, 6.0)
    moved = state.Level((5, 10, 11, 12), (2.0, 4.0, 1.0, 1.0), (0.0, 0.0, 100.0, 0.0))
    for layer in ("l1", "l2"):
        put(document, f"layers/{layer}/data", make_data(levels=(moved,)))
    assert document.state.view.center == (20.0, 105.0, 6.0)
    put(document, "view/center", (1, 2, 3), author="page")
    document.edit([Change(("layers", "l1"), remove=True)], author="viewer")
    assert document.state.view.center == (1.0, 2.0, 3.0)


def test_a_quaternion_is_brought_to_unit_length(document: Document) -> None:
    put(document, "view/camera/orientation", (0, 0, 3, 4))
    assert document.state.view.camera.orientation == pytest.approx((0, 0, 0.6, 0.8))
    put(document, "view/orientation", (0, 0, 3, 4))
    assert document.state.view.orientation == pytest.approx((0, 0, 0.6, 0.8))


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        Change(("layers", "l1", "data", "dtype"), "int8"),
        Change(("layers", "l1", "data"), None),
        Change(("layers", "l1", "id"), "l1"),
        Change(("layers", "l1", "kind"), "labels"),
        Change(("layers", "l1"), None),
        Change(("layers",), {}),
        Change(("view",), {}),
        Change(("view", "sliders"), ()),
        Change(("view", "units"), "nm"),
        image("l3", "third"),
    ],
)
def test_a_page_cannot_touch_what_describes_the_data(document: Document, change: Change) -> None:
    with pytest.raises(InvalidValueError):
        document.edit([change], author="page")
    assert document.version == 1


def test_a_page_may_remove_a_layer(document: Document) -> None:
    document.edit([Change(("layers", "l1"), remove=True)], author="page", base=1)
    assert list(document.state.layers) == ["l2"]


def test_a_stale_edit_of_another_path_is_rebased(document: Document) -> None:
    put(document, "layers/l1/style/gamma", 2, author="a")
    put(document, "layers/l1/style/opacity", 0.5, author="b", base=1)
    style = document.state.layers["l1"].style
    assert isinstance(style, state.ImageStyle)
    assert (style.gamma, style.opacity) == (2.0, 0.5)


@pytest.mark.parametrize("theirs", ["layers/l1/style/gamma", "layers/l1/style"])
def test_a_stale_edit_of_an_overlapping_path_is_refused(document: Document, theirs: str) -> None:
    value = 2 if theirs.endswith("gamma") else state.ImageStyle(gamma=2)
    put(document, theirs, value, author="a")
    with pytest.raises(ConflictError) as caught:
        put(document, "layers/l1/style/gamma", 3, author="b", base=1)
    assert caught.value.present == (Change(("layers", "l1", "style", "gamma"), 2.0),)


def test_an_author_never_conflicts_with_itself(document: Document) -> None:
    put(document, "view/zoom", 2, author="a", base=1)
    put(document, "view/zoom", 3, author="a", base=1)
    assert document.state.view.zoom == 3


def test_an_edit_of_a_removed_layer_is_told_so(document: Document) -> None:
    document.edit([Change(("layers", "l1"), remove=True)], author="a")
    with pytest.raises(ConflictError) as caught:
        put(document, "layers/l1/style/gamma", 3, author="b", base=1)
    assert caught.value.present == (Change(("layers", "l1"), remove=True),)


def test_an_edit_older_than_the_history_is_refused() -> None:
    document = Document(history=3)
    for number in range(5):
        put(document, "title", str(number), author="a")
    put(document, "theme", "light", author="b", base=2)
    with pytest.raises(ConflictError, match="older than the history"):
        put(document, "theme", "dark", author="b", base=2)
    with pytest.raises(InvalidValueError, match="newer"):
        put(document, "theme", "dark", author="b", base=99)


# --- since ------------------------------------------------------------------------------------


def test_since_coalesces_to_the_newest_values(document: Document) -> None:
    for gamma in (2, 3, 4):
        put(document, "layers/l1/style/gamma", gamma)
    assert document.since(1) == [Change(("layers", "l1", "style", "gamma"), 4.0)]
    assert document.since(4) == []


def test_since_says_the_outermost_change_only(document: Document) -> None:
    put(document, "layers/l1/style/gamma", 2)
    document.edit([Change(("layers", "l1"), remove=True)], author="viewer")
    changes = document.since(1)
    assert changes is not None
    assert Change(("layers", "l1"), remove=True) in changes
    assert not any(len(c.path) > 2 for c in changes)


def test_since_forgets_what_is_too_old() -> None:
    document = Document(history=2)
    for number in range(4):
        put(document, "title", str(number))
    assert document.since(2) is not None
    assert document.since(1) is None
    assert document.since(5) is None


def test_shortest_drops_paths_inside_others() -> None:
    paths = [("a", "b", "c"), ("a", "b"), ("a", "x"), ("a", "b"), ("ab",)]
    assert shortest(paths) == [("a", "b"), ("a", "x"), ("ab",)]


# --- listeners and threads --------------------------------------------------------------------


def test_listeners_are_told_after_each_edit_until_they_unsubscribe(document: Document) -> None:
    seen: list[int] = []
    end = document.subscribe(lambda: seen.append(document.version))
    put(document, "title", "a")
    put(document, "title", "b")
    end()
    end()
    put(document, "title", "c")
    assert seen == [2, 3]


def test_a_listener_may_edit(document: Document) -> None:
    def listen() -> None:
        put(document, "theme", "light")

    document.subscribe(listen)
    put(document, "title", "a")
    assert document.state.theme == "light"


def test_a_failing_listener_does_not_hide_the_edit(
    document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    document.subscribe(fail)
    assert put(document, "title", "a") == 2
    assert "broken" in caplog.text


def test_threads_never_see_half_an_edit_and_lose_none(document: Document) -> None:
    torn: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            style = [layer.style.opacity for layer in document.state.layers.values()]
            if len(set(style)) != 1:
                torn.append(style)

    def write(author: str) -> None:
        for _ in range(100):

            def plan(now: state.Document) -> list[Change]:
                opacity = round(now.layers["l1"].style.opacity + 0.001, 3)
                return [Change(("layers", k, "style", "opacity"), opacity) for k in ("l1", "l2")]

            document.amend(plan, author=author)

    document.edit(
        [Change(("layers", k, "style", "opacity"), 0.1) for k in ("l1", "l2")], author="viewer"
    )
    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(f"p{i}",)) for i in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert torn == []
    assert document.state.layers["l1"].style.opacity == 0.5
    assert document.version == 402


# --- everybody agrees in the end --------------------------------------------------------------

LAYERS = ("l1", "l2", "l3")
numbers = st.floats(-10, 10)
layer_ids = st.sampled_from(LAYERS)
changes = st.one_of(
    st.builds(lambda k, v: Change(("layers", k, "style", "opacity"), v), layer_ids, numbers),
    st.builds(lambda k, v: Change(("layers", k, "style", "gamma"), v), layer_ids, numbers),
    st.builds(lambda k, v: Change(("layers", k, "visible"), v), layer_ids, st.booleans()),
    st.builds(lambda k, n: Change(("layers", k, "name"), n), layer_ids, st.sampled_from("abc")),
    st.builds(
        lambda k, v: Change(("layers", k, "style", "colors", str(v)), "#112233"),
        layer_ids,
        st.integers(1, 3),
    ),
    st.builds(
        lambda k, v: Change(("layers", k, "style", "colors", str(v)), remove=True),
        layer_ids,
        st.integers(1, 3),
    ),
    st.builds(lambda k: Change(("layers", k), remove=True), layer_ids),
    st.builds(lambda k, n: image(k, n), layer_ids, st.sampled_from("abc")),
    st.builds(lambda k, n: labels(k, n), layer_ids, st.sampled_from("abc")),
    st.builds(lambda o: Change(("order",), o), st.permutations(LAYERS)),
    st.builds(lambda k: Change(("active",), k), layer_ids),
    st.builds(lambda v: Change(("view", "zoom"), v), st.none() | numbers),
    st.builds(lambda v: Change(("view", "position", "t"), v), numbers),
    st.builds(lambda v: Change(("view", "center"), (v, v, v)), numbers),
    st.builds(lambda v: Change(("view", "camera", "orientation"), (v, 0, 0, 1)), numbers),
    st.builds(lambda v: Change(("view", "orientation"), (0, v, 0, 1)), numbers),
)
steps = st.tuples(
    st.sampled_from(["viewer", "viewer", "p1", "p2"]),
    st.lists(changes, min_size=1, max_size=3),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=40), st.integers(1, 8))
def test_pages_that_follow_at_their_own_pace_end_in_the_same_state(
    script: list[tuple[str, list[Change], bool]], history: int
) -> None:
    document = Document(history=history)
    pages = {name: [0, plain(document)] for name in ("p1", "p2", "sleeper")}

    def sync(name: str) -> None:
        version, json = pages[name]
        news = document.changes_since(version)
        if news is None:
            pages[name] = [document.version, plain(document)]
        else:
            patched(json, news[1])
            pages[name][0] = news[0]

    for author, edit, follows in script:
        base = pages[author][0] if author in pages else None
        before = plain(document)
        try:
            document.edit(edit, author=author, base=base)
        except (InvalidValueError, ConflictError):
            assert plain(document) == before
        msgspec.convert(plain(document), state.Document)
        assert sorted(document.state.order) == sorted(document.state.layers)
        if follows and author in pages:
            sync(author)
    for name in pages:
        sync(name)
    assert all(json == plain(document) for _, json in pages.values())
