"""Our reflector in a process of its own, with limits that do not limit; it takes orders as JSON lines.

{"open": ADDRESS, "plain": bool} -> {"port"}; {"issue": N, "seconds": S, "rate": R} -> {"sessions": [[ssid, key]]};
{"counts": true} -> the reflector's counts.
"""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from typing import Any

from bench.processes import answer, questions
from testroom.limits import Limits
from testroom.reflector import Reflector
from testroom.sessions import Sessions

MANY = 1_000_000
LIMITS = Limits(
    sessions=60_000,
    sessions_per_organisation=60_000,
    sessions_per_address=60_000,
    packets_per_second=float(MANY),
    address_packets_per_second=float(MANY),
)


def main() -> None:
    sessions = Sessions(LIMITS)
    reflector: Reflector | None = None
    for question in questions():
        if "open" in question:
            networks = (ipaddress.ip_network("0.0.0.0/0"),) if question["plain"] else ()
            reflector = Reflector(sessions, LIMITS, networks, bulk=True)
            answer({"port": reflector.open(question["open"], 0)})
        elif "issue" in question:
            answer({"sessions": _issue(sessions, question)})
        elif reflector is not None:
            answer(asdict(reflector.counts))
    if reflector is not None:
        reflector.close()


def _issue(sessions: Sessions, question: dict[str, Any]) -> list[tuple[int, str]]:
    seconds, rate = question["seconds"], question["rate"]
    issued = (sessions.issue("bench", "bench", seconds, rate) for _ in range(question["issue"]))
    return [(s.ssid, s.secret.hex()) for s in issued]


if __name__ == "__main__":
    main()
