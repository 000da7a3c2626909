"""A full queue on the way out or in: is there one, on which side of the first router, and who fills it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reports.evidence import Evidence
from reports.policy import Policy

OTHER_WAY = {"up": "down", "down": "up"}
PROGRAMS = ("browser", "file sync", "system update", "video call")
TRANSFERS = (("throughput", "bytes_per_second"), ("rtt_rise", "seconds"))
WORDS = {"up": "upload", "down": "download"}


@dataclass(frozen=True, slots=True)
class Queue:
    """A direction that is full. The fields are those of diagnosis.Fault."""

    rule: str
    sentence: str
    explains: frozenset[str]
    sure: bool
    params: dict[str, str | float]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class How:
    """What shows the queue: delay that swells, delay that stands, packets that wait inside this computer."""

    swells: bool
    stands: bool
    here: bool


def queues(policy: Policy, seen: Evidence) -> Iterator[Queue]:
    """The full queue of each direction, when something that it spoils is bad."""
    swelling = {way: seen.values[f"pdv_{way}_p95_seconds"] for way in OTHER_WAY if _swells(policy, seen, way)}
    for way, other in OTHER_WAY.items():
        spoils = _spoils(way)
        if not any(quantity in spoils for quantity in seen.bad):
            continue
        # What fills one direction may disturb the other a little; that one is not named.
        swells = way in swelling and swelling[way] >= swelling.get(other, 0.0) / 2
        stands = not swells and way not in swelling and _stands(policy, seen, way)
        here = way == "up" and seen.at_least("local_queue_p95_seconds", policy.limit("queue_seconds"))
        if swells or stands or here or _starved(policy, seen, way):
            yield _by_whom(policy, seen, way, How(swells, stands, here))


def _spoils(way: str) -> frozenset[str]:
    delay = {"rtt_p95_seconds", f"jitter_{way}_seconds", "mos_up", "mos_down"}
    loss = {f"loss_{way}_ratio", f"burst_loss_{way}_ratio"}
    here = {"local_queue_p95_seconds"} if way == "up" else set()
    return frozenset(delay | loss | here | {f"throughput_{way}_bytes_per_second"})


def _explains(way: str) -> frozenset[str]:
    """Also what a full direction does to our own transfers, whose acknowledgements wait in it too."""
    return _spoils(way) | {f"{stem}_{w}_{unit}" for stem, unit in TRANSFERS for w in OTHER_WAY}


def _swells(policy: Policy, seen: Evidence, way: str) -> bool:
    """The delay changes much over the run and little from one packet to the next (RFC 5481: PDV against IPDV)."""
    if not seen.at_least(f"pdv_{way}_p95_seconds", policy.limit("queue_seconds")):
        return False
    for p in ("p95", "p50"):
        pdv, ipdv = seen.values.get(f"pdv_{way}_{p}_seconds"), seen.values.get(f"ipdv_{way}_{p}_seconds")
        if pdv is not None and ipdv is not None and pdv > 0 and pdv >= policy.limit("queue_slowness") * ipdv:
            return True
    return False


def _stands(policy: Policy, seen: Evidence, way: str) -> bool:
    """Full all the time, so its delay does not vary: it is part of every round trip, and what does not fit is lost."""
    mine, other = seen.ends(f"loss_{way}_ratio"), seen.ends(f"loss_{OTHER_WAY[way]}_ratio")
    if f"loss_{way}_ratio" not in seen.bad or mine is None or other is None or mine[0] <= other[1]:
        return False
    least, near = policy.limit("standing_rtt_seconds"), seen.values.get("gateway_rtt_min_seconds", 0.0)
    odds = seen.first_hop_odds(policy.limit("gateway_silent_ratio"))
    if odds is None:
        return seen.values.get("rtt_min_seconds", 0.0) >= least
    # A queue delays and loses in the same place.
    return near >= least if odds > 0 else seen.values.get("rtt_min_seconds", 0.0) - near >= least


def _starved(policy: Policy, seen: Evidence, way: str) -> bool:
    """Little was left for the transfer, because other programs here took much of the direction."""
    return f"throughput_{way}_bytes_per_second" in seen.bad and _own_share(policy, seen, way) is True


def _own_share(policy: Policy, seen: Evidence, way: str) -> bool | None:
    """Do other programs on this computer take much of this direction? None: not known."""
    background = seen.values.get(f"background_{way}_bytes_per_second")
    if background is None:
        return None
    if background < policy.limit("own_bytes_per_second"):
        return False
    throughput = seen.values.get(f"throughput_{way}_bytes_per_second")
    beside = background + throughput if throughput is not None else 0.0
    whole = max(beside, seen.values.get(f"capacity_{way}_bytes_per_second", 0.0))
    return background >= policy.limit("own_share_ratio") * whole if whole > 0 else None


def _contended(seen: Evidence, way: str) -> bool:
    """The transfer got less than half of what the line carries: others take the rest."""
    throughput = seen.values.get(f"throughput_{way}_bytes_per_second")
    capacity = seen.values.get(f"capacity_{way}_bytes_per_second")
    lower_bound = seen.facts.get(f"throughput.saturated_{way}") is False
    return throughput is not None and capacity is not None and not lower_bound and throughput < capacity / 2


def _by_whom(policy: Policy, seen: Evidence, way: str, how: How) -> Queue:
    background = f"background_{way}_bytes_per_second"
    own, much = _own_share(policy, seen, way), seen.at_least(background, policy.limit("own_bytes_per_second"))
    mine = bool(own) or how.here or (own is None and much)
    params: dict[str, str | float] = {}
    remarks: list[str] = []
    if how.swells and mine:
        remarks.append(f"wait_{way}")
    if how.swells:
        params[f"pdv_{way}_p95_seconds"] = seen.values[f"pdv_{way}_p95_seconds"]
    if how.stands and not mine:
        params |= {name: seen.values[name] for name in ("rtt_min_seconds", f"loss_{way}_ratio")}
    if background in seen.values:
        params[background] = seen.values[background]
    if mine:
        known = "" if much else "_unseen"
        program = seen.facts.get("local.background_kind")
        if program in PROGRAMS:
            params["program"] = str(program)
            remarks.append("program")
        return Queue(f"own_{WORDS[way]}", f"own_{WORDS[way]}{known}", _explains(way), bool(own), params, tuple(remarks))
    remarks.append(f"others_{way}" if background in seen.values else "filler_unseen")
    remarks += _side(policy, seen, way) if how.swells else ()
    sentence = f"{WORDS[way]}_queue" + ("_standing" if how.stands else "")
    sure = own is False and (how.swells or _contended(seen, way))
    return Queue(f"{WORDS[way]}_queue", sentence, _explains(way), sure, params, tuple(remarks))


def _side(policy: Policy, seen: Evidence, way: str) -> tuple[str, ...]:
    """The first router's own round trips tell on which side of it the queue is."""
    low, high = seen.values.get("gateway_rtt_min_seconds"), seen.values.get("gateway_rtt_p95_seconds")
    if low is None or high is None:
        return ()
    near = high - low >= policy.limit("queue_near_ratio") * seen.values[f"pdv_{way}_p95_seconds"]
    return ("queue_near",) if near else ("queue_far",)
