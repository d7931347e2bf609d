"""The line on the terminal."""

from __future__ import annotations

import io
import re

from viewer.progress_bar import INTERVAL_SECONDS, ProgressBar, _spell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_task_part_and_bar_and_is_clean_afterwards() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal)
    bar.show("building", 0.5)
    assert re.fullmatch(r"\r\x1b\[Kbuilding:  50% \[#+\.+\]", terminal.getvalue())
    bar.show("building", 0.6)  # too soon: at most every tenth of a second
    assert INTERVAL_SECONDS > 0
    bar.close()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "60%" not in terminal.getvalue()


def test_a_file_is_not_written_to() -> None:
    file = io.StringIO()
    bar = ProgressBar(file)
    bar.show("building", 0.5)
    bar.close()
    assert file.getvalue() == ""


def test_the_time_left_is_spelled_for_people() -> None:
    assert [_spell(s) for s in (5, 89, 200, 6000)] == ["5 s", "89 s", "3 min", "1 h 40 min"]
