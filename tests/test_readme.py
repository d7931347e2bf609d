"""The README's code and the example do what they say."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
QUIET = {**os.environ, "VOXELVIEW_HEADLESS": "1", "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def test_code_of_the_readme_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks).replace("8765", str(free_port())), "utf-8")
    result = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=QUIET, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert re.search(r"^http://127\.0\.0\.1:\d+/v/[0-9a-f]{40}/$", result.stdout, re.MULTILINE)


def test_tunnel_of_the_readme_names_the_port_of_its_example() -> None:
    port = re.search(r"set_server\(port=(\d+)\)", README)
    assert port is not None
    assert f"ssh -L {port[1]}:127.0.0.1:{port[1]} user@host" in README


@pytest.mark.parametrize("target", re.findall(r"\]\(((?!https?:)[^)#]+)", README))
def test_links_of_the_readme_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_example_leaves_viewer_image_and_cells_at_the_prompt() -> None:
    result = subprocess.run(
        [sys.executable, "-i", "example.py"],
        cwd=ROOT,
        env=QUIET,
        input="print(v.url, image.name, cells.name, len(cells.selected) > 3)\n",
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert re.search(r"^http\S+/ membranes and nuclei cells True$", result.stdout, re.MULTILINE)
