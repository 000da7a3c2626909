"""The equipment, as soon as it is known what there is; last of all the computer, whose encoder wants the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.ui.step_results import level_of, of_checks, results

if TYPE_CHECKING:
    from agent.ui.step_shared import Drafts, Talk


async def computer(talk: Talk) -> Drafts:
    """Both checks' drafts: with what is chosen by now."""
    equipment = await talk.check("equipment")
    return {"equipment": equipment, "computer": await talk.check("computer", "computer")}


async def equipment(talk: Talk) -> Drafts:
    """The first useful result: does what is plugged in suit the company? Where that is not clear, nothing is said."""
    draft = await talk.check("equipment")
    if talk.board.state.step("computer").doing == "waiting":
        found = of_checks(talk.options.policy, (draft,))
        level = level_of(found, strict=True)
        known = () if level == "unknown" else results(found, level, "equipment")
        talk.board.step("computer", results=known)
    return {"equipment": draft}
