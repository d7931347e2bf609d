"""A turn of the loop has time for so much, and the next one again."""

from __future__ import annotations

import asyncio

from viewer.server.turns import Turn


def test_a_turn_has_time_until_it_is_used_up_and_the_next_one_again() -> None:
    async def ask() -> list[bool]:
        turn = Turn(0.01)
        answers = [turn.has_time()]
        while turn.has_time():
            pass
        answers.append(turn.has_time())
        await asyncio.sleep(0)
        return [*answers, turn.has_time()]

    assert asyncio.run(ask()) == [True, False, True]
