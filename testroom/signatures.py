"""Signatures of many packets in their slots: the parts that they are made of are cut once, not for each packet."""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest

from probes.stamp import AUTH_BYTES, FOLLOW_UP_BYTES, HMAC_BYTES, TLV_HEADER, Key

FOLLOW_UP_AT = AUTH_BYTES
HMAC_AT = FOLLOW_UP_AT + FOLLOW_UP_BYTES
_HEADER = TLV_HEADER.size


class Signatures:
    """For authenticated packets, base only or followed by our agents' TLVs: Follow-Up, then HMAC."""

    def __init__(self, slots: Sequence[memoryview]) -> None:
        signed = AUTH_BYTES - HMAC_BYTES
        self._body = [slot[:signed] for slot in slots]
        self._base = [slot[signed:AUTH_BYTES] for slot in slots]
        self._number = [slot[:4] for slot in slots]
        self._tlv = [slot[FOLLOW_UP_AT:HMAC_AT] for slot in slots]
        self._tlvs = [slot[HMAC_AT + _HEADER : HMAC_AT + _HEADER + HMAC_BYTES] for slot in slots]
        self._follow_up = [slot[FOLLOW_UP_AT + _HEADER : HMAC_AT] for slot in slots]

    def hold(self, key: Key, slots: Sequence[int], with_tlvs: Sequence[bool]) -> bool:
        """Do all the signatures of those slots hold?"""
        sign, body, base = key.sign, self._body, self._base
        number, tlv, tlvs = self._number, self._tlv, self._tlvs
        for slot in slots:
            if not compare_digest(base[slot], sign(body[slot])):
                return False
            if with_tlvs[slot] and not compare_digest(tlvs[slot], sign(number[slot], tlv[slot])):
                return False
        return True

    def renew(self, key: Key, slots: Sequence[int], with_tlvs: Sequence[bool], follow_up: bytes) -> None:
        """Sign what is in those slots now, after writing the Follow-Up TLV's value where there is one."""
        sign, body, base = key.sign, self._body, self._base
        for slot in slots:
            base[slot][:] = sign(body[slot])
            if with_tlvs[slot]:
                self._follow_up[slot][:] = follow_up
                self._tlvs[slot][:] = sign(self._number[slot], self._tlv[slot])
