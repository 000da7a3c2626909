"""What a caller sends goes back to it: packets as they are, under the room's own SSRC. Nothing is decoded or kept.

The sequence numbers stay, so a hole on the way here is a hole for the caller too. A NACK is answered from the last
packets that were returned (MOST_AGAIN, the usual buffer for this) and else handed on to the caller, as requests for
a picture and bandwidth estimates are. The absolute send time in the packets is the caller's own, so its estimate is
of the way there and back. Sender reports go back with their times, and each brings a report of what has come.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from pylibsrtp import Error as SrtpError

from testroom.calls import rtcp
from testroom.calls.offer import Kind
from testroom.calls.rules import MOST_OCTETS_PER_S

MOST_AGAIN = 128
_MOST_EARLY = 64
_CLOCKS = {"audio": 48_000, "video": 90_000}


class Stream:
    """One kind of media of one call. SSRCs as octets; `theirs` is learned from the first packet."""

    __slots__ = ("again", "frames", "frames_returned", "kind", "ours", "packets", "reception", "returned", "theirs")

    def __init__(self, kind: Kind) -> None:
        self.kind, self.ours, self.theirs = kind, secrets.token_bytes(4), b""
        self.reception = rtcp.Reception(_CLOCKS[kind])
        self.again: list[tuple[int, bytes]] = [(-1, b"")] * MOST_AGAIN
        self.packets = self.returned = self.frames = self.frames_returned = 0


class Relay:
    """The media of one call. `send` puts a datagram on the way to the caller."""

    def __init__(self, payload_types: dict[int, Kind], send: Callable[[bytes], bool], cname: str) -> None:
        self.streams = {kind: Stream(kind) for kind in payload_types.values()}
        self._by_type = {number: self.streams[kind] for number, kind in payload_types.items()}
        self._send = send
        self._descriptions = {s.ours: rtcp.description(s.ours, cname) for s in self.streams.values()}
        self._in: Any = None
        self._out: Any = None
        self._early: list[bytes] = []
        self.last = 0.0  # when media came last, time.monotonic()
        self._octets = float(MOST_OCTETS_PER_S)  # that may come, or be sent at its asking, before the next refill

    def start(self, incoming: Any, outgoing: Any) -> None:
        """With the keys (pylibsrtp sessions) that the handshake gave; what came before is dealt with now."""
        self._in, self._out = incoming, outgoing
        early, self._early = self._early, []
        for datagram in early:
            self._octets += len(datagram)  # it was counted when it came
            self.take(datagram)

    def refill(self, seconds: float) -> None:
        """So much time has passed: a call has a rate that it may not exceed."""
        self._octets = min(MOST_OCTETS_PER_S, self._octets + seconds * MOST_OCTETS_PER_S)

    def _affords(self, datagram: bytes) -> bool:
        """Is it within the call's rate?"""
        if self._octets < 0:
            return False
        self._octets -= len(datagram)
        return True

    def take(self, datagram: bytes) -> None:
        """One SRTP or SRTCP datagram of the caller."""
        if not self._affords(datagram):
            return
        if self._in is None:
            if len(self._early) < _MOST_EARLY:
                self._early.append(datagram)
            return
        try:
            if len(datagram) > 1 and 192 <= datagram[1] <= 223:
                self._control(self._in.unprotect_rtcp(datagram))
            else:
                self._media(self._in.unprotect(datagram))
        except SrtpError:  # not of this caller, seen before, or too old
            return

    def _media(self, packet: bytes) -> None:
        stream = self._by_type.get(packet[1] & 0x7F)
        if stream is None or len(packet) < 12:
            return
        source = packet[8:12]
        if source != stream.theirs:
            stream.theirs = source
            stream.reception = rtcp.Reception(_CLOCKS[stream.kind])
        self.last = now = time.monotonic()
        number, frame_ends = packet[2] << 8 | packet[3], packet[1] >> 7
        stream.reception.add(number, int.from_bytes(packet[4:8], "big"), now)
        stream.packets += 1
        stream.frames += frame_ends
        out = self._out.protect(packet[:8] + stream.ours + packet[12:])
        stream.again[number % MOST_AGAIN] = (number, out)
        if self._send(out):
            stream.returned += 1
            stream.frames_returned += frame_ends

    def _control(self, compound: bytes) -> None:
        for kind, count, body in rtcp.split(compound):
            if kind == rtcp.SENDER and len(body) >= 24:
                self._report(body)
            elif kind == rtcp.TRANSPORT_FEEDBACK and count == rtcp.NACK:
                self._repeat(body)
            elif kind == rtcp.PAYLOAD_FEEDBACK:
                self._feedback(count, body)

    def _report(self, body: bytes) -> None:
        """The sender's report, as ours; with it what has come of that stream."""
        for stream in self.streams.values():
            if body[:4] == stream.theirs:
                block = stream.reception.block(stream.theirs, body[6:10])
                report = rtcp.packet(rtcp.SENDER, 1, stream.ours + body[4:24] + block)
                self._say(report + self._descriptions[stream.ours])

    def _repeat(self, body: bytes) -> None:
        stream = next((s for s in self.streams.values() if s.ours == body[4:8]), None)
        if stream is None:
            return
        missing = []
        for number in dict.fromkeys(rtcp.lost_numbers(body)):
            kept, datagram = stream.again[number % MOST_AGAIN]
            if kept == number:
                if self._affords(datagram):
                    self._send(datagram)
            else:
                missing.append(number)
        if missing and stream.theirs:
            self._ask(stream, rtcp.nack(stream.ours, stream.theirs, missing))

    def _feedback(self, form: int, body: bytes) -> None:
        video = self.streams.get("video")
        if video is None or not video.theirs:
            return
        if form in (rtcp.PICTURE_LOST, rtcp.FULL_INTRA):
            self._ask(video, rtcp.picture_lost(video.ours, video.theirs))
        elif form == rtcp.APPLICATION and (rate := rtcp.bitrate(body)) is not None:
            self._ask(video, rtcp.remb(video.ours, rate, self._sources()))

    def _sources(self) -> Iterable[bytes]:
        return (s.theirs for s in self.streams.values() if s.theirs)

    def _ask(self, stream: Stream, feedback: bytes) -> None:
        """Feedback goes behind a report, be it an empty one (RFC 3550, section 6.1)."""
        self._say(rtcp.packet(rtcp.RECEIVER, 0, stream.ours) + self._descriptions[stream.ours] + feedback)

    def _say(self, compound: bytes) -> None:
        datagram = self._out.protect_rtcp(compound)
        if self._affords(datagram):
            self._send(datagram)

    def counts(self) -> dict[str, int]:
        """What came and what went back. A picture's frame counts with its last packet."""
        audio, video = self.streams.get("audio"), self.streams.get("video")
        return {
            "audio_packets": audio.packets if audio else 0,
            "video_frames": video.frames if video else 0,
            "audio_returned": audio.returned if audio else 0,
            "video_returned": video.frames_returned if video else 0,
            "audio_lost": audio.reception.lost if audio else 0,
            "video_packets_lost": video.reception.lost if video else 0,
        }
