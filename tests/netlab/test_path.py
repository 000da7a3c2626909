"""The relay does to real packets what it says, and its log says what the kernels saw."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.netlab import GilbertElliott, Impairment, RelayError
from tests.netlab.path import CHECKOUT
from tests.netlab.traffic import number_of, stream
from tests.netlab.tun import RING

pytestmark = pytest.mark.netlab

LOSSES = {
    "random": Impairment(delay=0.005, loss=0.2),
    "listed": Impairment(delay=0.005, lose=(0, 5, 6, 149)),
    "periodic": Impairment(delay=0.005, lose_every=7),
    "bursts": Impairment(delay=0.005, burst=GilbertElliott(0.05, 0.3)),
    "copies": Impairment(delay=0.005, duplicate=0.2, duplicate_gap=0.0015),
    "held": Impairment(delay=0.005, reorder=0.1, reorder_hold=0.004),
    "overtaking": Impairment(delay=0.02, jitter=0.005, shape="laplace", keep_order=False),
    "all": Impairment(delay=0.01, jitter=0.002, loss=0.1, duplicate=0.1, reorder=0.1, shape="pareto"),
}


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def jitter(transits):
    """Mean of the RFC 3550 interarrival jitter over a run, in the unit of the transit times."""
    estimate, estimates = 0.0, []
    for before, after in pairwise(transits):
        estimate += (abs(after - before) - estimate) / 16
        estimates.append(estimate)
    return sum(estimates) / len(estimates)


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("name", LOSSES)
def test_what_arrives_is_what_the_log_says(impaired_path, name, way):
    with impaired_path(**{way: LOSSES[name]}, seed=4) as path:
        seen = stream(path, way, 150)
    mine = [f for f in path.log if f.way == way]
    written = sorted((f for f in mine if f.arrived), key=lambda f: f.written_ns)
    assert [number for number, _ in seen.received] == [number_of(f) for f in written]
    assert {f.index for f in mine} == set(range(150)), "every packet has its line, and nothing else passed"
    assert not [f for f in path.log if f.way != way]
    if name == "listed":
        assert [number_of(f) for f in mine if f.what == "lost"] == [0, 5, 6, 149]


def test_one_seed_gives_the_same_fates(impaired_path):
    def fates(seed):
        with impaired_path(up=LOSSES["all"], seed=seed) as path:
            stream(path, "up", 100)
        return [(f.index, f.what, f.due_ns and f.due_ns - f.read_ns) for f in path.log]

    first, again, other = fates(1), fates(1), fates(2)
    assert [f[:2] for f in first] == [f[:2] for f in again]
    assert [f[:2] for f in first] != [f[:2] for f in other]


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("rate", [140, 1000])
def test_the_logs_delay_is_the_kernels(impaired_path, rate, v6, record_property):
    with impaired_path(up=Impairment(delay=0.02, jitter=0.002), seed=2) as path:
        seen = stream(path, "up", rate * 2, interval=1 / rate, v6=v6)
    arrived, logged = dict(seen.received), {number_of(f): f for f in path.log}
    kernel = [arrived[n] - seen.sent[n] for n in sorted(arrived)]
    log = [logged[n].written_ns - logged[n].read_ns for n in sorted(arrived)]
    error = [abs(k - own) for k, own in zip(kernel, log, strict=True)]
    late = [f.written_ns - f.due_ns for f in path.log]
    for name, values in (("log_error_ns", error), ("late_ns", late)):
        record_property(name, {p: quantile(values, p) for p in (0.5, 0.99)})
    assert median(error) < 25_000
    assert quantile(error, 0.95) < 100_000
    assert jitter(log) == pytest.approx(jitter(kernel), rel=0.005)
    assert median(late) < 100_000


def test_a_busy_relay_has_no_priority_over_the_sender(impaired_path):
    """On one core with a sender it would leave it hardly any time; whether they share one is the scheduler's whim."""
    with impaired_path(busy=True) as path:
        assert os.sched_getscheduler(path.relay_pid) == os.SCHED_OTHER
        assert os.getpriority(os.PRIO_PROCESS, path.relay_pid) >= os.getpriority(os.PRIO_PROCESS, 0)


