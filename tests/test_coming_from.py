"""The scripts for people who come from other programs do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/coming-from.md").read_text("utf-8")
SECTIONS = {
    text.split("\n", 1)[0]: re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for text in PAGE.split("\n## ")[1:]
}


def run(section: str, folder: Path) -> str:
    """What the section's scripts print, one after the other in one process."""
    script = folder / "script.py"
    script.write_text("\n".join(SECTIONS[section]), "utf-8")
    result = subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_program_has_a_script() -> None:
    assert {name: bool(scripts) for name, scripts in SECTIONS.items()} == dict.fromkeys(
        ("CARTA", "SEAScope", "neuroglancer", "napari"), True
    )


@pytest.mark.timeout(300)
def test_carta(tmp_path: Path, client: Path) -> None:
    from astropy.io import fits
    from PIL import Image

    cube = np.arange(4 * 12 * 16, dtype=">f4").reshape(4, 12, 16)
    fits.PrimaryHDU(cube).writeto(tmp_path / "cube.fits")
    run("CARTA", tmp_path)
    first, last = (np.asarray(Image.open(tmp_path / f"channel-{n}.png")) for n in (0, 3))
    middle = (slice(250, 350), slice(350, 450))
    assert first[middle][..., 0].mean() < last[middle][..., 0].mean()


def test_seascope(tmp_path: Path) -> None:
    assert "('sst', 'mask')" in run("SEAScope", tmp_path)


def test_neuroglancer(tmp_path: Path) -> None:
    assert re.search(r"^http://127\.0\.0\.1:\d+/v/[0-9a-f]{40}/$", run("neuroglancer", tmp_path))


def test_napari(tmp_path: Path) -> None:
    run("napari", tmp_path)
