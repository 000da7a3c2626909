"""The voice check as a program of its own, for tests that kill or trace it: `python -m tests.media_check.speaking`.

It prints what it is at, a word a line: "speak_now", "holding", then after a line on standard input "playing" and
"played" with why not; at last the document of the measurement. Its words: microphone, speaker, seconds to listen.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict

from media_check import microphone, voice
from media_check.errand import Errand, Step
from reports.record import Device

MORE_S = 10.0  # where three of them start at once, or one is traced


def say(*words: object) -> None:
    print(*words, flush=True)


async def main(source: str, speaker: str, seconds: str) -> None:
    microphone.ATTENDED_S = float(seconds)
    mine = Device("microphone", "Annas mikrofon", source, "usb", 0.9, (), True, f"pulse:{source}")
    output = Device("speaker", "Annas ljud", speaker, "usb", 0.9, (), True, f"pulse:{speaker}")
    said: set[str] = set()

    def progress(step: Step) -> None:
        if step.what not in said:
            said.add(step.what)
            say(step.what)

    async def then(playback: voice.Playback) -> None:
        say("holding")
        if await asyncio.to_thread(sys.stdin.readline) == "play\n":
            failure = await playback.play(output)
            say("played", failure.code if failure else "whole")

    deadline = time.monotonic() + float(seconds) + MORE_S
    draft = await voice.check(Errand((mine, output), deadline, asyncio.Event(), progress=progress), then)
    say(json.dumps(asdict(draft.measurement())))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
