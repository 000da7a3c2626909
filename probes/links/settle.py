"""From drafts to links: kinds settled, the default link marked, each VPN set upon the link that carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports.record import Kind, Link
from reports.weighing import Weighed

from .classify import classify_all
from .clues import Clues, Draft

METERED_WORDS = {"yes": True, "guess-yes": True, "no": False, "guess-no": False}


def metered(clues: Clues) -> bool | None:
    """The lease's mark first, then what NetworkManager holds. None: nobody said."""
    return True if clues.dhcp_metered else METERED_WORDS.get(clues.nm_metered)


def _settled(draft: Draft, found: Weighed[Kind]) -> Link:
    known = draft.link.metered if draft.link.metered is not None else metered(draft.clues)
    return replace(draft.link, kind=found.what, confidence=found.confidence, evidence=found.evidence, metered=known)


def _route_key(link: Link) -> tuple[bool, int]:
    return (link.route_metric is None, link.route_metric or 0)


def _carrier_of(vpn: Link, links: Sequence[Link], below: Sequence[str], peer_routes: Sequence[str]) -> str | None:
    """The device it stands on, else the one with a route to a single far host, else the best default route."""
    real = {link.name: link for link in links if link.kind not in {"vpn", "other"} and link.name != vpn.name}
    for name in (*below, *peer_routes):
        if name in real:
            return name
    with_route = sorted(
        (link for link in real.values() if link.route_metric is not None and link.usable), key=_route_key
    )
    return with_route[0].name if with_route else None


def settle(drafts: Sequence[Draft], peer_routes: Sequence[str] = ()) -> tuple[Link, ...]:
    """`peer_routes`: names of links that hold a route by a gateway to one single host, as VPN programs make."""
    found: Mapping[str, Weighed[Kind]] = classify_all([d.clues for d in drafts])
    links = [_settled(d, found[d.link.name]) for d in drafts]
    below = {d.link.name: d.clues.below for d in drafts}
    return tuple(
        replace(link, beneath=_carrier_of(link, links, below[link.name], peer_routes)) if link.kind == "vpn" else link
        for link in links
    )


def default_link(links: Sequence[Link]) -> Link | None:
    """The link that new connections leave by: the system's own choice, else the best default route."""
    usable = [link for link in links if link.usable]
    chosen = [link for link in usable if link.is_default]
    routed = sorted((link for link in usable if link.route_metric is not None), key=_route_key)
    return next(iter(chosen + routed), None)
