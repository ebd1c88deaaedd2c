"""Long work says how far it is and how long it still takes, on a terminal and off one."""

from io import StringIO

import pytest
from rich.console import Console

from harness.cli.process import progress_bar as shown
from harness.cli.process.progress_bar import LineProgress, progress_bar


def test_off_a_terminal_a_line_says_every_half_minute_how_far_it_is(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr(shown.errors, "print", lambda text: said.append(str(text)))
    progress = LineProgress(lambda: now[0])
    progress.begin(100)
    progress.phase("accuracy/loglikelihood")
    for step in range(1, 8):
        now[0] = 10.0 * step
        progress.advance(10)
    progress.begin(110)  # what the answers so far led to
    now[0] = 90.0
    progress.phase("robustness/loglikelihood")
    assert said == [
        "accuracy/loglikelihood, 30 of 100 (30%), after 30 s",
        "accuracy/loglikelihood, 60 of 100 (60%), after 60 s",
        "robustness/loglikelihood, 70 of 110 (64%), after 90 s",
    ]


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("phase", ["bleu/loglikelihood", "contamination/token_loglikelihoods", "a_suite" * 12])
def test_on_a_terminal_the_bar_is_one_line_with_the_time_that_is_left(monkeypatch, width, phase):
    screen = StringIO()
    monkeypatch.setattr(shown, "errors", Console(file=screen, force_terminal=True, width=width, color_system=None))
    with progress_bar() as progress:
        progress.begin(7926)
        progress.phase(phase)
        progress.advance(3285)
        progress.foresee(725)
    last = screen.getvalue().replace("\x1b[2K", "").replace("\r", "\n").rstrip().splitlines()
    bars = [line for line in last if "3285/7926" in line]
    assert bars
    assert all(len(line) <= width for line in last)
    assert "about 12 min left" in bars[-1]
    assert bars[-1].strip(" \x1b[?25hlA1").startswith(("⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"))
