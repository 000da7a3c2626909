"""Linux: cameras by V4L2 and /sys, sound by the sound server where one runs, and by ALSA. No privileges are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from . import alsa, pulse, v4l2
from .seen import Seen

SOURCES: Mapping[str, Callable[[], Sequence[Seen]]] = {
    "cameras": v4l2.cameras,
    "sound_server": pulse.server,
    "sound_cards": alsa.cards,
}
