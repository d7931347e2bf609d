"""A browser that nobody sees: found on this machine, started on one address, and ended again.

It is driven by nothing but the page that it shows. No debugging port is opened; Chromium is told
to end when a pipe closes, so it ends with this process, however that goes.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from viewer.errors import MissingExtraError

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "msedge", "brave-browser"),
)
"""Of the programs that can do it, as they are called on PATH."""

ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)

REMEDY = (
    "Install one: 'pip install voxelview[headless]' and then 'playwright install chromium', or "
    "'apt-get install chromium'; or name one in the environment variable VOXELVIEW_CHROMIUM."
)

FLAGS = (
    "--headless=new",
    # where there is no graphics card, WebGL2 in software
    "--enable-unsafe-swiftshader",
    # containers have a small /dev/shm
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
    "--remote-debugging-pipe",
)

LEAST_WINDOW = (500, 400)
"""CSS pixels. Below about 200 nothing is left for the page beside the window's own parts, and
Chromium slows down what nobody can see: a picture would take a second. The page knows its size from
its address."""

END_SECONDS = 5.0
"""Seconds that a browser has to end by itself."""


def find_browser() -> str:
    """Path of a Chromium or a relative of it.

    ``VOXELVIEW_CHROMIUM`` is the only candidate when it is set; else those on PATH come first,
    then where programs usually are, then where Playwright keeps its own.

    Raises
    ------
    MissingExtraError
        When there is none; the hint says how to get one.
    """
    named = os.environ.get("VOXELVIEW_CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise MissingExtraError(f"VOXELVIEW_CHROMIUM={named!r} is no program.", hint=REMEDY)
        return found
    for path in (*map(shutil.which, NAMES), *ELSEWHERE, *_of_playwright()):
        if path and os.access(path, os.X_OK):
            return path
    raise MissingExtraError(
        "With no page open, a picture needs Chromium or Chrome, and none was found.", hint=REMEDY
    )


def _of_playwright() -> Iterator[str]:
    """Where Playwright keeps its browsers, newest first."""
    chosen = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if chosen and chosen != "0":
        folder = Path(chosen)
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Caches" / "ms-playwright"
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "ms-playwright"
    else:
        cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        folder = Path(cache) / "ms-playwright"

    def number(path: Path) -> int:
        found = re.search(r"-(\d+)$", path.name)
        return int(found[1]) if found else 0

    for installed in sorted(folder.glob("chromium-*"), key=number, reverse=True):
        for pattern in (
            "chrome-linux*/chrome",
            "chrome-win*/chrome.exe",
            "chrome-mac*/*.app/Contents/MacOS/*",
        ):
            yield from map(str, sorted(installed.glob(pattern)))


class Browser:
    """A running browser that shows one address; close it, or use it in a ``with`` block.

    Parameters
    ----------
    executable : str
        As `find_browser` gives it.
    url : str
        What it shows.
    size : (int, int)
        CSS pixels of its window, at least `LEAST_WINDOW`.
    sandbox : bool
        Whether its pages are locked in, which root and many containers cannot do.
    """

    def __init__(
        self, executable: str, url: str, size: tuple[int, int], *, sandbox: bool = True
    ) -> None:
        self._folder = tempfile.mkdtemp(prefix="voxelview-browser-")
        self._lock = threading.Lock()
        self._ended = False
        width, height = map(max, size, LEAST_WINDOW)
        flags = [*FLAGS, f"--user-data-dir={self._folder}", f"--window-size={width},{height}"]
        if not sandbox:
            flags.append("--no-sandbox")
        try:
            self._process, self._pipe = _start([executable, *flags, url])
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it and remove what it wrote. Idempotent."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        for end in self._pipe:
            with contextlib.suppress(OSError):
                os.close(end)
        if not self._pipe:
            self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if sys.platform != "win32":
            # its helpers are in a group of their own, and may outlive it for a moment
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def may_sandbox() -> bool:
    """Whether it is worth trying to start a browser with its sandbox."""
    return not (hasattr(os, "geteuid") and os.geteuid() == 0)


_LAUNCH = """
import os, sys
read, write, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
read, write = os.dup(read), os.dup(write)
while min(read, write) < 5:
    read, write = os.dup(read), os.dup(write)
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(program[0], program)
"""
"""Chromium wants its pipe at the file descriptors 3 and 4."""


def _start(command: list[str]) -> tuple[subprocess.Popen[bytes], tuple[int, ...]]:
    """The process, and our ends of its pipe."""
    nothing = subprocess.DEVNULL
    if sys.platform == "win32":
        without = [part for part in command if part != "--remote-debugging-pipe"]
        return subprocess.Popen(without, stdin=nothing, stdout=nothing, stderr=nothing), ()
    theirs_read, ours_write = os.pipe()
    ours_read, theirs_write = os.pipe()
    launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(theirs_read), str(theirs_write)]
    try:
        process = subprocess.Popen(
            [*launch, *command],
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            pass_fds=(theirs_read, theirs_write),
            start_new_session=True,
        )
    except BaseException:
        os.close(ours_read)
        os.close(ours_write)
        raise
    finally:
        os.close(theirs_read)
        os.close(theirs_write)
    return process, (ours_read, ours_write)
