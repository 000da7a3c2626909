"""The whole check on real links: which is worst, which to use, and what happens when one is pulled out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(240)

TOKEN = "a token for the laboratory"
MOTESKLAR = [sys.executable, "-m", "agent"]
TESTED = {"eth0", "wlan0", "usb0"}  # the lab's Bluetooth loses large packets: too large for a TLS handshake
ECHO = ("--only", "echo")
TETHERED_BYTES = 3_000_000
Lab = Callable[..., str]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`motesklar room` at the far end of every link; its URL."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "tokens.toml").write_text(f'[tokens]\nlab = "{TOKEN}"\n')
    words = ["ip", "netns", "exec", "room", *MOTESKLAR, "room", "--listen", "10.77.0.1:8443", "--token-file"]
    process = subprocess.Popen(
        [*words, str(folder / "tokens.toml")], env=environment(folder), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    found = re.search(r"https://\S+", process.stderr.readline())
    assert found
    yield found[0]
    process.terminate()
    assert process.wait(20) == 0


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "MOTESKLAR_TOKEN": TOKEN}


def start(room: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    words = [*MOTESKLAR, "check", "--room", room, "--no-devices", "--json", *more]
    return subprocess.Popen(
        words, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    document: dict[str, Any] = json.loads(out)
    return document


def echo(document: dict[str, Any], link: str) -> dict[str, Any]:
    return next(m for m in document["measurements"] if (m["name"], m["subject"]) == ("echo", link))


@pytest.fixture
def impaired(lab: Lab) -> Iterator[None]:
    lab("impair", "wifi", "up", "delay", "30ms", "10ms", "loss", "6%")
    lab("impair", "phone", "down", "delay", "40ms", "loss", "1%")
    yield
    lab("impair", "wifi", "off")
    lab("impair", "phone", "off")


def test_all_links_at_once(lab: Lab, room: str, tmp_path: Path, impaired: None) -> None:
    lab("default", "wifi")
    document = ended(start(room, tmp_path, *ECHO, "--all-links", "--seconds", "6"))
    lab("default", "wired")
    measured = {m["subject"] for m in document["measurements"] if m["name"] == "echo" and not m["failure"]}
    assert measured >= TESTED
    compared = next(m for m in document["measurements"] if m["name"] == "compare")
    assert compared["facts"]["worst"] == "wlan0"
    assert compared["facts"]["best"] == "eth0"
    assert document["verdict"]["action"] == "use_cable"
    assert echo(document, "wlan0")["values"]["loss_up_ratio"] == pytest.approx(0.06, abs=0.03)
    assert echo(document, "wlan0")["values"]["loss_down_ratio"] < 0.01
    delays = {link: echo(document, link)["values"]["rtt_p50_seconds"] for link in ("usb0", "eth0")}
    assert delays["usb0"] - delays["eth0"] == pytest.approx(0.04, abs=0.02)
    assert echo(document, "eth0")["values"]["loss_ratio"] == 0


def test_a_phone_that_is_unplugged_in_the_middle(lab: Lab, room: str, tmp_path: Path) -> None:
    process = start(room, tmp_path, *ECHO, "--link", "usb0", "--link", "eth0", "--seconds", "10")
    sending("usb0", process)
    lab("phone", "off")
    document = ended(process)
    lab("phone", "ncm")
    lab("default", "wired")
    gone = echo(document, "usb0")
    assert gone["failure"]["code"] == "link_vanished"
    assert gone["values"]["packets_received"] > 20
    assert echo(document, "eth0")["failure"] is None
    assert echo(document, "eth0")["values"]["loss_ratio"] < 0.02


def test_the_cable_is_pulled_in_the_middle(lab: Lab, room: str, tmp_path: Path) -> None:
    """The computer goes over to wifi by itself; the check says that the cable's link went, and what is left."""
    process = start(room, tmp_path, *ECHO, "--link", "eth0", "--link", "wlan0", "--seconds", "10")
    sending("eth0", process)
    subprocess.run(["ip", "link", "set", "eth0", "down"], check=True)
    document = ended(process)
    subprocess.run(["ip", "link", "set", "eth0", "up"], check=True)
    lab("default", "wired")
    assert document["verdict"]["level"] == "not_ready"
    assert echo(document, "eth0")["failure"]["code"] == "link_vanished"
    assert echo(document, "wlan0")["values"]["loss_ratio"] < 0.02
    assert document["verdict"]["action"] == "check_plug"


def sending(link: str, process: subprocess.Popen[str]) -> None:
    """Wait until the check's packets flow by the link."""
    counter = Path(f"/sys/class/net/{link}/statistics/tx_packets")
    first, end = int(counter.read_text()), time.monotonic() + 60
    while int(counter.read_text()) < first + 150:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_whole_check_on_a_phone_keeps_to_its_data_budget(room: str, tmp_path: Path) -> None:
    before = passed("usb0")
    # an emulated computer imports for half a minute what these two need, and has no time for pictures
    document = ended(start(room, tmp_path, "--link", "usb0", "--skip", "join,call"))
    assert 200_000 < passed("usb0") - before <= TETHERED_BYTES
    found = {m["name"]: m for m in document["measurements"]}
    assert found["capacity"]["failure"] is None
    assert "throughput_up_bytes_per_second" in found["throughput"]["unknown"]
    assert found["path"]["values"]["gateway_loss_ratio"] < 0.02
    named = {f["rule"] for f in document["verdict"]["findings"] if f["source"] == "diagnosis"}
    assert named <= {"cpu_starved"}  # an emulated computer is slow


def passed(device: str) -> int:
    """Bytes both ways that the device itself has counted."""
    counts = Path("/sys/class/net", device, "statistics")
    return sum(int((counts / name).read_text()) for name in ("tx_bytes", "rx_bytes"))
