"""What is kept of data shown, and within which bounds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import viewer
from viewer.errors import InvalidValueError
from viewer.policy import MIB
from viewer.pyramids import shelf
from viewer.pyramids.stored import lock_folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder."""
    monkeypatch.setenv("VOXELVIEW_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def shelve(folder: Path, name: str, size: int, used: float) -> Path:
    path = folder / f"{name}.zarr"
    path.mkdir(parents=True)
    (path / "1").write_bytes(bytes(size))
    about = {"identity": "", "source": name, "kind": "image", "dtype": "uint8", "first": 1}
    more: dict[str, Any] = {"shapes": [[9]], "blocks": [[9]], "complete": True, "bytes": size}
    (path / "voxelview.json").write_text(json.dumps({**about, **more}))
    os.utime(path / "voxelview.json", (used, used))
    return path


@pytest.fixture
def _limits() -> Iterator[None]:
    before = viewer.cache_info()
    yield
    viewer.set_cache_limit(memory=before.memory_limit, disk=before.disk_limit)


@pytest.mark.usefixtures("_limits")
def test_the_least_recently_used_pyramids_go_first_but_none_in_use(folder):
    paths = [shelve(folder, name, 1000, used) for used, name in enumerate("abcd", 1)]
    info = viewer.cache_info()
    assert info.folder == folder
    assert [kept.source for kept in info.pyramids] == ["d", "c", "b", "a"]
    assert info.disk_bytes == 4000
    with lock_folder(paths[0], exclusive=False):
        viewer.set_cache_limit(disk=2500)
        assert [path.exists() for path in paths] == [True, False, False, True]
    viewer.set_cache_limit(disk=1000)
    assert [path.exists() for path in paths] == [False, False, False, True]
    viewer.clear_cache()
    assert not any(folder.glob("*.zarr"))


@pytest.mark.usefixtures("_limits")
def test_the_budget_in_memory_can_be_changed():
    viewer.set_cache_limit(memory=5 * MIB)
    assert viewer.cache_info().memory_limit == 5 * MIB
    with pytest.raises(InvalidValueError, match="memory=-1"):
        viewer.set_cache_limit(memory=-1)


def test_without_a_name_the_folder_is_the_systems(monkeypatch, tmp_path):
    monkeypatch.delenv("VOXELVIEW_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert shelf.cache_folder() == tmp_path / "voxelview"
    assert shelf.cache_info().pyramids == () or sys.platform != "linux"
