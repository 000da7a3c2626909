"""The guided flow: its order, the person's answers, and that the verdict is that of `motesklar check`."""

from __future__ import annotations

from typing import Any

import pytest

from agent import selftest
from agent.options import Options
from agent.ui.state import STEPS, Question, as_json
from media_check import CHECKS
from reports.draft import Draft, ProbeFailure
from tests.ui.flows import ROOM, Person, World, draft, levels, options, told


def in_a_room() -> Options:
    return options(room=ROOM)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World().put(monkeypatch)


async def test_everything_is_well(world: World) -> None:
    person = Person()
    flow = person.of(in_a_room())
    await flow.start("alone")
    assert person.asked == ["heard", "speak", "own_voice", "picture"]
    assert world.ran == [
        "equipment", "speaker pulse:headset", "microphone pulse:mic", "camera /dev/video0",
        "echo eth0", "join eth0", "call eth0", "throughput eth0", "equipment", "computer", "equipment",
    ]  # fmt: skip
    assert levels(flow) == dict.fromkeys(STEPS, "ready")
    assert (flow.state.phase, flow.state.trouble, flow.state.question) == ("done", "", None)
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "ready"
    assert flow.state.answer is not None
    assert flow.state.answer.level == "ready"
    assert person.frames == [b"jpeg"]
    assert as_json(flow.state)["steps"][0]["doing"] == "done"


async def test_what_there_is_is_shown_before_anything_is_tested(world: World) -> None:
    seen: list[dict[str, Any]] = []

    async def speaker() -> None:
        state = as_json(flow.state)
        seen.append({name: state[name] for name in ("links", "devices", "steps")})

    world.before["speaker"] = speaker
    world.says["equipment"].facts["equipment"] = "needs_headset"
    flow = Person().of(in_a_room())
    await flow.start("alone")
    assert [link["in_use"] for link in seen[0]["links"]] == [True, False]
    assert [device["chosen"] for device in seen[0]["devices"]].count(True) == 3
    assert seen[0]["steps"][STEPS.index("computer")]["results"][0]["level"] == "degraded"


async def test_the_company_is_what_the_checks_are_told(world: World) -> None:
    flow = Person().of(in_a_room())
    await flow.start("several")
    assert {world.errands[name].company for name in CHECKS} == {"several"}
    assert {world.errands[name].attended for name in CHECKS} == {True}


# ---- whose word counts

HEARD = [
    # what the microphone heard, what the person says, what is made of it
    ("heard", "yes", "heard"),
    ("leaks", "yes", "leaks"),
    ("headset", "yes", "headset"),
    ("not_heard", "yes", "heard"),
    ("muted", "yes", "heard"),
    ("played", "yes", "heard"),
    ("heard", "no", "not_heard"),
    ("headset", "no", "not_heard"),
    ("played", "no", "not_heard"),
    ("muted", "no", "muted"),
]


@pytest.mark.parametrize(("microphone", "person", "made"), HEARD)
async def test_who_hears_the_tone(microphone: str, person: str, made: str, world: World) -> None:
    world.says["speaker"].facts["speaker_sound"] = microphone
    flow = Person(heard=person).of(in_a_room())
    await flow.start("alone", only=["speaker"])
    assert flow.self_test is not None
    (found,) = [m for m in flow.self_test.measurements if m.name == "speaker"]
    assert found.facts["speaker_sound"] == made
    assert found.facts["heard_by_person"] is (person == "yes")


async def test_nobody_is_asked_about_a_tone_that_was_not_played(world: World) -> None:
    world.says["speaker"].facts["speaker_sound"] = "not_played"
    person = Person()
    await person.of(in_a_room()).start("alone")
    assert "heard" not in person.asked


async def test_again_and_again(world: World) -> None:
    person = Person(heard=["again", "yes"], own_voice=["play", "again", "play", "next"])
    await person.of(in_a_room()).start("alone")
    assert person.asked == ["heard", "heard", "speak", *["own_voice"] * 4, "picture"]
    sound = [what for what in world.ran if what.startswith(("speaker", "microphone", "play"))]
    assert sound == [
        "speaker pulse:headset", "speaker pulse:headset",
        "microphone pulse:mic", "play pulse:headset", "microphone pulse:mic", "play pulse:headset",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "muted", "kept", "says"),
    [
        ("speaker_busy", None, 4.0, "Högtalaren används av ett annat program."),
        ("timeout", None, 0.0, "Testet hann inte bli klart i tid."),
        (None, True, 4.0, "Datorns ljud är avstängt: du hör inte de andra."),
    ],
)
async def test_ones_own_voice_that_is_not_heard(
    why: str | None, muted: bool | None, kept: float, says: str, world: World
) -> None:
    """Said once, however often it is tried; and it can only be tried while something is kept."""
    world.play, world.muted, world.kept = ProbeFailure(why) if why else None, muted, kept
    shown: list[tuple[str, ...]] = []

    def look(question: Question) -> bool:
        if question.kind == "own_voice":
            shown.append((*question.answers, *told(flow, "microphone")[1:]))
        return False

    flow = Person(look, own_voice=["play", "play", "next"] if kept else ["play", "next"]).of(in_a_room())
    await flow.start("alone")
    assert shown[0] == ("play", "next", "again")
    assert set(shown[1:]) == {("play", "next", "again", says) if kept else ("next", "again", says)}
    assert flow.state.step("microphone").level == "ready"


