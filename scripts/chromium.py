"""Find the Chromium or Chrome that tests, benchmarks and pictures use; install one if need be.

Run as a program it makes sure that there is one, prints nothing when there is, and fails with a
sentence otherwise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

FLAGS = (
    # WebGL2 in software: the same picture with and without a graphics card
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # containers give no user namespaces and a small /dev/shm
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""For the tests' browser, which shows nothing but our own page."""

LIGHT = ("--disable-gpu-compositing",)
"""For tests, beside these: WebGL stays in GL, but the page around it is put together without, which
halves what the GPU process costs where GL is software. Benchmarks go on as users' browsers do."""

REMEDY = (
    "The browser tests need Chromium or Chrome. Install one with '.venv/bin/playwright install "
    "chromium' or 'apt-get install chromium', or name it in VOXELVIEW_CHROMIUM."
)


def works(executable: str) -> bool:
    """Whether the browser starts (on a bare machine it may lack libraries, or be a stub)."""
    command = [executable, "--headless", *FLAGS, "--dump-dom", "about:blank"]
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find_chromium(playwright_path: str | None = None) -> str | None:
    """Path of a Chromium or Chrome that starts, else None.

    `VOXELVIEW_CHROMIUM` is the only candidate when it is set; else those on PATH come before
    `playwright_path`, where Playwright keeps its own.
    """
    named = os.environ.get("VOXELVIEW_CHROMIUM")
    candidates = [shutil.which(named)] if named else [*map(shutil.which, NAMES), MAC]
    for candidate in [*candidates, None if named else playwright_path]:
        if candidate and Path(candidate).exists() and works(candidate):
            return candidate
    return None


def playwright_path() -> str | None:
    """Where Playwright keeps its own Chromium, whether it is there or not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def installers() -> Iterator[list[str]]:
    """Commands that may install a browser, in order of preference."""
    yield [sys.executable, "-m", "playwright", "install", "chromium"]
    if shutil.which("apt-get"):
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        root = [] if is_root else ["sudo", "--non-interactive"]
        if is_root or shutil.which("sudo"):
            yield [*root, "apt-get", "update", "--quiet"]
            yield [*root, "apt-get", "install", "--quiet", "--yes", "chromium"]


def main() -> int:
    """Find, else install, else say what to do."""
    if find_chromium() or find_chromium(playwright_path()):
        return 0
    if os.environ.get("VOXELVIEW_CHROMIUM"):
        print(f"VOXELVIEW_CHROMIUM={os.environ['VOXELVIEW_CHROMIUM']!r} does not start.")
        return 1
    for command in installers():
        print("No browser found, trying:", " ".join(command), flush=True)
        try:
            subprocess.run(command, timeout=900)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if find_chromium(playwright_path()):
            return 0
    print(REMEDY, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
