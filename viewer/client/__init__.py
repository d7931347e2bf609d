"""The Link: a viewer in another process, used as if it were in this one.

The page's WebSocket is the Link's way too. It keeps a copy of the document (`replica`), on which
the very handles of the Viewer work: layers, view, styles. What needs the data is called
(`viewer.calls`), and arrays are sent piece by piece (`viewer.values`).
"""

from viewer.client.link import Link, connect

__all__ = ["Link", "connect"]
