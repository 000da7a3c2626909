"""The way into the meeting: each step judged by the policy, the first that fails, and the words at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.join_steps import Step, failure_to_json, first_failure, overall, steps_of, to_json
from agent.join_text import closing
from agent.options import Options
from agent.profile import load_profile
from probes.room import Room
from probes.session import Draft
from reports.policy import load_policy
from tests.agent.steps import ETH, GOOD, call, join, part

POLICY = load_policy()


def levels(*drafts: Draft) -> dict[str, str]:
    return {step.name: step.level for step in steps_of(POLICY, ETH, drafts)}


LEFT_OUT = {"not_tried": "dns failed"}
AFTER_ICE = "dtls setup first_media frames"


@pytest.mark.parametrize(
    ("drafts", "expected", "level", "first"),
    [
        ([GOOD], "address+ dns+ tcp+ clock+", "ready", None),
        ([GOOD, call()], "address+ dns+ tcp+ clock+ signalling+ ice+ dtls+ media+", "ready", None),
        ([call()], "signalling+ ice+ dtls+ media+", "ready", None),
        ([call(media_path="turn_tcp")], "signalling+ ice! dtls+ media+", "degraded", "ice media_path"),
        ([call(call_carries="sound_only")], "signalling+ ice+ dtls+ media!", "degraded", "media call_carries"),
        # a failure is judged by the policy's row for its code
        (
            [join(part("dns", "dns_nxdomain"), part("tcp", facts=LEFT_OUT))],
            "dns- tcp.",
            "not_ready",
            "dns dns_nxdomain",
        ),
        ([join(part("dns", "dns_resolver_silent"), part("tcp"))], "dns! tcp+", "degraded", "dns dns_resolver_silent"),
        # what keeps one out weighs more than an earlier remark
        (
            [join(part("dns", "dns_resolver_silent"), part("tcp", "tcp_refused"))],
            "dns! tcp-",
            "not_ready",
            "tcp tcp_refused",
        ),
        # a value that is not good enough has no failure
        ([join(part("tcp"), part("clock", clock_skew_seconds=600.0))], "tcp+ clock-", "not_ready", "clock clock"),
        ([join(part("tcp"), part("clock", clock_skew_seconds=-90.0))], "tcp+ clock!", "degraded", "clock clock"),
        # what could not be tested outranks remarks, and is no fault
        (
            [join(part("dns", "dns_resolver_silent"), part("room", "room_busy"))],
            "dns! room?",
            "unknown",
            "room room_busy",
        ),
        ([join(part("tcp"), code="interrupted")], "tcp+ join?", "unknown", "join interrupted"),
        # what an earlier step explains is not known, and counts for nothing
        (
            [join(part("captive", "captive_portal"), part("dns", facts={"explained_by": "captive"}))],
            "captive- dns?",
            "not_ready",
            "captive captive_portal",
        ),
        ([join(part("tcp", facts=LEFT_OUT))], "tcp.", "unknown", None),
        ([], "", "unknown", None),
        # the call: before the failure well, after it not tried
        (
            [call("ice_failed", "ice", without=f"ice {AFTER_ICE}", media_path="none", call_carries="nothing")],
            "signalling+ ice- dtls. media.",
            "not_ready",
            "ice ice_failed",
        ),
        (
            [call("dtls_failed", "dtls", without=AFTER_ICE)],
            "signalling+ ice+ dtls- media.",
            "not_ready",
            "dtls dtls_failed",
        ),
        (
            [call("media_silent_up", "media", call_carries="nothing")],
            "signalling+ ice+ dtls+ media-",
            "not_ready",
            "media media_silent_up",
        ),
        (
            [call("call_not_possible", "call", without="call first")],
            "signalling? ice. dtls. media.",
            "unknown",
            "signalling call_not_possible",
        ),
        (
            [call("call_broken_off", "call", without="first")],
            "signalling+ ice+ dtls+ media?",
            "unknown",
            "media call_broken_off",
        ),
        # a call that could not be, because of a step before it, is no second fault
        (
            [join(part("room", "room_unreachable")), call("room_unreachable", "signalling", without="call first")],
            "room? signalling. ice. dtls. media.",
            "unknown",
            "room room_unreachable",
        ),
        (
            [join(part("room", "room_unreachable")), call("timeout", "call", without="call first")],
            "room? signalling. ice. dtls. media.",
            "unknown",
            "room room_unreachable",
        ),
        (
            [join(part("captive", "captive_portal")), call("ice_failed", "ice", without=f"ice {AFTER_ICE}")],
            "captive- signalling+ ice. dtls. media.",
            "not_ready",
            "captive captive_portal",
        ),
        # against a room on this computer nothing is learnt about the network
        ([call(subject="loopback")], "signalling+ ice+ dtls+ media+", "unknown", None),
    ],
)
def test_the_steps(drafts: list[Draft], expected: str, level: str, first: str | None) -> None:
    marks = {"+": "ready", "!": "degraded", "-": "not_ready", "?": "unknown", ".": "not_tried"}
    steps = steps_of(POLICY, ETH, drafts)
    assert [(s.name, s.level) for s in steps] == [(word[:-1], marks[word[-1]]) for word in expected.split()]
    assert overall(steps) == level
    told = failure_to_json(first_failure(steps))
    assert (f"{told['step']} {told['code']}" if told else None) == first


def test_a_step_that_learnt_nothing_is_not_called_well() -> None:
    asked = part("stun")
    asked.unknown["stun_rtt_seconds"] = "no server answered"
    assert levels(join(asked)) == {"stun": "unknown"}


def test_the_policy_decides_and_says_who(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[failures]\ntcp_refused = { level = "degraded", owner = "operator" }')
    steps = steps_of(load_policy(path), ETH, [join(part("tcp", "tcp_refused"))])
    shown = {"step": "tcp", "code": "tcp_refused", "owner": "operator", "advice": "ask_service", "level": "degraded"}
    assert failure_to_json(first_failure(steps)) == shown


def test_values_and_facts_stand_at_the_stage_that_they_belong_to() -> None:
    shown = {step.name: to_json(step, addresses=False) for step in steps_of(POLICY, ETH, [call()])}
    assert {name: s["seconds"] for name, s in shown.items()} == {
        "signalling": 0.1, "ice": 0.2, "dtls": 0.1, "media": 0.6
    }  # fmt: skip
    assert shown["ice"]["facts"] == {"media_path": "direct", "candidate_pair": "host/host"}
    assert shown["media"]["values"] == {"first_media_seconds": 0.6, "call_frames_per_second": 30.0}
    assert list(shown["ice"]) == ["name", "level", "seconds", "values", "facts", "unknown", "failure"]


@pytest.mark.parametrize(("addresses", "detail"), [(False, "from [address]"), (True, "from 192.0.2.7")])
def test_addresses_only_when_asked_for(addresses: bool, detail: str) -> None:
    (step,) = steps_of(POLICY, ETH, [join(part("tcp", "tcp_refused"))])
    assert to_json(step, addresses=addresses)["failure"] == {"code": "tcp_refused", "detail": detail}


# ---- the words at the end


def ends(steps: list[Step], *, room: bool = True, profile: str | None = "jonkoping") -> str:
    asked = Options(
        POLICY, Room("room.example", 443) if room else None, 1.0, "en", ("join",), profile=load_profile(profile)
    )
    return "\n".join(closing(asked, steps, overall(steps)))


def test_whom_to_turn_to_comes_in_the_profiles_order_when_one_is_kept_out() -> None:
    said = ends(steps_of(POLICY, ETH, [join(part("tcp", "tcp_timeout"))]))
    assert "Connection to the login page" in said
    places = [said.index(words) for words in ("1. Your own", "2. The Region", "invitation")]
    assert places == sorted(places)


@pytest.mark.parametrize("steps", [[GOOD], [join(part("dns", "dns_resolver_silent"))]])
def test_nobody_is_to_be_called_when_one_gets_in(steps: list[Draft]) -> None:
    assert "1. " not in ends(steps_of(POLICY, ETH, steps))


def test_what_was_not_tried_is_said() -> None:
    steps = steps_of(POLICY, ETH, [GOOD])
    assert len({ends(steps), ends(steps, room=False), ends(steps, profile=None)}) == 3
    assert "clear" not in ends(steps_of(POLICY, None, [call(subject="loopback")]))
    assert ends([]).count("\n") == 0
