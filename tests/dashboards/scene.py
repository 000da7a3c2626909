"""A real room with a store, a fleet that hands in self-tests, machines with metrics of their own, a real Prometheus."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp

from probes import ndt7, stamp
from reports.metrics import CONTENT_TYPE, exposition
from reports.record import SelfTest
from tests.agent.program import start
from tests.dashboards.documents import FOLDER
from tests.dashboards.fleet import Machine, body, self_test
from tests.metric_servers import MetricServer, prometheus
from tests.testroom.calling import Caller, ask
from tests.testroom.client import Client
from tests.testroom.https import visitor, wanted

TOKENS = {"habo": "habo's secret of 24 octets", "mullsjo": "mullsjo's secret of 24 octets"}
MACHINES = [Machine("habo", number) for number in range(33)] + [Machine("mullsjo", number) for number in range(11)]
OWN_METRICS = (0, 1, 7)  # machines of habo: wired, wifi, tethered; a speaker of one cannot be tested
PATIENCE_S = 15.0


@dataclass
class Room:
    """The program `motesklar room`, and what it said of itself. `url`, `fingerprint`: as a TestRoom has them."""

    url: str
    fingerprint: bytes
    stamp_port: int

    @property
    def address(self) -> str:
        return self.url.partition("#")[0].removeprefix("https://")

    def metrics(self) -> str:
        context = ssl._create_unverified_context()
        with urllib.request.urlopen(f"https://{self.address}/metrics", timeout=10, context=context) as answer:
            return answer.read().decode()


@dataclass
class Scene:
    """What Prometheus has seen. `tests`: all that was handed in."""

    room: Room
    server: MetricServer
    tests: list[tuple[Machine, SelfTest]]
    exposed: str  # the room's own /metrics at the end


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Everything runs until the end; some ten seconds pass before it begins."""
    now = time.time()
    tests = [(machine, self_test(machine, now)) for machine in MACHINES]
    own = [
        exposition(test, links=True)
        for machine, test in tests
        if machine.organisation == "habo" and machine.number in OWN_METRICS
    ]
    with _room(folder) as room, _exposed(own) as targets:
        asyncio.run(_hand_in(room, tests))
        asyncio.run(_use(room, tests[0]))
        with prometheus(folder, config=_config(folder, room, targets)) as server:
            _until(server, 'count(up{job="motesklar-room"} == 1)', 1)
            asyncio.run(_use(room, tests[0]))
            _until(server, 'count_over_time(up{job="motesklar-room"}[1m])', 4, more=3)
            yield Scene(room, server, tests, room.metrics())


# ---- the room


@contextmanager
def _room(folder: Path) -> Iterator[Room]:
    lines = "\n".join(f"{name} = {json.dumps(token)}" for name, token in TOKENS.items())
    (folder / "tokens.toml").write_text(f"[tokens]\n{lines}\n")
    told = ("--listen", "127.0.0.1:0", "--stamp-port", 0, "--token-file", "tokens.toml", "--store", "fleet.db")
    program = start(folder, "room", *told)
    try:
        assert program.stderr is not None
        url = program.stderr.readline().removeprefix("test room: ").strip()
        port = int(program.stderr.readline().split(",")[0].rpartition(" ")[2])
        yield Room(url, bytes.fromhex(url.partition("#sha256=")[2]), port)
    finally:
        program.terminate()
        try:
            program.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()


async def _hand_in(room: Room, tests: Sequence[tuple[Machine, SelfTest]]) -> None:
    """Machines are named before their self-tests come, as those are counted under the unit of that moment."""
    for organisation, token in TOKENS.items():
        of = [(m, test) for m, test in tests if m.organisation == organisation]
        async with visitor(room, token) as http:  # type: ignore[arg-type]
            csv = "\n".join(["machine;unit", *(f"{m.pseudonym};{m.unit}" for m, _ in of)])
            async with http.put("/v1/machines", data=csv.encode()) as answer:
                assert answer.status == 200, await answer.text()
            statuses = await asyncio.gather(*(_post(http, body(test), m) for m, test in of))
            assert set(statuses) == {201}


