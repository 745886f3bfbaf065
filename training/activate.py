"""`python -m training.activate VERSION`: let the service answer from another bundle, an older one most often.

Without a version it lists those that there are. The bundle is checked before the switch, every byte of it. A training that runs is
not waited for: it goes on, and what it publishes is live after it. POST /models/{version}/activate does the same over HTTP.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from models import bundle
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
            bundle.activate(asked.models_dir, asked.version)
            sys.stdout.write(f"{asked.version} is live\n")
        return DONE

    return ended(work, interrupted="interrupted; what was live is live", otherwise=UNEXPECTED)


def _list(models_dir: Path) -> None:
    live = publish.live(models_dir)
    for version in bundle.versions(models_dir):
        sys.stdout.write(f"{version}{'  live' if live is not None and live.name == version else ''}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="valet-activate", description="Let the service answer from another bundle.")
    parser.add_argument("version", nargs="?", help="a directory of --models-dir; all are listed without")
    models_dir = Path(os.environ.get("VALET_MODELS_DIR") or "models/trained")
    parser.add_argument("--models-dir", type=Path, default=models_dir, metavar="DIR", help="where bundles are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
