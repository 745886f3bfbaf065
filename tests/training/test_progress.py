"""Progress is silent for quick work, one line on a terminal, and plain lines elsewhere."""

import io

from training.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(out: io.StringIO, *steps: tuple[float, str]) -> str:
    clock = Clock()
    progress = Progress(out, clock)
    for clock.now, step in steps:
        progress(step)
    progress.done()
    return out.getvalue()


def test_work_of_less_than_two_seconds_says_nothing():
    assert said(io.StringIO(), (0.5, "reading"), (1.9, "sorting")) == ""
    assert said(Terminal(), (0.5, "reading"), (1.9, "sorting")) == ""


def test_a_file_gets_plain_lines_two_seconds_apart():
    assert said(io.StringIO(), (2.5, "one"), (3.0, "two"), (4.6, "three")) == "one\nthree\n"


def test_a_terminal_gets_one_line_that_is_rewritten_and_left_clean():
    text = said(Terminal(), (2.5, "reading a file"), (2.6, "sorting"))
    assert "\n" not in text
    assert [line.strip() for line in text.split("\r")] == ["", "reading a file", "sorting", "", ""]
