"""What has changed, step by step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from viewer.pyramids.history import REMEMBERED, TOLD, History
from viewer.space import Box


def overlaps(one: Box, other: Box) -> bool:
    return max(one.start[0], other.start[0]) < min(one.stop[0], other.stop[0])


spans = st.tuples(st.integers(0, 9), st.integers(1, 5)).map(lambda s: Box((s[0],), (sum(s),)))


@given(
    st.lists(st.tuples(st.integers(0, 2), spans), max_size=60),
    st.integers(0, 3),
    spans,
    st.integers(-1, 60),
)
def test_the_generation_of_a_place_is_that_of_the_last_step_that_touched_it(
    steps, level, place, since
):
    history = History()
    expected = 0
    for number, (coarsest, box) in enumerate(steps, 1):
        history = history.after(coarsest, box)
        if coarsest <= level and overlaps(box, place):
            expected = number
    assert history.generation == len(steps)
    assert history.generation_of(level, lambda box: overlaps(box, place)) == expected
    known = history.generation_of(level, lambda box: overlaps(box, place), since)
    assert known == expected if expected > since else known <= since
    assert len(history.told) == min(len(steps), TOLD)
    assert [step.generation for step in history.told] == list(
        range(len(steps) - len(history.told) + 1, len(steps) + 1)
    )


def test_of_what_is_long_past_the_generation_is_at_least_the_true_one():
    history = History()
    for number in range(REMEMBERED + 50):
        history = history.after(0, Box((number,), (number + 1,)))
    assert len(history.steps) == REMEMBERED
    for place in (0, 49, 50, 200):
        generation = history.generation_of(0, lambda box, place=place: box.start[0] == place)
        assert generation == max(place + 1, 50)


def test_a_step_that_changes_nothing_is_told_and_touches_nothing():
    history = History().after(0, Box((0,), (4,))).after(3, Box((0,), (0,)))
    assert [step.generation for step in history.told] == [1, 2]
    assert history.generation_of(5, lambda box: True) == 1
