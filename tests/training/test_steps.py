import pytest

from training import steps


def test_names_each_step_and_says_what_the_long_ones_took(capsys, monkeypatch):
    ticks = iter([0.0, 0.5, 10.0, 13.25])
    monkeypatch.setattr(steps.time, "perf_counter", lambda: next(ticks))
    run = steps.Steps()
    with run("split"):
        pass
    with run("choose"):
        run.tell("a result")
    said = capsys.readouterr()
    assert said.err.splitlines() == ["split …", "choose …", "choose: 3.2 s"]
    assert said.out == "a result\n"
    assert run.seconds == {"split": 0.5, "choose": 3.25}


def test_a_step_that_fails_is_measured_too_and_fails():
    run = steps.Steps()
    with pytest.raises(ValueError, match="no"), run("fit"):
        raise ValueError("no")
    assert "fit" in run.seconds
