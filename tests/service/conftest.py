"""What tests of the running service share: a folder with a bundle, and two workers that answer from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.serving import Serving, serving
from tests.worlds import save, tiny_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    save(folder / "models" / "trained", "one", tiny_models())
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Serving]:
    with serving(folder, "--workers", "2", "--threads", "4") as running:
        yield running
