"""A resolver that takes its time: `python -m tests.netlab.dns_answerer LISTEN A AAAA`.

Each line on standard input is a delay in seconds for the questions from then on, and is answered by a line when it
is in force. Every name exists, with the addresses given. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import dns.message
import dns.rdatatype
import dns.rrset

PORT = 53
TTL = 60  # seconds
SOA = ". hostmaster.netlab. 1 3600 600 86400 60"


def records(a: str, aaaa: str) -> dict[dns.rdatatype.RdataType, str]:
    kinds = dns.rdatatype
    return {kinds.A: a, kinds.AAAA: aaaa, kinds.NS: "ns.netlab.", kinds.SOA: SOA}


def answer(query: bytes, known: dict[dns.rdatatype.RdataType, str]) -> bytes:
    """What to send back. A type that is not known has no records, which is an answer too."""
    question = dns.message.from_wire(query)
    response = dns.message.make_response(question, recursion_available=True)
    asked = question.question[0]
    if (data := known.get(asked.rdtype)) is not None:
        response.answer.append(dns.rrset.from_text(asked.name, TTL, "IN", asked.rdtype, data))
    return response.to_wire()


class Answerer(asyncio.DatagramProtocol):
    def __init__(self, known: dict[dns.rdatatype.RdataType, str]) -> None:
        self.delay = 0.0
        self._known = known

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # which Python 3.11 does not derive it from

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asyncio.get_running_loop().call_later(self.delay, self._transport.sendto, answer(data, self._known), addr)


async def serve(listen: str, a: str, aaaa: str) -> None:
    loop = asyncio.get_running_loop()
    _, answerer = await loop.create_datagram_endpoint(lambda: Answerer(records(a, aaaa)), local_addr=(listen, PORT))
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        answerer.delay = float(line)
        print("in force", flush=True)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
