"""What reaches the terminal: lines that stay, one that moves, and none of what a device's name might command."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from agent.guided_screen import Screen
from agent.guided_words import Said, Transcript
from tests.agent.guided_states import at, result, state

WIPE = "\r\x1b[2K"


def screen(term: str = "xterm", width: int = 40) -> tuple[Screen, StringIO]:
    console = Console(file=(out := StringIO()), force_terminal=True, width=width, color_system=None,
                      highlight=False, _environ={"TERM": term})  # fmt: skip
    return Screen(Transcript("en"), console), out


def test_the_moving_line_stands_below_and_is_wiped_for_what_stays() -> None:
    shown, out = screen()
    now = at(state(), "speaker", "running", what="playing", fraction=0.0)
    shown.show(now)
    assert out.getvalue().endswith("Step 1 of 6: Speaker\nListen: a tone is played now  ░░░░░░░░…")
    shown.show(at(now, "speaker", "done", result("It is heard")))
    assert out.getvalue().endswith(f"░░░…{WIPE}  ✔ It is heard\n")


def test_it_never_fills_the_last_column_and_is_drawn_only_when_it_changes() -> None:
    shown, out = screen(width=30)
    now = at(state(), "speaker", "running", what="playing", fraction=0.5)
    shown.show(now)
    before = out.getvalue()
    assert len(before.splitlines()[-1]) == 29
    shown.show(now)
    assert out.getvalue() == before


def test_a_terminal_that_cannot_wipe_a_line_is_told_once_what_goes_on() -> None:
    shown, out = screen("dumb", width=80)
    now = state()
    for fraction in (0.0, 0.4, 0.8):
        shown.level(fraction)
        shown.show(at(now, "microphone", "running", what="speak_now", fraction=fraction))
    assert out.getvalue().split("\n") == ["", "Step 2 of 6: Microphone", "Read aloud now", ""]


@pytest.mark.parametrize("name", ["\x1b[2JA", "A\x07", "\r\nA", "\x9b5mA", "[bold]A"])
def test_a_name_is_never_a_command(name: str) -> None:
    shown, out = screen()
    shown.say([Said(name)])
    said = out.getvalue().removesuffix("\n")
    assert not set(said) & {"\x1b", "\x07", "\r", "\n", "\x9b"}
    assert said.endswith("A")
