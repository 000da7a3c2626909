"""The Reflected Test Packet Control TLV on the wire, against octets written by hand."""

from __future__ import annotations

import pytest

from probes import stamp, stamp_control
from probes.stamp_control import Control
from tests.golden import stamp as golden
from tests.golden import stamp_control as control

KEY = stamp.Key(golden.SECRET)
AT = stamp.AUTH_BYTES
PACKET = stamp.SenderPacket(0x01020304, golden.SENT_NS, 0x8A15, 0xBEEF)


def written(size: int = stamp_control.SMALLEST) -> bytearray:
    packet = stamp_control.template(size, Control(1400, 64, 1000))
    stamp_control.write(packet, PACKET, KEY)
    return packet


def reply(tlv: bytes) -> bytearray:
    return bytearray(stamp.AUTH_BYTES) + tlv


def test_a_request_octet_by_octet() -> None:
    packet = written(stamp_control.SMALLEST + 10)
    assert packet[:96] == golden.SENDER_AUTH_UNSIGNED[:96]
    assert packet[AT : AT + 16] == control.ASKED
    assert packet[AT + 16 : AT + 20] == golden.HMAC_ASKED
    assert packet[AT + 36 :] == golden.PADDING_ASKED
    assert stamp.base_signed(packet, KEY)
    assert stamp.tlvs_signed(packet, KEY, AT + 16)


@pytest.mark.parametrize("octet", [0, 20, AT, AT + 5, AT + 11])
def test_the_signatures_cover_what_is_asked(octet: int) -> None:
    packet = written()
    packet[octet] ^= 1
    assert not (stamp.base_signed(packet, KEY) and stamp.tlvs_signed(packet, KEY, AT + 16))


def test_reading_gives_what_was_written() -> None:
    packet = written()
    at = stamp.find_tlvs(packet, AT)[stamp_control.TLV_CONTROL]
    assert stamp_control.read(packet, at) == Control(1400, 64, 1000)


@pytest.mark.parametrize("tlv", [control.TOO_SHORT, control.ASKED[:-2]], ids=["value too short", "cut off"])
def test_a_value_that_is_too_short_says_nothing(tlv: bytes) -> None:
    assert stamp_control.read(reply(tlv), AT) is None


def test_a_packet_too_small_for_the_tlv() -> None:
    with pytest.raises(ValueError, match="148"):
        stamp_control.template(147, Control(148, 1))


@pytest.mark.parametrize(
    ("tlv", "done"),
    [(control.DONE, True), (control.NOT_AS_ASKED, False), (control.UNRECOGNIZED, False), (b"", None)],
    ids=["done", "refused", "unknown to the reflector", "without"],
)
def test_whether_the_reflector_did_as_asked(tlv: bytes, done: bool | None) -> None:
    assert stamp_control.as_asked(reply(tlv)) is done
