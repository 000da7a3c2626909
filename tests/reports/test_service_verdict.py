"""The verdict on the way into the meeting and on the test call."""

from __future__ import annotations

import pytest

from reports.record import Fact, Failure, Measurement
from tests.reports.make import echo, finding, good, link, verdict


def call(failure: str | None = None, subject: str = "eth0", **facts: Fact) -> Measurement:
    failed = Failure("ice", failure) if failure else None
    return Measurement("call", subject, 1.8e9, 5.0, facts=facts, failure=failed)


def step(name: str, failure: str | None = None, subject: str = "eth0", **values: float) -> Measurement:
    failed = Failure(name, failure) if failure else None
    return Measurement(f"join_{name}", subject, 1.8e9, 0.1, values=values, failure=failed)


DIRECT, DETOUR = ({"media_path": path, "call_carries": "video"} for path in ("direct", "turn_tcp"))
SILENT = echo(failure="no_reply")
TABLE = [
    # what                                        with a room                                     level
    ("a call as it should be", [good(), call(**DIRECT)], "ready"),
    ("sound only", [good(), call(media_path="direct", call_carries="sound_only")], "degraded"),
    ("no way for the call", [good(), call("ice_failed")], "not_ready"),
    ("the call could not be tried", [good(), call("call_not_possible")], "ready"),
    ("a detour", [good(), call(**DETOUR)], "degraded"),
    ("UDP silent, and no call", [SILENT], "unknown"),
    ("UDP silent, the call takes a detour", [SILENT, call(**DETOUR)], "degraded"),
    ("UDP silent there, a detour elsewhere", [SILENT, call(subject="wlan0", **DETOUR)], "unknown"),
    ("UDP silent, nothing carried", [SILENT, call(media_path="turn_tcp", call_carries="nothing")], "not_ready"),
    ("UDP silent for the test, but not for the call", [SILENT, call(**DIRECT)], "unknown"),
    ("a step fails", [good(), step("tcp", "tcp_timeout")], "not_ready"),
    ("a step has a remark", [good(), step("dns", "dns_resolver_silent")], "degraded"),
    ("the clock is wrong", [good(), step("clock", clock_skew_seconds=-600.0)], "not_ready"),
    ("the clock is right", [good(), step("clock", clock_skew_seconds=-0.4)], "ready"),
    ("a step fails elsewhere", [good(), step("tcp", "tcp_timeout", "wlan0")], "ready"),
]


@pytest.mark.parametrize(("what", "found", "level"), TABLE, ids=[row[0] for row in TABLE])
def test_the_level(what: str, found: list[Measurement], level: str) -> None:
    assert verdict(*found, links=(link(), link("wlan0", "wifi"))).level == level


def test_the_meeting_service_counts_also_when_there_is_no_test_room() -> None:
    steps = [step("portal", "portal_error")]
    assert verdict(*steps, embedded=True).level == "not_ready"
    assert verdict(step("portal"), embedded=True).level == "unknown"


@pytest.mark.parametrize(
    ("code", "owner", "action"),
    [
        ("captive_portal", "you", "open_network_login"),
        ("tcp_timeout", "municipal_it", "call_support"),
        ("portal_error", "region_it", "call_support"),
    ],
)
def test_who_can_mend_it(code: str, owner: str, action: str) -> None:
    v = verdict(good(), step("any", code))
    assert (finding(v, "join_any").owner, v.action) == (owner, action)
    assert v.action_params.get("owner", "you") == owner


def test_the_first_step_that_fails_is_named_first() -> None:
    v = verdict(good(), step("tls", "tls_untrusted"), step("turn", "media_unreachable"))
    assert [f.value for f in v.findings[:2]] == ["tls_untrusted", "media_unreachable"]


@pytest.mark.parametrize(
    ("skipped", "owner", "advice"), [(0.4, "you", "close_programs"), (0.02, "municipal_it", "ask_network")]
)
def test_a_computer_that_does_not_keep_up_is_no_fault_of_the_network(skipped: float, owner: str, advice: str) -> None:
    slow = Measurement(
        "call", "eth0", 1.8e9, 5.0, {"call_frames_per_second": 15.0, "call_frames_skipped_ratio": skipped}
    )
    found = finding(verdict(good(), slow), "call_frames")
    assert (found.level, found.owner, found.advice) == ("degraded", owner, advice)
