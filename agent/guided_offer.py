"""What the terminal offers after an answer, as the page does: test again what it concerns, compare links, or end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from agent.guided_words import Choice, Said, choices
from agent.ui.questions import PATIENCE_S
from agent.ui.state import STEPS, Answer, State, StepName
from agent.ui.step_network import BOTH
from reports.advice import Lang, text

Next = Literal["again", "needed", "compare", "whole", "end"]
NEXT: tuple[Next, ...] = ("again", "needed", "compare", "whole", "end")
ENDS = frozenset("\r\n\x1b\x04\x1a")  # Enter, Esc, and how an input is ended: Ctrl+D, on Windows Ctrl+Z
MOST_NAMED = 3


def offered(state: State, answer: Answer, lang: Lang) -> tuple[Choice, ...]:
    """The first is what the answer asks for, the last is to end."""
    names = _named(answer)
    several = sum(link.tested or link.in_use or link.better for link in state.links) > 1
    possible: dict[Next, bool] = {
        "again": 0 < len(names) <= MOST_NAMED,
        "needed": len(names) > MOST_NAMED,
        "compare": several,
        "whole": True,
        "end": True,
    }
    return choices("next", (each for each in NEXT if possible[each]), lang, what=_list(names, lang))


def steps_of(choice: Choice, answer: Answer) -> tuple[StepName, ...]:
    """Those that are done again then."""
    return {"compare": BOTH, "whole": STEPS}.get(choice.answer, answer.redo)


def said(offers: tuple[Choice, ...], lang: Lang) -> list[Said]:
    """The question, and what there is to choose."""
    return [Said(""), Said(text("guided.next", lang), "bold"), *(Said(f"  {choice.label}") for choice in offers)]


def chosen(key: str, offers: tuple[Choice, ...]) -> Choice | None:
    """None: the key means nothing here."""
    if key in ENDS:
        return offers[-1]
    return next((choice for choice in offers if choice.key == key), None)


def _named(answer: Answer) -> list[StepName]:
    """The way into the meeting goes with the connection."""
    return [name for name in answer.redo if name != "joining" or "connection" not in answer.redo]


def _list(names: list[StepName], lang: Lang) -> str:
    words = [text(f"guided.redo_{name}", lang) for name in names]
    if len(words) < 2:
        return "".join(words)
    return text("guided.and", lang, first=", ".join(words[:-1]), last=words[-1])


class Offer:
    """What is offered after each answer. `say`: prints lines for good."""

    def __init__(self, lang: Lang, say: Callable[[Sequence[Said]], None]) -> None:
        self._lang, self._say = lang, say
        self._offers: tuple[Choice, ...] = ()
        self._chosen: asyncio.Future[Choice] | None = None

    @property
    def open(self) -> bool:
        """Is there something to choose just now?"""
        return self._chosen is not None

    async def choose(self, state: State, answer: Answer) -> Choice:
        """By one key. Who does not choose has ended it."""
        self._offers = offered(state, answer, self._lang)
        self._chosen = asyncio.get_running_loop().create_future()
        self._say(said(self._offers, self._lang))
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._chosen
        except TimeoutError:
            return self._offers[-1]
        finally:
            self._chosen = None

    def key(self, key: str) -> Choice | None:
        """What was chosen by it, if it means something here."""
        choice = chosen(key, self._offers)
        if choice is None or self._chosen is None or self._chosen.done():
            return None
        self._chosen.set_result(choice)
        return choice

    def end(self) -> None:
        """As by Enter, but it is not said: the terminal may have been closed."""
        self.key("\r")
