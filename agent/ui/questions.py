"""The flow's questions: one at a time, each with a number, so that a late answer answers nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.ui.state import ANSWERS, Question, QuestionKind, StepName
from processes import tasks

if TYPE_CHECKING:
    from agent.ui.step_shared import Board

PATIENCE_S = 590.0  # who has not answered by then has gone; before media_check.voice lets go of what it holds


class Questions:
    """Those of one flow. `waited`: seconds in which a person was waited for, all in all."""

    def __init__(self, board: Board) -> None:
        self._board, self._number, self.waited = board, 0, 0.0
        self._given: asyncio.Future[str] | None = None

    async def ask(
        self, step: StepName, kind: QuestionKind, stop: asyncio.Event, answers: Sequence[str] = ()
    ) -> str | None:
        """One of `answers` (those of ANSWERS as a rule). None: the run ends, for `stop` is set, or nobody answers.

        Who does not answer for PATIENCE_S has gone: then `stop` is set here.
        """
        self._number += 1
        given: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._given, begun = given, time.monotonic()
        question = Question(self._number, step, kind, tuple(answers) or ANSWERS[kind])
        self._board.asks(question)
        try:
            answer = await tasks.unless(stop, given, PATIENCE_S)
            if answer is None:
                stop.set()
            return answer
        finally:
            self.waited += time.monotonic() - begun
            self._board.asked(question)

    def answer(self, number: int, answer: str) -> bool:
        """False: that is not asked (any more), or this is none of its answers."""
        question, given = self._board.state.question, self._given
        if question is None or given is None or given.done():
            return False
        if number != question.number or answer not in question.answers:
            return False
        given.set_result(answer)
        return True
