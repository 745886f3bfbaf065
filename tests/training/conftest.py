"""What the tests of whole runs share: a small till, and what was learnt from it."""

import pytest
from markupsafe import Markup

from tests.training.till import write_till
from training import plots
from training.run import main


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    return str(write_till(tmp_path_factory.mktemp("till") / "till.csv"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, till):
    """A folder whose `models` hold what a run learnt from the till; nobody changes it."""
    folder = tmp_path_factory.mktemp("trained")
    assert main(["--history", till, "--models-dir", str(folder / "models"), "--threads", "1"]) == 0
    return folder


@pytest.fixture
def no_plots(monkeypatch):
    """The report's plots take half of a small run; where a test is of something else, none is drawn."""
    monkeypatch.setattr(plots, "_svg", lambda _: Markup("<svg></svg>"))
