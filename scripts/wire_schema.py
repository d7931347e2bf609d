"""Write `docs/schema.json`: the JSON Schema of the document and of every message.

The client's types are generated from it (``npm run types``); CI fails when either is stale.
"""

from __future__ import annotations

import json
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


if __name__ == "__main__":
    TARGET.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
