"""What other programs move by a link while the probes measure: the link's counters less what the probes moved.

Traffic that this computer forwards for others counts as well: it takes the same place on the link.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from probes import own_traffic
from probes.links.binding import counters
from reports.record import Counters, Link

ETHERNET_HEADER = 14
SIOCGIFHWADDR = 0x8927  # linux/sockios.h
FRAMED_AS_ETHERNET = {1, 772}  # ARPHRD_ETHER, ARPHRD_LOOPBACK (linux/if_arp.h)
LEAST_S = 0.5
UP, DOWN = "background_up_bytes_per_second", "background_down_bytes_per_second"
NO_COUNTERS = "the link's counters cannot be read"
TOO_SHORT = "the test was stopped too early"
TOO_SELDOM = "the link's counters are renewed too seldom"


@dataclass(frozen=True, slots=True)
class Sample:
    """The link's counters and our own, at one moment (monotonic seconds)."""

    at: float
    link: Counters
    own: Counters


@dataclass(frozen=True, slots=True)
class Moved:
    """By others, both in octets of the link's counters."""

    up_bytes: float
    down_bytes: float
    seconds: float


def framing(link: Link) -> int:
    """Octets that the link's counters count for each packet beside the IP packet itself."""
    kind = _hardware_kind(link.name)
    if kind is None:
        return 0 if link.kind == "vpn" else ETHERNET_HEADER
    return ETHERNET_HEADER if kind in FRAMED_AS_ETHERNET else 0


def _hardware_kind(device: str) -> int | None:
    """The device's ARPHRD number; None where it cannot be asked for. By ioctl: /sys may show another namespace's."""
    if sys.platform != "linux":
        return None
    import fcntl

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
            answer = fcntl.ioctl(any_, SIOCGIFHWADDR, struct.pack("16sH14x", device.encode()[:15], 0))
    except OSError:
        return None
    return int(struct.unpack_from("16xH", answer)[0])


def _stale(before: Sample, now: Sample) -> bool:
    """Our packets passed, and the counters show nothing of it: the device has not renewed them."""
    return before.link == now.link and before.own != now.own


def _ends(samples: Sequence[Sample]) -> tuple[Sample, Sample] | None:
    """The first and the last sample to reckon from.

    Some devices renew their counters every second or two only. Then those samples count at which they had just
    been renewed.
    """
    if not any(_stale(a, b) for a, b in pairwise(samples)):
        return (samples[0], samples[-1]) if len(samples) > 1 else None
    fresh = [b for a, b in pairwise(samples) if a.link != b.link]
    return (fresh[0], fresh[-1]) if len(fresh) > 1 else None


def moved(samples: Sequence[Sample], frame: int) -> Moved | None:
    """What others moved between the first and the last usable sample; `frame`: octets of framing per packet."""
    ends = _ends(samples)
    if ends is None:
        return None
    a, b = ends
    up = b.link.sent_bytes - a.link.sent_bytes - _with_frames(b.own, a.own, frame)[0]
    down = b.link.received_bytes - a.link.received_bytes - _with_frames(b.own, a.own, frame)[1]
    return Moved(max(0.0, up), max(0.0, down), b.at - a.at)


def _with_frames(now: Counters, then: Counters, frame: int) -> tuple[int, int]:
    sent = now.sent_bytes - then.sent_bytes + frame * (now.sent_packets - then.sent_packets)
    received = now.received_bytes - then.received_bytes + frame * (now.received_packets - then.received_packets)
    return sent, received


class Watch:
    """From its making on; `take()` a sample a few times a second."""

    def __init__(self, link: Link) -> None:
        self._name, self._frame = link.name, framing(link)
        self._samples: list[Sample] = []
        self._lost = False
        self.take()

    def take(self) -> None:
        """Once more. Own traffic first: a packet in between then counts as others', not as less than nothing."""
        own, now = own_traffic.total(self._name), counters(self._name)
        if now is None or (self._samples and now.sent_packets < self._samples[-1].link.sent_packets):
            self._lost = True
        else:
            self._samples.append(Sample(time.monotonic(), now, own))

    def moved(self) -> Moved | None:
        """By others since the beginning; None when it is not known."""
        found = None if self._lost else moved(self._samples, self._frame)
        return found if found and found.seconds >= LEAST_S else None

    @property
    def reason(self) -> str:
        """Why it is not known."""
        if self._lost:
            return NO_COUNTERS
        took = self._samples[-1].at - self._samples[0].at
        return TOO_SHORT if took < 2 * LEAST_S else TOO_SELDOM