async def test_what_is_left_out_is_neither_well_nor_wrong(world: World) -> None:
    flow = Person(speak="skip", picture="skip").of(in_a_room())
    await flow.start("alone")
    assert {name for name, level in levels(flow).items() if level is None} == {"microphone", "picture"}
    assert flow.state.step("microphone").doing == "skipped"
    assert flow.self_test is not None
    assert {"microphone", "camera"}.isdisjoint(m.name for m in flow.self_test.measurements)


async def test_a_failure_that_both_steps_of_the_network_met_is_told_in_both(world: World) -> None:
    for name in ("echo", "call"):
        world.says[name] = draft(name, "eth0", {}, "link_vanished")
    flow = Person().of(in_a_room())
    await flow.start("alone")
    for step in ("connection", "joining"):
        assert (levels(flow)[step], told(flow, step)[0][:22]) == ("not_ready", "Anslutningen försvann ")


# ---- the verdict

DRAFTS = [
    {},
    {"microphone": draft("microphone", "Headset", {"microphone_sound": "muted"})},
    {"microphone": draft("microphone", "Headset", {}, "microphone_vanished")},
    {"camera": draft("camera", "camera", {}, "camera_none")},
    {"camera": draft("camera", "Camera", {"camera_picture": "dark"})},
    {"speaker": draft("speaker", "Headset", {"speaker_sound": "leaks"})},
    {"equipment": draft("equipment", "computer", {"equipment": "needs_headset"})},
    {"computer": draft("computer", "computer", {"browser": "old", "power": "battery_low"})},
    {"echo": draft("echo", "eth0", {}, "no_reply")},
    {"echo": draft("echo", "eth0", {}, "room_unreachable")},
    {"echo": draft("echo", "eth0", {}, rtt_p95_seconds=0.9)},
    {"call": draft("call", "eth0", {"media_path": "turn_tls", "call_carries": "sound_only"})},
    {"call": draft("call", "eth0", {"media_path": "none"}, "ice_failed")},
    {"throughput": draft("throughput", "eth0", {}, throughput_up_bytes_per_second=3e4)},
]


@pytest.mark.parametrize("room", [ROOM, None], ids=["room", "embedded"])
@pytest.mark.parametrize("drafts", DRAFTS, ids=lambda d: " ".join(d) or "good")
async def test_the_verdict_is_that_of_check(drafts: dict[str, Draft], room: Any, world: World) -> None:
    world.says |= drafts
    asked = options(room=room, checks=tuple(CHECKS), company="alone")
    flow = Person().of(asked)
    await flow.start("alone")
    checked = await selftest.run(selftest.Run(asked))
    assert flow.self_test is not None
    assert flow.self_test.verdict == checked.verdict
    assert [m.name for m in flow.self_test.measurements] == [m.name for m in checked.measurements]


@pytest.mark.parametrize("drafts", DRAFTS, ids=lambda d: " ".join(d) or "good")
async def test_the_worst_of_the_steps_is_the_verdict(drafts: dict[str, Draft], world: World) -> None:
    """What a step shows and what the verdict says do not contradict each other."""
    world.says |= drafts
    flow = Person().of(in_a_room())
    await flow.start("alone")
    assert flow.self_test is not None
    verdict = flow.self_test.verdict.level
    bad = [level for level in ("not_ready", "degraded") if level in levels(flow).values()]
    assert bad[:1] == ([verdict] if verdict in ("not_ready", "degraded") else [])
    if verdict == "ready":
        assert set(levels(flow).values()) <= {"ready", "unknown"}


async def test_no_room_is_configured(world: World) -> None:
    """That the network was not tested is said first, whatever else is to be said."""
    world.says["echo"].values["sends_missed_ratio"] = 0.5
    flow = Person().of(options(probes=("echo",)))
    await flow.start("alone")
    assert flow.state.room == "embedded"
    assert "inte nätverket" in told(flow, "connection")[0]
    assert len(told(flow, "connection")) > 1
    assert (flow.state.step("connection").level, flow.state.step("joining").doing) == ("unknown", "skipped")
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "unknown"
