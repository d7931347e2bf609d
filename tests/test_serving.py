"""``voxelview serve`` keeps a viewer running for others."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import viewer
from viewer import errors
from viewer.serving import parse_listen, read_token


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves, and its address."""
    command = [sys.executable, "-m", "viewer", "serve", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload]
    try:
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "volume.npy"
    np.save(path, np.zeros((4, 5, 6), np.uint8))
    return str(path)


@pytest.mark.skipif(os.name != "posix", reason="signals and modes of POSIX")
def test_it_serves_until_it_is_told_to_end(file: str, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    for number, ending in enumerate((signal.SIGTERM, signal.SIGINT)):
        with served(file, "--token-file", str(token_file)) as (process, url):
            token = token_file.read_text("utf-8").strip()
            assert url.endswith(f"/v/{token}/")
            with viewer.connect(url.split("/v/")[0], token=token, timeout=30) as link:
                assert link.layers.names == ("volume",)
                link.add_labels(np.ones((4, 5, 6), np.uint8), name=f"cells {number}")
            process.send_signal(ending)
            _, told = process.communicate(timeout=30)
            assert process.returncode == 0
            port = re.search(r":(\d+)/", url)
            assert port is not None
            assert f"ssh -L {port[1]}:127.0.0.1:{port[1]} " in told
            assert "Warning" not in told and "Traceback" not in told
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


def test_read_only_lets_nobody_change_anything(file: str) -> None:
    with (
        served(file, "--read-only") as (_, url),
        viewer.connect(url, timeout=30) as link,
        pytest.raises(errors.ReadOnlyError),
    ):
        link.title = "?"


def test_other_addresses_are_warned_of() -> None:
    with served("--listen", "0.0.0.0:0") as (process, url):
        process.terminate()
        _, told = process.communicate(timeout=30)
        assert "unencrypted" in told
        assert re.search(r"^  ssh -L (\d+):127\.0\.0\.1:\1 \S+@\S+$", told, re.MULTILINE)
        assert url


def test_mistakes_are_told_in_a_line(tmp_path: Path) -> None:
    weak = tmp_path / "weak"
    weak.write_text("hunter2")
    weak.chmod(0o600)
    for arguments in (["--listen", "here"], ["--token-file", str(weak)], [str(tmp_path / "none")]):
        command = [sys.executable, "-m", "viewer", "serve", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50)
        assert done.returncode == 2
        assert done.stderr.startswith("voxelview: ") and "Traceback" not in done.stderr
        assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8765", ("127.0.0.1", 8765)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:80", ("::1", 80)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "host:99999", "::1:80", ":1"])
def test_other_text_is_no_address(text: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="--listen"):
        parse_listen(text)


def test_the_same_token_is_read_again(tmp_path: Path) -> None:
    assert read_token(tmp_path / "token") == read_token(tmp_path / "token")
    with pytest.raises(errors.InvalidValueError, match="cannot be used"):
        read_token(tmp_path)
