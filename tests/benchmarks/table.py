"""What a benchmark finds: how ours compares with something else, and what we aim for."""

from __future__ import annotations

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

    @property
    def ratio(self) -> float:
        return self.ours / self.other


@dataclass(frozen=True)
class Skipped:
    """A comparison that could not be made, and why."""

    name: str
    reason: str


def middle(values: list[float]) -> float:
    return float(median(values))


def print_table(rows: list[Row | Skipped]) -> None:
    """Print rows aligned, one a line, ratios below 1 meaning that ours is faster."""
    head = ("what", "ours", "other", "against", "ours/other", "target")
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        if isinstance(row, Skipped):
            lines.append((row.name, "-", "-", row.reason, "-", ""))
            continue
        target = "" if row.target is None else f"≤ {row.target:g}"
        met = "" if row.target is None else (" ok" if row.ratio <= row.target else " MISSED")
        lines.append(
            (
                row.name,
                f"{row.ours:.1f} {row.unit}",
                f"{row.other:.1f} {row.unit}",
                row.against,
                f"{row.ratio:.2f}",
                target + met,
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
