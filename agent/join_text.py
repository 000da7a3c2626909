"""The way into the meeting as a person reads it: a line for each step, what is wrong, what to do, and who can help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agent.join_steps import Step, StepLevel, first_failure, within_computer
from agent.options import Options
from agent.profile import said
from probes.profile import Profile
from reports.advice import Lang, text
from reports.advice.words import finding_text, quantity_text
from reports.record import Level

if TYPE_CHECKING:
    from rich.console import Console

WORDS: dict[StepLevel, str] = {
    "ready": "join.ok",
    "degraded": "join.remark",
    "not_ready": "join.failed",
    "unknown": "join.unknown",
    "not_tried": "join.not_tried",
}
_FIRST = {"not_ready": "join.first", "degraded": "join.first_remark", "unknown": "join.first_unknown"}


def render(options: Options, steps: Sequence[Step], level: Level, console: Console) -> None:
    """Print it. Colour never stands alone: icon and word say the same."""
    from rich.padding import Padding
    from rich.text import Text

    from reports.table import COLOURS

    lang = options.language
    if options.profile.names_service:
        console.print(Text(options.profile.title, style="bold"))
    for step in steps:
        colour = "dim" if step.level == "not_tried" else COLOURS[step.level]
        console.print(Text(_line(step, lang), style="" if step.level == "ready" else colour))
        for sentence in _sentences(step, lang):
            console.print(Padding(Text(sentence), (0, 0, 0, 4)))
    console.print()
    for sentence in closing(options, steps, level):
        console.print(Text(sentence))


def closing(options: Options, steps: Sequence[Step], level: Level) -> Iterator[str]:
    """What it comes to: the first step that fails, what could not be tried, and whom to turn to."""
    lang, profile, first = options.language, options.profile, first_failure(steps)
    if not steps:
        yield text("join.nothing", lang)
        return
    if first is not None:
        yield text(_FIRST[first.level], lang, step=text(f"step.{first.name}", lang))
    elif level == "ready":
        yield text("join.clear", lang)
    if within_computer(steps):
        yield text("progress.embedded", lang)
    elif options.room is None:
        yield text("join.no_room", lang)
    if not profile.names_service:
        yield text("join.no_service", lang)
    if level == "not_ready":
        yield from _help(profile, lang)


def _help(profile: Profile, lang: Lang) -> Iterator[str]:
    """The profile's support chain in its order, and the way in that is left: by telephone."""
    if profile.support:
        yield text("join.support", lang)
    for number, support in enumerate(profile.support, 1):
        yield ", ".join(
            part for part in (f"  {number}. {said(support.name, lang)}", support.phone, support.url) if part
        )
    if profile.dial_in:
        yield said(profile.dial_in, lang)


def _line(step: Step, lang: Lang) -> str:
    from reports.table import ICONS

    icon = "–" if step.level == "not_tried" else ICONS[step.level]
    line = f"{icon} {text(f'step.{step.name}', lang)}: {text(WORDS[step.level], lang)}"
    if step.because:
        line += f" ({text('join.because', lang, step=text(f'step.{step.because}', lang))})"
    elif step.seconds is not None:
        line += f", {quantity_text('join_seconds', step.seconds, lang)}"
    return line


def _sentences(step: Step, lang: Lang) -> Iterator[str]:
    """What each finding that is not good means, what to do about it, and who can."""
    for finding in (judged.finding for judged in step.judged):
        if finding.level != "ready":
            yield f"{finding_text(finding, lang)} ({text(f'owner.{finding.owner}', lang)})"
