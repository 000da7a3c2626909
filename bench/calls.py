"""scripts/bench calls: how many calls one core relays without losing a frame, and what that costs."""

from __future__ import annotations

import argparse
import time
from typing import Any

from bench.processes import BenchError, Helper, cpu_seconds, helper, pinned, popen, run
from bench.table import Row, print_table, verdict

ROOM_CORE, CALLERS_CORE = 0, 1
TARGET = 40
_AROUND_S = 30.0


def _measure(room: dict[str, Any], server: int, callers: Helper, calls: int, seconds: float, last: bool) -> Any:
    """One step: what the callers counted, and the room's share of its core, of the server and of its call process."""
    pids = [server, *room["workers"]]
    asked = {"url": room["url"], "calls": calls, "seconds": seconds, "one_more": last}
    began, before = time.monotonic(), [cpu_seconds(pid) for pid in pids]
    said = callers.ask(asked, timeout=seconds + _AROUND_S)
    if "error" in said:
        raise BenchError(said["error"])
    took = time.monotonic() - began
    said["room_cpu"] = [(cpu_seconds(pid) - b) / took for pid, b in zip(pids, before, strict=True)]
    said["talk_share"] = seconds / took
    return said


def _steps(most: int | None, steps: list[int], seconds: float) -> dict[int, Any]:
    found = {}
    with pinned(ROOM_CORE), helper(popen, "call_room_process") as process:
        room = process.ask({"most": most})
        with pinned(CALLERS_CORE), helper(popen, "call_callers_process") as callers:
            callers.ask({}, timeout=20)
            for calls in steps:
                last = most is None and calls == steps[-1]
                found[calls] = _measure(room, process.process.pid, callers, calls, seconds, last)
                time.sleep(1.0)
        if process.ask({"counts": True})["restarts"]:
            raise BenchError("a call process of the room died")
    return found


def _row(calls: int, said: Any) -> Row:
    lost = [sent - back for sent, back in (said["sounds"], said["pictures"])]
    talking = sum(said["room_cpu"]) / said["talk_share"]  # the rest of the time it mostly rests
    return (
        f"{calls}", f"{said['sounds'][0]}", f"{lost[0]}", f"{said['pictures'][0]}", f"{lost[1]}",
        f"{said['lost_on_the_way']}", f"{100 * talking:.0f}", f"{100 * said['cpu']:.0f}",
        f"{1000 * said['trip_p50']:.1f}", f"{1000 * said['trip_p95']:.1f}", f"{1000 * said['opened_s'] / calls:.0f}",
    )  # fmt: skip


_HEAD = ("calls", "sounds sent", "lost", "pictures sent", "lost", "lost before the room", "room CPU %", "callers CPU %",
         "trip p50 ms", "p95 ms", "ms to open one")  # fmt: skip


def _whole(said: Any) -> bool:
    return bool(said["sounds"][0] == said["sounds"][1] and said["pictures"][0] == said["pictures"][1])


def _print(found: dict[int, Any]) -> None:
    print("\nCalls of Opus and VP8 640x480 on loopback, the room on one core, all callers on the other\n")
    print_table(_HEAD, [_row(calls, said) for calls, said in sorted(found.items())])
    most = max((calls for calls, said in found.items() if _whole(said)), default=0)
    print(f"\n  without a lost frame: {most} calls on one core (target: {TARGET}) {verdict(most >= TARGET)}")
    for calls, said in found.items():
        if said["refused"]:
            status, body, again, took = said["refused"]
            polite = status == 503 and body.get("code") == "room_busy" and again is not None
            words = f"{status} {body.get('code')}, try again in {again} s, after {1000 * took:.0f} ms"
            print(f"  call {calls + 1} while {calls} talk: {words} {verdict(polite)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench calls", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of talking in each step; a call ends after 60")
    parser.add_argument("--most", type=int, default=100, help="the last step; beyond 40 the room's limit is lifted")
    options = parser.parse_args()
    if not (2 <= options.seconds <= 40 and TARGET <= options.most <= 400):
        parser.error("--seconds is 2 to 40, --most 40 to 400")
    found = _steps(None, [10, 20, 30, TARGET], options.seconds)
    if options.most > TARGET:
        found |= _steps(options.most, list(range(TARGET + 20, options.most + 1, 20)), options.seconds)
    _print(found)


if __name__ == "__main__":
    run(main)
