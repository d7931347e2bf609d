"""A viewer at the end of a notebook's cell: its page in a frame, and a picture for later.

A notebook's page and the viewer's server meet in one of several ways. On one machine the frame
has the viewer's own address. Elsewhere only the notebook server can be reached, and its extension
jupyter-server-proxy passes requests on below ``…/proxy/PORT/``: all addresses of our page are
relative, so it works there, too. Python cannot tell from where it is looked at, but the notebook's
page can: a few lines of script try one address after the other until our page says that it is
there. Where none does, as in a notebook that is opened a week later, the picture is seen.
"""

from __future__ import annotations

import base64
import html
import importlib
import json
import os
import sys
from collections.abc import Mapping
from string import Template
from typing import Any

PATIENCE_MS = 15000
"""Milliseconds that the script waits until something is loaded from one address."""

SILENCE_MS = 1000
"""Milliseconds after that in which our page says that it is it, and not an error's."""

_FRAME = Template(
    """\
<div id="$id" style="position: relative; height: ${height}px; min-width: 320px">
$picture<iframe src="$address" title="$title" allow="fullscreen; clipboard-write" \
style="position: absolute; inset: 0; width: 100%; height: 100%; border: 0"></iframe>
</div>
<div><a href="$address" target="_blank" rel="noopener">$title in a tab of its own</a></div>
<script>
(() => {
  const root = document.getElementById("$id");
  const frame = root && root.querySelector("iframe");
  if (!frame) return;
  const link = root.nextElementSibling.querySelector("a");
  const direct = $direct, behind = $behind, path = $path;
  const near = /^(localhost|127\\.[0-9.]+|\\[::1\\])$$/.test(location.hostname);
  let base = document.body.dataset.baseUrl;
  try {
    base = JSON.parse(document.getElementById("jupyter-config-data").textContent).baseUrl;
  } catch {}
  const proxied = base && location.protocol.startsWith("http") && base + path;
  const left = (near ? [behind, direct, proxied] : [behind, proxied, direct]).filter(Boolean);
  let timer;
  const next = () => {
    clearTimeout(timer);
    const address = left.shift();
    if (address) {
      frame.src = link.href = address;
      timer = setTimeout(next, $patience);
    } else {
      frame.remove();
      link.replaceWith(root.querySelector("img") ? "A picture: this viewer has ended, or "
        + "cannot be reached from here." : "This viewer has ended, or cannot be reached from "
        + "here. See viewer.set_server(url_prefix=…) for notebooks on other machines.");
      if (!root.querySelector("img")) root.remove();
    }
  };
  window.addEventListener("message", (event) => {
    if (event.source === frame.contentWindow && event.data?.voxelview === "ready") {
      clearTimeout(timer);
      frame.onload = null;
      root.querySelector("img")?.remove();
    }
  });
  frame.onload = () => {
    clearTimeout(timer);
    timer = setTimeout(next, $silence);
  };
  next();
})();
</script>
"""
)


def frame(
    *,
    id: str,
    title: str,
    url: str,
    port: int,
    path: str,
    prefix: str = "",
    height: int,
    picture: bytes | None = None,
) -> str:
    """HTML that shows a viewer's page.

    Parameters
    ----------
    id : str
        Of the element; another one for each frame.
    title : str
        Of the page.
    url : str
        The viewer's own address.
    port : int
        Where the server listens.
    path : str
        What stands behind the port: ``"v/TOKEN/"``.
    prefix : str, default ""
        Where a proxy shows the server, if that is known: a path or an address, with a slash at
        its end.
    height : int
        CSS pixels.
    picture : bytes, optional
        PNG that is seen where the page is not.
    """
    behind = f"{prefix}{path}" if prefix else ""
    image = ""
    if picture is not None:
        source = "data:image/png;base64," + base64.b64encode(picture).decode()
        image = (
            f'<img src="{source}" alt="{html.escape(title)}" style="position: absolute; inset: 0; '
            'width: 100%; height: 100%; object-fit: contain">\n'
        )
    return _FRAME.substitute(
        id=id,
        height=height,
        picture=image,
        address=html.escape(behind or url),
        title=html.escape(title),
        direct=_script(url),
        behind=_script(behind),
        path=_script(f"proxy/{port}/{path}"),
        patience=PATIENCE_MS,
        silence=SILENCE_MS,
    )


def in_notebook() -> bool:
    """Whether this Python answers to a notebook's cells."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


def display(bundle: Mapping[str, str]) -> None:
    """Show it below the cell."""
    show: Any = importlib.import_module("IPython.display").display
    show(bundle, raw=True)


def hub_prefix(port: int) -> str:
    """The path below which JupyterHub shows this process's ports; ``""`` outside of one."""
    service = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{service.rstrip('/')}/proxy/{port}/" if service.startswith("/") else ""


def _script(text: str) -> str:
    """A string literal that is safe within a script element."""
    return json.dumps(text).replace("<", "\\u003c")
