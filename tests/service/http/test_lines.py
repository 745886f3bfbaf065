"""Lines of requests are written whole, in their order, soon, and none is lost as the process ends."""

import subprocess
import sys

from service.http import lines
from service.http.lines import Lines
from tests.waiting import until

LINE = "x" * 99 + "\n"


def test_writes_are_whole_lines_that_a_pipe_takes_at_once(monkeypatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(lines.sys, "stderr", type("Stream", (), {"write": written.append}))
    told = Lines()
    for _ in range(100):
        told.add(LINE)
    told.flush()
    ours = [part for part in written if part.startswith("x")]  # other apps may write meanwhile
    assert "".join(ours) == LINE * 100
    assert [len(part) for part in ours] == [4_000, 4_000, 2_000]


def test_they_are_written_without_being_asked(monkeypatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(lines.sys, "stderr", type("Stream", (), {"write": written.append}))
    monkeypatch.setattr(lines, "EVERY_S", 0.01)
    told = Lines()
    told.add(LINE)
    until(lambda: LINE in written)


def test_what_waits_is_written_as_the_process_ends() -> None:
    program = "from service.http.lines import Lines; told = Lines(); told._waiting.extend(['first\\n', 'last\\n'])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == "first\nlast\n"
