"""throughput: how much does this link carry each way, and what becomes of the delay while it does?

ndt7 for the throughput, and STAMP packets in the same seconds for the delay: idle, then a download, then an upload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes import loaded
from probes.links.binding import BindingError
from probes.loading import Cost, Loading
from probes.session import Draft, Failures, ProbeFailure, Session, measuring
from probes.steady import Rate, steady
from reports import vocabulary

if TYPE_CHECKING:
    from probes.loaded import Way
    from probes.seen import Seen

FAILURES: Failures = {BindingError: "link_not_bound"}
LEAST_BUDGET_BYTES = 100_000
METERED = "not run on a metered or shared link: it would use the data allowance"
TOO_SHORT = "the transfer was too short to tell"
NOT_TOLD = "the sending computer's system does not tell"
RESPONSIVENESS_BY = "UDP round trips under TCP load; not HTTP requests over TLS, as in the IETF draft"
_LEAST_SATURATED_S = 0.5
_TOUCHED_S = 0.001


async def probe(session: Session) -> Draft:
    """A download and an upload at full speed, and the round trips meanwhile. Stops when the verdict is clear."""
    with measuring("throughput", session, FAILURES) as m:
        if session.frugal and not session.named:
            _explain(m, METERED)
            return m
        try:
            await _measure(session, m)
        except ProbeFailure as failure:
            _explain(m, vocabulary.FAILURES[failure.code])
            raise
    return m


def names(way: Way) -> tuple[str, ...]:
    """The quantities that this probe concerns, of one direction."""
    return f"throughput_{way}_bytes_per_second", f"retransmitted_{way}_ratio", *loaded.names(way)


def _explain(m: Draft, reason: str) -> None:
    """What has no value and no reason yet gets this one."""
    for name in (*names("down"), *names("up")):
        if name not in m.values:
            m.unknown.setdefault(name, reason)


async def _measure(session: Session, m: Draft) -> None:
    if session.link is not None and not session.link.usable:
        raise ProbeFailure("link_no_address")
    if session.room.plain:
        raise ProbeFailure("room_test_not_offered", "a plain STAMP reflector")
    if session.budget_bytes < LEAST_BUDGET_BYTES:
        raise ProbeFailure("budget_spent")
    cost = Cost.of(session)
    room = await session.room.open(session.link, cost.longest_s, 1 / cost.interval_s)
    loading = Loading(session, room, cost)
    try:
        await loading.run()
    finally:
        await room.close()
    _analyse(m, loading)
    if loading.failures:
        raise loading.failures[0]


def _analyse(m: Draft, loading: Loading) -> None:
    """Values, facts and reasons of the directions that were loaded to their end."""
    m.facts |= {"moved_bytes": loading.moved_bytes, "responsiveness_by": RESPONSIVENESS_BY}
    rates = {seen.way: steady(seen.counted) for seen in loading.finished}
    if loading.trace is not None:
        phases = [s.phase(rate.begin_ns if (rate := rates[s.way]) else 0) for s in loading.finished]
        values, unknown = loaded.values(loading.trace, loading.idle_until_ns, phases)
        m.values |= values
        m.unknown |= unknown
    for seen in loading.finished:
        _throughput(m, seen, rates[seen.way], loading.beside_bytes_per_second)
    if early := loading.stopped_early():
        m.facts["stopped_early"] = early


def _throughput(m: Draft, seen: Seen, rate: Rate | None, beside: float) -> None:
    """`beside`: bytes per second of the STAMP packets, which took their part of a link that was full."""
    way, name = seen.way, f"throughput_{seen.way}_bytes_per_second"
    m.facts[f"congestion_control_{way}"] = seen.congestion_control or "not known"
    m.facts[f"saturated_{way}"] = _saturated(seen, rate, m.values.get(f"rtt_rise_{way}_seconds"))
    if way == "up":
        m.facts["upload_counted_by"] = "the room" if seen.counted is seen.samples else "acknowledgements"
    if rate is None:
        m.unknown[name] = TOO_SHORT
    else:
        beside = beside if m.facts[f"saturated_{way}"] else 0.0
        m.values[name] = rate.bytes_per_second + beside
        if rate.interval:
            low, high = rate.interval
            m.values |= {f"{name}_ci95_low": low + beside, f"{name}_ci95_high": high + beside}
    if seen.retransmitted is None:
        m.unknown[f"retransmitted_{way}_ratio"] = NOT_TOLD
    else:
        m.values[f"retransmitted_{way}_ratio"] = seen.retransmitted


def _saturated(seen: Seen, rate: Rate | None, rise: float | None) -> bool:
    """Was the path what limited the speed? When not, the throughput is a lower bound.

    A full path shows it, by loss or by delay; where neither is seen, an end was the limit.
    """
    if rate is None or rate.growing or rate.end_ns - rate.begin_ns < _LEAST_SATURATED_S * 1e9:
        return False
    untouched = seen.losses == [] and rise is not None and rise < _TOUCHED_S
    return not (untouched or seen.held_back)
