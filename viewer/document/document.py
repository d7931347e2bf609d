"""The document: the one truth about what is on screen, its versions and its order of edits.

Every party (the Viewer's own Python, each page) edits through `Document.edit`; the order in
which edits arrive here is *the* order. An edit is all or nothing. It may name the version it was
made against; then it is refused when somebody else has changed an overlapping path since, and
rebased (simply applied) when not.

States are immutable by convention (`viewer.document.patch` copies what it changes), and the pair of
version and state is replaced in one assignment: readers take no lock and never see half an edit.

What a thread edits within `Document.transaction` is a draft that it alone sees, and becomes one
edit at the end. What people may want back, `viewer.document.undo` remembers.

The history keeps paths, not values: `Document.since` says what is true *now* at every path that
changed since a version. That is what makes slow readers cheap, since a thousand moves of a
slider coalesce into one change, and it makes every reader converge whatever it has missed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from viewer.document import naming, patch, rules
from viewer.document.draft import Draft, Plan
from viewer.document.undo import Steps
from viewer.errors import ConflictError, InvalidValueError
from viewer.messages import Change
from viewer.policy import POLICY
from viewer.state import Document as State

_log = logging.getLogger("viewer")

Path = tuple[str, ...]


class Document:
    """The state of one viewer, with versions. Safe to use from any thread.

    Parameters
    ----------
    initial : viewer.state.Document, optional
        The first state; default is an empty one. It must not be altered afterwards.
    history : int, optional
        Versions kept for rebasing and `since`; default `Policy.history_versions`.
    clock : callable, optional
        Seconds, for telling one drag from the next; default `time.monotonic`.
    """

    def __init__(
        self,
        initial: State | None = None,
        *,
        history: int = POLICY.history_versions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.RLock()
        self._now: tuple[int, State] = (0, initial or State())
        self._history: deque[tuple[int, str, tuple[Path, ...]]] = deque(maxlen=history)
        self._callbacks: tuple[Callable[[], None], ...] = ()
        self._drafts = threading.local()
        self._steps = Steps(clock)

    @property
    def version(self) -> int:
        """Counts the edits that changed something, from 0."""
        return self._now[0]

    @property
    def state(self) -> State:
        """The state now. Read it, never alter it: it is shared.

        Within a `transaction` of this thread, the state as it would become.
        """
        draft = self._draft
        return self._now[1] if draft is None else draft.state

    def snapshot(self) -> tuple[int, State]:
        """Version and state that belong together, as everybody sees them."""
        return self._now

    def edit(self, changes: Sequence[Change], *, author: str, base: int | None = None) -> int:
        """Make all changes in order, or none.

        Parameters
        ----------
        changes : sequence of Change
        author : str
            ``"viewer"`` for the Viewer's own process, else the id of a page, which may not
            touch what describes the data.
        base : int, optional
            Version that the edit was made against; default is the present one.

        Returns
        -------
        int
            The version that holds the edit. An edit that changes nothing makes no new version.

        Raises
        ------
        InvalidValueError
            A path that does not exist, a value that is not allowed; the document is unchanged.
        ConflictError
            Another author changed an overlapping path since `base`, or `base` is older than
            the history; ``.present`` holds what is true now.
        """
        return self.amend(lambda _: changes, author=author, base=base)

    def amend(
        self,
        plan: Plan,
        *,
        author: str,
        base: int | None = None,
        lasting: bool = False,
    ) -> int:
        """`edit` with changes computed from the present state, with nobody in between.

        Parameters
        ----------
        plan : callable
            Takes the present state, returns the changes. Must be quick and edit nothing itself;
            within a `transaction` it is called twice.
        author, base
            As in `edit`.
        lasting : bool, default False
            Say what has happened already: it is done even if the `transaction` fails.
        """
        draft = self._draft
        if draft is not None:
            draft.add(plan, author, lasting)
            return self.version
        with self._lock:
            version, before = self._now
            changes = plan(before)
            if base is not None:
                self._refuse_stale(changes, author, base)
            after, touched = make(before, changes, author)
            if not touched:
                return version
            self._steps.note(before, after, touched, author)
            version = self._become(after, touched, author)
        self._tell()
        return version

    def rehearse(self, changes: Sequence[Change]) -> None:
        """Raise what `edit` would raise; nothing is changed."""
        make(self.state, changes, rules.VIEWER)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all edits of this thread within the block one edit, or none if it raises.

        Until its end nobody else sees them, and this thread sees nobody else's. Then they are
        made anew on what is true by then, as one version. Blocks may be nested: an inner one that
        raises takes back its own edits.

        Raises
        ------
        ViewerError
            At the end, when an edit is not possible any more (its layer was removed meanwhile);
            none is made then.
        """
        outer: Draft | None = self._draft
        if outer is not None:
            with outer.savepoint():
                yield
            return
        draft = Draft(self.snapshot()[1], make)
        self._drafts.present = draft
        try:
            yield
        except BaseException:
            self._drafts.present = None
            draft.lasting_only()
            self._make_draft(draft)
            draft.end(made=False)
            raise
        self._drafts.present = None
        try:
            self._make_draft(draft)
        except BaseException:
            draft.end(made=False)
            raise
        draft.end(made=True)

    def afterwards(self, done: Callable[[bool], None]) -> None:
        """Call `done` when this thread's `transaction` has ended, with whether it was made.

        Without one, at once, with True.
        """
        draft = self._draft
        if draft is None:
            done(True)
        else:
            draft.ended.append(done)

    def undo(self, *, author: str, redo: bool = False) -> str | None:
        """Take back what was done last, by anybody; see `viewer.document.undo` for what counts.

        Parameters
        ----------
        author : str
            Who wants it.
        redo : bool, default False
            Do again what was taken back last.

        Returns
        -------
        str or None
            What was taken back; None when there was nothing.
        """
        if self._draft is not None:
            raise InvalidValueError(
                "A txn() cannot undo or redo.", hint="Do it before or after the with block."
            )
        with self._lock:
            for step in self._steps.take(redo):
                before = self._now[1]
                what = step.describe(before)
                try:
                    after, touched = make(before, step.changes(before, redo), rules.VIEWER)
                except InvalidValueError:
                    continue  # what it would restore has become impossible since
                if touched:
                    self._become(after, touched, author)
                    self._steps.give(step, redo)
                    break
            else:
                return None
        self._tell()
        return what

    @property
    def _draft(self) -> Draft | None:
        return getattr(self._drafts, "present", None)

    def _make_draft(self, draft: Draft) -> None:
        """Make the edits of a draft anew, as one."""
        with self._lock:
            before = after = self._now[1]
            all_touched: list[Path] = []
            author = rules.VIEWER
            for plan, author, _ in draft.plans:
                after, touched = make(after, plan(after), author)
                all_touched += touched
            if not all_touched or before == after:
                return
            self._steps.note(before, after, all_touched, author)
            self._become(after, all_touched, author)
        self._tell()

    def _become(self, after: State, touched: Sequence[Path], author: str) -> int:
        version = self._now[0] + 1
        self._history.append((version, author, tuple(shortest(touched))))
        self._now = (version, after)
        return version

    def _tell(self) -> None:
        for callback in self._callbacks:
            try:
                callback()
            except Exception:  # one listener's bug must not undo or hide an edit that was made
                _log.exception("A listener of the document failed.")

    def since(self, version: int) -> list[Change] | None:
        """What to change in the state of `version` to get the present one.

        Parameters
        ----------
        version : int

        Returns
        -------
        list of Change or None
            Newest values, each path once and none inside another, so in any order. None when
            `version` is older than the history (or never was): take a snapshot.
        """
        changes = self.changes_since(version)
        return None if changes is None else changes[1]

    def changes_since(self, version: int) -> tuple[int, list[Change]] | None:
        """`since` together with the version that the changes lead to."""
        with self._lock:
            now, current = self._now
            if not now - len(self._history) <= version <= now:
                return None
            paths = [p for v, _, touched in self._history if v > version for p in touched]
        return now, [patch.present(current, path) for path in shortest(paths)]

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after every edit that changed something.

        Parameters
        ----------
        callback : callable
            Without arguments; runs on the editing thread, outside the lock, and must be quick.

        Returns
        -------
        callable
            Ends the subscription; may be called twice.
        """

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks = tuple(c for c in self._callbacks if c is not token)

        def token() -> None:  # so that the same callback may be subscribed twice
            callback()

        with self._lock:
            self._callbacks = (*self._callbacks, token)
        return unsubscribe

    def _refuse_stale(self, changes: Sequence[Change], author: str, base: int) -> None:
        version, current = self._now
        if base > version:
            raise InvalidValueError(
                f"base={base} is newer than the document, version {version}.",
                hint="Take a new snapshot.",
            )
        stale = base < version - len(self._history)
        clash = stale or any(
            patch.overlap(path, change.path)
            for v, other, paths in self._history
            if v > base and other != author
            for path in paths
            for change in changes
        )
        if clash:
            what = ", ".join(naming.call(tuple(change.path), current) for change in changes[:4])
            reason = "is older than the history" if stale else "was overtaken by another edit"
            raise ConflictError(
                f"The edit of {what} against version {base} {reason}.",
                hint="Look at what is there now, and change that.",
                present=[
                    patch.present(current, path)
                    for path in shortest(tuple(c.path) for c in changes)
                ],
            )


def make(before: State, changes: Sequence[Change], author: str) -> tuple[State, list[Path]]:
    """The state after an edit, and the paths where it differs, derived ones included.

    Raises
    ------
    InvalidValueError
        For a change that is not possible, or not allowed to this author.
    """
    after = before
    touched: list[Path] = []
    for change in changes:
        if author != rules.VIEWER:
            rules.admit(after, change, author)
        changed = patch.put(after, change)
        if changed is not after:
            touched.append(tuple(change.path))
        after = changed
    if not touched:
        return before, []
    followed = rules.follow(before, after, touched)
    touched += _differences(after, followed)
    rules.check(followed, touched)
    return followed, touched


def shortest(paths: Iterable[Path]) -> list[Path]:
    """`paths` without those that lie inside another one, each once, in order of first mention."""
    known = dict.fromkeys(paths)
    return [p for p in known if not any(p[:depth] in known for depth in range(1, len(p)))]


def _differences(before: State, after: State) -> list[Path]:
    """Paths of the derived fields in which two states differ."""
    paths: list[Path] = [
        (field,) for field in ("order", "active") if getattr(before, field) != getattr(after, field)
    ]
    return paths + [
        ("view", field)
        for field in ("center", "layout", "sliders", "position", "camera")
        if getattr(before.view, field) != getattr(after.view, field)
    ]
