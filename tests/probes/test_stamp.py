"""STAMP on the wire, against packets written by hand and the standard library's HMAC."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import stamp
from tests.golden import stamp as golden

KEY = stamp.Key(golden.SECRET)
SENDER = stamp.SenderPacket(0x01020304, golden.SENT_NS, 0x8A15, 0xBEEF)
REFLECTOR = stamp.ReflectorPacket(
    0x0A0B0C0D, golden.REPLIED_NS, 0x0415, 0xBEEF, golden.RECEIVED_NS, 0x01020304, golden.SENT_NS, 57
)
FOLLOW_UP = (0x0A0B0C0C, golden.DEPARTED_NS)
PACKETS = st.binary(max_size=400).map(bytearray)


def sign(*parts: bytes) -> bytes:
    return hmac.new(golden.SECRET, b"".join(parts), hashlib.sha256).digest()[:16]


def signed(base: bytes, tlvs: bytes = b"", hmac_header: bytes = b"", rest: bytes = b"") -> bytes:
    """RFC 8762, 4.4: over the first 96 octets. RFC 8972, 4.8: over the sequence number and the TLVs before."""
    whole = base + sign(base) + tlvs
    return whole + hmac_header + sign(base[:4], tlvs) + rest if hmac_header else whole


# ---- golden packets -----------------------------------------------------------------------------------------------

SENT = {
    "plain": (44, None, False, golden.SENDER),
    "plain, padded": (54, None, False, golden.SENDER + golden.PADDING_ASKED),
    "plain, too few octets for a TLV": (47, None, False, golden.SENDER + bytes(3)),
    "plain, follow-up": (64, None, True, golden.SENDER + golden.FOLLOW_UP_ASKED),
    "authenticated": (112, KEY, False, signed(golden.SENDER_AUTH_UNSIGNED)),
    "authenticated, padded": (122, KEY, False, signed(golden.SENDER_AUTH_UNSIGNED) + golden.PADDING_ASKED),
    "authenticated, everything": (
        162,
        KEY,
        True,
        signed(golden.SENDER_AUTH_UNSIGNED, golden.FOLLOW_UP_ASKED, golden.HMAC_ASKED, golden.PADDING_ASKED),
    ),
}


@pytest.mark.parametrize(("size", "key", "follow_up", "expected"), SENT.values(), ids=SENT)
def test_a_sender_writes(size: int, key: stamp.Key | None, follow_up: bool, expected: bytes) -> None:
    buffer = stamp.template(size, authenticated=key is not None, follow_up=follow_up)
    stamp.write_sender(buffer, SENDER, key, follow_up=follow_up)
    assert buffer == expected
    assert stamp.read_sender(buffer, authenticated=key is not None) == SENDER
    assert stamp.read_ssid(buffer, authenticated=key is not None) == 0xBEEF


@pytest.mark.parametrize("rest", range(7))
def test_padding_fills_what_it_can(rest: int) -> None:
    packet = bytearray(b"\xff" * (10 + rest))
    stamp.pad(packet, 10)
    head = bytes([0, 1, 0, rest - 4]) if rest >= 4 else b""
    assert packet[10 : 10 + len(head)] == head


ANSWERED = {
    "plain": (False, golden.SENDER, golden.REFLECTOR),
    "plain, padded": (
        False,
        golden.SENDER + golden.PADDING_ASKED,
        golden.REFLECTOR + golden.PADDING_ANSWERED,
    ),
    "plain, follow-up": (
        False,
        golden.SENDER + golden.FOLLOW_UP_ASKED,
        golden.REFLECTOR + golden.FOLLOW_UP_ANSWERED,
    ),
    "plain, an unknown TLV": (
        False,
        golden.SENDER + golden.UNKNOWN_ASKED + golden.FOLLOW_UP_ASKED,
        golden.REFLECTOR + golden.UNKNOWN_ASKED + golden.FOLLOW_UP_ANSWERED,
    ),
    "authenticated": (True, signed(golden.SENDER_AUTH_UNSIGNED), signed(golden.REFLECTOR_AUTH_UNSIGNED)),
    "authenticated, everything": (
        True,
        signed(golden.SENDER_AUTH_UNSIGNED, golden.FOLLOW_UP_ASKED, golden.HMAC_ASKED, golden.PADDING_ASKED),
        signed(
            golden.REFLECTOR_AUTH_UNSIGNED, golden.FOLLOW_UP_ANSWERED, golden.HMAC_ANSWERED, golden.PADDING_ANSWERED
        ),
    ),
}


@pytest.mark.parametrize(("authenticated", "asked", "answered"), ANSWERED.values(), ids=ANSWERED)
def test_a_reflector_answers(authenticated: bool, asked: bytes, answered: bytes) -> None:
    buffer = bytearray(asked)
    hmac_at = stamp.reflect_tlvs(buffer, stamp.AUTH_BYTES if authenticated else stamp.BASE_BYTES, FOLLOW_UP)
    stamp.write_reflector(buffer, REFLECTOR, 0x8A15, authenticated=authenticated)
    if authenticated:
        stamp.sign(buffer, KEY, hmac_at)
        assert stamp.base_signed(buffer, KEY)
    assert buffer == answered
    follow_up = FOLLOW_UP if golden.FOLLOW_UP_ANSWERED in answered[: stamp.AUTH_BYTES + 20] else None
    if golden.UNKNOWN_ASKED not in answered:
        assert stamp.read_reflector(buffer, authenticated=authenticated) == REFLECTOR._replace(follow_up=follow_up)


def test_the_senders_time_is_copied_to_the_last_bit() -> None:
    for ntp in (b"\xe8\xfe\x6f\x80\x80\x00\x00\x03", b"\x65\x53\xf1\x00\x3b\x9a\xc9\xff"):  # NTP; PTPv2 (RFC 8186)
        for authenticated, at, copy_at in ((False, 4, 28), (True, 16, 64)):
            buffer = bytearray(stamp.AUTH_BYTES)
            buffer[at : at + 8] = ntp
            sender = stamp.read_sender(buffer, authenticated=authenticated)
            reply = REFLECTOR._replace(sender_timestamp_ns=sender.timestamp_ns)
            stamp.write_reflector(buffer, reply, 0, authenticated=authenticated)
            assert buffer[copy_at : copy_at + 8] == ntp


@pytest.mark.parametrize(
    ("authenticated", "follow_up", "least"),
    [(False, False, 44), (False, True, 64), (True, False, 112), (True, True, 152)],
)
def test_a_template_too_small_is_refused(authenticated: bool, follow_up: bool, least: int) -> None:
    assert len(stamp.template(least, authenticated=authenticated, follow_up=follow_up)) == least
    with pytest.raises(ValueError, match=f"at least {least} octets, not {least - 1}"):
        stamp.template(least - 1, authenticated=authenticated, follow_up=follow_up)


# ---- signatures ---------------------------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=100), st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_hmac_is_the_standard_librarys(key: bytes, parts: list[bytes]) -> None:
    assert stamp.Key(key).sign(*parts) == hmac.digest(key, b"".join(parts), "sha256")[:16]


def test_hmac_of_rfc_4231() -> None:
    long_key = stamp.Key(b"\xaa" * 131)  # test case 6: a key longer than a block
    whole = long_key.sign(b"Test Using Larger Than Block-Size Key - Hash Key First")
    assert whole.hex() == "60e431591ee0b67f0d8a26aacbf5b77f"


EVERYTHING = bytearray(SENT["authenticated, everything"][3])
HMAC_AT = stamp.AUTH_BYTES + 20


@pytest.mark.parametrize(
    ("octet", "base", "tlvs"),
    [(0, False, False), (20, False, True), (50, False, True), (95, False, True), (111, False, True),
     (112 + 5, True, False), (HMAC_AT + 4, True, False), (HMAC_AT + 19, True, False), (161, True, True)],
)  # fmt: skip
def test_every_signed_octet_matters(octet: int, base: bool, tlvs: bool) -> None:
    packet = EVERYTHING.copy()
    packet[octet] ^= 1
    assert (stamp.base_signed(packet, KEY), stamp.tlvs_signed(packet, KEY, HMAC_AT)) == (base, tlvs)


def test_a_cut_hmac_tlv_does_not_hold() -> None:
    assert stamp.tlvs_signed(EVERYTHING, KEY, HMAC_AT)
    assert not stamp.tlvs_signed(EVERYTHING[: HMAC_AT + 19], KEY, HMAC_AT)


# ---- times --------------------------------------------------------------------------------------------------------

NTP = [
    (0, 0x83AA7E80_00000000),  # 1970
    (golden.SENT_NS, 0xE8FE6F80_80000000),
    (1_700_000_000_000_000_001, 0xE8FE6F80_00000004),
    (1_700_000_000_999_999_999, 0xE8FE6F80_FFFFFFFC),
    (2_085_978_495_999_999_999, 0xFFFFFFFF_FFFFFFFC),  # the last of era 0: 2036-02-07 06:28:15
    (2_085_978_496_000_000_000, 0x00000000_00000000),  # era 1 begins
    (2_085_978_497_500_000_000, 0x00000001_80000000),
    (4_000_000_000_000_000_000, 0x7215A680_00000000),
]


@pytest.mark.parametrize(("unix_ns", "ntp"), NTP)
def test_ntp(unix_ns: int, ntp: int) -> None:
    assert stamp.to_ntp(unix_ns) == ntp
    assert stamp.from_ntp(ntp) == unix_ns


@given(st.integers(0, 4_233_462_143 * 10**9))  # 1970 … 2104
def test_ntp_there_and_back(unix_ns: int) -> None:
    assert stamp.from_ntp(stamp.to_ntp(unix_ns)) == unix_ns


@given(st.integers(0, 2**64 - 1))
def test_ntp_back_and_there_within_a_nanosecond(ntp: int) -> None:
    difference = (stamp.to_ntp(stamp.from_ntp(ntp)) - ntp + 2**63) % 2**64 - 2**63
    assert abs(difference) * 1e9 / 2**32 <= 0.75


ESTIMATES = [
    (0.0, False, 0x0001),  # a multiplier of zero is forbidden
    (2**-32, False, 0x0001),
    (255 * 2**-32, False, 0x00FF),
    (256 * 2**-32, False, 0x0180),
    (511 * 2**-32, False, 0x0280),  # 256 does not fit into the multiplier: rounded up, not down
    (1.0, True, 0x8000 | 25 << 8 | 0x80),
    (20e-6, False, 9 << 8 | 168),  # 85 900 units are 167.8 times 512
    (1e30, False, 0x3FFF),
]


@pytest.mark.parametrize(("seconds", "synchronized", "expected"), ESTIMATES)
def test_error_estimate(seconds: float, synchronized: bool, expected: int) -> None:
    assert stamp.error_estimate(seconds, synchronized=synchronized) == expected


@given(st.floats(0, 1e9))
def test_error_estimate_is_never_below_the_error(seconds: float) -> None:
    said = stamp.error_seconds(stamp.error_estimate(seconds))
    assert seconds <= said <= max(seconds + 2.0**-32, seconds * (1 + 2**-6))


# ---- anything at all ----------------------------------------------------------------------------------------------


@given(PACKETS, st.booleans())
def test_reading_anything_never_raises(packet: bytearray, authenticated: bool) -> None:
    base = stamp.AUTH_BYTES if authenticated else stamp.BASE_BYTES
    reply = stamp.read_reflector(packet, authenticated=authenticated)
    assert reply is None or len(packet) >= base
    for offset in stamp.find_tlvs(packet, base).values():
        assert base <= offset <= len(packet) - 4
    if len(packet) >= base:
        stamp.read_sender(packet, authenticated=authenticated)
        stamp.read_ssid(packet, authenticated=authenticated)


TLV = st.tuples(
    st.integers(0, 255), st.sampled_from([1, 7, 8, 99]), st.sampled_from([0, 3, 16, 200]), st.binary(max_size=20)
)
TLVS = st.lists(TLV.map(lambda t: bytes([t[0], t[1]]) + t[2].to_bytes(2, "big") + t[3]), max_size=5).map(b"".join)


@given(st.binary(min_size=96, max_size=96), TLVS, st.booleans(), st.booleans())
def test_answering_anything_keeps_its_size(base: bytes, tlvs: bytes, intact: bool, known: bool) -> None:
    packet = bytearray(base + sign(base) + tlvs)
    view = memoryview(packet)  # a view cannot grow, and a reflector's slot is one
    hmac_at = stamp.reflect_tlvs(view, stamp.AUTH_BYTES, FOLLOW_UP if known else None, intact=intact)
    stamp.write_reflector(view, REFLECTOR, 0, authenticated=True)
    stamp.sign(view, KEY, hmac_at)
    assert len(packet) == stamp.AUTH_BYTES + len(tlvs)
    assert stamp.base_signed(packet, KEY)
    assert hmac_at is None or stamp.tlvs_signed(packet, KEY, hmac_at)


REFLECTED = {
    "known": ("80010002 0000", True, ["00"]),
    "unknown": ("80f00001 aa", True, ["80"]),
    "sender forgot U": ("00f00001 aa", True, ["80"]),
    "longer than the packet": ("80010003 0000", True, ["40"]),
    "follow-up of a wrong length": ("80070004 00000000", True, ["40"]),
    "HMAC of a wrong length": ("80080000", True, ["40"]),
    "not intact": ("80010002 0000", False, ["20"]),
    "unknown and not intact": ("80f00001 aa", False, ["a0"]),
    "empty": ("", True, []),
    "a header cut short": ("8001", True, ["80"]),
}


@pytest.mark.parametrize(("tlvs", "intact", "flags"), REFLECTED.values(), ids=REFLECTED)
def test_flags(tlvs: str, intact: bool, flags: list[str]) -> None:
    packet = bytearray(stamp.BASE_BYTES) + bytes.fromhex(tlvs)
    assert stamp.reflect_tlvs(packet, stamp.BASE_BYTES, None, intact=intact) is None
    assert [f"{octet:02x}" for octet in packet[stamp.BASE_BYTES : stamp.BASE_BYTES + len(flags)]] == flags


def test_an_answer_without_a_departure_says_so() -> None:
    packet = bytearray(golden.SENDER + golden.FOLLOW_UP_ASKED)
    stamp.reflect_tlvs(packet, stamp.BASE_BYTES, None)
    stamp.write_reflector(packet, REFLECTOR, 0, authenticated=False)
    assert packet[stamp.BASE_BYTES :] == bytes.fromhex("00070010") + bytes(16)
    reply = stamp.read_reflector(packet, authenticated=False)
    assert reply is not None
    assert reply.follow_up is None


def test_a_senders_own_packet_is_no_answer() -> None:
    assert stamp.read_reflector(bytearray(golden.SENDER), authenticated=False) is None
    assert stamp.read_reflector(EVERYTHING, authenticated=True) is None


def test_find_tlvs() -> None:
    packet = bytearray(golden.SENDER + golden.UNKNOWN_ASKED + golden.FOLLOW_UP_ASKED + golden.PADDING_ASKED)
    assert stamp.find_tlvs(packet, 44) == {0xF0: 44, 7: 51, 1: 71}
    assert stamp.find_tlvs(packet[:-1], 44) == {0xF0: 44, 7: 51}
