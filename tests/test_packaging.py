"""The package as others get it: wheel and sdist with the client inside, no Node needed."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

QUOTA_BYTES = 150 * 1024
"""Compressed, of everything that a page needs before its first picture."""

SERVES = """
import re, urllib.request
import viewer

assert "site-packages" in viewer.__file__, viewer.__file__
get = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
v = viewer.Viewer()
page = get(v.url).read().decode()
files = re.findall(r'(?:src|href)="\\./([^"]+)"', page)
assert any(name.endswith(".js") for name in files), page
for name in files:
    assert get(v.url + name).read(), name
viewer.stop()
print("served", viewer.__version__)
"""


def build(project: Path, target: str, folder: Path, path: str | None = None) -> Path:
    """Build wheel or sdist of `project` with the hatchling of this environment."""
    environment = {**os.environ, "PATH": path} if path is not None else None
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    (made,) = folder.iterdir()
    return made


def members(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def wheel(client: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def pathless(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which there is no Node, nor anything else."""
    return str(tmp_path_factory.mktemp("bin"))


def test_wheel_carries_the_built_client(wheel: Path, client: Path) -> None:
    built = {p.relative_to(client).as_posix() for p in client.rglob("*") if p.is_file()}
    built.discard("README.md")
    assert "index.html" in built
    assert {f"viewer/static/{name}" for name in built} <= members(wheel)


def test_client_is_small_and_needs_no_other_server(client: Path) -> None:
    page = (client / "index.html").read_text("utf-8")
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert files
    assert all(name.startswith("./") for name in files)
    total = sum(len(gzip.compress((client / name).read_bytes())) for name in ["index.html", *files])
    assert total <= QUOTA_BYTES


def test_wheel_carries_nothing_but_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in members(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"viewer"}


def test_sdist_builds_the_same_wheel_without_node(
    wheel: Path, pathless: str, tmp_path: Path
) -> None:
    (tmp_path / "sdist").mkdir()
    archive = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    project = tmp_path / archive.name.removesuffix(".tar.gz")
    assert not (project / "frontend" / "node_modules").exists()
    (tmp_path / "wheel").mkdir()
    again = build(project, "wheel", tmp_path / "wheel", path=pathless)
    assert members(again) == members(wheel)


@pytest.mark.timeout(300)
def test_wheel_serves_the_page_in_an_empty_environment(
    wheel: Path, pathless: str, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv")
    folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = shutil.which("python", path=str(folder))
    assert python is not None
    # bytecode of all of numba and scipy would take longer than the rest of this test
    pip = [sys.executable, "-m", "pip", "--python", python]
    subprocess.run([*pip, "install", "--quiet", "--no-compile", str(wheel)], check=True)
    environment = {**os.environ, "PATH": pathless, "PYTHONPATH": ""}
    result = subprocess.run(
        [python, "-I", "-c", SERVES], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("served ")
