"""How a Zarr array's chunks are stored, said in Zarr v3's words, so that they can be handed on.

Format 3 says it itself. Format 2 knows the same compressors under other names, so that most of its
chunks can be read as chunks of format 3 too: only the metadata differs.
"""

from __future__ import annotations

import math
from typing import Any

from viewer.sources.protocol import Storage

COMPRESSORS = ("blosc", "crc32c", "gzip", "zstd")
"""Codecs from bytes to bytes that all readers of Zarr v3 know."""

_KNOWN = ("bytes", "transpose", *COMPRESSORS)
_SHUFFLES = {0: "noshuffle", 1: "shuffle", 2: "bitshuffle"}


def plan_storage(array: Any) -> Storage | None:
    """How the chunks of a zarr.Array are stored; None where others could not decode them.

    Shards are not handed on: one holds many chunks, and is read in parts.
    """
    said = array.metadata.to_dict()
    return _plan_v3(said) if said["zarr_format"] == 3 else _plan_v2(said, array.dtype)


def _plan_v3(said: dict[str, Any]) -> Storage | None:
    grid = said["chunk_grid"]
    codecs = tuple(_plain(codec) for codec in said["codecs"])
    if (
        grid["name"] != "regular"
        or any(codec["name"] not in _KNOWN for codec in codecs)
        or said.get("storage_transformers")
    ):
        return None
    return Storage(
        tuple(grid["configuration"]["chunk_shape"]), codecs, fill_value=_fill(said["fill_value"])
    )


def _plan_v2(said: dict[str, Any], dtype: Any) -> Storage | None:
    if said.get("filters") or said["order"] != "C":
        return None
    endian = {"endian": "big" if dtype.byteorder == ">" else "little"}
    codecs: list[dict[str, Any]] = [{"name": "bytes", "configuration": endian}]
    compressor = said["compressor"]
    if compressor is not None:
        config = compressor if isinstance(compressor, dict) else compressor.get_config()
        codec = _compressor(config, dtype.itemsize)
        if codec is None:
            return None
        codecs.append(codec)
    fill = said["fill_value"]
    return Storage(
        tuple(said["chunks"]), tuple(codecs), fill_value=_fill(0 if fill is None else fill)
    )


def _compressor(config: dict[str, Any], itemsize: int) -> dict[str, Any] | None:
    match config.get("id"):
        case "gzip":
            return {"name": "gzip", "configuration": {"level": config.get("level", 1)}}
        case "zstd":
            settings = {
                "level": config.get("level", 0),
                "checksum": bool(config.get("checksum", False)),
            }
            return {"name": "zstd", "configuration": settings}
        case "blosc":
            # -1: by bits where values are bytes. A reader takes it from the chunk anyway.
            chosen = _SHUFFLES.get(config.get("shuffle", 1), _SHUFFLES[1 if itemsize > 1 else 2])
            settings = {
                "typesize": itemsize,
                "cname": config.get("cname", "lz4"),
                "clevel": config.get("clevel", 5),
                "shuffle": chosen,
                "blocksize": config.get("blocksize", 0),
            }
            return {"name": "blosc", "configuration": settings}
    return None


def _plain(codec: Any) -> dict[str, Any]:
    said = codec if isinstance(codec, dict) else codec.to_dict()
    plain: dict[str, Any] = {"name": str(said["name"])}
    settings = said.get("configuration")
    if settings:
        plain["configuration"] = {
            key: getattr(value, "value", value)
            for key, value in settings.items()
            if value is not None
        }
    return plain


def _fill(value: Any) -> Any:
    """A fill value as JSON has it."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
