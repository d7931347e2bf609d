"""A viewer at the end of a notebook's cell: its page in a frame, and a picture for later.

A notebook's page and the viewer's server meet in one of several ways. On one machine the frame
has the viewer's own address. Elsewhere only the notebook server can be reached, and its extension
jupyter-server-proxy passes requests on below ``…/proxy/PORT/``: all addresses of our page are
relative, so it works there, too. Python cannot tell from where it is looked at, but the notebook's
page can: a few lines of script try one address after the other until our page says that it is
there.

Where none does, as in a notebook that is opened a week later, a picture is seen: the page in the
frame takes it as soon as it shows everything, and it is put below the frame, out of sight as long
as there is one.
"""

from __future__ import annotations

import base64
import contextvars
import html
import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viewer.pictures.picture import Picture

PATIENCE_MS = 15000
"""Milliseconds that the script waits until something is loaded from one address."""

SILENCE_MS = 1000
"""Milliseconds after that in which our page says that it is it, and not an error's."""

_FRAME = Template(
    """\
<div id="$id" style="position: relative; height: ${height}px; min-width: 320px">
<iframe src="$address" title="$title" allow="fullscreen; clipboard-write" \
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
  const hide = document.createElement("style");
  hide.textContent = "#$id-picture { display: none }";
  const left = (near ? [behind, direct, proxied] : [behind, proxied, direct]).filter(Boolean);
  let timer;
  const next = () => {
    clearTimeout(timer);
    const address = left.shift();
    if (address) {
      frame.src = link.href = address;
      timer = setTimeout(next, $patience);
    } else {
      root.remove();
      link.before("This viewer has ended, or cannot be reached from here. Where Python runs on "
        + "another machine, forward its port $port (in VS Code: the panel Ports) and open ");
      link.href = link.textContent = direct;
      link.after(", or see viewer.set_server(url_prefix=…). Pictures: v.screenshot().");
    }
  };
  window.addEventListener("message", (event) => {
    if (event.source === frame.contentWindow && event.data?.voxelview === "ready") {
      clearTimeout(timer);
      frame.onload = null;
      root.append(hide);
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
    port: int | str,
    path: str,
    prefix: str = "",
    height: int,
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
    port : int or str
        Where the server listens: on this machine, or ``"host:port"``.
    path : str
        What stands behind the port: ``"v/TOKEN/"``.
    prefix : str, default ""
        Where a proxy shows the server, if that is known: a path or an address, with a slash at
        its end.
    height : int
        CSS pixels.
    """
    behind = f"{prefix}{path}" if prefix else ""
    return _FRAME.substitute(
        id=id,
        height=height,
        address=html.escape(behind or url),
        title=html.escape(title),
        direct=_script(url),
        behind=_script(behind),
        path=_script(f"proxy/{port}/{path}"),
        port=html.escape(str(port).rpartition(":")[2]),
        patience=PATIENCE_MS,
        silence=SILENCE_MS,
    )


def in_notebook() -> bool:
    """Whether this Python answers to a notebook's cells."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


def show(bundle: Mapping[str, str], id: str, take: Callable[[], Picture | None]) -> None:
    """Show a frame below the cell, and a picture once there is one.

    Parameters
    ----------
    bundle : mapping
        What is shown, by media type.
    id : str
        Of the frame in it.
    take : callable
        Waits for the picture, on a thread of its own; returns None for none.
    """
    display: Any = importlib.import_module("IPython.display").display
    display(bundle, raw=True)
    place = display({"text/plain": ""}, raw=True, display_id=True)

    def follow() -> None:
        picture = take()
        if picture is not None:
            image = f'<img id="{id}-picture" src="{picture.data_uri}" style="max-width: 100%">'
            png = base64.b64encode(picture.png).decode()
            place.update({"text/html": image, "image/png": png, "text/plain": ""}, raw=True)

    # with the context, which says what cell it belongs to
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(follow,), name="voxelview-notebook", daemon=True).start()


def hub_prefix(port: int) -> str:
    """The path below which JupyterHub shows this process's ports; ``""`` outside of one."""
    service = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{service.rstrip('/')}/proxy/{port}/" if service.startswith("/") else ""


def _script(text: str) -> str:
    """A string literal that is safe within a script element."""
    return json.dumps(text).replace("<", "\\u003c")
