"""Runs that meet another one, or are stopped anywhere: real processes. (A file of its own, so that another processor may take it.)"""

import shutil
import signal
import subprocess
import time

import pytest

from tests.training.runs import command, live, train


def _wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_two_runs_at_once_are_one_run_and_an_exit_4(tmp_path, till):
    first = subprocess.Popen(command(tmp_path, "--history", till), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_for((tmp_path / "models" / ".lock").exists)
    second = subprocess.run(command(tmp_path, "--history", till), capture_output=True, text=True, check=False)
    assert (second.returncode, first.wait()) == (4, 0)
    assert "another training run" in second.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_anywhere_leaves_the_old_bundle_whole(tmp_path, till, trained, how):
    shutil.copytree(trained / "models", tmp_path / "models", symlinks=True)
    before = live(tmp_path).version
    for delay_s in (0.0, 0.8, 2.4):
        (tmp_path / "models" / ".lock").unlink()
        process = subprocess.Popen(
            command(tmp_path, "--history", till), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        _wait_for((tmp_path / "models" / ".lock").exists)
        time.sleep(delay_s)
        process.send_signal(how)
        _, said = process.communicate()
        assert "Traceback" not in said
        assert process.returncode in (130, -signal.SIGKILL, 0)
        assert live(tmp_path).version >= before
    assert train(tmp_path, "--history", till, "--force") == 0
    assert not list((tmp_path / "models").glob(".new-*"))
