"""The sender against a real reflector on loopback, and over a way that drops, copies and holds back."""

from __future__ import annotations

import gc
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from probes import delay, loss, sender, stamp
from probes.sender import Access, Sender
from probes.traffic import isochronous
from testroom.limits import Limits
from testroom.reflector import Reflector
from testroom.sessions import Sessions
from tests.probes.far import SIZE, Far, connected, report, run
from tests.probes.relay import Pattern, relay

linux = pytest.mark.skipif(sys.platform != "linux", reason="kernel stamps are Linux's")


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.reflector.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LATEST_REPLY_S", 0.15)


# ---- on time, and every packet accounted for ----------------------------------------------------------------------


@linux
def test_a_run_on_loopback(far: Far) -> None:
    session, access = far.session()
    trace = run(far.port, access, isochronous(0.6, 0.003, SIZE))
    trace.fates = report(session)
    found, unknown = loss.values(trace)
    assert (found["packets_sent"], found["packets_reflected"], found["packets_received"]) == (200, 200, 200)
    assert found["loss_ratio"] == found["duplicate_up_ratio"] == found["duplicate_down_ratio"] == 0
    assert (unknown, trace.rejected, trace.port_closed, trace.send_errors) == ({}, 0, 0, {})
    assert (trace.interrupted, trace.vanished) == (False, False)
    assert abs(trace.clock_moved_ns) < 1_000_000
    assert [t.sequence for t in trace.trips] == [t.reflector_sequence for t in trace.trips] == list(range(200))


@linux
def test_true_departures_of_answers_are_known(far: Far) -> None:
    for _ in range(5):  # a computer that is busy with other things answers several at once, and tells of the last
        trace = run(far.port, far.session()[1], isochronous(0.5, 0.005, SIZE))
        if sum(t.departed_ns > 0 for t in trace.trips) > 95:
            break
    else:
        pytest.fail("follow-ups of 95 % of the answers never came")
    assert all(t.departed_ns == 0 or t.departed_ns >= t.replied_ns for t in trace.trips)


@linux
def test_the_stamps_of_a_packet_follow_one_another(far: Far) -> None:
    trace = run(far.port, far.session()[1], isochronous(0.5, 0.01, SIZE))
    assert trace.kernel_stamps
    begin = trace.trips[0].planned_ns
    assert abs(begin / 1e9 - trace.started_at) < 0.5
    for i, t in enumerate(trace.trips):
        assert t.planned_ns - begin == i * 10_000_000
        moments = [t.planned_ns, t.sent_ns, t.scheduled_ns, t.left_ns, t.reached_ns, t.replied_ns, t.received_ns]
        assert 0 not in moments
        assert moments[1:] == sorted(moments[1:])
        assert not t.departed_ns or t.replied_ns <= t.departed_ns <= t.received_ns
        assert t.sent_ns >= t.planned_ns - abs(trace.clock_moved_ns) - 10_000  # never before its time
    assert median(t.sent_ns - t.planned_ns for t in trace.trips) < 2_000_000  # a busy computer delays some
    assert 0 < delay.values(trace)["rtt_p50_seconds"] < 0.002


def test_plain_stamp(far: Far) -> None:
    for follow_up in (False, True):
        trace = run(far.port, Access(ssid=9, follow_up=follow_up), isochronous(0.2, 0.005, 80))
        assert all(t.copies == 1 for t in trace.trips)
        assert any(t.departed_ns for t in trace.trips) is (follow_up and trace.kernel_stamps)


