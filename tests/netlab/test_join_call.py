"""The call between real namespaces: every way it can go, three links at once, and what breaks in the middle of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.netlab.fixtures import why_no_routers
from tests.netlab.namespaces import Namespace, new_namespace
from tests.netlab.program import Room, check, room_on
from tests.netlab.router import do
from tests.netlab.service import Service, service
from tests.netlab.service_faults import MEDIA_PACKETS, no_udp, udp_to_room_dropped
from tests.netlab.service_host import PROXY, certificates
from tests.netlab.service_outcome import joined, said
from tests.turn_server import PROGRAM

pytestmark = [pytest.mark.netlab, pytest.mark.timeout(120)]

JOIN, CHECK = ["join"], ["check", "--only", "call", "--no-devices", "--seconds", "1"]
JOIN_S, CHECK_S = 8.0, 18.0  # their deadlines: the call's own are 14 s of the second
ENDS_S = 2.0  # after the program, what it left would have ended too
UNDER_WAY = 20  # packets of sound and picture: the call stands
LINKS = {"cable0": 1, "cable1": 2, "cable2": 3}


# ---- every way ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if reason := why_no_routers():
        pytest.skip(reason)
    if PROGRAM is None:
        pytest.skip("turnserver is not installed (Debian: coturn)")
    folder = tmp_path_factory.mktemp("service")
    with service(folder / "own", certificates(folder)) as it:
        yield it


@pytest.fixture
def it(whole: Service) -> Iterator[Service]:
    """Healthy, before and after."""
    yield whole
    whole.heal()


@pytest.mark.parametrize(
    ("way", "make"),
    [
        ("direct", lambda it: None),
        ("turn_udp", udp_to_room_dropped),
        ("turn_tcp", no_udp),
        ("turn_tls", lambda it: no_udp(it, "tcp dport 3478 drop")),
    ],
)
def test_the_call_by_each_way(it: Service, way: str, make: Callable[[Service], object]) -> None:
    make(it)
    call = of(said(it.start(*CHECK)), "call")
    assert call["failure"] is None
    facts, values = call["facts"], call["values"]
    assert (facts["media_path"], facts["frame_size"], facts["call_carries"]) == (way, "640x480", "video")
    assert values["call_frames_per_second"] >= 24
    assert values["call_setup_seconds"] < 1
    assert facts["candidate_pair"] == ("host/host" if way == "direct" else "relay/host")


def test_check_names_a_fault_too(it: Service) -> None:
    it.be(page="error")
    document = said(it.start("check", "--only", "join", "--no-devices"))
    assert of(document, "join_portal")["failure"]["code"] == "portal_error"
    assert of(document, "join")["facts"]["failed"] == ["portal"]
    owners = {f["value"]: (f["level"], f["owner"]) for f in document["verdict"]["findings"]}
    assert owners["portal_error"] == (document["verdict"]["level"], "region_it") == ("not_ready", "region_it")


def of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(m for m in document["measurements"] if m["name"] == name)


# ---- three links --------------------------------------------------------------------------------------------------


@dataclass
class ThreeLinks:
    """Three cables from a laptop to the computer that the room runs on, which has an address beyond them."""

    laptop: Namespace
    room: Namespace
    room_address: str = "10.97.0.1"


def passed(laptop: Namespace) -> dict[str, int]:
    """Bytes of each of its devices, both ways."""
    shown = json.loads(do(laptop, ["ip", "-s", "-j", "link"]))
    return {d["ifname"]: sum(d["stats64"][way]["bytes"] for way in ("rx", "tx")) for d in shown}


@contextmanager
def three_links() -> Iterator[ThreeLinks]:
    with new_namespace("laptop") as laptop, new_namespace("room") as room:
        do(room, ["ip", "addr", "add", "10.97.0.1/32", "dev", "lo"])
        there = f"/proc/{os.getpid()}/fd/{room.fd}"
        for name, number in LINKS.items():
            peer = ["peer", "name", f"far{number}", "netns", there]
            do(laptop, ["ip", "link", "add", "dev", name, "type", "veth", *peer])
            for end, device, last in ((laptop, name, 2), (room, f"far{number}", 1)):
                do(end, ["ip", "addr", "add", f"10.97.{number}.{last}/24", "dev", device])
                do(end, ["ip", "link", "set", "dev", device, "up"])
            way = ["via", f"10.97.{number}.1", "dev", name, "metric", str(number * 100)]
            do(laptop, ["ip", "route", "add", "default", *way])
        yield ThreeLinks(laptop, room)


def test_each_of_three_calls_leaves_by_its_own_link(tmp_path: Path) -> None:
    if reason := why_no_routers():
        pytest.skip(reason)
    named = [word for name in LINKS for word in ("--link", name)]
    with three_links() as path, room_on(path, tmp_path) as room:
        before = passed(path.laptop)
        result = check(path, room, tmp_path, "--only", "call", "--seconds", "1", *named)
        moved = {name: count - before[name] for name, count in passed(path.laptop).items()}
    calls = {m["subject"]: m for m in result.document["measurements"] if m["name"] == "call"}
    assert list(calls) == list(LINKS)
    for name, call in calls.items():
        assert (call["failure"], call["facts"]["media_path"]) == (None, "direct")
        assert 1 < moved[name] / call["facts"]["moved_bytes"] < 1.4  # with Ethernet, and the room's HTTPS


# ---- in the middle of it --------------------------------------------------------------------------------------------


@pytest.fixture
def second_room(it: Service, tmp_path: Path) -> Iterator[Room]:
    """One that may be killed."""
    room = Room(it.path, tmp_path, PROXY)
    yield room
    room.process.kill()


def below(pid: int) -> dict[int, str]:
    """Every process that this one started, and that those did, with its command line."""
    found: dict[int, str] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found[int(child)] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
        found |= below(int(child))
    return found


def inside(namespace: Namespace) -> list[int]:
    """The processes of a namespace."""
    own = Path(f"/proc/self/fd/{namespace.fd}").stat().st_ino
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if _network(p) == own]


def _network(process: Path) -> int:
    try:
        return (process / "ns/net").stat().st_ino
    except OSError:  # it has just ended
        return 0


def till(true: Callable[[], object], patience: float = 10.0) -> None:
    until = time.monotonic() + patience
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def in_mid_call(it: Service, room: Room, *command: str) -> Iterator[subprocess.Popen[str]]:
    """The program, when its call stands and pictures go; after the block it has left nothing."""
    it.rule("operator", f"{MEDIA_PACKETS} counter")
    program = it.start(*command, "--room", room.url, room=False)
    till(lambda: counted(it) >= UNDER_WAY)
    yield program
    till(lambda: not inside(it.path.laptop), ENDS_S)


def counted(it: Service) -> int:
    """By the rule that was added last."""
    shown = do(it.path.operator, ["nft", "list", "table", "inet", "fault"])
    return int(re.findall(r"counter packets (\d+)", shown)[-1])


@pytest.mark.any_load
def test_the_room_is_killed(it: Service, second_room: Room) -> None:
    workers = below(second_room.process.pid)
    with in_mid_call(it, second_room, *JOIN) as program:
        second_room.process.kill()
        seen = joined(program)
    assert seen.first == ("media", "call_broken_off", "you")
    assert seen.level == "unknown"
    assert seen.seconds <= JOIN_S
    till(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


@pytest.mark.any_load
@pytest.mark.slow
def test_the_child_hangs(it: Service, second_room: Room) -> None:
    with ExitStack() as stack:
        programs = [stack.enter_context(hanging(it, second_room, *command)) for command in (JOIN, CHECK)]
        join, check = map(said, programs)
    assert join["first_failure"]["code"] == "timeout"
    assert join["duration_s"] <= JOIN_S
    assert of(check, "call")["failure"] == {"step": "media", "code": "timeout", "detail": ""}
    assert check["duration_s"] < CHECK_S


@contextmanager
def hanging(it: Service, room: Room, *command: str) -> Iterator[subprocess.Popen[str]]:
    with in_mid_call(it, room, *command) as program:
        [child] = [pid for pid, line in below(program.pid).items() if "probes.call.child" in line]
        os.kill(child, signal.SIGSTOP)
        yield program
