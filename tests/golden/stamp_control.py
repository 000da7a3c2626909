"""The Reflected Test Packet Control TLV written out by hand, from draft-ietf-ippm-asymmetrical-pkts-14, section 3."""

from tests.golden.stamp import octets

ASKED = octets(
    "80 0c 000c",  # flags: U set by the sender; type 12; length of the value
    "0578",  # length of the reflected packet: 1400
    "0040",  # number of the reflected packets: 64
    "000003e8",  # interval between them: 1000 ns
    "00000000",  # a sub-TLV of no type and no length: the value has at least 12 octets
)
DONE = octets("00 0c 000c", "0578", "0040", "000003e8", "00000000")
NOT_AS_ASKED = octets("10 0c 000c", "0578", "0040", "000003e8", "00000000")  # C
UNRECOGNIZED = ASKED
TOO_SHORT = octets("80 0c 0008", "0578", "0040", "000003e8")
