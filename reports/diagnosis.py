"""Where is the fault? The measurements of one link weighed against each other into findings that name the place.

| rule                    | what must be seen                                                                         |
|-------------------------|-------------------------------------------------------------------------------------------|
| first_hop_loss          | loss is bad, and probes to the first router are lost as often as whole round trips        |
| beyond_loss             | loss is bad, and the first router answers nearly all                                      |
| own_upload / …_download | delay, loss or throughput is bad, and other programs here take much of that direction     |
| upload_queue / download…| delay or loss is bad, the delay of that direction swells slowly as a queue does (or loss  |
|                         | and a long round trip come together), and it is not this computer that fills it           |
| cpu_starved             | two of: no core is free, this program waits for one, its packets leave late               |
| mtu_black_hole          | large packets vanish and nobody says so                                                   |
| slow_dns                | name servers answer slowly or not at all                                                  |

Nothing is named unless a value is bad. What was not measured is evidence for nothing; evidence that is weak makes the
finding not sure, and then it changes no other finding. Limits, owners and advice are the policy's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reports.evidence import Evidence, gather, per_link
from reports.findings import SEVERITY, Judged, Subjects, effective
from reports.policy import Policy
from reports.queues import queues
from reports.record import Finding, Measurement

SOURCE = "diagnosis"
CPU = ("cpu_busy_ratio", "cpu_wait_ratio", "sends_missed_ratio")
WAYS, LOSSES = ("up", "down"), ("loss", "burst_loss")
Params = Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault named: `explains` are the quantities it spoils, `remarks` message ids that follow the sentence."""

    rule: str
    seen: Evidence
    sentence: str
    explains: frozenset[str] = frozenset()
    sure: bool = True
    params: Params = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def diagnose(
    policy: Policy, subjects: Subjects, measurements: Sequence[Measurement], found: Sequence[Judged]
) -> list[Judged]:
    """The findings with the named faults before them; what a sure fault explains has its owner and advice."""
    faults = [fault for seen in per_link(subjects, measurements, found) for fault in _of_link(policy, seen)]
    faults += _cpu_starved(policy, subjects, measurements, found)
    named = [_judged(policy, fault) for fault in faults]
    sure = [(fault, judged.finding) for fault, judged in zip(faults, named, strict=True) if fault.sure]
    return named + [_explained(judged, sure) for judged in found]


def _judged(policy: Policy, fault: Fault) -> Judged:
    about = policy.faults.get(f"{fault.rule}_{fault.seen.kind}", policy.faults[fault.rule])
    spoilt = [effective(f) for quantity, f in fault.seen.bad.items() if quantity in fault.explains]
    finding = Finding(
        level=max([about.level, *spoilt], key=SEVERITY.__getitem__),
        rule=fault.rule,
        subject=fault.seen.subject,
        value=None,
        limit=None,
        owner=about.owner,
        advice=about.advice,
        sure=fault.sure,
        source=SOURCE,
        params={
            "quantity": "fault",
            "consequence": f"fault.{fault.sentence}",
            "remarks": " ".join(f"remark.{remark}" for remark in fault.remarks),
            **fault.params,
        },
    )
    return Judged(finding, network=fault.seen.link is not None)


def _explained(judged: Judged, sure: Sequence[tuple[Fault, Finding]]) -> Judged:
    """The next action shall follow the diagnosis, so what it explains gets its owner and advice."""
    f = judged.finding
    if f.level not in ("degraded", "not_ready"):
        return judged
    for fault, named in sure:
        if f.params.get("quantity") in fault.explains and f.subject in (named.subject, *_anywhere(fault)):
            return replace(judged, finding=replace(f, owner=named.owner, advice=named.advice))
    return judged


def _anywhere(fault: Fault) -> tuple[str, ...]:
    """A busy computer spoils what is found about its links too."""
    return tuple({f.subject for f in fault.seen.bad.values()}) if fault.seen.link is None else ()


def _of_link(policy: Policy, seen: Evidence) -> Iterator[Fault]:
    full = [Fault(q.rule, seen, q.sentence, q.explains, q.sure, q.params, q.remarks) for q in queues(policy, seen)]
    overflowing = {quantity for fault in full for quantity in fault.explains}
    for fault in (*full, *_loss(policy, seen, overflowing)):
        yield replace(fault, remarks=(*fault.remarks, *_vpn(seen)))
    yield from _mtu_black_hole(seen)
    yield from _slow_dns(policy, seen)


def _vpn(seen: Evidence) -> tuple[str, ...]:
    by_vpn = seen.facts.get("local.vpn") is True or (seen.link is not None and seen.link.kind == "vpn")
    return ("vpn",) if by_vpn else ()


