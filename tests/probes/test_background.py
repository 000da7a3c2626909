"""The link's counters less our own traffic: tables, a real loopback, and who moved it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from probes import background, movers, own_traffic
from probes.background import ETHERNET_HEADER, Sample, framing, moved
from reports.record import Counters
from tests.probes.rooms import link

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
KB = 1000


# ---- counters ------------------------------------------------------------------------------------------------------


def series(link_kb: Sequence[float], own_kb: Sequence[float]) -> list[Sample]:
    """Four samples a second: the link's and our own kilobytes so far, the same both ways, in packets of 1 kB."""

    def counted(kb: float) -> Counters:
        return Counters(int(kb * KB), int(kb * KB), int(kb), int(kb))

    return [Sample(i / 4, counted(a), counted(b)) for i, (a, b) in enumerate(zip(link_kb, own_kb, strict=True))]


# what the link counted, what we moved, others' kilobytes, and over how many seconds
COUNTED: list[tuple[Sequence[float], Sequence[float], float | None, float]] = [
    ((0, 10, 20, 30, 40), (0, 10, 20, 30, 40), 0, 1.0),
    ((0, 15, 30, 45, 60), (0, 10, 20, 30, 40), 20, 1.0),
    ((0, 0, 0, 0, 100), (0, 0, 0, 0, 0), 100, 1.0),  # one burst of theirs, nothing of ours
    ((0, 9, 19, 29, 39), (0, 10, 20, 30, 40), 0, 1.0),  # ours still waits for the device
    ((0, 0, 30, 30, 60, 60), (0, 10, 20, 30, 40, 50), 10, 0.5),  # renewed every half second
    ((0, 5, 5, 5, 5, 105), (0, 10, 20, 30, 40, 50), 60, 1.0),
    ((0, 0, 0, 0, 60), (0, 10, 20, 30, 40), None, 0),  # once only: no telling since when
    ((0, 0, 0, 0), (0, 10, 20, 30), None, 0),
    ((7,), (0,), None, 0),
]


@pytest.mark.parametrize(("counted", "own", "others", "seconds"), COUNTED)
def test_others(counted: Sequence[float], own: Sequence[float], others: float | None, seconds: float) -> None:
    found = moved(series(counted, own), frame=0)
    if others is None:
        assert found is None
    else:
        assert found is not None
        assert (found.up_bytes, found.down_bytes, found.seconds) == (others * KB, others * KB, seconds)


def test_framing_is_counted_with_the_packets() -> None:
    own = Counters(1000, 500, 10, 5)
    counted = Counters(1000 + 10 * 14 + 77, 500 + 5 * 14 + 33, 11, 6)
    nothing = own_traffic.NOTHING
    found = moved([Sample(0, nothing, nothing), Sample(1, counted, own)], ETHERNET_HEADER)
    assert found == background.Moved(77, 33, 1)


@pytest.mark.parametrize(
    ("name", "kind", "octets"), [("lo", "other", 14), ("nothing-here", "wired", 14), ("nothing-here", "vpn", 0)]
)
def test_framing(name: str, kind: str, octets: int) -> None:
    assert framing(link(name, kind=kind)) == octets


def test_a_link_that_vanishes_is_not_silent() -> None:
    watch = background.Watch(link("nothing-here"))
    assert watch.moved() is None
    assert watch.reason == background.NO_COUNTERS


def test_stopped_at_once() -> None:
    watch = background.Watch(link())
    watch.take()
    assert watch.moved() is None
    assert watch.reason == background.TOO_SHORT


# ---- accounts ------------------------------------------------------------------------------------------------------


def test_an_account_counts_while_open_and_afterwards() -> None:
    before = own_traffic.total("wlan9")
    with own_traffic.account(link("wlan9")) as one, own_traffic.account(link("wlan9")) as two:
        one.sent(100)
        two.received(60)
        assert own_traffic.total("wlan9") == own_traffic.added(before, Counters(100, 60, 1, 1))
    assert own_traffic.total("wlan9") == own_traffic.added(before, Counters(100, 60, 1, 1))


def test_accounts_that_look_alike_are_two() -> None:
    before = own_traffic.total("wlan8")
    with own_traffic.account(link("wlan8")) as kept:
        with own_traffic.account(link("wlan8")):
            pass
        kept.sent(5)
        assert own_traffic.total("wlan8").sent_bytes - before.sent_bytes == 5


