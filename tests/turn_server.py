"""A real coturn for tests: UDP, TCP and TLS, on loopback or in a namespace, writing in the test's folder only.

    pair = certificate("turn.example", "127.0.0.7")          # pair.authority: the PEM that a client must trust
    with turn_server(tmp_path, Turn(address="127.0.0.7", certificate=pair)) as turn:
        turn.ice_servers()                                    # RTCIceServer dictionaries with credentials that work
        turn.port, turn.tls_port                              # port: UDP and TCP
        turn.log()                                            # what coturn wrote so far

Debian's /usr/bin/turnserver. Give `namespace=` to run it there; its address must be there already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.netlab.namespaces import Namespace, end

if TYPE_CHECKING:
    import trustme

PROGRAM = shutil.which("turnserver")
READY_S = 10.0
MAGIC = 0x2112A442
T = TypeVar("T")


class TurnServerError(RuntimeError):
    """coturn did not start; the message is what it wrote."""


@dataclass(frozen=True)
class Certificate:
    """PEM. `authority`: what a client must trust; None when the certificate signs itself."""

    chain: bytes
    key: bytes
    authority: bytes | None = None


@dataclass(frozen=True)
class Turn:
    """What to run. A port of 0 is chosen. Without a certificate no TLS; without `user` and `secret` no password.

    `secret`: time-limited credentials of the TURN REST API; it goes before `user`. `options`: more of coturn's own,
    such as "--user-quota=1", "--total-quota=2", "--no-udp", "--no-tcp", "--no-udp-relay" (403), "--stale-nonce=1".
    """

    address: str = "127.0.0.2"
    more_addresses: tuple[str, ...] = ()
    port: int = 0
    tls_port: int = 0
    user: tuple[str, str] | None = ("anna", "not-secret")
    secret: str | None = None
    realm: str = "turn.example"
    certificate: Certificate | None = None
    relay_ports: tuple[int, int] = (49152, 65535)
    options: tuple[str, ...] = ()


@dataclass
class RunningTurn:
    """One that answers."""

    settings: Turn
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def address(self) -> str:
        return self.settings.address

    def credentials(self, seconds: float = 3600) -> tuple[str, str]:
        """User name and password. With a secret they are good for `seconds`; below zero they have ended."""
        if self.settings.secret is not None:
            return rest_credentials(self.settings.secret, seconds)
        return self.settings.user or ("", "")

    def uris(self, host: str | None = None, transports: Sequence[str] = ("udp", "tcp", "tls")) -> list[str]:
        """`host`: a name instead of the address."""
        at = host or (f"[{self.address}]" if ":" in self.address else self.address)
        known = {"udp": f"turn:{at}:{self.port}?transport=udp", "tcp": f"turn:{at}:{self.port}?transport=tcp"}
        if self.settings.certificate is not None:
            known["tls"] = f"turns:{at}:{self.tls_port}"
        return [known[t] for t in transports if t in known]

    def ice_servers(self, host: str | None = None, transports: Sequence[str] = ("udp", "tcp", "tls")) -> list[Any]:
        """As a room's session answer has them."""
        username, credential = self.credentials()
        return [{"urls": self.uris(host, transports), "username": username, "credential": credential}]

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")


def rest_credentials(secret: str, seconds: float = 3600, user: str = "guest") -> tuple[str, str]:
    """draft-uberti-behave-turn-rest-00, section 2.2."""
    name = f"{int(time.time() + seconds)}:{user}"
    return name, base64.b64encode(hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()).decode()


def certificate(*names: str, by: trustme.CA | None = None) -> Certificate:
    """For names and addresses. `by`: an authority that exists already."""
    import trustme

    authority = by or trustme.CA()
    made = authority.issue_cert(*names)
    chain = b"".join(pem.bytes() for pem in made.cert_chain_pems)
    return Certificate(chain, made.private_key_pem.bytes(), authority.cert_pem.bytes())


