"""May a self-test run now? Pure: from what was seen and what the settings allow.

What is not known hinders nothing, and is said to be unknown: a computer that tells nothing would never be tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.options import BUDGET_MB, METERED_BUDGET_MB
from agent.service.meeting import Meeting
from agent.settings import AgentSection
from reports.record import Link

Hindrance = Literal["camera", "microphone", "flow", "battery", "metered", "budget"]  # and state.who_tests()'s
LEAST_BYTES = METERED_BUDGET_MB * 1e6  # with less a test says little
FLOW_PATIENCE_S = 6 * 3600.0  # a flow may be something else than a meeting; a camera in use is in use


@dataclass(frozen=True, slots=True)
class Seen:
    """This computer at one moment. `power`: a word of media_check.computer_power.judge."""

    meeting: Meeting
    power: str = "unknown"
    links: tuple[Link, ...] = ()


def hindrance(seen: Seen, allowed: AgentSection, left_bytes: float, waited_s: float) -> Hindrance | None:
    """The first that speaks against it. `waited_s`: for how long the test has been put off."""
    meeting = seen.meeting
    if meeting.camera:
        return "camera"
    if meeting.microphone:
        return "microphone"
    if meeting.flow and allowed.flows and waited_s < FLOW_PATIENCE_S:
        return "flow"
    if seen.power == "battery_low" or (seen.power in ("battery", "saving") and not allowed.battery):
        return "battery"
    wanted = _wanted(seen.links, allowed)
    if wanted and not links_to_test(seen.links, allowed):
        return "metered"
    return "budget" if left_bytes < LEAST_BYTES * max(1, len(wanted)) else None


def links_to_test(links: Sequence[Link], allowed: AgentSection) -> list[Link]:
    """The link in use, or every link; without those that cost somebody money unless that is allowed."""
    return [link for link in _wanted(links, allowed) if allowed.metered or not costly(link, links)]


def _wanted(links: Sequence[Link], allowed: AgentSection) -> list[Link]:
    if allowed.all_links:
        return [link for link in links if link.tested_by_default]
    return [link for link in links if link.is_default][:1]


def costly(link: Link, links: Sequence[Link]) -> bool:
    """Also a VPN over such a link."""
    beneath = [other for other in links if link.beneath is not None and other.name == link.beneath]
    return any(one.metered is True or one.kind in ("tethered", "mobile") for one in (link, *beneath))


def megabytes_each(
    links: Sequence[Link], every: Sequence[Link], left_bytes: float, asked: float | None
) -> float | None:
    """What each link may move, MB. None: as `check` has it, which is little on a link that costs.

    `asked`: by the settings. `left_bytes`: of the day's.
    """
    share = left_bytes / 1e6 / max(1, len(links))
    if asked is not None:
        return min(asked, share)
    costs = [costly(link, every) for link in links]
    if not any(costs):
        return min(BUDGET_MB, share)
    return None if all(costs) or share >= BUDGET_MB else METERED_BUDGET_MB


def reserve(links: Sequence[Link], every: Sequence[Link], each_mb: float | None) -> float:
    """The most bytes that a test of these links moves."""
    usual = (METERED_BUDGET_MB if costly(link, every) else BUDGET_MB for link in links)
    return sum(1e6 * (one if each_mb is None else each_mb) for one in usual)
