"""Our sender in a process of its own: one job as a JSON line, one answer.

{"address": [HOST, PORT], "ssid", "key", "interval", "seconds", "size", "pids": [PID of the far end]} ->
{"trips": [[field, …]], "fields": […], "kernel_stamps", "interrupted", "cpu": [own share, theirs]}
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import astuple, fields
from typing import Any

from bench.processes import answer, cpu_shares, questions
from probes.roundtrip import RoundTrip
from probes.sender import Access, Sender
from probes.stamp import Key
from probes.traffic import isochronous


def main() -> None:
    for job in questions():
        answer(_run(job))


def _run(job: dict[str, Any]) -> dict[str, Any]:
    plan = isochronous(job["seconds"], job["interval"], job["size"])
    access = Access(job["ssid"], Key(bytes.fromhex(job["key"])), follow_up=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(tuple(job["address"]))
        sender = Sender(sock, plan, access, time.monotonic_ns() + 60_000_000)
        sender.start()
        cpu = cpu_shares([os.getpid(), *job["pids"]], job["seconds"])
        sender.join(job["seconds"] + 5)
        sender.stop()
        sender.join(2)
        trace = sender.trace()
    names = [f.name for f in fields(RoundTrip)]
    return {"fields": names, "trips": [astuple(t) for t in trace.trips], "kernel": trace.kernel_stamps, "cpu": cpu}


if __name__ == "__main__":
    main()
