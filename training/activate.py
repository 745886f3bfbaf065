"""`python -m training.activate VERSION`: let the service answer from another bundle, an older one most often, within a second.

Without a version it lists those that there are. The bundle is checked before the switch; the next training goes on from there as ever.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from models import bundle
from models.errors import InputError
from training import publish
from training.command import UNEXPECTED, ended

DONE = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Switch, or list; the exit code. What went wrong is one line on standard error."""
    asked = _parser().parse_args(arguments)

    def work() -> int:
        if asked.version is None:
            _list(asked.models_dir)
        else:
            _activate(asked.models_dir, asked.version)
        return DONE

    return ended(work, interrupted="interrupted; what was live is live", otherwise=UNEXPECTED)


def _activate(models_dir: Path, version: str) -> None:
    """Raises InputError for no bundle of this directory, BundleError for one that is not whole, LockedError while a training writes."""
    directory = models_dir / version
    if version not in publish.versions(models_dir):
        raise InputError(f"{directory} is no bundle; there are {', '.join(publish.versions(models_dir)) or 'none'}")
    bundle.load(directory, verify=True)
    with publish.lock(models_dir):
        publish.switch(models_dir, version)
    sys.stdout.write(f"{version} is live\n")


def _list(models_dir: Path) -> None:
    live = publish.live(models_dir)
    for version in publish.versions(models_dir):
        sys.stdout.write(f"{version}{'  live' if live is not None and live.name == version else ''}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="valet-activate", description="Let the service answer from another bundle.")
    parser.add_argument("version", nargs="?", help="a directory of --models-dir; all are listed without")
    models_dir = Path(os.environ.get("VALET_MODELS_DIR") or "models/trained")
    parser.add_argument("--models-dir", type=Path, default=models_dir, metavar="DIR", help="where bundles are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
