"""The small pictures that the README shows: what each app makes of the cup of coffee.

python -m apps.pictures [APP...]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from apps.cases import APPS

FOLDER = Path(__file__).parent / "pictures"
SIZE, QUALITY = (360, 360), 80
WITHOUT_PHOTO = ("jacobi", "sgemm")
OPTIONS: Mapping[str, Sequence[str]] = {"blur": ["--soft"]}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m apps.pictures", description="Make the pictures of the README.")
    known = [app for app in APPS if app not in WITHOUT_PHOTO]
    parser.add_argument("apps", nargs="*", metavar="APP", help=f"of: {', '.join(known)}; all unless told")
    for app in parser.parse_args(arguments).apps or known:
        make(app)


def make(app: str) -> None:
    """Run the app's command, and keep its picture as a small one."""
    run: Callable[[Sequence[str]], None] = import_module(f"apps.{app}").main
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        made = Path(folder) / "made.png"
        run(["--out", str(made), *OPTIONS.get(app, ())])
        with Image.open(made) as picture:
            picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
            picture.convert("RGB").save(FOLDER / f"{app}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
