"""The live bundle: `current` is resolved once, verified once a machine, mapped whole, and then one reference is swapped.

1. create_app loads what `current` names, if there is one;
2. each worker watches the link in a thread of its own, off the request path (started in gunicorn's post_fork: threads die at a fork);
3. a request takes `bundle()` once and keeps what it got, so a swap fails no request.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from models import bundle as bundle_files
from models.bundle import CURRENT, Bundle, load_verified, read_manifest
from models.errors import BundleError
from service.watch import Watch, unexpected

log = structlog.get_logger(__name__)


class Live:
    """The bundle that answers now. One reference, replaced whole: readers need no lock."""

    def __init__(self, models_dir: Path, *, poll_s: float = 0.5) -> None:
        self.models_dir = models_dir
        self.swapped: Callable[[], object] = lambda: None  # called when another bundle has come
        self.refused: str | None = (
            None  # the version that `current` names, where it is not whole and another goes on answering
        )
        self._bundle: Bundle | None = None
        self._tried: Path | None = None  # a bundle that is not whole is reported once, not twice a second
        self._watch = Watch(self.refresh, every_s=poll_s, name="valet-live")
        self.refresh()

    def bundle(self) -> Bundle | None:
        """The bundle to answer from, None as long as there never was one. Take it once a request."""
        self._watch.start()
        return self._bundle

    def refresh(self) -> bool:
        """Look at `current` and swap when it names another bundle; a bundle that is not whole leaves the old one. True when swapped."""
        target = self._target()
        if target is None or target == self._tried:
            return False
        self._tried = target
        try:
            bundle = load_verified(target)
        except BundleError as error:
            log.error("bundle refused", error=str(error))
            self.refused = target.name
            return False
        except Exception as error:  # noqa: BLE001  (whatever keeps it from being read: what answered goes on)
            if self.refused != target.name:
                log.error("bundle cannot be read", version=target.name, **unexpected(error))
            self.refused, self._tried = target.name, None  # it is tried again at the next look
            return False
        self._bundle, self.refused = bundle, None
        log.info("bundle live", model_version=bundle.version)
        self.swapped()
        return True

    def activate(self, version: str) -> None:
        """Let this version answer: here at once, in all other workers when they look next. Raises what models.bundle.activate does."""
        bundle_files.activate(self.models_dir, version)
        self.refresh()

    def watch(self) -> None:
        """Start watching in this process."""
        self._watch.start()

    def stop(self) -> None:
        """Stop watching; what is loaded stays."""
        self._watch.stop()

    def _target(self) -> Path | None:
        """The directory that `current` names, None where nothing is there."""
        try:
            return (self.models_dir / CURRENT).resolve(strict=True)
        except OSError:
            return None


def versions(models_dir: Path) -> list[tuple[str, dict[str, Any]]]:
    """The bundles of a models directory that this version can read, with their manifests, newest first."""
    found = []
    for name in bundle_files.versions(models_dir):
        with suppress(BundleError):  # of another format
            found.append((name, read_manifest(models_dir / name)))
    return found