def test_what_goes_by_a_vpn_goes_by_the_link_beneath_too() -> None:
    before = own_traffic.total("eth9")
    with own_traffic.account(link("tun9", kind="vpn", beneath="eth9")) as account:
        account.sent(1000)
    after = own_traffic.total("eth9")
    assert after.sent_bytes - before.sent_bytes == 1000 + own_traffic.TUNNEL_OCTETS
    assert after.sent_packets - before.sent_packets == 1


def test_without_a_link_nothing_is_kept() -> None:
    with own_traffic.account(None) as account:
        account.sent(1)


# ---- who moves it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["firefox-bin", "firefox"], "browser"),
        (["python3.11", "unattended-upgrade", "unattended-upgr"], "system update"),
        (["WebKitNetworkPr"], "browser"),  # as the kernel cuts it
        (["electron", "teams-for-linux"], "video call"),
        (["restic"], "backup"),
        (["a program of their own"], "other"),
        ([], "other"),
    ],
)
def test_kind_of_program(names: list[str], kind: str) -> None:
    assert movers.kind_of_program(names) == kind


@pytest.mark.parametrize(
    ("by_kind", "background_octets", "kind"),
    [
        ({"browser": 90.0, "other": 10.0}, 100.0, "browser"),
        ({"browser": 49.0, "other": 10.0}, 100.0, None),  # most of it moved by somebody unknown
        ({"browser": 90.0}, 0.0, None),
        ({}, 100.0, None),
    ],
)
def test_biggest(by_kind: dict[str, float], background_octets: float, kind: str | None) -> None:
    assert movers.biggest(by_kind, background_octets) == kind


@pytest.mark.parametrize("datagram", [b"", bytes(7), bytes(16), b"\xff" * 200, movers.HEADER.pack(16, 2, 0, 1, 0)])
def test_an_answer_that_is_none(datagram: bytes) -> None:
    try:
        assert list(movers.parse(datagram, {"127.0.0.1"})) == []
    except OSError:
        assert len(datagram) >= movers.HEADER.size


SEND = """
import socket, sys, time
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=("127.0.0.3", 0)) as s:
    print("connected", flush=True)
    sys.stdin.readline()
    s.sendall(bytes(2_000_000))
    print("sent", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def sink() -> Iterator[int]:
    """Takes in what one connection brings; its port."""

    def drain() -> None:
        connection, _ = listening.accept()
        with connection:
            while connection.recv(1 << 16):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drain, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A file sync program, by its name."""
    program = tmp_path / "syncthing"
    program.symlink_to(sys.executable)
    env = os.environ | {"PYTHONHOME": sys.base_prefix}
    with sink() as port:
        words = [str(program), "-c", SEND, str(port)]
        pipe = subprocess.PIPE
        with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=env) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "connected\n"
            yield process
            print(file=process.stdin, flush=True)


@linux
def test_a_real_program_is_told_by_its_kind(sending: subprocess.Popen[str]) -> None:
    assert sending.stdin is not None
    assert sending.stdout is not None
    before = movers.flows(["127.0.0.3"])
    assert before is not None
    assert len(before) == 1
    print(file=sending.stdin, flush=True)
    assert sending.stdout.readline() == "sent\n"
    time.sleep(0.1)  # the last acknowledgement
    after = movers.flows(["127.0.0.3"])
    assert after is not None
    [octets] = [flow.octets - before[i].octets for i, flow in after.items()]
    assert octets == pytest.approx(2_000_000, rel=0.01)
    assert movers.kind(before, after, 2.1e6) == "file sync"
    assert movers.kind(before, after, 5e6) is None
    assert movers.kind(after, after, 2.1e6) is None
    assert movers.flows(["192.0.2.77"]) == {}


@linux
def test_our_own_connections_are_nobody_elses() -> None:
    with sink() as port, socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.4", 0)) as ours:
        before = movers.flows(["127.0.0.4"])
        ours.sendall(bytes(500_000))
        time.sleep(0.1)
        after = movers.flows(["127.0.0.4"])
        assert before is not None
        assert after is not None
        assert sum(f.octets for f in after.values()) >= 500_000
        assert movers.kind(before, after, 5e5) is None
        arrived = movers.flows(["127.0.0.1"]) or {}
        assert any(500_000 <= flow.octets <= 500_001 for flow in arrived.values())  # received counts, too
