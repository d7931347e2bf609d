"""What a benchmark finds: how ours compares with something else, and what we aim for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One comparison of medians."""

    name: str
    ours: float
    other: float
    unit: str
    against: str
    target: float | None = None
    """The largest ratio ours / other that we are content with (for times), None without one."""
    least: float | None = None
    """The smallest ratio ours / other that we are content with (for rates), None without one."""

    @property
    def ratio(self) -> float:
        return self.ours / self.other

    @property
    def goal(self) -> str:
        """What we aim for, and whether it is met."""
        if self.target is not None:
            return f"≤ {self.target:.3g} {'ok' if self.ratio <= self.target else 'MISSED'}"
        if self.least is not None:
            return f"≥ {self.least:g} {'ok' if self.ratio >= self.least else 'MISSED'}"
        return ""


@dataclass(frozen=True)
class Skipped:
    """A comparison that could not be made, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Figure:
    """Something measured that is compared with nothing."""

    name: str
    text: str


def middle(values: list[float]) -> float:
    return float(median(values))


def print_table(rows: Sequence[Row | Skipped | Figure]) -> None:
    """Print rows aligned, one a line, for times ratios below 1 meaning that ours is faster."""
    head = ("what", "ours", "other", "against", "ours/other", "target")
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        if isinstance(row, Skipped):
            lines.append((row.name, "-", "-", row.reason, "-", ""))
            continue
        if isinstance(row, Figure):
            continue
        lines.append(
            (
                row.name,
                f"{row.ours:.1f} {row.unit}",
                f"{row.other:.1f} {row.unit}",
                row.against,
                f"{row.ratio:.3g}",
                row.goal,
            )
        )
    for row in rows:
        if isinstance(row, Figure):
            print(f"{row.name}: {row.text}")
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
