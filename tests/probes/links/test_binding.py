"""Packets leave by the link that was chosen, whatever the routes prefer; the link's own counters prove it."""

from __future__ import annotations

import socket
import struct
import sys
from dataclasses import replace

import pytest

from probes.links import binding
from probes.links.binding import BindingError, Passage, bind_to_link, bound_socket
from probes.links.clues import draft_link
from reports.record import Link

from .inside import run

LOOPBACK = replace(draft_link("lo"), addresses=("127.0.0.1", "::1"))
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")

TWO_CABLES = """
import time
ECHO = '''
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.1", 7007))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(data, peer)
'''
far = subprocess.Popen(
    ["unshare", "-n", "sh", "-c",
     "echo made; read go; ip link set lo up; ip addr add 10.77.0.1/32 dev lo; ip addr add 10.77.1.1/24 dev b1;"
     "ip addr add 10.77.2.1/24 dev b2; ip link set b1 up; ip link set b2 up; exec \\"$0\\" -c \\"$1\\"",
     sys.executable, ECHO],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert far.stdout.readline() == "made\\n"
ip("link add a1 type veth peer name b1", "link add a2 type veth peer name b2",
   f"link set b1 netns {far.pid}", f"link set b2 netns {far.pid}")
print("go", file=far.stdin, flush=True)
ip("addr add 10.77.1.2/24 dev a1", "addr add 10.77.2.2/24 dev a2", "link set a1 up", "link set a2 up",
   "route add default via 10.77.1.1 dev a1 metric 100", "route add default via 10.77.2.1 dev a2 metric 700")
assert far.stdout.readline() == "ready\\n"

def ping(sock, n=20):
    sock.settimeout(3)
    got = 0
    for i in range(n):
        sock.sendto(b"x" * 100, ("10.77.0.1", 7007))
        got += sock.recv(200) == b"x" * 100
    return got

by_name = links()
a1, a2 = by_name["a1"], by_name["a2"]
"""
END = "\nfar.kill(); far.wait(); far.stdin.close(); far.stdout.close()\n"


@linux
@pytest.mark.netlab
def test_each_link_carries_what_was_sent_by_it():
    found = run(
        TWO_CABLES
        + """
result = {}
for chosen, idle in ((a1, a2), (a2, a1)):
    passage, other = Passage(chosen), Passage(idle)
    with bound_socket(chosen) as sock:
        got, name = ping(sock), sock.getsockname()[0]
    delta = passage.delta()
    result[chosen.name] = [got, name, delta.sent_packets, delta.received_packets, delta.sent_bytes,
                           passage.bypassed(20), other.bypassed(20), other.delta().sent_packets]
answer(result)
"""
        + END
    )
    for name, address in (("a1", "10.77.1.2"), ("a2", "10.77.2.2")):
        got, sender, sent, received, sent_bytes, bypassed, other_bypassed, other_sent = found[name]
        assert (got, sender) == (20, address)
        assert 20 <= sent <= 28  # ARP and router solicitations pass too
        assert received >= 20
        assert sent_bytes >= 20 * (100 + 28)
        assert bypassed is False
        assert other_bypassed is True
        assert other_sent < 8


@linux
@pytest.mark.netlab
def test_binding_only_the_address_would_take_the_wrong_way():
    """The check that the counters can say no: the source address alone does not choose the link."""
    found = run(
        TWO_CABLES
        + """
passage = Passage(a2)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("10.77.2.2", 0))
    sock.settimeout(0.3)
    for i in range(20):
        sock.sendto(b"x" * 100, ("10.77.0.1", 7007))
answer([passage.bypassed(20)])
"""
        + END
    )
    assert found == [True]


@linux
@pytest.mark.netlab
def test_a_link_that_vanishes_is_said_so():
    found = run(
        """
ip("link add v0 type veth peer name w0", "addr add 10.1.0.2/24 dev v0", "link set v0 up", "link set w0 up")
link = links()["v0"]
passage = Passage(link)
ip("link del v0")
try:
    bound_socket(link)
    said = ""
except BindingError as error:
    said = str(error)
answer([passage.delta(), passage.bypassed(1), said])
"""
    )
    assert found[:2] == [None, None]
    assert "v0" in found[2]
    assert "\n" not in found[2]


@linux
@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
@pytest.mark.parametrize("type_", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_bound_socket(family: int, address: str, type_: int):
    with bound_socket(LOOPBACK, family, type_) as sock:
        assert sock.getsockname()[0] == address
        if sys.platform == "linux":
            assert sock.getsockopt(socket.SOL_SOCKET, 25, 16).rstrip(b"\0") == b"lo"


@pytest.mark.parametrize(
    ("link", "family", "words"),
    [
        (replace(LOOPBACK, addresses=()), socket.AF_INET, "no IPv4 address"),
        (replace(LOOPBACK, addresses=("127.0.0.1",)), socket.AF_INET6, "no IPv6 address"),
        (replace(LOOPBACK, name="nosuchlink0"), socket.AF_INET, "cannot bind to the link nosuchlink0"),
        (replace(LOOPBACK, addresses=("192.0.2.222",)), socket.AF_INET, "cannot send from the link lo"),
    ],
)
def test_what_cannot_be_bound_is_one_clear_line(link: Link, family: int, words: str):
    with pytest.raises(BindingError, match=words) as caught:
        bound_socket(link, family)
    assert "192.0.2.222" not in str(caught.value)
    assert "\n" not in str(caught.value)


@linux
def test_bind_to_link_of_an_own_socket():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        bind_to_link(sock, LOOPBACK)
        with pytest.raises(BindingError, match="nosuch"):
            bind_to_link(sock, replace(LOOPBACK, name="nosuch"))


OPTIONS = [
    ("linux", socket.AF_INET, (socket.SOL_SOCKET, 25, b"lo\0")),
    ("darwin", socket.AF_INET, (0, 25, struct.pack("=I", 1))),
    ("darwin", socket.AF_INET6, (41, 125, struct.pack("=I", 1))),
    ("win32", socket.AF_INET, (0, 31, b"\0\0\0\x07")),
    ("win32", socket.AF_INET6, (41, 31, struct.pack("=I", 7))),
]


@pytest.mark.parametrize(("platform", "family", "expected"), OPTIONS)
def test_the_platforms_socket_options(monkeypatch, platform: str, family: int, expected: tuple[int, int, bytes]):
    monkeypatch.setattr("probes.links.windows.interface_index", lambda name: 7)
    monkeypatch.setattr(socket, "if_nametoindex", lambda name: 1)
    assert binding._option(platform, family, "lo") == expected


def test_passage_counts_on_loopback():
    passage = Passage(LOOPBACK)
    with bound_socket(LOOPBACK) as a, bound_socket(LOOPBACK) as b:
        for _ in range(10):
            a.sendto(b"x" * 50, b.getsockname())
    delta = passage.delta()
    assert delta is not None
    assert delta.sent_packets >= 10
    assert delta.sent_bytes >= 10 * 78
    assert passage.bypassed(10) is False
    assert passage.bypassed(delta.sent_packets + 10_000_000) is True
