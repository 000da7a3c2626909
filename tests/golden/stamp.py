"""STAMP packets written out by hand, field by field, from the figures of RFC 8762 (sections 4.2 and 4.3) and RFC 8972.

Nothing here is computed by the program under test. 2023-11-14 22:13:20 UTC is 1 700 000 000 s after 1970 and
3 908 988 800 s (e8fe6f80) after 1900. Of a second, .5 is 80000000, .25 is 40000000, .75 is c0000000.
"""

SENT_NS = 1_700_000_000_500_000_000
RECEIVED_NS = 1_700_000_001_250_000_000
REPLIED_NS = 1_700_000_001_750_000_000
DEPARTED_NS = 1_700_000_002_500_000_000
SECRET = bytes(range(32))


def octets(*fields: str) -> bytes:
    """The octets of a packet's fields, in hexadecimal."""
    return bytes.fromhex("".join(fields))


SENDER = octets(
    "01020304",  # sequence number
    "e8fe6f80 80000000",  # timestamp
    "8a15",  # error estimate: S 1, Z 0, scale 10, multiplier 21
    "beef",  # SSID
    "00" * 28,  # MBZ
)
REFLECTOR = octets(
    "0a0b0c0d",  # sequence number
    "e8fe6f81 c0000000",  # timestamp
    "0415",  # error estimate
    "beef",  # SSID
    "e8fe6f81 40000000",  # receive timestamp
    "01020304",  # session-sender sequence number
    "e8fe6f80 80000000",  # session-sender timestamp
    "8a15",  # session-sender error estimate
    "0000",  # MBZ
    "39",  # session-sender TTL: 57
    "000000",  # MBZ
)
SENDER_AUTH_UNSIGNED = octets(
    "01020304",  # sequence number
    "00" * 12,  # MBZ
    "e8fe6f80 80000000",  # timestamp
    "8a15",  # error estimate
    "beef",  # SSID
    "00" * 68,  # MBZ
)
REFLECTOR_AUTH_UNSIGNED = octets(
    "0a0b0c0d",  # sequence number
    "00" * 12,  # MBZ
    "e8fe6f81 c0000000",  # timestamp
    "0415",  # error estimate
    "beef",  # SSID
    "00" * 4,  # MBZ
    "e8fe6f81 40000000",  # receive timestamp
    "00" * 8,  # MBZ
    "01020304",  # session-sender sequence number
    "00" * 12,  # MBZ
    "e8fe6f80 80000000",  # session-sender timestamp
    "8a15",  # session-sender error estimate
    "00" * 6,  # MBZ
    "39",  # session-sender TTL
    "00" * 15,  # MBZ
)
# Follow-Up Telemetry, RFC 8972, figure 12; flags: U set by the sender, cleared by a reflector that knows the type
FOLLOW_UP_ASKED = octets("80 07 0010", "00000000", "00000000 00000000", "00", "000000")
FOLLOW_UP_ANSWERED = octets(
    "00 07 0010",
    "0a0b0c0c",  # the reflector's sequence number of the earlier reply
    "e8fe6f82 80000000",  # when that one left
    "02",  # timestamping method: SW Local
    "000000",  # reserved
)
HMAC_ASKED = octets("80 08 0010")  # its value follows
HMAC_ANSWERED = octets("00 08 0010")
PADDING_ASKED = octets("80 01 0006", "00" * 6)
PADDING_ANSWERED = octets("00 01 0006", "00" * 6)
UNKNOWN_ASKED = octets("80 f0 0003", "aabbcc")
