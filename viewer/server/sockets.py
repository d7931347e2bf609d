"""Listening: the sockets of an address, before anything is accepted from them."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from viewer.errors import InvalidValueError

BACKLOG = 128
"""Connections that the kernel holds until they are accepted."""

Guest = tuple[socket.socket, Any]
"""An accepted connection, and the address it comes from."""


def check_port(port: int) -> None:
    """Raise `InvalidValueError` unless `port` can be one."""
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise InvalidValueError(f"port={port!r} is no port.", hint="Use 0 (any) to 65535.")


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of `host`, all on one port.

    Raises
    ------
    InvalidValueError
        When that cannot be; names host and port.
    """
    check_port(port)
    sockets: list[socket.socket] = []
    trouble: OSError | None = None
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        addresses, trouble = [], error
    for family, kind, protocol, _, address in addresses:
        chosen = port or (sockets[0].getsockname()[1] if sockets else 0)
        try:
            sockets.append(_listen(family, kind, protocol, (address[0], chosen, *address[2:])))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                trouble = error
                break
            trouble = trouble or error  # "localhost" where IPv6 is off: the other address will do
    else:
        if sockets:
            return sockets
    for listening in sockets:
        listening.close()
    reason = trouble.strerror if trouble is not None and trouble.strerror else trouble
    raise InvalidValueError(
        f"Cannot listen on port {port} of {host!r}: {reason}.",
        hint="Choose another by viewer.set_server(host=…, port=…), or --port; 0 takes a free one.",
    )


def _listen(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":  # there it would let two programs share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