async def _post(http: aiohttp.ClientSession, raw: bytes, machine: Machine) -> int:
    headers = {"Content-Type": "application/json", "Motesklar-Machine": machine.pseudonym}
    async with http.post("/v1/self-tests", data=raw, headers=headers) as answer:
        return answer.status


async def _use(room: Room, known: tuple[Machine, SelfTest]) -> None:
    """A little of all that a room does, and of all that it refuses."""
    machine, test = known
    async with visitor(room, TOKENS["habo"]) as http, visitor(room) as stranger:  # type: ignore[arg-type]
        assert await _post(http, body(test), machine) == 200
        assert await _post(http, b"{}", machine) == 400
        async with http.post("/v1/sessions", json=wanted(20)) as answer:
            session = await answer.json()
        await asyncio.to_thread(_packets, room, session)
        await _transfer(stranger, session["id"])
        with suppress(aiohttp.WSServerHandshakeError):
            await stranger.ws_connect(ndt7.DOWNLOAD_PATH, protocols=[ndt7.SUBPROTOCOL])
        assert (await ask(stranger, "v=0", None))[0] >= 400
        await _call(stranger, session["id"])
        async with http.delete(f"/v1/sessions/{session['id']}") as answer:
            assert answer.status == 200


def _packets(room: Room, session: dict[str, Any]) -> None:
    key = stamp.Key(base64.b64decode(session["key"]))
    client = Client("127.0.0.1", room.stamp_port, SimpleNamespace(key=key, ssid=session["ssid"]))  # type: ignore[arg-type]
    with client.sock:
        client.sock.send(b"too short")
        for _ in range(20):
            client.ask()


async def _transfer(http: aiohttp.ClientSession, session: str) -> None:
    way = f"{ndt7.DOWNLOAD_PATH}?access_token={session}"
    async with http.ws_connect(way, protocols=[ndt7.SUBPROTOCOL], max_msg_size=0) as socket_:
        for _ in range(5):
            await socket_.receive(timeout=5)


async def _call(http: aiohttp.ClientSession, session: str) -> None:
    caller = Caller(http, session)
    try:
        await caller.call()
        await caller.until(audio=10, video=3)
    finally:
        await caller.close()


# ---- machines with metrics of their own


@contextmanager
def _exposed(bodies: Sequence[bytes]) -> Iterator[list[str]]:
    """Each at an address of its own: host:port."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(text)) for text in bodies]
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield [f"127.0.0.1:{server.server_port}" for server in servers]
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(text: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.end_headers()
            with suppress(ConnectionError, socket.error):
                self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


# ---- Prometheus


def _config(folder: Path, room: Room, machines: Sequence[str]) -> str:
    """The rules as they are shipped, only oftener."""
    rules = folder / "rules.yml"
    rules.write_text((FOLDER / "rules.yml").read_text("utf-8").replace("interval: 2m", "interval: 1s"), "utf-8")
    jobs = [
        {"job_name": "motesklar-room", "scheme": "https", "tls_config": {"insecure_skip_verify": True},
         "static_configs": [{"targets": [room.address]}]},
        {"job_name": "motesklar-machines", "static_configs": [{"targets": list(machines)}]},
    ]  # fmt: skip
    return f"  evaluation_interval: 1s\nrule_files: [{json.dumps(str(rules))}]\nscrape_configs: {json.dumps(jobs)}\n"


def _until(server: MetricServer, expr: str, least: float, *, more: float = 0) -> None:
    """Wait until the sum of that is so much, or so much more than now."""
    deadline = time.monotonic() + PATIENCE_S
    first: float | None = None
    while time.monotonic() < deadline:
        found = sum(value for _, value in server.query(expr, time.time()))
        first = found if first is None else first
        if found >= max(least, first + more):
            return
        time.sleep(0.1)
    raise AssertionError(f"{expr} is {found}\n{server.log()}")
