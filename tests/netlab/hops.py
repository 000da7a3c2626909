"""What is told to a router's filter and queues, and to iperf3, and what they say. Text in, text out."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from collections.abc import Mapping
from typing import Any, Literal

from tests.netlab.impairment import Way
from tests.netlab.namespaces import end

Hop = Literal["first", "beyond"]
Router = Literal["gateway", "operator"]

IN_TEN_THOUSAND = 10_000
PATIENCE = 10.0
WHERE: dict[tuple[Hop, Way], tuple[Router, str, str]] = {  # router, hook, which packets
    ("first", "up"): ("gateway", "prerouting", 'iifname "to_laptop"'),
    ("first", "down"): ("gateway", "postrouting", 'oifname "to_laptop"'),  # forwarded, and the gateway's own
    ("beyond", "up"): ("operator", "forward", 'iifname "to_gateway"'),
    ("beyond", "down"): ("operator", "forward", 'oifname "to_gateway"'),
}
TOO_BIG = ("icmp type destination-unreachable icmp code 4 drop", "icmpv6 type packet-too-big drop")
UNITS = {"": 1, "K": 1024, "M": 1024**2}


def ruleset(router: str, loss: Mapping[tuple[Hop, Way], float], silent: bool) -> str:
    """The router's whole filter, for `nft -f -`. `silent`: never says that a packet is too big."""
    chains: dict[str, list[str]] = {}
    for place, share in loss.items():
        at, hook, packets = WHERE[place]
        if at == router and share > 0:
            rule = f"{packets} numgen random mod {IN_TEN_THOUSAND} < {round(share * IN_TEN_THOUSAND)} drop"
            chains.setdefault(hook, []).append(rule)
    if silent:
        chains["output"] = list(TOO_BIG)
    table = "".join(_chain(hook, rules) for hook, rules in chains.items())
    return f"table inet netlab\ndelete table inet netlab\ntable inet netlab {{\n{table}}}\n"


def _chain(hook: str, rules: list[str]) -> str:
    return f"chain at_{hook} {{ type filter hook {hook} priority 0;\n" + "".join(f"{r}\n" for r in rules) + "}\n"


def backlog(shown: str) -> int:
    """Bytes that wait, from `tc -s qdisc show`; 0 where nothing shapes."""
    found = re.search(r"backlog (\d+)([KM]?)b", shown)
    return int(found[1]) * UNITS[found[2]] if found else 0


def iperf_server() -> list[str]:
    return ["iperf3", "--server", "--one-off", "--forceflush"]


def iperf_client(address: str, udp_mbit: float | None, streams: int, seconds: float) -> list[str]:
    """Reports what the other end received. Cubic, whatever the computer's default, since it fills queues."""
    command = ["iperf3", "--client", address, "--json", "--time", str(round(seconds)), "--parallel", str(streams)]
    if udp_mbit is None:
        return [*command, "--congestion", "cubic"]
    return [*command, "--udp", "--bitrate", f"{udp_mbit / streams}M", "--length", "1400"]


def wait_for(program: subprocess.Popen[str], words: str) -> None:
    """Raises TimeoutError when the program has not written them in time."""
    assert program.stdout is not None
    seen, deadline = "", time.monotonic() + PATIENCE
    while words not in seen:
        ready = select.select([program.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]
        part = os.read(program.stdout.fileno(), 4096).decode() if ready else ""
        if not part:
            raise TimeoutError(f"no {words!r} but {seen!r}")
        seen += part


class Transfer:
    """One iperf3 client that runs."""

    def __init__(self, client: subprocess.Popen[str]) -> None:
        self._client = client
        self._report: dict[str, Any] = {}

    @property
    def report(self) -> dict[str, Any]:
        return self._report

    def wait(self, patience: float = 60) -> None:
        """Until the client has ended by itself. Raises subprocess.TimeoutExpired."""
        out, _ = self._client.communicate(timeout=patience)
        self._report = json.loads(out)

    def stop(self) -> None:
        """Now, if it has not ended."""
        if self._client.poll() is None:
            end(self._client)

    @property
    def received_mbit(self) -> float:
        """What the receiver counted, of TCP payload."""
        return float(self.report["end"]["sum_received"]["bits_per_second"]) / 1e6

    @property
    def lost_ratio(self) -> float:
        """UDP: of the datagrams sent."""
        return float(self.report["end"]["sum"]["lost_percent"]) / 100
