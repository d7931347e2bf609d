"""As much is on its way as the page takes, by a simulated network."""

from __future__ import annotations

import pytest

from viewer.server.brick_flow import Flow

MIB = 1 << 20
PIECE = 1 << 18


def transfer(flow: Flow, total: int, rate: float, delay: float, start: float = 0.0) -> float:
    """Send `total` bytes to a page `delay` seconds of round trip away that takes `rate` a second.

    Returns when the last has been taken.
    """
    now, left, free_at = start, total, start
    sent = taken = flow.sent(0, start)
    due: list[float] = []
    while left or due:
        while left and flow.on_the_way + PIECE <= flow.window:
            sent = flow.sent(PIECE, now)
            left -= PIECE
            free_at = max(free_at, now + delay / 2) + PIECE / rate
            due.append(free_at + delay / 2)
        now = due.pop(0)
        taken += PIECE
        flow.taken(taken, now)
    assert taken == sent
    return now


@pytest.mark.parametrize("delay", [0.001, 0.05, 0.2])
def test_a_fast_network_is_kept_busy(delay: float) -> None:
    rate = 200e6
    flow = Flow(4 * MIB, MIB // 2, 128 * MIB)
    begin = transfer(flow, 128 * MIB, rate, delay)
    seconds = transfer(flow, 256 * MIB, rate, delay, begin) - begin
    assert seconds < 1.1 * (256 * MIB / rate) + 2 * delay


@pytest.mark.parametrize("delay", [0.001, 0.05, 0.2])
def test_little_waits_in_a_slow_network(delay: float) -> None:
    rate = 10e6
    flow = Flow(4 * MIB, MIB // 2, 128 * MIB)
    transfer(flow, 32 * MIB, rate, delay)
    assert flow.window < rate * (2 * delay + 0.25)


def test_a_page_that_wants_little_says_nothing_about_the_network() -> None:
    flow = Flow(4 * MIB, MIB // 2, 64 * MIB)
    for second in range(100):
        flow.taken(flow.sent(1000, second), second + 0.05)
    assert flow.window >= 4 * MIB


def test_bounds_are_kept() -> None:
    flow = Flow(4 * MIB, MIB, 8 * MIB)
    transfer(flow, 64 * MIB, 1e9, 0.2)
    assert flow.window == 8 * MIB
    slow = Flow(4 * MIB, MIB, 8 * MIB)
    transfer(slow, 16 * MIB, 1e6, 0.001)
    assert slow.window == MIB


def test_what_was_never_sent_cannot_be_taken() -> None:
    flow = Flow(4 * MIB, MIB, 8 * MIB)
    flow.sent(100, 0.0)
    flow.taken(10**9, 1.0)
    assert flow.on_the_way == 0
    flow.sent(100, 2.0)
    assert flow.on_the_way == 100


def test_less_is_sent_at_first_on_a_way_that_is_said_to_be_narrow() -> None:
    flow = Flow(8 * MIB, MIB // 2, 64 * MIB)
    flow.narrow(MIB)
    assert flow.window == MIB
    flow.taken(flow.sent(1000, 0.0), 0.1)  # too little to tell anything about the network
    assert flow.window == MIB
    transfer(flow, 64 * MIB, 200e6, 0.05, 1.0)
    assert flow.window > 8 * MIB  # and so it was not narrow


def test_what_was_measured_is_known_better() -> None:
    flow = Flow(8 * MIB, MIB // 2, 64 * MIB)
    transfer(flow, 64 * MIB, 200e6, 0.05)
    window = flow.window
    flow.narrow(MIB)
    assert flow.window == window
