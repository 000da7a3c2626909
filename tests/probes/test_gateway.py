"""The first router: real pings on loopback, and tables of what answers may look like."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence

import pytest

from probes import gateway, icmp
from probes.gateway import NAMES, Ping, Pinger
from tests.probes.rooms import link


def pinger(v6: bool = False) -> Pinger:
    opened = gateway.open_pinger(link(gateway="127.0.0.1", gateway_v6="::1"), v6=v6)
    if isinstance(opened, str):
        pytest.skip(opened)
    return opened


@pytest.mark.parametrize("v6", [False, True])
def test_pings_to_this_computer(v6: bool) -> None:
    asked = pinger(v6)
    try:
        for _ in range(30):
            asked.send()
        assert asked.outstanding == 30
        end = time.monotonic() + 2
        while asked.outstanding and time.monotonic() < end:
            asked.take_in()
    finally:
        asked.sock.close()
    if v6 and not asked.pings:
        pytest.skip("this computer has no IPv6")
    values, unknown = gateway.values(asked.pings, (0, 30))
    assert 0 < values["gateway_rtt_min_seconds"] <= values["gateway_rtt_p95_seconds"] < 0.5
    assert (values["gateway_loss_ratio"], unknown) == (0, {})
    moved = asked.account.sent_bytes + asked.account.received_bytes
    assert moved == 60 * ((40 if v6 else 20) + 8 + gateway.PAYLOAD_BYTES)


def test_answers_to_others_and_copies_are_not_ours() -> None:
    asked = pinger()
    asked.send()
    asked.sock.close()
    sent = asked.pings[0].sent_ns
    for reply in (icmp.EchoReply(1, 0, b"another's" * 3), icmp.EchoReply(1, 7, asked._token), None):
        asked._answered(reply, sent + 5)
    assert asked.outstanding == 1
    for received in (sent + 10, sent + 99):
        asked._answered(icmp.EchoReply(1, 0, asked._token), received)
    assert asked.pings[0].received_ns == sent + 10


def test_no_gateway() -> None:
    assert gateway.open_pinger(None, v6=False) == gateway.NO_GATEWAY
    assert gateway.open_pinger(link(), v6=True) == gateway.NO_GATEWAY


def test_icmp_is_not_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(gateway, "_icmp_socket", forbidden)
    assert gateway.open_pinger(link(gateway="127.0.0.1"), v6=False) == gateway.NOT_PERMITTED


def test_a_link_that_is_not_there() -> None:
    why = gateway.open_pinger(link("nosuch0", gateway="192.0.2.1"), v6=False)
    assert isinstance(why, str)
    assert "192.0.2.1" not in why


# ---- what the answers say -----------------------------------------------------------------------------------------


def pings(answered: Sequence[bool], rtt: float = 0.01) -> list[Ping]:
    return [Ping(10**18 + i, 10**18 + i + round(rtt * 1e9) if a else 0) for i, a in enumerate(answered)]


def chance(share: float, count: int = 300, seed: int = 1) -> list[bool]:
    rng = random.Random(seed)
    return [rng.random() >= share for _ in range(count)]


def counted_out(rate: float, burst: int, count: int = 300, pace: float = 50) -> list[bool]:
    """A router with a token bucket."""
    tokens, made = float(burst), []
    for _ in range(count):
        tokens = min(burst, tokens + rate / pace)
        made.append(tokens >= 1)
        tokens -= tokens >= 1
    return made


FOUR = chance(0.04)
SAID = {  # answered, beyond, ratio or (the beginning of) why not
    "all": ([True] * 300, (0, 300), 0.0),
    "some, as on the whole way": (FOUR, (14, 300), FOUR.count(False) / 300),
    "some, and nothing is known beyond": (FOUR, None, FOUR.count(False) / 300),
    "many, as on the whole way": (chance(0.5), (160, 300), chance(0.5).count(False) / 300),
    "fewer than on the whole way": (chance(0.02), (60, 300), chance(0.02).count(False) / 300),
    "more than on the whole way": (chance(0.1), (2, 300), gateway.LIMITED),
    "counted out: ten a second": (counted_out(10, 6), (0, 300), gateway.LIMITED),
    "counted out: one a second, nothing known beyond": (counted_out(1, 6, 600), None, gateway.LIMITED),
    "counted out: seven a second, nothing known beyond": (counted_out(7, 1), None, gateway.LIMITED),
    "counted out, nearly all": (counted_out(40, 6), (0, 300), gateway.LIMITED),
    "none": ([False] * 300, (0, 300), gateway.SILENT),
    "few": ([True] * 12, (0, 12), gateway.TOO_FEW),
    "no ping": ([], (0, 12), "no ping could be sent"),
}


@pytest.mark.parametrize(("answered", "beyond", "expected"), SAID.values(), ids=SAID)
def test_what_is_loss_and_what_is_not(
    answered: list[bool], beyond: tuple[int, int] | None, expected: float | str
) -> None:
    values, unknown = gateway.values(pings(answered), beyond)
    assert {n for n in values if "ci95" not in n} | unknown.keys() == set(NAMES)
    assert not values.keys() & unknown.keys()
    if isinstance(expected, str):
        assert unknown["gateway_loss_ratio"].startswith(expected)
        assert "gateway_loss_ratio_ci95_low" not in values
    else:
        low, high = values["gateway_loss_ratio_ci95_low"], values["gateway_loss_ratio_ci95_high"]
        assert low <= values["gateway_loss_ratio"] == expected <= high
    if any(answered):
        assert values["gateway_rtt_p50_seconds"] == pytest.approx(0.01)


@pytest.mark.parametrize("share", [0.01, 0.04, 0.2, 0.5, 0.8, 0.95])
def test_chance_does_not_look_counted_out(share: float) -> None:
    assert sum(gateway.metered(chance(share, seed=seed)) for seed in range(300)) <= 1


def at_gaps(*gaps: int) -> list[bool]:
    """Answered ones with so many steps between them."""
    return [True] + [step == gap for gap in gaps for step in range(1, gap + 1)]


COUNTED = {
    "evenly": (at_gaps(5, 5, 5, 5, 5, 5, 5), True),
    "evenly, after a burst": (at_gaps(1, 1, 1, 1, 5, 5, 6, 5, 4, 5), True),
    "not so evenly": (at_gaps(5, 5, 9, 2, 5, 5, 5), False),
    "one out of line": (at_gaps(5, 5, 5, 5, 5, 5, 9), False),
    "some next to each other": (at_gaps(2, 2, 1, 2, 2, 2, 2), False),
    "too few": (at_gaps(5, 5, 5, 5, 5), False),
    "all": (at_gaps(*[1] * 50), False),
    "none": ([False] * 50, False),
}


@pytest.mark.parametrize(("answered", "counted"), COUNTED.values(), ids=COUNTED)
def test_answers_that_are_counted_out(answered: list[bool], counted: bool) -> None:
    assert gateway.metered(answered) == counted


def test_a_95th_percentile_needs_twenty() -> None:
    assert "gateway_rtt_p95_seconds" not in gateway.rtt_values([0.01] * 19)
    assert gateway.rtt_values([0.01 * i for i in range(1, 21)]) == pytest.approx(
        {"gateway_rtt_min_seconds": 0.01, "gateway_rtt_p50_seconds": 0.105, "gateway_rtt_p95_seconds": 0.1905}
    )
    assert gateway.rtt_values([]) == {}