def test_without_kernel_stamps_the_program_takes_the_time(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.timestamping.sys.platform", "darwin")
    trace = run(far.port, far.session()[1], isochronous(0.2, 0.005, SIZE))
    assert not trace.kernel_stamps
    assert all(t.returned and t.left_ns == 0 and t.sent_ns <= t.reached_ns <= t.received_ns for t in trace.trips)


def test_ipv6() -> None:
    sessions = Sessions(Limits())
    issued = sessions.issue("habo", "::1", 5, 500)
    reflector = Reflector(sessions, Limits())
    try:
        port = reflector.open("::1", 0)
    except OSError:
        pytest.skip("this computer has no IPv6")
    with closing(reflector), closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as sock:
        sock.connect(("::1", port))
        made = Sender(sock, isochronous(0.1, 0.005, SIZE), Access(issued.ssid, issued.key), time.monotonic_ns())
        made.start()
        assert made.join(3)
        trace = made.trace()
    assert all(t.returned and (t.left_ns or not trace.kernel_stamps) for t in trace.trips)


# ---- what the way does --------------------------------------------------------------------------------------------

# what is dropped, doubled and held back on each way; on the way down the number is the answer's
WAYS = {
    "clean": ({}, {}),
    "lost up": ({"drop": {0, 3, 10, 11, 99}}, {}),
    "lost down": ({}, {"drop": {0, 4, 50, 51, 52, 99}}),
    "copied up": ({"twice": {5, 6, 40}}, {}),
    "copied down": ({}, {"twice": {7, 80}}),
    "overtaken up": ({"hold": {20, 30}}, {}),
    "overtaken down": ({}, {"hold": {20, 30, 40}}),
    "everything": (
        {"drop": {3, 9}, "twice": {15, 16}, "hold": {60}},
        {"drop": {4, 20, 21}, "twice": {30}, "hold": {70, 75}},
    ),
}


@pytest.mark.parametrize(("up", "down"), WAYS.values(), ids=WAYS)
def test_the_ways_are_told_apart_exactly(far: Far, up: dict[str, set[int]], down: dict[str, set[int]]) -> None:
    session, access = far.session()
    with relay(far.port, Pattern(**up), Pattern(**down)) as port:
        trace = run(port, access, isochronous(0.2, 0.002, SIZE))
    trace.fates = report(session)
    count = {(way, what): len(do.get(what, ())) for way, do in (("up", up), ("down", down)) for what in WHAT}
    reached = 100 - count["up", "drop"]
    returned = reached - count["down", "drop"]
    found, _ = loss.values(trace)
    assert {
        name: round(found[name] * whole)
        for name, whole in (
            ("loss_up_ratio", 100), ("loss_down_ratio", reached), ("loss_ratio", 100),
            ("duplicate_up_ratio", reached), ("duplicate_down_ratio", returned),
            ("reordered_up_ratio", reached), ("reordered_down_ratio", returned),
        )
    } == {
        "loss_up_ratio": count["up", "drop"], "loss_down_ratio": count["down", "drop"], "loss_ratio": 100 - returned,
        "duplicate_up_ratio": count["up", "twice"], "duplicate_down_ratio": count["down", "twice"],
        "reordered_up_ratio": count["up", "hold"], "reordered_down_ratio": count["down", "hold"],
    }  # fmt: skip
    assert {t.sequence for t in trace.trips if not trace.fates.reached(t.sequence)} == up.get("drop", set())
    assert trace.rejected == 0


WHAT = ("drop", "twice", "hold")


def test_copies_that_come_last_are_counted_too(far: Far) -> None:
    with relay(far.port, down=lambda i, packet: [packet, 0.005, packet] if i == 19 else [packet]) as port:
        assert run(port, far.session()[1], isochronous(0.1, 0.005, SIZE)).trips[19].copies == 2


def test_a_closed_port_is_noticed_and_waited_for_no_longer_than_any_other() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    begun = time.monotonic()
    trace = run(port, Access(), isochronous(0.3, 0.01, 80))
    assert time.monotonic() - begun < 1.5
    assert not any(t.returned for t in trace.trips)
    assert trace.port_closed >= 15
    assert not trace.vanished


def test_a_far_end_that_is_silent_ends_in_time(far: Far) -> None:
    begun = time.monotonic()
    trace = run(far.port, Access(1, stamp.Key(b"a stranger's")), isochronous(0.1, 0.01, SIZE))
    assert 0.23 <= time.monotonic() - begun < 1.5
    assert len(trace.sent) == 10
    assert not any(t.returned for t in trace.trips)


@linux
def test_a_packet_that_the_kernel_refuses_does_not_confuse_the_others(far: Far) -> None:
    plan = isochronous(0.2, 0.01, SIZE)
    plan[8] = plan[8]._replace(size=65_510)  # more than a datagram holds
    trace = run(far.port, far.session()[1], plan)
    assert trace.send_errors == {"EMSGSIZE": 1}
    assert not trace.vanished
    others = trace.trips[:8] + trace.trips[9:]
    assert not trace.trips[8].sent
    assert all(t.returned and t.sent_ns <= t.scheduled_ns <= t.left_ns <= t.reached_ns for t in others)


# ---- the end ------------------------------------------------------------------------------------------------------


def test_stop_in_the_middle(far: Far) -> None:
    with closing(connected(far.port)) as sock:
        made = Sender(sock, isochronous(30, 0.01, SIZE), far.session()[1], time.monotonic_ns())
        made.start()
        time.sleep(0.25)
        assert made.alive
        begun = time.monotonic()
        made.stop()
        assert made.join(1.0)
        assert time.monotonic() - begun < 0.6
        trace = made.trace()
    assert trace.interrupted
    assert not trace.vanished
    assert 15 <= len(trace.sent) < 300
    assert all(t.returned for t in trace.sent)
    assert len(trace.trips) == 3000


def test_stop_long_before_the_start(far: Far) -> None:
    with closing(connected(far.port)) as sock:
        made = Sender(sock, isochronous(1, 0.01, SIZE), far.session()[1], time.monotonic_ns() + 60_000_000_000)
        made.start()
        made.stop()
        assert made.join(1.0)
        assert made.trace().interrupted
        assert not made.trace().sent


def test_stop_after_the_end_is_no_interruption(far: Far) -> None:
    with closing(connected(far.port)) as sock:
        made = Sender(sock, isochronous(0.05, 0.01, SIZE), far.session()[1], time.monotonic_ns())
        made.start()
        assert made.join(3)
        made.stop()
        assert not made.trace().interrupted


def test_nothing_is_left_behind(far: Far) -> None:
    def state() -> tuple[set[str], int, bool, float]:
        files = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
        return {t.name for t in threading.enumerate()}, files, gc.isenabled(), sys.getswitchinterval()

    before = state()
    assert gc.isenabled()
    run(far.port, far.session()[1], isochronous(0.05, 0.005, SIZE))
    assert state() == before


def test_what_breaks_the_thread_is_raised_by_trace(far: Far) -> None:
    with closing(connected(far.port)) as sock:
        made = Sender(sock, isochronous(0.05, 0.01, SIZE), Access(ssid=70_000), time.monotonic_ns())
        made.start()
        assert made.join(3)
        with pytest.raises(struct.error):
            made.trace()
