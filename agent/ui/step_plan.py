"""What each step of the flow does, which checks it has, and how long it takes as a rule, without a person's pauses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from agent.ui import step_computer, step_picture, step_sound

if TYPE_CHECKING:
    from agent.options import Options
    from agent.ui.state import StepName
    from agent.ui.step_shared import Drafts, Talk

# The network's two steps are one run, and have a module of their own: step_network.
WORK: dict[StepName, Callable[[Talk], Awaitable[Drafts]]] = {
    "speaker": step_sound.speaker,
    "microphone": step_sound.microphone,
    "picture": step_picture.picture,
    "computer": step_computer.computer,
}
CHECKED: Mapping[StepName, tuple[str, ...]] = {
    "speaker": ("speaker",),
    "microphone": ("microphone",),
    "picture": ("camera",),
    "computer": ("equipment", "computer"),
}
# The network takes this beyond the seconds that it sends, without a room and with one.
SECONDS: Mapping[StepName, float] = {"speaker": 3.0, "microphone": 6.0, "picture": 4.0, "joining": 6.0, "computer": 3.0}
WITHIN_COMPUTER_S, IN_A_ROOM_S = 1.5, 10.0


def seconds_of(name: StepName, options: Options) -> float:
    """How long the step takes as a rule."""
    if name != "connection":
        return SECONDS[name]
    return options.seconds + (WITHIN_COMPUTER_S if options.only_this_computer else IN_A_ROOM_S)