@contextmanager
def turn_server(
    folder: Path, settings: Turn | None = None, namespace: Namespace | None = None
) -> Iterator[RunningTurn]:
    """Start it, wait till it answers, end it by pid. TurnServerError: it did not come up."""
    settings = settings or Turn()
    if PROGRAM is None:
        raise TurnServerError("turnserver is not installed (Debian: coturn)")
    own = folder / f"coturn-{secrets.token_hex(4)}"
    own.mkdir(parents=True)
    ports = _inside(namespace, lambda: _ports(settings))
    log_file = own / "log"
    with log_file.open("wb") as log:
        command = _command(own, settings, *ports)
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT, "cwd": own}
        process = (
            namespace.popen(command, sysfs=False, **options) if namespace else subprocess.Popen(command, **options)
        )
    running = RunningTurn(settings, *ports, process, log_file)
    try:
        _inside(namespace, lambda: _till_it_answers(running))
        yield running
    finally:
        end(process)


def _inside(namespace: Namespace | None, function: Callable[[], T]) -> T:
    return namespace.call(function) if namespace else function()


def _command(own: Path, settings: Turn, port: int, tls_port: int) -> list[str]:
    return [
        str(PROGRAM),
        "-n",  # no configuration file
        "--no-cli",
        "--no-dtls",
        "--no-rfc5780",
        "--no-software-attribute",
        "--allow-loopback-peers",
        "--log-file=stdout",
        "--relay-threads=1",
        f"--pidfile={own / 'pid'}",
        f"--userdb={own / 'db'}",
        f"--realm={settings.realm}",
        f"--listening-port={port}",
        f"--tls-listening-port={tls_port}",
        f"--min-port={settings.relay_ports[0]}",
        f"--max-port={settings.relay_ports[1]}",
        *(f"--listening-ip={a}" for a in (settings.address, *settings.more_addresses)),
        *(f"--relay-ip={a}" for a in (settings.address, *settings.more_addresses)),
        *_passwords(settings),
        *_tls(own, settings),
        *settings.options,
    ]


def _passwords(settings: Turn) -> list[str]:
    if settings.secret is not None:
        return ["--use-auth-secret", f"--static-auth-secret={settings.secret}"]
    if settings.user is not None:
        return ["--lt-cred-mech", f"--user={':'.join(settings.user)}"]
    return ["--no-auth"]


def _tls(own: Path, settings: Turn) -> list[str]:
    if settings.certificate is None:
        return ["--no-tls"]
    chain, key = own / "chain.pem", own / "key.pem"
    chain.write_bytes(settings.certificate.chain)
    key.touch(0o600)
    key.write_bytes(settings.certificate.key)
    return [f"--cert={chain}", f"--pkey={key}"]


def _ports(settings: Turn) -> tuple[int, int]:
    """As wanted, or such as are free on the address now, by UDP and TCP."""
    return settings.port or _free(settings.address), settings.tls_port or _free(settings.address)


def _free(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(50):
        with socket.socket(family, socket.SOCK_STREAM) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            with suppress(OSError):
                udp.bind(tcp.getsockname()[:2])
                return int(tcp.getsockname()[1])
    raise TurnServerError(f"no free port on {address}")


def _till_it_answers(running: RunningTurn) -> None:
    until = time.monotonic() + READY_S
    while not _answers(running):
        if running.process.poll() is not None or time.monotonic() > until:
            raise TurnServerError(f"coturn does not answer on {running.address}:\n{running.log()}")
        time.sleep(0.02)


def _answers(running: RunningTurn) -> bool:
    """By each transport that it offers: a STUN binding by UDP, a connection by TCP."""
    address, options = running.address, running.settings.options
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    tcp = [] if "--no-tcp" in options else [running.port]
    tls = [running.tls_port] if running.settings.certificate else []
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as udp:
        for port in tcp + tls:
            socket.create_connection((address, port), 0.3).close()
        if "--no-udp" in options:
            return True
        udp.settimeout(0.1)
        udp.connect((address, running.port))
        asked = os.urandom(12)
        udp.send(struct.pack("!HHI", 0x0001, 0, MAGIC) + asked)
        return udp.recv(1500)[8:20] == asked
    return False
