"""Hook of the package build: puts the built client inside the wheel as `viewer/static`.

An editable install uses `<repository>/static` and needs nothing of this.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _build_client() -> ModuleType:
    """The module `build_client` beside this file, which is on no import path."""
    path = Path(__file__).with_name("build_client.py")
    spec = importlib.util.spec_from_file_location("build_client", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ClientHook(BuildHookInterface[BuilderConfig]):
    """Builds the client when it is stale, and adds it to wheel and sdist."""

    def dependencies(self) -> list[str]:
        """Node for this build, where the client must be built and the machine has none."""
        client = _build_client()
        needed = not client.is_fresh() and client.find_node() is None
        return [client.NODE_PACKAGE] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then name the files (called by hatchling before it collects them)."""
        if version == "editable":
            return
        client = _build_client()
        client.build()
        if self.target_name == "wheel":
            for path in client.STATIC.iterdir():
                if path.name not in client.KEPT:
                    build_data["force_include"][str(path)] = f"viewer/static/{path.name}"
