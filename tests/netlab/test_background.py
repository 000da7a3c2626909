"""Other programs' traffic beside the echo's own, on devices with and without Ethernet framing; and a slow resolver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.netlab.namespaces import Namespace, end
from tests.netlab.path import CHECKOUT, PathFactory
from tests.netlab.program import TOKEN, Ends, room_on
from tests.netlab.router import RouterFactory

pytestmark = [pytest.mark.netlab, pytest.mark.slow, pytest.mark.timeout(300)]
SECONDS = 3.0

QUIET_PROBES = """
import asyncio, json, sys, time
from probes import dns, echo, local, own_traffic
from probes.links import discover
from probes.room import parse_room
from probes.session import Place, Session, Start
from reports.policy import load_policy

async def main(url, token, device, seconds):
    links = await discover()
    link = next(l for l in links if l.name == device)
    start = Start(3)
    sessions = [
        Session(link=link, room=parse_room(url, token), seconds=seconds, deadline=time.monotonic() + 30,
                budget_bytes=1e9, stop=asyncio.Event(), start=Place(start), traffic=load_policy().traffic, links=links)
        for _ in range(3)
    ]
    drafts = await asyncio.gather(*(p.probe(s) for p, s in zip((echo, local, dns), sessions)))
    own = own_traffic.total(device)
    print(json.dumps({d.name: {"values": d.values, "facts": d.facts, "unknown": d.unknown,
          "failure": d.failure and d.failure.code} for d in drafts}
        | {"own": own.sent_bytes / seconds}))

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])))
"""

# octets of payload per second in datagrams of 1000, or by TCP; says how many octets of payload it sent in how long
SENDER = """
import socket, sys, time
kind, host, port, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.connect((host, port))
print("ready", flush=True)
begun, n = time.monotonic(), 0
while True:
    n += 1
    s.send(bytes(1000))
    time.sleep(max(0.0, begun + n * 1000 / rate - time.monotonic()))
"""
SINK = """
import socket, sys, threading
kind, host = sys.argv[1:3]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.bind((host, 7777))
if kind == "tcp":
    s.listen()
print("ready", flush=True)
taking = s.accept()[0] if kind == "tcp" else s
while taking.recv(65536):
    pass
"""


@contextmanager
def running(namespace: Namespace, *words: str) -> Iterator[None]:
    env = os.environ | {"PYTHONHOME": sys.base_prefix}
    child = namespace.popen(words, sysfs=False, stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    try:
        yield
    finally:
        end(child)


@contextmanager
def moving(kind: str, way: str, path: Any, rate: float, program: str = sys.executable) -> Iterator[None]:
    """A program on the laptop that sends (up) or is sent (down) `rate` octets of payload a second."""
    near, far = (path.laptop, path.room) if way == "up" else (path.room, path.laptop)
    host = path.room_address if way == "up" else path.laptop_address
    with (
        running(far, sys.executable, "-c", SINK, kind, host),
        running(near, program, "-c", SENDER, kind, host, "7777", str(rate)),
    ):
        yield


def probed(path: Ends, url: str, device: str) -> dict[str, Any]:
    done = path.laptop.run([sys.executable, "-c", QUIET_PROBES, url, TOKEN, device, str(SECONDS)], cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["echo"]["failure"] is None
    assert found["local"]["failure"] is None
    return found


def background(found: dict[str, Any]) -> tuple[float, float]:
    values = found["local"]["values"]
    return values["background_up_bytes_per_second"], values["background_down_bytes_per_second"]


def test_on_a_cable(routed_path: RouterFactory, tmp_path: Path) -> None:
    rate, datagram, segment = 200_000, 1042 / 1000, 1514 / 1448
    syncing = tmp_path / "syncthing"
    syncing.symlink_to(sys.executable)
    with routed_path() as path, room_on(path, tmp_path) as room:
        path.resolver(0.2)
        quiet = probed(path, room.url, path.laptop_device)
        own = quiet["own"]
        assert own > 100_000
        assert max(background(quiet)) < 0.03 * own
        assert "background_kind" not in quiet["local"]["facts"]
        assert quiet["local"]["facts"]["vpn"] is False
        assert quiet["dns"]["values"] == {"dns_lookup_seconds": pytest.approx(0.2, abs=0.05), "dns_failed_ratio": 0}

        with moving("udp", "down", path, rate):
            up, down = background(found := probed(path, room.url, path.laptop_device))
        assert down == pytest.approx(rate * datagram, rel=0.1)
        assert up < 0.03 * own
        assert "background_kind" not in found["local"]["facts"]  # nobody counts a program's datagrams

        with moving("tcp", "up", path, rate, str(syncing)):
            up, down = background(found := probed(path, room.url, path.laptop_device))
        assert rate < up < rate * 1.1 * segment + 0.03 * own
        assert found["local"]["facts"]["background_kind"] == "file sync"


def test_on_a_device_without_framing(impaired_path: PathFactory, tmp_path: Path) -> None:
    with impaired_path() as path, room_on(path, tmp_path) as room:
        quiet = probed(path, room.url, path.laptop_device)
        assert max(background(quiet)) < 0.03 * quiet["own"]
        with moving("udp", "up", path, 100_000):
            up, down = background(probed(path, room.url, path.laptop_device))
        assert up == pytest.approx(100_000 * 1028 / 1000, rel=0.1)
        assert down < 0.03 * quiet["own"]


def test_what_others_send_through_this_computer_counts(routed_path: RouterFactory, tmp_path: Path) -> None:
    """The gateway as the computer that is tested: the neighbour's packets pass it."""
    with routed_path() as path, room_on(path, tmp_path) as room:
        forwarded = [sys.executable, "-c", SENDER, "udp", path.room_address, "7777", "100000"]
        done: dict[str, Any] = {}
        with (
            running(path.room, sys.executable, "-c", SINK, "udp", path.room_address),
            running(path.neighbour, *forwarded),
        ):
            words = [sys.executable, "-c", QUIET_PROBES, room.url, TOKEN, "to_operator", str(SECONDS)]
            ended = path.gateway.run(words, cwd=CHECKOUT)
            assert ended.returncode == 0, ended.stderr
            done = json.loads(ended.stdout)
        assert background(done)[0] == pytest.approx(104_200, rel=0.1)
        assert "background_kind" not in done["local"]["facts"]
