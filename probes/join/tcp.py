"""tcp: does the portal's HTTPS port accept a connection, by IPv4 and by IPv6?"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence

from probes.join.dial import MARGIN_S, addresses, connect, portal_of, proxy_for
from probes.join.errand import Errand
from probes.join.reach import CODES, TELLING, DialError, Kind, family, goes, reach

SECONDS = "tcp_connect_seconds"
FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


async def step(errand: Errand) -> None:
    """Both families at once, each as far as name and link have it; a proxy chooses for itself."""
    host, port = portal_of(errand)
    until = errand.deadline - MARGIN_S
    if proxy_for(errand.found, host):
        await _tunnel(errand, host, port, until)
    else:
        await _families(errand, await addresses(errand, host), port, until)


async def _tunnel(errand: Errand, host: str, port: int, until: float) -> None:
    begun = time.monotonic()
    errand.m.facts["through"] = "proxy"
    try:
        (await connect(errand, host, port, until)).close()
    except DialError as error:
        raise errand.fail(CODES[error.kind], error.detail) from None
    errand.m.values[SECONDS] = time.monotonic() - begun


async def _families(errand: Errand, found: Sequence[str], port: int, until: float) -> None:
    usable = [a for a in found if goes(errand.link, a)]
    by_name = {name: [a for a in usable if family(a) is of] for name, of in FAMILIES.items()}
    tried = await asyncio.gather(*(_try(errand, by_name[name], port, until) for name in FAMILIES))
    outcomes = dict(zip(FAMILIES, (outcome for outcome, _ in tried), strict=True))
    errand.m.facts |= outcomes
    took = [seconds for _, seconds in tried if seconds is not None]
    broken = [name for name, outcome in outcomes.items() if outcome not in ("ok", "none")]
    if not took:
        kind: Kind = next((k for k in TELLING if k in outcomes.values()), "unreachable")
        raise errand.fail(
            CODES[kind], "" if broken else "no way to its addresses" if found else "its name was not found"
        )
    errand.m.values[SECONDS] = min(took)
    if broken:
        errand.remark("tcp_family_broken", f"{broken[0]}: {outcomes[broken[0]]}")


async def _try(errand: Errand, found: Sequence[str], port: int, until: float) -> tuple[str, float | None]:
    """What came of one family, and how long it took when it was connected."""
    if not found:
        return "none", None
    begun = time.monotonic()
    try:
        (await reach(errand.link, found, port, until)).close()
    except DialError as error:
        return error.kind, None
    return "ok", time.monotonic() - begun