def _loss(policy: Policy, seen: Evidence, overflowing: set[str]) -> Iterator[Fault]:
    """Loss that no queue explains: is it before the first router or beyond it?"""
    ways = [way for way in WAYS if any(f"{stem}_{way}_ratio" in seen.bad.keys() - overflowing for stem in LOSSES)]
    odds = seen.first_hop_odds(policy.limit("gateway_silent_ratio"))
    if not ways or odds is None or abs(odds) < math.log(policy.limit("odds_named")):
        return
    explains = {f"{stem}_{way}_ratio" for stem in LOSSES for way in ways} | {f"mos_{way}" for way in ways}
    explains |= {f"throughput_{way}_bytes_per_second" for way in WAYS}  # loss slows TCP down
    params: dict[str, str | float] = {
        "loss_ratio": seen.values.get("loss_ratio", seen.values.get("path_loss_ratio", 0.0)),
        "gateway_loss_ratio": seen.values["gateway_loss_ratio"],
        "kind": seen.kind or "other",
    }
    sure = abs(odds) >= math.log(policy.limit("odds_sure"))
    if odds < 0:
        yield Fault("beyond_loss", seen, "beyond_loss", frozenset(explains), sure, params)
        return
    signal, remarks = _wifi(policy, seen)
    sentence = "first_hop_loss_part" if _more_beyond(seen) else "first_hop_loss"
    yield Fault("first_hop_loss", seen, sentence, frozenset(explains), sure, params | signal, remarks)


def _more_beyond(seen: Evidence) -> bool:
    """The rest of the way surely loses something too."""
    first, whole = seen.ends("gateway_loss_ratio"), seen.ends("loss_ratio")
    return first is not None and whole is not None and first[1] < whole[0]


def _wifi(policy: Policy, seen: Evidence) -> tuple[dict[str, float], tuple[str, ...]]:
    """What the radio says about why: a weak signal, else much sent again."""
    signal = seen.values.get("wifi_signal_dbm")
    if signal is None and seen.link is not None and seen.link.wifi is not None:
        signal = seen.link.wifi.signal_dbm
    if signal is not None and signal < policy.limit("wifi_weak_dbm"):
        return {"wifi_signal_dbm": signal}, ("weak_signal",)
    if seen.at_least("wifi_retry_ratio", policy.limit("wifi_retry_ratio")):
        return {"wifi_retry_ratio": seen.values["wifi_retry_ratio"]}, ("retries",)
    return {}, ()


def _mtu_black_hole(seen: Evidence) -> Iterator[Fault]:
    way = seen.facts.get("path.mtu_black_hole")
    if way in ("up", "down", "both"):
        ways = [w for w in WAYS if way in (w, "both")]
        remarks = tuple(f"mtu_{w}" for w in ways if f"path_mtu_{w}_bytes" in seen.values)
        params = {f"path_{r}_bytes": seen.values[f"path_{r}_bytes"] for r in remarks}
        yield Fault("mtu_black_hole", seen, f"mtu_black_hole_{way}", params=params, remarks=remarks)


def _slow_dns(policy: Policy, seen: Evidence) -> Iterator[Fault]:
    """Not when the link's own loss or delay is the reason."""
    explains = frozenset({"dns_lookup_seconds", "dns_failed_ratio"})
    params = {name: seen.values[name] for name in explains & seen.values.keys()}
    lossy = any(f"{stem}_{way}_ratio" in seen.bad for stem in LOSSES for way in WAYS)
    delay = seen.values.get("rtt_p95_seconds", 0.0) if "rtt_p95_seconds" in seen.bad else 0.0
    if "dns_timeout" in seen.failures:
        yield Fault("slow_dns", seen, "slow_dns_silent", explains)
    elif not lossy and seen.at_least("dns_failed_ratio", policy.limit("dns_failed_ratio")):
        yield Fault("slow_dns", seen, "slow_dns_failed", explains, params=params)
    elif seen.at_least("dns_lookup_seconds", policy.limit("dns_seconds") + delay):
        yield Fault("slow_dns", seen, "slow_dns", explains, params=params)


def _cpu_starved(
    policy: Policy, subjects: Subjects, measurements: Sequence[Measurement], found: Sequence[Judged]
) -> Iterator[Fault]:
    """Two signs of three; late packets alone make it possible. No core free and no wait: what fills them yields."""
    mine = [j.finding for j in found if not subjects.other(j.finding.subject)]
    seen = gather("computer", subjects, measurements, mine)
    told = {name: [m.values[name] for m in measurements if math.isfinite(m.values.get(name, math.nan))] for name in CPU}
    high = {name: max(all_) for name, all_ in told.items() if all_ and max(all_) >= policy.limit(name)}
    sure = len(high) > 1 or (high.keys() == {"cpu_busy_ratio"} and not told["cpu_wait_ratio"])
    if sure or "sends_missed_ratio" in high:
        explains = frozenset({"cpu_busy_ratio", "sends_missed_ratio", "call_cpu_ratio"})
        remarks = tuple(name.removesuffix("_ratio") for name in high)
        yield Fault("cpu_starved", seen, "cpu_starved", explains, sure, high, remarks)
