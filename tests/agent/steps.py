"""Drafts of the probes join and call, as if they had been by one link."""

from __future__ import annotations

from probes.session import Draft
from reports.record import Failure, Link

ETH = Link("eth0", "wired", 1.0, (), carrier=True, addresses=("192.0.2.7",), is_default=True)
CALL = {
    "call_signalling_seconds": 0.1, "call_gathering_seconds": 0.01, "call_ice_seconds": 0.2, "call_dtls_seconds": 0.1,
    "call_setup_seconds": 0.4, "first_media_seconds": 0.6, "call_frames_per_second": 30.0,
}  # fmt: skip
CARRIED = {"media_path": "direct", "candidate_pair": "host/host", "call_carries": "video"}


def part(name: str, code: str | None = None, *, facts: dict[str, str] | None = None, **values: float) -> Draft:
    failed = Failure(name, code, "from 192.0.2.7") if code else None
    return Draft(f"join_{name}", "eth0", 1.8e9, 0.25, dict(values), dict(facts or {}), failure=failed)


def join(*parts: Draft, code: str | None = None) -> Draft:
    return Draft("join", "eth0", 1.8e9, 1.0, failure=Failure("join", code) if code else None, parts=list(parts))


def call(code: str | None = None, step: str = "", *, subject: str = "eth0", without: str = "", **facts: str) -> Draft:
    """The values of the stages named in `without` are not there."""
    values = {name: value for name, value in CALL.items() if not any(w in name for w in without.split())}
    failed = Failure(step, code) if code else None
    return Draft("call", subject, 1.8e9, 2.0, values, dict(CARRIED | facts), failure=failed)


GOOD = join(part("address"), part("dns"), part("tcp", tcp_connect_seconds=0.02), part("clock", clock_skew_seconds=0.4))
