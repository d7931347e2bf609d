"""What docs/wire.md says about steering a viewer by hand is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.client import connect

import viewer

WIRE = (Path(__file__).parents[1] / "docs" / "wire.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", WIRE, re.MULTILINE | re.DOTALL)


def test_a_program_of_thirty_lines_steers_a_viewer(viewer_: viewer.Viewer, tmp_path: Path) -> None:
    image = viewer_.add_image(np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6), name="image")
    script = tmp_path / "steer.py"
    script.write_text(BLOCKS[0], "utf-8")
    lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
    assert len(lines) <= 35
    assert set(re.findall(r"^(?:import|from) (\w+)", BLOCKS[0], re.MULTILINE)) == {
        *("json", "sys", "websockets")
    }
    command = [sys.executable, str(script), viewer_.url, "image"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    accepted, sampled = done.stdout.splitlines()
    assert accepted.strip() == "accepted"
    assert sampled == "{'$tuple': [0.0, 119.0]}"
    assert image.colormap == "magma"
    assert image.contrast_limits == (10.0, 200.0)


def test_an_array_is_sent_by_hand(viewer_: viewer.Viewer) -> None:
    pytest.importorskip("msgpack")
    with connect(viewer_.url.replace("http", "ws", 1) + "ws", max_size=None) as socket:

        def send(message: object) -> None:
            socket.send(json.dumps(message))

        exec(BLOCKS[1], {"socket": socket, "send": send})
        while (message := json.loads(socket.recv(timeout=30)))["type"] != "reply":
            pass
    assert message.get("notice") is None
    assert message["result"] == {"$layer": "l1"}
    assert viewer_.layers[0].shape == (64, 512, 512)
