"""Runs that meet another one, or are stopped anywhere: real processes. (A file of its own, so that another processor may take it.)"""

import os
import shutil
import signal
import subprocess

import psutil
import pytest

from tests.training.runs import command, live, train
from training.run import NICE


def begun(tmp_path, till, step):
    """A run that has come to this step."""
    process = subprocess.Popen(
        command(tmp_path, "--history", till, "--no-evaluate"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert f"{step} …\n" in iter(process.stderr.readline, "")
    return process


def test_two_runs_at_once_are_one_run_and_an_exit_4(tmp_path, till):
    first = begun(tmp_path, till, "read")
    first.send_signal(signal.SIGSTOP)  # however long the second takes to start
    second = subprocess.run(command(tmp_path, "--history", till), capture_output=True, text=True, check=False)
    first.send_signal(signal.SIGCONT)
    first.communicate()
    assert (second.returncode, first.returncode) == (4, 0)
    assert "another training run" in second.stderr


def test_a_run_steps_back_for_whatever_serves_beside_it(tmp_path, till):
    run = begun(tmp_path, till, "read")
    nice = psutil.Process(run.pid).nice()
    run.kill()
    run.communicate()
    assert nice == max(NICE, os.nice(0))


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_anywhere_leaves_the_old_bundle_whole(tmp_path, till, trained, how):
    shutil.copytree(trained / "models", tmp_path / "models", symlinks=True)
    before = live(tmp_path).version
    for step in ("read", "choose", "publish"):
        process = begun(tmp_path, till, step)
        process.send_signal(how)
        _, said = process.communicate()
        assert "Traceback" not in said
        assert process.returncode in (130, -signal.SIGKILL, 0)
        assert live(tmp_path).version >= before
    assert train(tmp_path, "--history", till, "--no-evaluate") == 0
    assert not list((tmp_path / "models").glob(".new-*"))
