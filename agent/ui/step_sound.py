"""The sound: a tone and whether it was heard, and a sentence read aloud, which its speaker may then hear.

Whose word counts when the microphone and the person say different things of the tone:

| person | microphone heard it        | it did not, or there is none           |
|--------|----------------------------|----------------------------------------|
| yes    | as it heard (heard, leaks) | heard ("headset" stays "headset")      |
| no     | not_heard                  | not_heard (muted, when that is why)    |

The person hears the meeting, not the microphone. What comes back through the microphone as an echo stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.ui.state import ANSWERS
from agent.ui.step_results import level_of, of_checks, results, says
from agent.ui.step_shared import Drafts, Talk, later
from reports.draft import Draft, ProbeFailure

if TYPE_CHECKING:
    import asyncio

    from agent.ui.state import Result
    from media_check.errand import Errand
    from media_check.voice import Playback

PLAYBACK_S = 20.0  # of eight seconds, and a speaker that is slow to wake
OWN_VOICE = ANSWERS["own_voice"]  # the first one is to play it
SILENT = ("not_heard", "muted", "played")  # the microphone did not hear it


async def speaker(talk: Talk) -> Drafts:
    """The tone, as often as it is asked for, and whether it was heard."""
    while True:
        draft = await talk.check("speaker", "speaker")
        if draft.failure is not None or draft.facts.get("speaker_sound") == "not_played":
            return {"speaker": draft}
        answer = await talk.ask("speaker", "heard")
        if answer != "again":
            return {"speaker": heard(draft, answer)}
        talk.board.begins("speaker")


def heard(draft: Draft, answer: str | None) -> Draft:
    """The draft with what the person says, by the table above."""
    word = draft.facts.get("speaker_sound")
    if answer in ("yes", "no"):
        draft.facts["heard_by_person"] = answer == "yes"
    if answer == "yes" and word in SILENT:
        draft.facts["speaker_sound"] = "heard"
    elif answer == "no" and word != "muted":
        draft.facts["speaker_sound"] = "not_heard"
    return draft


async def microphone(talk: Talk) -> Drafts:
    """A sentence read aloud, once more if that is wished. It opens only when the person says so."""
    if not _there(talk):
        return {"microphone": await talk.check("microphone", "microphone")}
    if await talk.ask("microphone", "speak") != "go":
        return {}
    while True:
        listening = Listening(talk)
        draft = await talk.patient("microphone", "microphone", listening.listen)
        if not listening.again:
            return {"microphone": draft}
        talk.board.begins("microphone")


def _there(talk: Talk) -> bool:
    try:
        talk.errand("microphone").needed("microphone")
    except ProbeFailure:
        return False
    return True


class Listening:
    """One sentence. `again`: the person wants to speak once more."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self.again = talk, False

    async def listen(self, errand: Errand, net: asyncio.Timeout) -> Draft:
        """The microphone's draft, when the person has had their choice to hear themselves."""
        from media_check import voice

        async def then(playback: Playback) -> None:
            self._judged(playback.draft)
            await self._own_voice(playback, net)

        return await voice.check(errand, then)

    def _judged(self, draft: Draft) -> None:
        """What was found, and a microphone that hears better, before the person goes on."""
        talk = self._talk
        talk.devices.heard(draft)
        found = of_checks(talk.options.policy, (draft,))
        shown = results(found, level_of(found, strict=True), "microphone")
        talk.board.state.step("microphone").results = shown
        talk.board.touch(devices=talk.devices.choices(talk.options.company))

    async def _own_voice(self, playback: Playback, net: asyncio.Timeout) -> None:
        talk = self._talk
        speaker, found = talk.devices.device("speaker"), talk.board.state.step("microphone").results
        while True:
            later(net, None)
            can_play = speaker is not None and playback.seconds > 0
            answer = await talk.ask("microphone", "own_voice", OWN_VOICE if can_play else OWN_VOICE[1:])
            self.again = answer == "again"
            later(net, PLAYBACK_S)
            if answer != "play" or speaker is None:
                return
            talk.board.step("microphone", what="playing_back", fraction=None)
            heard = unheard(await playback.play(speaker), playback)
            talk.board.step("microphone", results=(*found, *heard))


def unheard(trouble: ProbeFailure | None, playback: Playback) -> Iterator[Result]:
    """Why the person did not hear themselves, if so. It says nothing against the microphone."""
    if trouble is not None:
        yield says("unknown", f"failure.{trouble.code}")
    elif playback.muted:
        yield says("degraded", "means.speaker_sound_muted_degraded")
