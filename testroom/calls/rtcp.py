"""The few RTCP packets (RFC 3550, RFC 4585) that the room reads and writes, and what reception reports are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

SENDER, RECEIVER, DESCRIPTION, TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 200, 201, 202, 205, 206
NACK, PICTURE_LOST, FULL_INTRA, APPLICATION = 1, 1, 4, 15
_HALF = 0x8000
_NAME = b"REMB"


def split(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(packet type, count or format, what follows the first four octets) of each packet; what is malformed ends it."""
    place = 0
    while place + 4 <= len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, place)
        end = place + 4 + 4 * words
        if first >> 6 != 2 or end > len(compound):
            return
        yield kind, first & 31, compound[place + 4 : end]
        place = end


def packet(kind: int, count: int, body: bytes) -> bytes:
    """One packet; `body` is a multiple of four octets."""
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def description(ssrc: bytes, cname: str) -> bytes:
    """SDES with the one item that must be there."""
    item = b"\1" + bytes([len(cname)]) + cname.encode() + b"\0"
    return packet(DESCRIPTION, 1, ssrc + item + bytes(-len(item) % 4))


def lost_numbers(body: bytes) -> Iterator[int]:
    """The sequence numbers that a NACK asks for."""
    for place in range(8, len(body) - 3, 4):
        first, more = struct.unpack_from("!HH", body, place)
        yield first
        yield from ((first + bit + 1) & 0xFFFF for bit in range(16) if more >> bit & 1)


def nack(sender: bytes, media: bytes, numbers: Iterable[int]) -> bytes:
    """Ask for these again, a number each."""
    return packet(TRANSPORT_FEEDBACK, NACK, sender + media + b"".join(struct.pack("!HH", n, 0) for n in numbers))


def picture_lost(sender: bytes, media: bytes) -> bytes:
    """Ask for a whole picture."""
    return packet(PAYLOAD_FEEDBACK, PICTURE_LOST, sender + media)


def bitrate(body: bytes) -> bytes | None:
    """The rate of a REMB (draft-alvestrand-rmcat-remb), as its three octets."""
    return body[13:16] if body[8:12] == _NAME and len(body) >= 16 else None


def remb(sender: bytes, rate: bytes, media: Iterable[bytes]) -> bytes:
    """No more than that rate for these streams together."""
    streams = list(media)
    fields = sender + bytes(4) + _NAME + bytes([len(streams)]) + rate
    return packet(PAYLOAD_FEEDBACK, APPLICATION, fields + b"".join(streams))


class Reception:
    """What has come of one stream, for reports to its sender (RFC 3550, appendix A)."""

    __slots__ = ("_base", "_expected_before", "_received_before", "_transit", "clock", "highest", "jitter", "received")

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self.highest = self._base = -1
        self.received = self._expected_before = self._received_before = 0
        self.jitter, self._transit = 0.0, 0

    def add(self, number: int, timestamp: int, now: float) -> None:
        """A packet came; `now` in seconds."""
        transit = int(now * self.clock) - timestamp
        if self.highest < 0:
            self.highest = self._base = number
            self._transit = transit
        ahead = (number - self.highest) & 0xFFFF
        if ahead < _HALF:
            self.highest += ahead
        self.received += 1
        change = (transit - self._transit) & 0xFFFFFFFF
        self._transit = transit
        self.jitter += (min(change, 0x1_0000_0000 - change) - self.jitter) / 16

    @property
    def lost(self) -> int:
        """Of all that were sent so far, as far as is known here."""
        return max(0, self.highest - self._base + 1 - self.received) if self.highest >= 0 else 0

    def block(self, ssrc: bytes, last_report: bytes) -> bytes:
        """A report block, sent at once after the sender's report whose time is `last_report` (middle 32 bits)."""
        expected = self.highest - self._base + 1 if self.highest >= 0 else 0
        due, came = expected - self._expected_before, self.received - self._received_before
        self._expected_before, self._received_before = expected, self.received
        fraction = min(255, max(0, due - came) * 256 // due) if due > 0 else 0
        lost = min(self.lost, 0x7FFFFF)
        highest = max(self.highest, 0) & 0xFFFFFFFF
        fields = struct.pack("!III", fraction << 24 | lost, highest, int(self.jitter) & 0xFFFFFFFF)
        return ssrc + fields + last_report + bytes(4)
