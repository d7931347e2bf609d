"""The edits of a ``with v.txn():`` block before they are made.

A draft is a list of plans (functions from the state to changes) and the state that they lead to,
which only the thread in the block sees. At its end the document calls the plans again, one by one,
on the state as it is by then: what others have done meanwhile stays, and ``layers.move`` moves
among the layers that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from viewer.messages import Change
from viewer.state import Document as State

Plan = Callable[[State], Sequence[Change]]

Make = Callable[[State, Sequence[Change], str], tuple[State, list[tuple[str, ...]]]]
"""`viewer.document.document.make`."""


class Draft:
    """What one thread has edited, and nobody else has seen.

    Parameters
    ----------
    state : State
        Where it begins.
    make : callable
        Makes an edit.
    """

    def __init__(self, state: State, make: Make) -> None:
        self.state = state
        self.plans: list[tuple[Plan, str, bool]] = []
        """Plan, author, and whether it lasts when the rest fails."""
        self.ended: list[Callable[[bool], None]] = []
        self._make = make

    def add(self, plan: Plan, author: str, lasting: bool) -> None:
        """One edit more; raises, and leaves all as it was, when it is not possible."""
        self.state, _ = self._make(self.state, plan(self.state), author)
        self.plans.append((plan, author, lasting))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back what is added within the block if it raises."""
        state, count, told = self.state, len(self.plans), len(self.ended)
        try:
            yield
        except BaseException:
            lasting = [entry for entry in self.plans[count:] if entry[2]]
            ended = self.ended[told:]
            self.state = state
            del self.plans[count:], self.ended[told:]
            for entry in lasting:
                self.add(*entry)
            for done in reversed(ended):
                done(False)
            raise

    def lasting_only(self) -> None:
        """Forget all that does not last."""
        self.plans = [entry for entry in self.plans if entry[2]]

    def end(self, *, made: bool) -> None:
        """Tell everybody who wanted to know."""
        ended, self.ended = self.ended, []
        for done in ended if made else reversed(ended):
            done(made)
