"""What a guided self-test shows in the terminal, on stderr: lines that stay, and one below them that moves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.guided_words import Said, Transcript
from agent.ui.state import State

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # a device's name may hold what a terminal takes for a command


class Screen:
    """`say` prints lines for good. `show` prints what is new and draws the moving line; `close` wipes that."""

    def __init__(self, transcript: Transcript, console: Console) -> None:
        self._transcript, self._console = transcript, console
        self._level: float | None = None
        self._moving = self._doing = ""

    def say(self, lines: Sequence[Said]) -> None:
        """Above the moving line. Device names and sentences are never read as markup."""
        from rich.text import Text

        if lines:
            self.close()
        for line, style in lines:
            self._console.print(Text(_CONTROL.sub("", line), style=style))

    def level(self, level: float) -> None:
        """The microphone's, heard with the next `show`."""
        self._level = level

    def show(self, state: State) -> None:
        """The state as it is now."""
        self.say(self._transcript.news(state))
        if state.question is not None:
            self._level = None
        doing, far = self._transcript.status(state, self._level)
        if self._moves:
            self._move(f"{doing}  {far}".rstrip())
        elif doing != self._doing:
            self._doing = doing
            self.say([Said(doing)] if doing else [])

    def close(self) -> None:
        """Nothing moves any more."""
        if self._moving:
            from rich.control import Control
            from rich.segment import ControlType

            self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
        self._moving = ""

    @property
    def _moves(self) -> bool:
        """One that cannot wipe a line is told once what goes on."""
        return not self._console.is_dumb_terminal

    def _move(self, line: str) -> None:
        """Drawn anew only when it is another: whoever has it read aloud is not told the same twice."""
        from rich.text import Text

        if line == self._moving:
            return
        self.close()
        self._moving = line
        room = max(10, self._console.width - 1)
        shown = Text(_CONTROL.sub("", line))
        shown.truncate(room, overflow="ellipsis")
        self._console.print(shown, end="", no_wrap=True)
