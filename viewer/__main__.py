"""The command line: ``python -m viewer FILE[:DATASET] …`` shows files in the browser.

It stays until Ctrl-C, since the page gets its voxels from here; ``voxelview serve`` does so for
other programs, too (`viewer.serving`). Mistakes are told in one line and a hint, with exit
status 2.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from viewer import __version__
from viewer.errors import ViewerError

MISTAKE = 2
"""Exit status for what the user can put right, as of argparse."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        The exit status.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    serving = given[:1] == ["serve"]
    options = argparse.Namespace() if serving else _parser().parse_args(given)
    try:
        if serving:
            from viewer.serving import serve

            return serve(given[1:])
        return _inform(options) if options.info else _show(options)
    except ViewerError as error:
        print(f"voxelview: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # of "| head", which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voxelview",
        description="Show arrays from files, folders and addresses in the browser. "
        "'voxelview serve --help' tells of viewers that keep running for other programs, too.",
        epilog="Opens .npy, .npz, HDF5, Zarr and OME-Zarr, also http://, https:// and s3://; PNG, "
        "JPEG, TIFF, DICOM, NIfTI, NRRD, MRC and FITS with pip install 'voxelview[all]'.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE[:DATASET]",
        help="a file, folder or address, and which of the arrays, or series, in it",
    )
    parser.add_argument(
        "--layer-type", choices=["image", "labels"], help="default: what the file suggests"
    )
    parser.add_argument(
        "--info", action="store_true", help="say what would be opened, and do not open it"
    )
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s, this computer")
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address of the page"
    )
    parser.add_argument("--version", action="version", version=f"voxelview {__version__}")
    return parser


def _inform(options: argparse.Namespace) -> int:
    from viewer.opening import inform, open_data, parse_location

    for given in options.files:
        opened = open_data(parse_location(given))
        try:
            for described in opened.shown:
                print(f"{given}: {inform(described, options.layer_type)}")
        finally:
            opened.close()
    return 0


def _show(options: argparse.Namespace) -> int:
    import viewer

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    # Scripts start what runs in the background with Ctrl-C ignored, and Python leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    viewer.set_server(host=options.host, port=options.port)
    try:
        shown = viewer.Viewer()
        for given in options.files:
            shown.open(given, layer_type=options.layer_type)
        if len(options.files) == 1:
            shown.title = shown.layers[0].name
        print(shown.url, flush=True)
        if not options.no_browser:
            _browse(shown.url)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        while not ended.wait(3600):  # without a timeout, Windows would not notice Ctrl-C
            pass
    finally:
        viewer.stop()
    return 0


def _browse(url: str) -> None:
    import webbrowser

    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        print("Open this address in a browser.", file=sys.stderr)


def run() -> NoReturn:
    """What the command ``voxelview`` calls."""
    sys.exit(main())


if __name__ == "__main__":
    run()
