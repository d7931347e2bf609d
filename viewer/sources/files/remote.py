"""Files behind addresses (``https://``, ``s3://``, …), read by fsspec in parts.

Only the parts that are looked at travel, where the server gives parts of files; where it does not,
that is said, and nobody downloads a file unasked.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from viewer.errors import SourceError
from viewer.sources.files.opened import load_extra

BLOCK_BYTES = 1 << 20
"""Bytes fetched at once of a file that is read here and there."""

BLOCKS = 64
"""Blocks that are kept of it."""

_LIBRARIES = {"http": "aiohttp", "https": "aiohttp", "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
"""Protocols and the library that fsspec needs for each."""

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)


def is_remote(path: str) -> bool:
    """Whether a path is an address."""
    return "://" in path


def load_options(path: str) -> dict[str, Any]:
    """What fsspec needs to open an address, with the library for it loaded.

    Raises
    ------
    MissingExtraError
        When that is not installed.
    """
    protocol = path.partition("://")[0]
    load_extra("fsspec", "remote", f"{protocol}:// addresses")
    if protocol in _LIBRARIES:
        library = _LIBRARIES[protocol]
        load_extra(library, "remote", f"{protocol}:// addresses", alone=library == "gcsfs")
    # connections of its own, since they are closed with the layers
    options: dict[str, Any] = {"skip_instance_cache": True}
    if protocol == "s3" and not _has_credentials():
        options["anon"] = True  # as public data wants it
    return options


def _has_credentials() -> bool:
    """Whether the user has an account with S3, or says how it is reached: then that is used."""
    import fsspec

    said = fsspec.config.conf.get("s3", {})
    return (
        any(name in os.environ for name in _CREDENTIALS)
        or any(name in said for name in ("key", "profile", "anon", "session"))
        or any(Path(f"~/.aws/{name}").expanduser().exists() for name in ("credentials", "config"))
    )


class RemoteFile:
    """A file behind an address, and the connections to it.

    Parameters
    ----------
    path : str
        The address.

    Attributes
    ----------
    size : int
        Bytes.
    told : dict
        What the server says of it, by fsspec's ``info``.

    Raises
    ------
    SourceError
        When it is not there, may not be read, or is not given in parts.
    """

    def __init__(self, path: str) -> None:
        from fsspec.core import url_to_fs

        self.path = path
        options = load_options(path)
        self._system, self._inside = url_to_fs(path, **options)
        self._opened: list[Any] = []
        self._known: dict[str, Any] = {}
        reason = ""
        try:
            with self._system.open(self._inside, "rb", cache_type="none") as file:
                self.size = int(file.size or 0)
                file.seek(1)
                file.read(1)
            self.told: dict[str, Any] = dict(self._system.info(self._inside))
        except FileNotFoundError as error:
            reason = "unreached" if is_unreached(error) else "gone"
        except PermissionError:
            reason = "refused"
        except ValueError:  # a stream, or the whole file where a part was asked for
            reason = "whole"
        except BaseException:
            self.close()
            raise
        if reason:
            self.close()
            raise _trouble(path, reason)
        if path.startswith(("http://", "https://")):
            self._known = {"size": self.size}  # is not asked for again

    def open(self) -> Any:
        """A binary file object that seeks; closed with this."""
        file = self._system.open(
            self._inside,
            "rb",
            block_size=BLOCK_BYTES,
            cache_type="blockcache",
            cache_options={"maxblocks": BLOCKS},
            **self._known,
        )
        self._opened.append(file)
        return file

    def read(self, starts: list[int], stops: list[int]) -> list[bytes]:
        """Parts of the file, fetched at the same time; from any thread."""
        names = [self._inside] * len(starts)
        found: list[bytes] = self._system.cat_ranges(names, starts, stops, on_error="raise")
        return found

    def close(self) -> None:
        """Close the connections."""
        for file in self._opened:
            file.close()
        end_session(self._system)


def end_session(system: Any) -> None:
    """Close the connections to a web server or object store, which fsspec keeps open."""
    from fsspec.asyn import sync

    for connection in connections_of(system):
        sync(system.loop, connection.close)


def connections_of(system: Any) -> list[Any]:
    """What is to be closed, on its own event loop, of a file system of fsspec."""
    found = [getattr(system, name, None) for name in ("_session", "_s3")]
    return [one for one in found if hasattr(one, "close")]


def _trouble(path: str, reason: str) -> SourceError:
    if reason == "gone":
        return SourceError(
            f"There is no file at {path}, or it may not be read.", hint="Check the address."
        )
    if reason == "refused":
        return refused(path)
    if reason == "unreached":
        return unreached(path)
    return SourceError(
        f"The server of {path} gives the whole file only, not parts of it.",
        hint="Download the file and open it from the disk.",
    )


def is_unreached(error: BaseException | None) -> bool:
    """Whether an error, or one that it came of, is of the way to a server."""
    while error is not None:
        if isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)):
            return True
        if "Connect" in type(error).__name__:  # of aiohttp, botocore
            return True
        error = error.__cause__ or error.__context__
    return False


def unreached(path: str) -> SourceError:
    """The error for an address whose server does not answer."""
    return SourceError(
        f"The server of {path} cannot be reached.", hint="Check the address, and the network."
    )


def refused(path: str) -> SourceError:
    """The error for an address that may not be read."""
    hint = "Check the address; what is private needs the right to read it."
    if path.startswith("s3://"):
        hint = (
            "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; public data is read "
            "without, if none of them is set."
        )
    return SourceError(f"{path} may not be read: access is refused.", hint=hint)
