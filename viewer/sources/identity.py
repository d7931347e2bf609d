"""Which data it is: a text that is the same as long as the file is.

Pyramids built once are found again by it. It comes from names, sizes and times of change alone, of
what is behind an address from what its server says of it; nothing is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER_ENTRIES = 2048
"""Files and folders of a Zarr array that are looked at: a chunk written anew shows in the time of
the folder that it is in."""

_VERSIONS = (
    "ETag",
    "Last-Modified",
    "LastModified",
    "etag",
    "last_modified",
    "updated",
    "generation",
    "mtime",
)
"""What servers and object stores say, by fsspec, of which version of a file they have."""


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


def files_identity(paths: Iterable[str | os.PathLike[str]], **details: Any) -> str | None:
    """Of data in several files, of all of them; the first stands for them by name."""
    first, *others = paths
    if not others:
        return file_identity(first, **details)
    digest = hashlib.sha256()
    try:
        for path in map(Path, others):  # of which there may be thousands
            found = path.stat()
            digest.update(f"{path.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    except OSError:
        return None
    return file_identity(first, files=len(others) + 1, digest=digest.hexdigest(), **details)


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


def address_identity(
    address: str, told: Iterable[Mapping[str, Any] | None], **details: Any
) -> str | None:
    """Of data behind an address, by what is told of each of the files that it is in.

    Parameters
    ----------
    address : str
        Kept without passwords and signatures; those that change make it another one.
    told : iterable of dict or None
        What fsspec's ``info`` says; None for a file that is not there.
    **details
        What tells it apart from other data there.

    Returns
    -------
    str or None
        None where the server does not say which version of a file it has.
    """
    versions: list[Any] = []
    for info in told:
        said = {} if info is None else {key: str(info[key]) for key in _VERSIONS if info.get(key)}
        if info is not None:
            if not said:
                return None
            said["size"] = str(info.get("size"))
        versions.append(said)
    digest = hashlib.sha256(json.dumps([address, versions]).encode()).hexdigest()
    plain = re.sub(r"//[^/@]*@", "//", address.partition("?")[0])
    return json.dumps({"address": plain, "digest": digest, **details}, sort_keys=True)
