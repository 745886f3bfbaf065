"""Runs of training: in this process, as a command, and what they left."""

import sys
from pathlib import Path

from models import bundle
from training.run import main


def train(tmp_path: Path, *arguments: str) -> int:
    """The exit code of a run in this process."""
    return main([*arguments, "--models-dir", str(tmp_path / "models"), "--threads", "1"])


def command(tmp_path: Path, *arguments: str) -> list[str]:
    """The same as a command."""
    return [
        sys.executable,
        "-m",
        "training.run",
        *arguments,
        "--models-dir",
        str(tmp_path / "models"),
        "--threads",
        "1",
    ]


def live(tmp_path: Path) -> bundle.Bundle:
    """The bundle that it published."""
    return bundle.load(tmp_path / "models" / "current")
