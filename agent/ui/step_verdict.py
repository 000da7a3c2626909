"""What one flow knows after its runs, and the verdict on it: that of `motesklar check`, from the same measurements."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.options import pick_links
from agent.selftest import Checked, Networked, as_it_is_now, judged, measurements_of
from media_check import CHECKS

if TYPE_CHECKING:
    from agent.options import Options
    from agent.ui.state import Answer, LinkShown, State, Step
    from agent.ui.step_shared import Drafts
    from media_check.errand import Company
    from probes.roundtrip import Trace
    from reports.record import Device, SelfTest


@dataclass(slots=True)
class Known:
    """The checks' drafts by name, the network's part with its traces, and the last self-test made of them."""

    drafts: Drafts = field(default_factory=dict)
    networked: Networked | None = None
    traces: Mapping[str, Trace] = field(default_factory=dict)
    self_test: SelfTest | None = None

    def copy(self) -> Known:
        """As it stands now."""
        return replace(self, drafts=dict(self.drafts))


@dataclass(frozen=True, slots=True)
class Before:
    """What a run that is stopped gives back."""

    known: Known
    steps: tuple[Step, ...]
    links: tuple[LinkShown, ...]
    answer: Answer | None
    comparing: bool
    company: Company | None

    @classmethod
    def of(cls, known: Known, state: State) -> Before:
        """As it stands now."""
        steps = tuple(replace(step) for step in state.steps)
        return cls(known.copy(), steps, state.links, state.answer, state.comparing, state.company)


async def judge(known: Known, options: Options, devices: Sequence[Device], started_at: float, seconds: float) -> None:
    """A new self-test. The links are looked at once more: one that has vanished meanwhile has failed."""
    assert known.networked is not None
    known.networked = await as_it_is_now(known.networked, options)
    drafts = [known.drafts[name] for name in CHECKS if name in known.drafts]
    checked = Checked(tuple(devices), measurements_of(drafts))
    known.self_test = judged(options, known.networked, checked, started_at, seconds, stopped=False)


async def stopped(known: Known, options: Options, devices: Sequence[Device], started_at: float) -> SelfTest:
    """What a run had found when it was stopped, as `motesklar check` shows it. The network may not have been tested."""
    from probes.links import discover

    links = tuple(await discover())
    networked = known.networked or Networked(links, tuple(pick_links(options, links)), ())
    drafts = [known.drafts[name] for name in CHECKS if name in known.drafts]
    checked = Checked(tuple(devices), measurements_of(drafts))
    return judged(options, networked, checked, started_at, max(0.0, time.time() - started_at), stopped=True)


def answer(known: Known, options: Options) -> tuple[tuple[LinkShown, ...], Answer]:
    """The links and the verdict in words."""
    from agent.ui.handover import answer_of
    from agent.ui.links_shown import links_shown

    assert known.networked is not None
    assert known.self_test is not None
    names, verdict = {link.name for link in known.networked.chosen}, known.self_test.verdict
    links = links_shown(known.self_test.links, names, verdict.findings, options.policy, verdict=verdict)
    return links, answer_of(known.self_test, options, known.traces)
