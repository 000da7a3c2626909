"""The relay packet by packet, under real SRTP: what goes back, what is asked for, and what is told."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSdesPacket, RtcpSrPacket, unpack_remb_fci
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Error, Policy, Session

from testroom.calls import rtcp as call_rtcp
from testroom.calls.relay import MOST_AGAIN, Relay
from testroom.calls.rules import MOST_OCTETS_PER_S

THEIRS = 0xCAFE0001


def sessions() -> tuple[Session, Session]:
    """Sender's and receiver's, of one direction."""
    key = bytes(range(30))
    out = Policy(key, Policy.SSRC_ANY_OUTBOUND)
    into = Policy(key, Policy.SSRC_ANY_INBOUND)
    out.allow_repeat_tx = into.allow_repeat_tx = True
    out.window_size = into.window_size = 1024
    return Session(out), Session(into)


class Far:
    """The caller of one relay."""

    def __init__(self, *, start: bool = True) -> None:
        self.sent: list[bytes] = []
        self.out, room_in = sessions()
        room_out, self.into = sessions()
        self.relay = Relay({111: "audio", 96: "video"}, self._take, "c")
        self.start = lambda: self.relay.start(room_in, room_out)
        if start:
            self.start()

    def _take(self, datagram: bytes) -> bool:
        self.sent.append(datagram)
        return True

    def ours(self, kind: str = "video") -> int:
        return int.from_bytes(self.relay.streams[kind].ours, "big")

    def put(self, number: int, kind: int = 96, *, marker: bool = False, stamp: int = 3000) -> bytes:
        packet = struct.pack("!BBHII", 0x80, kind | marker << 7, number & 0xFFFF, stamp, THEIRS + kind) + b"payload"
        self.relay.take(self.out.protect(packet))
        return packet

    def say(self, compound: bytes) -> list[object]:
        """Feedback to the room; what it said then."""
        before = len(self.sent)
        self.relay.take(self.out.protect_rtcp(compound))
        return [p for d in self.sent[before:] for p in self.heard(d)]

    def heard(self, datagram: bytes) -> list[object]:
        if 192 <= datagram[1] <= 223:
            return list(RtcpPacket.parse(self.into.unprotect_rtcp(datagram)))
        return [self.into.unprotect(datagram)]


def feedback(form: int, media: int, fci: bytes = b"", kind: int = call_rtcp.PAYLOAD_FEEDBACK) -> bytes:
    return call_rtcp.packet(kind, form, struct.pack("!II", 1, media) + fci)


def test_a_packet_goes_back_as_it_is_but_for_its_source() -> None:
    far = Far()
    packet = far.put(7, marker=True)
    (back,) = [far.into.unprotect(d) for d in far.sent]
    assert back[:8] + back[12:] == packet[:8] + packet[12:]
    assert back[8:12] == far.relay.streams["video"].ours != packet[8:12]


def test_sound_and_pictures_are_counted_apart() -> None:
    far = Far()
    for number in range(6):
        far.put(number, marker=number % 3 == 2)
        far.put(number, kind=111)
    counts = far.relay.counts()
    assert (counts["audio_packets"], counts["audio_returned"]) == (6, 6)
    assert (counts["video_frames"], counts["video_returned"]) == (2, 2)


def test_what_was_not_agreed_upon_does_not_go_back() -> None:
    far = Far()
    far.put(1, kind=97)
    far.relay.take(b"\x80\x60" + b"garbage that is longer than a head")
    far.relay.take(b"\x80")
    assert far.sent == []


def test_the_same_packet_twice_goes_back_once() -> None:
    far = Far()
    far.put(1)
    far.put(1)
    assert len(far.sent) == 1


def test_what_comes_before_the_keys_are_there_is_not_lost() -> None:
    far = Far(start=False)
    far.put(1)
    far.put(2)
    assert far.sent == []
    far.start()
    assert len(far.sent) == 2


def test_a_packet_lost_on_the_way_back_comes_again_from_the_room() -> None:
    far = Far()
    for number in range(10):
        far.put(number)
    lost = far.sent[4]
    for datagram in far.sent[:4] + far.sent[5:]:
        far.heard(datagram)
    (again,) = far.say(feedback(call_rtcp.NACK, far.ours(), struct.pack("!HH", 4, 0), call_rtcp.TRANSPORT_FEEDBACK))
    assert isinstance(again, bytes)
    assert again[2:4] == b"\0\4"
    with pytest.raises(Error):
        far.into.unprotect(lost)


def test_a_packet_lost_on_the_way_there_is_asked_for_at_its_sender() -> None:
    far = Far()
    for number in (0, 1, 4):
        far.put(number)
    far.sent.clear()
    ask = struct.pack("!HH", 2, 0b1)
    said = far.say(feedback(call_rtcp.NACK, far.ours(), ask, call_rtcp.TRANSPORT_FEEDBACK))
    (nack,) = [p for p in said if isinstance(p, RtcpRtpfbPacket)]
    assert (nack.media_ssrc, nack.lost) == (THEIRS + 96, [2, 3])
    far.put(2)
    assert len(far.sent) == 2, "and when it comes it goes back"


def test_what_is_too_long_ago_is_not_held() -> None:
    far = Far()
    for number in range(MOST_AGAIN + 1):
        far.put(number)
    for datagram in far.sent:
        far.heard(datagram)
    said = far.say(feedback(call_rtcp.NACK, far.ours(), struct.pack("!HH", 0, 0), call_rtcp.TRANSPORT_FEEDBACK))
    assert [p.lost for p in said if isinstance(p, RtcpRtpfbPacket)] == [[0]]


def test_what_is_asked_for_twice_comes_once() -> None:
    """One question may not make a flood."""
    far = Far()
    far.put(4)
    far.sent.clear()
    ask = struct.pack("!HH", 4, 0) * 300
    far.relay.take(far.out.protect_rtcp(feedback(call_rtcp.NACK, far.ours(), ask, call_rtcp.TRANSPORT_FEEDBACK)))
    assert len(far.sent) == 1


def test_a_call_has_a_rate_that_it_may_not_exceed() -> None:
    far = Far()
    whole = MOST_OCTETS_PER_S // 29 + 1  # a packet of this test under SRTP has 29 octets
    for number in range(whole + 100):
        far.put(number)
    assert len(far.sent) == whole
    far.relay.refill(0.5)
    for number in range(whole + 100, 2 * whole):
        far.put(number)
    assert len(far.sent) == pytest.approx(1.5 * whole, abs=2)


ALL_AGAIN = b"".join(struct.pack("!HH", first, 0xFFFF) for first in range(0, MOST_AGAIN, 17))


@pytest.mark.parametrize(
    ("kind", "form", "fci", "together"),
    [
        (call_rtcp.TRANSPORT_FEEDBACK, call_rtcp.NACK, ALL_AGAIN, 1),
        (call_rtcp.PAYLOAD_FEEDBACK, call_rtcp.PICTURE_LOST, b"", 100),
    ],
    ids=["packets again", "pictures"],
)
def test_nor_by_asking(kind: int, form: int, fci: bytes, together: int) -> None:
    """What the room sends for a question counts too: small questions may not make a flood."""
    far = Far()
    for number in range(MOST_AGAIN):
        far.put(number)
    far.sent.clear()
    for _ in range(400):
        far.relay.take(far.out.protect_rtcp(feedback(form, far.ours(), fci, kind) * together))
    assert 0.3 * MOST_OCTETS_PER_S < sum(map(len, far.sent)) < 1.01 * MOST_OCTETS_PER_S


@pytest.mark.parametrize("form", [call_rtcp.PICTURE_LOST, call_rtcp.FULL_INTRA])
def test_a_lost_picture_is_asked_for_at_its_sender(form: int) -> None:
    far = Far()
    far.put(1)
    said = far.say(feedback(form, far.ours(), b"\0" * 8 if form == call_rtcp.FULL_INTRA else b""))
    (pli,) = [p for p in said if isinstance(p, RtcpPsfbPacket)]
    assert (pli.fmt, pli.media_ssrc) == (call_rtcp.PICTURE_LOST, THEIRS + 96)


def test_the_bandwidth_estimate_is_handed_on() -> None:
    from aiortc.rtp import pack_remb_fci

    far = Far()
    far.put(1)
    said = far.say(feedback(call_rtcp.APPLICATION, 0, pack_remb_fci(480_000, [far.ours()])))
    (remb,) = [p for p in said if isinstance(p, RtcpPsfbPacket)]
    assert unpack_remb_fci(remb.fci) == (480_000, [THEIRS + 96])


def test_a_senders_report_comes_back_with_a_report_of_what_came() -> None:
    far = Far()
    for number in (65534, 65535, 0, 2, 3):
        far.put(number)
    for datagram in far.sent:
        far.heard(datagram)
    times = struct.pack("!IIIII", 0x11223344, 0x55667788, 90_000, 6, 60)
    said = far.say(call_rtcp.packet(call_rtcp.SENDER, 0, struct.pack("!I", THEIRS + 96) + times))
    (report,) = [p for p in said if isinstance(p, RtcpSrPacket)]
    (described,) = [p for p in said if isinstance(p, RtcpSdesPacket)]
    assert (report.ssrc, report.sender_info.ntp_timestamp) == (far.ours(), 0x1122334455667788)
    assert report.sender_info.rtp_timestamp == 90_000
    (block,) = report.reports
    assert (block.ssrc, block.packets_lost, block.fraction_lost) == (THEIRS + 96, 1, 256 // 6)
    assert (block.highest_sequence, block.lsr, block.dlsr) == (0x1_0003, 0x33445566, 0)
    assert described.chunks[0].ssrc == far.ours()
    assert far.relay.counts()["video_packets_lost"] == 1


def test_feedback_begins_with_a_report() -> None:
    far = Far()
    far.put(1)
    said = far.say(feedback(call_rtcp.PICTURE_LOST, far.ours()))
    far_kinds = [type(p).__name__ for p in said]
    assert far_kinds == ["RtcpRrPacket", "RtcpSdesPacket", "RtcpPsfbPacket"]


@given(st.binary(max_size=200), st.integers(192, 223))
def test_garbage_from_the_caller_itself_does_no_harm(garbage: bytes, kind: int) -> None:
    far = Far()
    far.put(1)
    words = garbage + bytes(-len(garbage) % 4)
    far.say(call_rtcp.packet(kind, len(garbage) % 32, words + bytes(4)))
    far.say(struct.pack("!BBHI", 0x81, kind, 1, 7) + garbage)
    before = far.relay.streams["video"].returned
    far.put(2)
    assert far.relay.streams["video"].returned == before + 1


def test_jitter_is_that_of_rfc_3550() -> None:
    even, uneven = call_rtcp.Reception(48_000), call_rtcp.Reception(48_000)
    for number in range(400):
        even.add(number, 960 * number, 10 + 0.02 * number)
        uneven.add(number, 960 * number, 10 + 0.02 * number + 0.005 * (number % 2))
    assert even.jitter < 2
    assert uneven.jitter == pytest.approx(240, rel=0.02)
    assert (even.lost, uneven.lost) == (0, 0)


def test_one_late_packet_weighs_a_sixteenth() -> None:
    reception = call_rtcp.Reception(48_000)
    for number in range(10):
        reception.add(number, 960 * number, 10 + 0.02 * number)
    steady = reception.jitter
    reception.add(10, 9600, 10.205)
    assert reception.jitter - steady == pytest.approx(240 / 16, abs=0.2)
