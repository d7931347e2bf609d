"""Write `docs/schema.json`: the JSON Schema of the document and of every message.

The client's types are generated from it (``npm run types``); CI fails when either is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from viewer.messages import PageMessage, ServerMessage

TARGET = Path(__file__).parents[1] / "docs" / "schema.json"


def schema() -> dict[str, object]:
    """One schema whose ``$defs`` hold every type of the wire."""
    (server, page), components = msgspec.json.schema_components(
        [ServerMessage, PageMessage], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Wire",
        "type": "object",
        "properties": {"server": server, "page": page},
        "required": ["server", "page"],
        "additionalProperties": False,
        "$defs": components,
    }


def main() -> int:
    """Write the file; with ``--check`` compare instead."""
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        TARGET.write_text(text, "utf-8")
    elif TARGET.read_text("utf-8") != text:
        print("docs/schema.json is stale: run 'make types'.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
