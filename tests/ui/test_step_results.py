"""What a step says of itself: what it stands on has been tried, and a fault has a plain name."""

from __future__ import annotations

import pytest

from agent.ui.state import StepName
from agent.ui.step_results import wrong
from reports.diagnosis import SOURCE
from reports.draft import Draft
from reports.findings import Judged
from reports.record import Finding
from tests.ui.flows import CALL, ROOM, Person, World, draft, levels, options, told

DETOUR = draft("call", "eth0", {"media_path": "turn_tcp", "call_carries": "video"}, **CALL)
UNTIMED = Draft("computer", "computer", 0.0, values={"memory_free_bytes": 4e9})
UNTIMED.unknown["encode_speed_ratio"] = "looking at it failed"
RADIO_LOSS = Finding(
    "degraded", "first_hop_loss", "eth0", 0.03, None, "you", "cable_or_closer", source=SOURCE,
    params={"quantity": "fault", "consequence": "fault.first_hop_loss", "kind": "wifi", "gateway_loss_ratio": 0.03},
)  # fmt: skip


@pytest.mark.parametrize(
    ("says", "step", "why"),
    [
        ([draft("echo", "eth0", {}, "no_reply"), DETOUR], "connection", "testtrafiken (UDP) får inget svar"),
        ([draft("call", "eth0", {}, "room_busy")], "joining", "testrummet är fullt"),
        ([draft("join", "eth0", {}, "timeout")], "joining", ""),
        ([UNTIMED], "computer", "gick inte att avgöra"),
    ],
)
async def test_not_tested_is_not_good(
    monkeypatch: pytest.MonkeyPatch, says: list[Draft], step: StepName, why: str
) -> None:
    world = World().put(monkeypatch)
    world.says |= {each.name: each for each in says}
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert levels(flow)[step] == "unknown"
    assert why in told(flow, step)[0]


def test_a_fault_is_said_in_plain_words() -> None:
    [result] = wrong([Judged(RADIO_LOSS, network=True)])
    assert result.says["sv"].startswith("Felet finns mellan datorn och närmaste router. Använd nätverkskabel")
    assert result.says["en"].startswith("The fault is between this computer and the nearest router. Use a network")
