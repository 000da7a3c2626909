"""The npm package @m-lab/ndt7, which is not ours, against the real program `motesklar room --open-ndt7`."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import npm
from tests.agent.program import start
from tests.testroom.test_metrics import samples

PACKAGES = ("@m-lab/ndt7@0.1.4", "ws@8.23.0")
RUNNER = Path(__file__).with_name("ndt7_client.cjs")
TOOLS = [name for name in ("node", "npm") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {', '.join(TOOLS)}"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def packages() -> Path:
    return npm.installed("ndt7-client", *PACKAGES)


@contextmanager
def room(home: Path, *arguments: str) -> Iterator[int]:
    """The program; its HTTPS port."""
    program = start(home, "room", "--listen", "127.0.0.1:0", "--stamp-port", 0, *arguments)
    try:
        assert program.stderr is not None
        yield int(program.stderr.readline().partition("127.0.0.1:")[2].partition("#")[0])
    finally:
        program.terminate()
        _, errors = program.communicate(timeout=10)
    assert program.returncode == 0
    assert "Traceback" not in errors


def client(packages: Path, home: Path, port: int) -> dict[str, Any]:
    """What the package said, with the room's certificate as the only one that is trusted beside the usual."""
    pem = home / "room-certificate.pem"
    pem.write_text(ssl.get_server_certificate(("127.0.0.1", port)))
    options = {"NODE_EXTRA_CA_CERTS": str(pem), "NODE_OPTIONS": "--dns-result-order=ipv4first"}
    command = ["node", RUNNER, packages, f"localhost:{port}"]
    env = {"PATH": os.environ["PATH"]} | options
    done = subprocess.run(command, env=env, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def metrics(port: int) -> dict[str, float]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/metrics", context=context, timeout=5) as answer:
        return samples(answer.read().decode())


def test_it_completes_download_and_upload(packages: Path, tmp_path: Path) -> None:
    with room(tmp_path, "--open-ndt7") as port:
        said = client(packages, tmp_path, port)
        counted = metrics(port)
    assert (said["errors"], said["code"]) == ([], 0)
    for test in ("download", "upload"):
        ours, theirs = said[test]["server"], said[test]["client"]
        assert 30 <= len(ours) <= 50  # four a second for ten seconds
        assert len(theirs) >= 30
        assert {(m["Origin"], m["Test"]) for m in ours} == {("server", test)}
        complete = said[test]["complete"]
        assert complete["LastClientMeasurement"]["ElapsedTime"] == pytest.approx(10, abs=0.6)  # it leaves out the last
        assert complete["LastServerMeasurement"]["AppInfo"]["ElapsedTime"] > 9.5e6
        assert counted[f"motesklar_room_transfers_total[{test}]"] == 1
        moved = complete["LastClientMeasurement"]["NumBytes"]
        assert moved > 50_000_000
        assert counted[f"motesklar_room_transfers_bytes_total[{test}]"] == pytest.approx(moved, rel=0.1)


def test_it_is_refused_where_ndt7_is_not_open(packages: Path, tmp_path: Path) -> None:
    with room(tmp_path) as port:
        said = client(packages, tmp_path, port)
        counted = metrics(port)
    assert said["code"] != 0
    assert said["errors"]
    assert [said[test][end] for test in ("download", "upload") for end in ("client", "server")] == [[]] * 4
    assert counted["motesklar_room_transfers_refused_total[token]"] == 2
