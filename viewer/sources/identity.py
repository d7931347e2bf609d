"""Which data it is: a text that is the same as long as the file is.

Pyramids built once are found again by it. It comes from names, sizes and times of change alone;
nothing is read.
"""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import Any

FOLDER_ENTRIES = 2048
"""Files and folders of a Zarr array that are looked at: a chunk written anew shows in the time of
the folder that it is in."""


def file_identity(path: str | os.PathLike[str] | None, **details: Any) -> str | None:
    """Of data in a file, told apart from other data in it by `details`; None without a file."""
    if path is None:
        return None
    try:
        real = Path(path).resolve(strict=True)
        found = real.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    stamp = {"path": str(real), "size": found.st_size, "changed": found.st_mtime_ns, **details}
    return json.dumps(stamp, sort_keys=True)


def folder_identity(path: str | os.PathLike[str] | None, **details: Any) -> str | None:
    """Of data in a folder of many files: by the newest of its parts, within a bound."""
    if path is None:
        return None
    try:
        real = Path(path).resolve(strict=True)
        newest, seen = real.stat().st_mtime_ns, 0
        waiting = deque([str(real)])
        while waiting and seen < FOLDER_ENTRIES:
            with os.scandir(waiting.popleft()) as entries:
                for entry in entries:
                    seen += 1
                    newest = max(newest, entry.stat(follow_symlinks=False).st_mtime_ns)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if seen >= FOLDER_ENTRIES:
                        break
    except (OSError, ValueError, RuntimeError):
        return None
    return json.dumps({"path": str(real), "changed": newest, **details}, sort_keys=True)
