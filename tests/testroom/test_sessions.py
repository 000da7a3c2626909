import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testroom import sessions as module
from testroom.limits import Limits
from testroom.sessions import GRACE_S, RoomBusyError, Sessions, Tally


@dataclass
class Naive:
    """What Tally must say, told by keeping everything."""

    most: int
    arrived: list[int] = field(default_factory=list)
    duplicates: int = 0

    def admit(self, sequence: int) -> bool:
        if sequence >= self.most:
            return False
        if sequence in self.arrived:
            self.duplicates += 1
            return False
        self.arrived.append(sequence)
        return True

    @property
    def reordered(self) -> int:
        return sum(s < max(self.arrived[:i], default=-1) for i, s in enumerate(self.arrived))


@given(st.lists(st.integers(0, 700), max_size=80), st.integers(1, 650))
def test_tally_agrees_with_a_naive_one(sequences: list[int], most: int) -> None:
    tally, naive = Tally(most), Naive(most)
    assert [tally.admit(s) for s in sequences] == [naive.admit(s) for s in sequences]
    assert (tally.received, tally.duplicates) == (len(naive.arrived), naive.duplicates)
    assert tally.reordered == naive.reordered
    assert bits(tally.seen) == set(naive.arrived)


@pytest.mark.parametrize(
    ("sequences", "received", "duplicates", "reordered"),
    [
        ([], 0, 0, 0),
        ([0, 1, 2], 3, 0, 0),
        ([0, 0, 0], 1, 2, 0),
        ([1, 0, 2], 2 + 1, 0, 1),
        ([3, 2, 1, 0], 4, 0, 3),
        ([5, 0, 0], 2, 1, 1),  # a copy of a late one is no second late one
        ([99, 100], 1, 0, 0),  # 100 lies beyond the last number
        ([2**32 - 1], 0, 0, 0),
    ],
)
def test_tally(sequences: list[int], received: int, duplicates: int, reordered: int) -> None:
    tally = Tally(100)
    for sequence in sequences:
        tally.admit(sequence)
    assert (tally.received, tally.duplicates, tally.reordered) == (received, duplicates, reordered)


def test_a_high_number_takes_memory_for_the_session_only() -> None:
    tally = Tally(10_000)
    tally.admit(9_999)
    assert len(tally.seen) <= 10_000 // 8 + 64


def test_report_says_what_was_seen() -> None:
    session = Sessions(Limits()).issue("habo", "a", 10, 50)
    for sequence in (0, 2, 9, 2):
        session.tally.admit(sequence)
    session.next_sequence, session.throttled = 3, 4
    report = session.report()
    seen = base64.b64decode(str(report.pop("seen")))
    assert bits(seen) == {0, 2, 9}
    assert report == {
        "received": 3,
        "duplicates": 1,
        "reordered": 0,
        "reflected": 3,
        "throttled": 4,
        "other_transfers": 0,
    }


@pytest.mark.parametrize(
    ("limits", "callers"),
    [
        (Limits(sessions=2), [("a", "1"), ("b", "2"), ("c", "3")]),
        (Limits(sessions_per_organisation=2), [("a", "1"), ("a", "2"), ("a", "3")]),
        (Limits(sessions_per_address=2), [("a", "1"), ("b", "1"), ("c", "1")]),
    ],
)
def test_caps_refuse_clearly_and_only_the_third(limits: Limits, callers: list[tuple[str, str]]) -> None:
    sessions = Sessions(limits)
    first, _ = (sessions.issue(*caller, 10, 50) for caller in callers[:2])
    with pytest.raises(RoomBusyError) as refusal:
        sessions.issue(*callers[2], 10, 50)
    assert refusal.value.code == "room_busy"
    assert 1 <= refusal.value.retry_after_s <= 10 + GRACE_S
    assert (len(sessions), sessions.issued, sessions.refused) == (2, 2, 1)
    sessions.end(first)
    sessions.issue(*callers[2], 10, 50)


def test_other_organisations_and_addresses_have_their_own_place() -> None:
    sessions = Sessions(Limits(sessions_per_organisation=1, sessions_per_address=1))
    sessions.issue("a", "1", 10, 50)
    sessions.issue("b", "2", 10, 50)


@pytest.mark.parametrize(("seconds", "rate"), [(1e5, 1e5), (5, 20)])
def test_nobody_gets_more_time_or_packets_than_the_limits(seconds: float, rate: float) -> None:
    limits = Limits(session_seconds=100, packets_per_second=60)
    session = Sessions(limits).issue("a", "1", seconds, rate)
    least_s, least_rate = min(seconds, 100), min(rate, 60)
    assert session.expires_at - module.time.monotonic() == pytest.approx(least_s + GRACE_S, abs=0.5)
    assert session.tally.most == pytest.approx(least_rate * (least_s + GRACE_S) * 1.25 + 64, abs=1)
    burst = sum(session.bucket.allow(0) for _ in range(1000))
    assert burst == max(least_rate, 50)


def test_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(Limits())
    short, long = sessions.issue("a", "1", 10, 50), sessions.issue("a", "1", 100, 50)
    now = module.time.monotonic() + 10 + GRACE_S + 1
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    assert sessions.find(short.identifier) is None
    assert sessions.find(long.identifier) is long
    assert (len(sessions), sessions.expired) == (1, 1)


def test_an_ended_session_is_forgotten_and_may_be_ended_again() -> None:
    sessions = Sessions(Limits())
    session = sessions.issue("a", "1", 10, 50)
    sessions.end(session)
    sessions.end(session)
    assert sessions.find(session.identifier) is None
    assert session.ssid not in sessions.by_ssid
    assert sessions.expired == 0


def test_sessions_share_neither_key_nor_name_and_none_is_zero() -> None:
    sessions = Sessions(Limits(sessions_per_address=300))
    made = [sessions.issue("a", "1", 10, 50) for _ in range(200)]
    for attribute in ("ssid", "identifier", "secret"):
        assert len({getattr(s, attribute) for s in made}) == 200
    assert all(0 < s.ssid < 0x10000 and len(s.secret) == 32 for s in made)


def test_full_is_said_when_every_identifier_is_in_use() -> None:
    """Sixteen bits name a session on the wire: a larger cap must end in a refusal, not in a search without end."""
    sessions = Sessions(Limits(sessions=10**6, sessions_per_organisation=10**6, sessions_per_address=10**6))
    session = sessions.issue("a", "1", 10, 50)
    sessions.by_ssid = dict.fromkeys(range(1, 0x10000), session)
    with pytest.raises(RoomBusyError):
        sessions.issue("a", "1", 10, 50)


def bits(seen: Iterable[int]) -> set[int]:
    return {8 * i + bit for i, byte in enumerate(seen) for bit in range(8) if byte >> bit & 1}
