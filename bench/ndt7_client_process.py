"""The throughput probe's transfer in a process of its own.

{"way", "port", "fingerprint": HEX or null without TLS, "seconds", "skip"} -> {"bits_per_second", "congestion_control"}
as the receiver counts them after the first `skip` seconds, or {"error"}.
"""

from __future__ import annotations

from typing import Any

from bench.processes import answer, questions
from probes.stream import Target
from probes.transfer import Download, Plan, Transfer, Upload


def main() -> None:
    for question in questions():
        answer(_measure(question))


def _measure(asked: dict[str, Any]) -> dict[str, Any]:
    pin = asked["fingerprint"]
    target = Target(
        ("127.0.0.1", asked["port"]), "127.0.0.1", fingerprint=bytes.fromhex(pin) if pin else None, tls=bool(pin)
    )
    kind = Upload if asked["way"] == "up" else Download
    transfer = kind(target, Plan(most_s=asked["seconds"]))
    transfer.start()
    transfer.release()
    if not transfer.join(asked["seconds"] + 10):
        transfer.stop()
        return {"error": "the transfer did not end"}
    if transfer.failure or transfer.error:
        return {"error": str(transfer.failure or transfer.error)}
    return {"bits_per_second": _rate(transfer, asked["skip"]), "congestion_control": transfer.seen.congestion_control}


def _rate(transfer: Transfer, skip_s: float) -> float:
    samples = [s for s in transfer.seen.samples if s.at_ns >= skip_s * 1e9]
    if len(samples) < 2:
        return 0.0
    first, last = samples[0], samples[-1]
    return (last.total - first.total) * 8e9 / (last.at_ns - first.at_ns)


if __name__ == "__main__":
    main()
