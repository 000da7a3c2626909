"""Real Prometheus, VictoriaMetrics and Pushgateway on loopback, writing in the test's folder only, ended by pid.

with prometheus(tmp_path, out_of_order="30d") as server:
    server.url                                     # http://127.0.0.1:PORT
    server.query("motesklar_rtt_p95_seconds", at)  # [(labels, value)]
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

READY_S = 20.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class MetricServerError(RuntimeError):
    """It did not start; the message is what it wrote."""


@dataclass
class MetricServer:
    """One that answers."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    def get(self, path: str, **query: str | float) -> bytes:
        with _DIRECT.open(f"{self.url}{path}?{urlencode(query)}", timeout=10) as answer:
            return bytes(answer.read())

    def flush(self) -> None:
        """What has been taken can be asked for: VictoriaMetrics keeps it back for a second."""
        if "victoria" in self.log_file.name:
            self.get("/internal/force_flush")

    def query(self, wanted: str, at: float) -> list[tuple[dict[str, str], float]]:
        """An instant query at that time."""
        found = json.loads(self.get("/api/v1/query", query=wanted, time=at))["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def samples(self, wanted: str, at: float, seconds: float) -> list[tuple[float, float]]:
        """(time, value) of the one series' raw samples of the seconds before `at`; [] without a series."""
        found = json.loads(self.get("/api/v1/query", query=f"{wanted}[{seconds:.0f}s]", time=at))["data"]["result"]
        assert len(found) <= 1
        return [(float(when), float(value)) for when, value in (found[0]["values"] if found else [])]

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")


@contextmanager
def prometheus(folder: Path, *, out_of_order: str | None = None, config: str = "") -> Iterator[MetricServer]:
    """Takes remote writes. `out_of_order`: how old samples may be beside newer ones."""
    file = folder / f"prometheus-{secrets.token_hex(4)}.yml"
    folder.mkdir(parents=True, exist_ok=True)
    window = f"storage:\n  tsdb:\n    out_of_order_time_window: {out_of_order}\n" if out_of_order else ""
    file.write_text(f"global:\n  scrape_interval: 1s\n{window}{config}")
    options = [f"--config.file={file}", f"--storage.tsdb.path={file}.data", "--web.enable-remote-write-receiver"]
    with _running(folder, "prometheus", "--web.listen-address={}", "/-/ready", options) as server:
        yield server


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[MetricServer]:
    """As docs/push.md sets it up: the same sample twice is one."""
    options = [
        f"-storageDataPath={folder / secrets.token_hex(4)}",
        "-memory.allowedBytes=100MB",
        "-dedup.minScrapeInterval=1ms",
    ]
    with _running(folder, "victoria-metrics", "-httpListenAddr={}", "/health", options) as server:
        yield server


@contextmanager
def pushgateway(folder: Path) -> Iterator[MetricServer]:
    kept = f"--persistence.file={folder / secrets.token_hex(4)}"  # Debian's own is the whole computer's
    with _running(folder, "prometheus-pushgateway", "--web.listen-address={}", "/-/ready", [kept]) as server:
        yield server


@contextmanager
def _running(folder: Path, program: str, listen: str, ready: str, options: list[str]) -> Iterator[MetricServer]:
    if (found := shutil.which(program)) is None:
        raise MetricServerError(f"{program} is not installed (Debian has a package of that name)")
    folder.mkdir(parents=True, exist_ok=True)
    server = _started(folder, found, listen, ready, options)
    try:
        yield server
    finally:
        _end(server.process)


def _started(folder: Path, program: str, listen: str, ready: str, options: list[str]) -> MetricServer:
    """Somebody else may take the free port before the server does: then another one, twice at the most."""
    for last in (False, False, True):
        address = f"127.0.0.1:{_free()}"
        log_file = folder / f"{Path(program).name}-{secrets.token_hex(4)}.log"
        with log_file.open("wb") as log:
            quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            process = subprocess.Popen([program, listen.format(address), *options], cwd=folder, **quiet)
        server = MetricServer(f"http://{address}", process, log_file)
        try:
            _till_it_answers(server, ready)
        except MetricServerError:
            _end(process)
            if last or "address already in use" not in server.log():
                raise
        else:
            return server
    raise AssertionError("unreachable")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _till_it_answers(server: MetricServer, ready: str) -> None:
    until = time.monotonic() + READY_S
    while True:
        with suppress(OSError):
            server.get(ready)
            time.sleep(0.1)  # if it was another's server that answered, ours ends now
            if server.process.poll() is None:
                return
        if server.process.poll() is not None or time.monotonic() > until:
            raise MetricServerError(server.log())
        time.sleep(0.05)
