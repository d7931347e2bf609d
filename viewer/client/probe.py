"""Why a viewer cannot be reached, in words: asked once more over plain HTTP."""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from urllib.parse import urlsplit

from viewer.client.address import HINT, Address
from viewer.errors import LinkError

SECONDS = 5.0


def explain(address: Address, error: Exception) -> LinkError:
    """What was the matter when connecting failed with `error`."""
    parts = urlsplit(address.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        status, body = answer.status, answer.read(10_000)
    except http.client.HTTPException:
        return _not_a_viewer(address)
    except TimeoutError:
        return LinkError(
            f"{address} did not answer within {SECONDS:g} seconds.",
            hint="Is the viewer's Python busy or suspended, or the network slow?",
        )
    except OSError as trouble:
        return LinkError(
            f"{address} cannot be reached: {trouble.strerror or trouble}.",
            hint="Is the viewer running there, and the tunnel to it open?",
        )
    finally:
        connection.close()
    told = {}
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(body)["error"]
    if not isinstance(told, dict) or (status != 200 and "message" not in told):
        return _not_a_viewer(address)
    if status == 404:
        return LinkError(
            f"{address} does not know this token.",
            hint=f"It is wrong, has expired, or its viewer was closed. {HINT}",
        )
    if status == 200 and b"voxelview" not in body.lower():
        return _not_a_viewer(address)
    if status == 200:
        return LinkError(f"{address} answers, but the connection fails: {error}.")
    return LinkError(f"{address} refuses: {told['message']}", hint=str(told.get("hint", "")))


def _not_a_viewer(address: Address) -> LinkError:
    return LinkError(f"What answers at {address} is not a viewer.", hint=HINT)
