"""What the agent shows of itself on loopback: its own figures beside the self-test's, the verdict, and how it does."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.service import state
from agent.service.http import Answer, Pages

SCHEMA = "motesklar.agent/1"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
SPOOL_COUNTS = {
    "waiting": ("spool_waiting", "gauge", "reports that wait to be sent"),
    "dropped": ("spool_dropped_total", "counter", "reports given up for want of room"),
    "refused": ("spool_refused_total", "counter", "reports that the far end will not take"),
    "sent": ("spool_sent_total", "counter", "reports that have arrived"),
}


@dataclass(slots=True)
class Figures:
    """Times in seconds since 1970. `outcomes`: done, stopped, failed. `doing`: what a child process is at."""

    version: str
    started_at: float
    doing: str = ""
    next_run_at: float | None = None
    put_off: str = ""
    put_off_since: float | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    postponed: Counter[str] = field(default_factory=Counter)
    spool: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trouble: str = ""


def pages(folder: Path, figures: Figures) -> Pages:
    """For the server. Files are read at each request: a child process writes them."""
    return {
        "/metrics": lambda: Answer(state.kept(folder, state.METRICS) + exposition(figures), TEXT),
        "/verdict": lambda: _verdict(folder),
        "/health": lambda: Answer(json.dumps(health(folder, figures), ensure_ascii=False).encode()),
    }


def _verdict(folder: Path) -> Answer:
    document = state.kept(folder, state.VERDICT)
    return Answer(document) if document else Answer(b'{"code": "no_self_test_yet"}', status=404)


def health(folder: Path, figures: Figures) -> dict[str, Any]:
    """How the agent does. No token, no address."""
    since = figures.put_off_since
    return {
        "schema": SCHEMA,
        "version": figures.version,
        "started_at": figures.started_at,
        "doing": figures.doing or None,
        "last_run": state.last_run(folder),
        "next_run_at": figures.next_run_at,
        "put_off": None if since is None else {"reason": figures.put_off, "since": since},
        "trouble": figures.trouble or None,
        "spool": figures.spool,
    }


def exposition(figures: Figures) -> bytes:
    """Prometheus's text format."""
    lines = [
        *_family(
            "agent_self_tests_total", "counter", "self-tests since the agent started", "outcome", figures.outcomes
        ),
        *_family("agent_put_off_total", "counter", "times that one was put off", "reason", figures.postponed),
        *_single("agent_start_timestamp_seconds", "when the agent started", figures.started_at),
        *_single("agent_next_run_timestamp_seconds", "when a self-test is tried next", figures.next_run_at),
        *_single("agent_put_off_seconds", "for how long the due one has been put off", _waited(figures)),
    ]
    for key, (name, kind, text) in SPOOL_COUNTS.items():
        lines += _family(name, kind, text, "destination", {to: counts[key] for to, counts in figures.spool.items()})
    return "".join(f"{line}\n" for line in lines).encode()


def _waited(figures: Figures) -> float:
    return 0.0 if figures.put_off_since is None else max(0.0, time.time() - figures.put_off_since)


def _single(name: str, text: str, value: float | None) -> Iterator[str]:
    if value is not None:
        yield from (*_head(name, "gauge", text), f"motesklar_{name} {value!r}")


def _family(name: str, kind: str, text: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    """`label`'s values are this program's own words."""
    if values:
        yield from _head(name, kind, text)
        yield from (f'motesklar_{name}{{{label}="{word}"}} {value}' for word, value in sorted(values.items()))


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP motesklar_{name} {text}", f"# TYPE motesklar_{name} {kind}"