def test_the_delay_is_the_one_asked_for(impaired_path):
    with impaired_path(up=Impairment(delay=0.03), down=Impairment(delay=0.01)) as path:
        stream(path, "up", 100)
        stream(path, "down", 100)
    for way, delay in (("up", 0.03), ("down", 0.01)):
        true = [f.delay_s for f in path.log if f.way == way]
        assert min(true) >= delay
        assert median(true) == pytest.approx(delay, abs=0.0002)


@pytest.mark.parametrize("rate", [50_000, 1_000_000])
def test_rate_limit_within_two_percent(impaired_path, rate):
    size, count = 972, int(rate * 2 / 1000)  # 1000 bytes as an IP packet; sent at twice the rate for a second
    with impaired_path(down=Impairment(rate=rate, queue=rate // 10)) as path:
        seen = stream(path, "down", count, interval=500 / rate, size=size, rest=0.4)
    stamps = [at for _, at in seen.received]
    assert (len(stamps) - 1) * 1000 / ((stamps[-1] - stamps[0]) / 1e9) == pytest.approx(rate, rel=0.02)
    what = Counter(f.what for f in path.log)
    assert set(what) == {"delivered", "queue_dropped"}
    assert what["delivered"] == len(stamps)
    assert max(f.due_ns - f.read_ns for f in path.log if f.arrived) <= 0.1e9 + 1


def test_change_in_the_middle(impaired_path):
    with impaired_path(up=Impairment(delay=0.001)) as path:
        stream(path, "up", 50)
        since = path.change(up=Impairment(delay=0.02, lose=(1,)))
        stream(path, "up", 50)
    before, after = ([f for f in path.log if (f.read_ns > since) is later] for later in (False, True))
    assert [len(before), len(after)] == [50, 50]
    planned_s = max((f.due_ns - f.read_ns) / 1e9 for f in before)  # what came of it in one bad moment is the machine's
    assert planned_s < 0.02 <= min(f.delay_s for f in after if f.arrived)
    assert [n for n, f in enumerate(after) if f.what == "lost"] == [1]


def _ping(address, request):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(2)
        begin = time.monotonic()
        raw.sendto(request, (address, 0))
        raw.recv(100)
        assert 0.03 <= time.monotonic() - begin < 0.1


def test_icmp_passes(impaired_path):
    request = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
    request = request[:2] + struct.pack("!H", 0xFFFF - 0x0802) + request[4:]
    with impaired_path(up=Impairment(delay=0.01), down=Impairment(delay=0.02)) as path:
        path.laptop.call(_ping, path.room_address, request)
    assert [(f.way, f.protocol, f.size) for f in path.log] == [("up", 1, 28), ("down", 1, 28)]


@pytest.mark.parametrize("v6", [False, True])
def test_tcp_passes_whole_beside_impaired_udp(impaired_path, v6):
    sent, lossy = os.urandom(300_000), Impairment(delay=0.002, lose_every=2, udp_only=True)
    with impaired_path(up=lossy, down=lossy) as path:
        address = path.room_address_v6 if v6 else path.room_address
        with path.room.enter():
            server = socket.create_server((address, 0), family=socket.AF_INET6 if v6 else socket.AF_INET)
        with server, path.laptop.enter(), socket.create_connection(server.getsockname()[:2], 5) as client:
            far, _ = server.accept()
            with far:
                got = path.room.call(lambda: _exchange(client, far, sent))
        stream(path, "up", 20)
    assert got == sent
    assert Counter(f.what for f in path.log if f.protocol == 17) == {"delivered": 10, "lost": 10}
    assert {f.what for f in path.log if f.protocol == 6} == {"delivered"}


def _exchange(client, far, data):
    sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
    sender.start()
    far.settimeout(10)
    got = b"".join(iter(lambda: far.recv(65536), b""))
    sender.join(10)
    return got


def test_a_second_path_beside_the_first(impaired_path):
    with (
        impaired_path(up=Impairment(delay=0.001)) as cable,
        impaired_path(up=Impairment(delay=0.02), beside=cable) as air,
    ):
        names = cable.laptop.run(["ls", "/sys/class/net"]).stdout.split()
        for path in (cable, air):
            stream(path, "up", 20)
    assert sorted(names) == ["laptop0", "laptop1", "lo"]
    assert [len(p.log) for p in (cable, air)] == [20, 20]
    assert median(f.delay_s for f in cable.log) < 0.01 < median(f.delay_s for f in air.log)


def test_a_stopped_relay_owns_up_to_what_it_missed(impaired_path):
    count = RING + 300
    with impaired_path() as path:
        os.kill(path.relay_pid, signal.SIGSTOP)
        stream(path, "up", count, interval=0, rest=0)
        os.kill(path.relay_pid, signal.SIGCONT)
        time.sleep(0.5)
    mine = [f for f in path.log if f.way == "up"]  # downwards go the room's "port unreachable"
    assert Counter(f.what for f in mine) == {"delivered": RING, "overrun": 300}
    assert [f.index for f in mine] == list(range(count))
    assert [number_of(f) for f in mine] == list(range(count))


def test_packets_under_way_at_the_end_are_unfinished(impaired_path):
    with impaired_path(up=Impairment(delay=5)) as path:
        stream(path, "up", 3, rest=0.1)
    assert [f.what for f in path.log] == ["unfinished"] * 3


def test_the_log_needs_the_path_closed(impaired_path):
    with impaired_path() as path, pytest.raises(RelayError, match="closed"):
        _ = path.log


def test_a_wrong_change_is_said(impaired_path):
    wrong = Impairment()
    object.__setattr__(wrong, "shape", "round")
    with pytest.raises(RelayError, match="round"), impaired_path() as path:
        path.change(up=wrong)


def names_in(folder):
    return sorted(p.name for p in Path(folder).iterdir())


def test_nothing_is_left_behind(impaired_path):
    def things():
        mounts = Path("/proc/self/mountinfo").read_text()
        return names_in("/sys/class/net"), len(names_in("/proc/self/fd")), mounts

    before = things()
    with impaired_path() as path:
        relay = path.relay_pid
        child = path.room.popen(["sleep", "60"])
        inode = os.fstat(path.room.fd).st_ino
    assert things() == before
    assert child.returncode is not None
    assert not Path(f"/proc/{relay}").exists()
    assert inode not in _namespaces_in_use()


def _namespaces_in_use():
    found = set()
    for entry in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(entry.stat().st_ino)
        except OSError:
            continue
    return found


ORPHAN = """
import os, time
from tests.netlab import impaired_path
with impaired_path() as path:
    print(path.relay_pid, flush=True)
    time.sleep(60)
"""


def test_the_relay_does_not_outlive_a_killed_parent(impaired_path, tmp_path):
    """And the killed run leaves no file: whatever it makes would be made in TMPDIR."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", ORPHAN]
    parent = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, env=environment)
    with parent:
        relay = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while alive(relay) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(relay)
    assert names_in(tmp_path) == []


def alive(pid):
    """A zombie that its new parent has not yet reaped is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_relay_works_under_a_user_namespace(impaired_path):
    code = "from tests.netlab import *; from tests.netlab.traffic import stream\n"
    code += "with impaired_path(up=Impairment(delay=0.01, lose=(1,))) as p: print(len(stream(p, 'up', 9).received))\n"
    code += "print([f.what for f in p.log].count('delivered'), max(f.taken_ns - f.read_ns for f in p.log) > 0)"
    command = ["unshare", "-Urnm", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=30)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")
    assert done.stdout.split() == ["8", "8", "True"], done.stderr
