"""What a page says on the brick stream; `viewer.bricks` tells what it means."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_Number = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
_Bytes = Annotated[int, Meta(ge=0)]


class Open(msgspec.Struct, tag_field="type", tag="open", forbid_unknown_fields=True):
    """From now on `volume` is this layer at these indices of its leading axes."""

    volume: _Number
    layer: str
    point: list[Annotated[int, Meta(ge=0)]]


class Close(msgspec.Struct, tag_field="type", tag="close", forbid_unknown_fields=True):
    """`volume` means nothing any more."""

    volume: _Number


class Want(msgspec.Struct, tag_field="type", tag="want", forbid_unknown_fields=True):
    """All bricks wanted now, best first, five numbers each; `taken` as in `Credit`."""

    generation: int
    taken: _Bytes
    bricks: list[_Number]


class Narrow(msgspec.Struct, tag_field="type", tag="narrow", forbid_unknown_fields=True):
    """The way to the page is narrow: this many bytes at first."""

    bytes: _Bytes


class Credit(msgspec.Struct, tag_field="type", tag="credit", forbid_unknown_fields=True):
    """The page has taken so many bytes of brick messages in all."""

    taken: _Bytes


decode_request = msgspec.json.Decoder(Open | Close | Want | Credit | Narrow).decode
