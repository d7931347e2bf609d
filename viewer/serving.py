"""``voxelview serve FILE …``: a viewer that runs by itself, for pages and links from anywhere.

The address is printed on standard output, alone, so that programs can read it; all else goes to
standard error. It ends, in order, with Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import secrets
import signal
import socket
import stat
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from viewer.errors import InvalidValueError
from viewer.shares import TOKEN_BYTES, check_token

_LISTEN = re.compile(r"(?:(\[[0-9a-fA-F:.]+\]|[^:\[\]]+):)?([0-9]{1,5})")


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of ``"HOST:PORT"``, ``"[::1]:PORT"`` or ``"PORT"``.

    Raises
    ------
    InvalidValueError
        For anything else.
    """
    match = _LISTEN.fullmatch(text.strip())
    if match is None or int(match[2]) > 65535:
        raise InvalidValueError(
            f"--listen {text!r} is no address.", hint="As 127.0.0.1:8765; port 0 takes a free one."
        )
    return (match[1] or "127.0.0.1").strip("[]"), int(match[2])


def read_token(path: Path) -> str:
    """The token in a file; a file that is not there is made, with a new one, for its owner alone.

    Raises
    ------
    InvalidValueError
        When it cannot be read or made, or holds no token; the message does not quote it.
    """
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            token = path.read_text("utf-8").strip()
            if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
                print(f"Others on this machine may read {path}: chmod 600 {path}", file=sys.stderr)
        else:
            token = secrets.token_hex(TOKEN_BYTES)
            with os.fdopen(handle, "w") as file:
                file.write(f"{token}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"The token file {path} cannot be used: {error}.") from None
    return check_token(token)


def tunnel(port: int) -> str:
    """The command that brings the port of this machine to another one."""
    return f"ssh -L {port}:127.0.0.1:{port} {getpass.getuser()}@{socket.gethostname()}"


def serve(arguments: Sequence[str]) -> int:
    """Run ``voxelview serve``; the exit status.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``serve``.
    """
    options = _parser().parse_args(arguments)
    host, port = parse_listen(options.listen)
    token = None if options.token_file is None else read_token(options.token_file)

    import viewer
    from viewer.server import get_server
    from viewer.server.hosts import is_loopback

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    viewer.set_server(host=host, port=port)
    try:
        shown = viewer.Viewer(token=None if options.read_only else token)
        for given in options.files:
            shown.open(given, layer_type=options.layer_type)
        if len(options.files) == 1:
            shown.title = shown.layers[0].name
        url = shown.url
        if options.read_only:
            url = shown._share(token or secrets.token_hex(TOKEN_BYTES), read_only=True).url
        here = get_server().port
        if is_loopback(host):
            print(f"From another computer: {tunnel(here)}", file=sys.stderr)
        else:
            print(
                f"Warning: whoever reaches {host}:{here} and knows the address sees the data, and "
                "it travels unencrypted.\nBetter listen on this machine alone, "
                f"--listen 127.0.0.1:{here}, and run on the other computer:\n  {tunnel(here)}",
                file=sys.stderr,
            )
        print(url, flush=True)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        while not ended.wait(3600):  # without a timeout, Windows would not notice Ctrl-C
            pass
    finally:
        viewer.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voxelview serve",
        description="Keep a viewer running, for browsers and for viewer.connect in other programs.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE[:DATASET]",
        help="a file, folder or address, and which of the arrays in it; none waits for others to "
        "add data",
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:0",
        metavar="HOST:PORT",
        help="default: %(default)s, this computer alone and any port that is free",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="where the token of the address is, so that it stays the same; made when missing",
    )
    parser.add_argument("--read-only", action="store_true", help="the address is for looking only")
    parser.add_argument(
        "--layer-type", choices=["image", "labels"], help="default: what the files suggest"
    )
    return parser
