"""Which form has a device: built in, a headset, a conference unit …? Pure: what was seen in, a form with evidence out.

Every rule looks at one clue and casts votes; reports.weighing adds them up. The weights are our judgement. Evidence
names no product, person or number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reports.record import Form
from reports.weighing import Vote, Weighed, weigh

from .products import NAMES
from .seen import Seen

VIRTUAL_DRIVERS = frozenset({"vivid", "v4l2 loopback", "v4l2loopback", "akvcam", "snd_aloop", "snd_dummy", "vimc"})
HEADSET_TERMINALS = frozenset({0x0302, 0x0303, 0x0401, 0x0402})  # headphones, head mounted, handset, headset
SPEAKERPHONE_TERMINALS = frozenset({0x0403, 0x0404, 0x0405})
INNER_PORTS = ("internal-mic", "output-speaker", "[in] mic1", "[out] speaker", "builtin")
HEADSET_FACTORS = frozenset({"headset", "headphone", "handset", "hands-free"})
SCREEN_PORTS = ("hdmi", "displayport", "iec958")


def _software(s: Seen) -> Iterator[Vote[Form]]:
    if s.driver in VIRTUAL_DRIVERS or s.bus == "virtual":
        yield Vote("virtual", 8.0, "it is made of software, no device stands behind it", proof=True)
    if s.bus == "network":
        yield Vote("virtual", 4.0, "it is another computer's, reached by the network", proof=True)


def _names(s: Seen) -> Iterator[Vote[Form]]:
    """The maker's words first: what a person called it is a weaker clue of the same kind."""
    for text, share in ((s.model, 1.0), (s.name, 0.8)):
        votes = [Vote(n.form, n.weight * share, n.words) for n in NAMES if n.pattern.search(text)]
        if votes:
            yield from votes
            return


def _terminals(s: Seen) -> Iterator[Vote[Form]]:
    if HEADSET_TERMINALS & set(s.terminals):
        yield Vote("headset", 3.0, "it tells the computer over USB that it is worn on the head")
    if SPEAKERPHONE_TERMINALS & set(s.terminals):
        # many headsets say this too, so that telephony programs leave echo to them
        yield Vote("conference", 1.5, "it tells the computer over USB that it is a speakerphone")


def _factor(s: Seen) -> Iterator[Vote[Form]]:
    if s.factor in HEADSET_FACTORS:
        yield Vote("headset", 2.5, "the system calls it a headset", proof=s.bus == "bluetooth")
    elif s.factor == "speakerphone":
        yield Vote("conference", 3.0, "the system calls it a speakerphone")
    elif s.factor == "internal":
        yield Vote("built_in", 2.5, "the system calls it internal")
    elif s.factor == "webcam":
        yield Vote("usb", 1.5, "the system calls it a webcam")


def _port(s: Seen) -> Iterator[Vote[Form]]:
    port = s.port.lower()
    if "headset" in port or "headphone" in port:
        yield Vote(
            "headset", 5.0, "it is plugged into the computer's headset socket"
        )  # all sockets are on a built-in card
    elif any(inner in port for inner in INNER_PORTS):
        yield Vote("built_in", 1.5, "it is one of the computer's own, no socket")
    elif any(screen in port for screen in SCREEN_PORTS):
        yield Vote("unknown", 3.0, "it is a screen's or a digital output; what is behind it does not tell")


def _bus(s: Seen) -> Iterator[Vote[Form]]:
    if s.bus == "bluetooth":
        yield Vote("bluetooth", 2.0, "it is connected by Bluetooth", proof=True)
    elif s.bus == "usb" and s.fixed:
        yield Vote("built_in", 3.0, "it is on a USB port inside the computer", proof=True)
    elif s.bus == "usb":
        yield Vote("usb", 1.5, "it is on USB", proof=s.fixed is False)
    elif s.bus in {"pci", "platform"}:
        what = "camera" if s.kind == "camera" else "sound card"
        yield Vote("built_in", 2.0, f"it belongs to the computer's own {what}")


Rule = Callable[[Seen], Iterable[Vote[Form]]]
RULES: tuple[Rule, ...] = (_software, _names, _terminals, _factor, _port, _bus)


def _together(s: Seen, all_seen: Sequence[Seen]) -> Iterator[Vote[Form]]:
    """What one thing in the hand has besides."""
    kinds = {other.kind for other in all_seen if other.unit and other.unit == s.unit}
    if s.bus != "usb" or s.fixed or s.kind not in kinds:
        return
    if len(kinds) == 3:
        yield Vote("conference", 1.0, "camera, microphone and loudspeaker are one thing")
    elif kinds == {"camera", "microphone"}:
        yield Vote("usb", 1.0, "camera and microphone are one thing")


def shape(seen: Seen, all_seen: Sequence[Seen] = ()) -> Weighed[Form]:
    """One device, beside the others of this computer."""
    return weigh([*(vote for rule in RULES for vote in rule(seen)), *_together(seen, all_seen)], "unknown", "also")
