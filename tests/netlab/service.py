"""A meeting service at the end of a routed path, its relays and the real test room; and the program on the laptop.

    trusted = certificates(folder)
    with service(folder_of_its_own, trusted) as it:
        it.be(page="error")                                     # its portal answers 503
        it.rule("operator", "tcp dport 443 drop")
        it.join().first                                         # ("tcp", "tcp_timeout", "municipal_it")
        it.heal()

Everything is real: name servers, portal and login services by TLS (service_host.py), two coturns, `motesklar room`.
All of them are in the room's namespace, on addresses of their own; the laptop knows the names and the authority only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.netlab import program
from tests.netlab import service_host as host
from tests.netlab.dns_answerer import Zone
from tests.netlab.namespaces import Namespace
from tests.netlab.router import CHECKOUT, RoutedPath, do, routed_path
from tests.netlab.service_host import CAPTIVE, LOGIN, LOGIN_PATH, MEDIA, NAMES, PORTAL, RELAY, RESOLVERS, State
from tests.netlab.service_outcome import Joined, joined
from tests.turn_server import Certificate, Turn, turn_server

SECRET, OTHER_SECRET = "the-room-and-its-relay-share-it", "nobody-told-the-room-of-this-one"
PLACES = ("laptop", "gateway", "operator", "room")
PROFILE = f"""
title = "a meeting service of the tests"
portal = "https://{PORTAL}{LOGIN_PATH}"

[[media]]
host = "{MEDIA}"
udp_port = 3478
tcp_port = 3478
tls_port = 443
"""
PROVIDER = """
[[identity_providers]]
name = "{0}"
host = "{0}"
"""
PROXIES = [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]
NO_PROXY = [f"-u{name}" for plain in PROXIES for name in (plain, plain.upper())]  # of the computer that runs the tests


class Service:
    """The service, and what can be done to it."""

    def __init__(self, path: RoutedPath, folder: Path, trusted: Path) -> None:
        self.path, self.folder, self.trusted = path, folder, trusted
        self.room_url = ""
        self.relay = ExitStack()
        self._relay_secret: str | None = None
        self._host = self._start_host()
        self.tell_profile(LOGIN)
        self.be()

    def _start_host(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.netlab.service_host", str(self.trusted.parent)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": CHECKOUT}
        child: subprocess.Popen[str] = self.path.room.popen(command, text=True, bufsize=1, sysfs=False, **pipes)
        return child

    # ---- what is wrong ---------------------------------------------------------------------------------------------

    def be(self, **changes: Any) -> None:
        """The servers' State from now on, healthy in what is not said."""
        assert self._host.stdin is not None
        assert self._host.stdout is not None
        self._host.stdin.write(State(**changes).to_json() + "\n")
        if not self._host.stdout.readline():
            raise RuntimeError("the service's servers have ended")

    def zones(self, *changes: dict[str, Any]) -> None:
        """The name servers' zones from now on: of each those fields that are not as usual."""
        self.be(zones=[replace(Zone(NAMES), **change) for change in changes])

    def rule(self, where: str, *rules: str, hook: str = "forward") -> None:
        """Further rules of the packet filter at one of PLACES. `hook` "nat": where addresses are changed."""
        kind = "nat hook prerouting priority -100" if hook == "nat" else f"filter hook {hook} priority 5"
        lines = ["add table inet fault", f"add chain inet fault at_{hook} {{ type {kind}; }}"]
        lines += [f"add rule inet fault at_{hook} {rule}" for rule in rules]
        do(self.path.of(where), ["nft", "-f", "-"], "\n".join(lines) + "\n")

    def captive(self) -> None:
        """Until somebody logs in at the gateway, names are answered, and every page is its own."""
        web = f'iifname "to_laptop" ip daddr != {CAPTIVE} tcp dport {{ 80, 443 }} dnat ip to {CAPTIVE}'
        self.rule("gateway", web, hook="nat")
        self.rule("gateway", "udp dport 53 accept", f"ip daddr {CAPTIVE} accept", 'iifname "to_laptop" drop')

    def no_default_route(self) -> None:
        for family in ("-4", "-6"):
            do(self.path.laptop, ["ip", family, "route", "del", "default"])

    def tell_profile(self, *providers: str) -> None:
        """What the laptop is told of the service: with these login services."""
        text = PROFILE + "".join(PROVIDER.format(name) for name in providers)
        (self.folder / "profile.toml").write_text(text)

    def relay_with(self, secret: str | None) -> None:
        """The room's relay, started anew if it has another secret; None: it does not run."""
        if secret == self._relay_secret:
            return
        self.relay.close()
        if secret is not None:
            self.relay.enter_context(turn_server(self.folder, self.coturn(RELAY, secret), self.path.room))
        self._relay_secret = secret

    def coturn(self, name: str, secret: str | None = None) -> Turn:
        """One as a service has it: 3478 by UDP and TCP, 443 by TLS."""
        pem = (self.trusted.parent / "good.pem").read_bytes()
        address, address_v6 = NAMES[name]
        own: dict[str, Any] = {"more_addresses": (address_v6,), "certificate": Certificate(pem, pem), "secret": secret}
        return Turn(address, port=3478, tls_port=443, relay_ports=(49152, 49999), **own)

    def heal(self) -> None:
        """Undo all of that."""
        self.be()
        self.tell_profile(LOGIN)
        self.relay_with(SECRET)
        for name in PLACES:
            self.path.of(name).run(["nft", "delete table inet fault"], sysfs=False)
        for family, gateway in (("-4", self.path.gateway_address), ("-6", self.path.gateway_address_v6)):
            do(self.path.laptop, ["ip", family, "route", "replace", "default", "via", gateway])

    # ---- the program -----------------------------------------------------------------------------------------------

    def start(self, command: str, *more: str, room: bool = True, **variables: str) -> subprocess.Popen[str]:
        """`motesklar COMMAND` on the laptop, with further variables in its environment."""
        told = ["--profile", str(self.folder / "profile.toml"), "--json", *(["--room", self.room_url] if room else [])]
        own = {"SSL_CERT_FILE": str(self.trusted), **variables}
        clean = ["env", *NO_PROXY, *(f"{name}={value}" for name, value in own.items())]
        home = {**os.environ, "HOME": str(self.folder), "MOTESKLAR_TOKEN": program.TOKEN}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": CHECKOUT, "text": True}
        whole = [*clean, *program.MOTESKLAR, command, *told, *more]
        child: subprocess.Popen[str] = self.path.laptop.popen(whole, env=home, **pipes)
        return child

    def join(self, *, room: bool = True, **variables: str) -> Joined:
        return joined(self.start("join", room=room, **variables))


def _more_addresses(room: Namespace) -> None:
    """Those of the service's hosts, on the room's device."""
    wanted = [*(a for both in NAMES.values() for a in both), *RESOLVERS, host.PROXY, CAPTIVE]
    lines = (f"addr add {a}/64 dev room0 nodad" if ":" in a else f"addr add {a}/24 dev room0" for a in wanted)
    do(room, ["ip", "-batch", "-"], "\n".join(lines))


def room_options(folder: Path) -> list[str]:
    """Of `motesklar room`: its relay, by each transport, and the secret that they share."""
    kept = folder / "secret"
    kept.write_text(SECRET)
    uris = [f"turn:{RELAY}:3478?transport=udp", f"turn:{RELAY}:3478?transport=tcp", f"turns:{RELAY}:443"]
    return ["--turn-secret-file", str(kept), *(word for uri in uris for word in ("--turn", uri))]


@contextmanager
def service(folder: Path, trusted: Path) -> Iterator[Service]:
    """Everything running. `folder`: of its own. `trusted`: what service_host.certificates() returned."""
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        path = stack.enter_context(routed_path())
        _more_addresses(path.room)
        path.laptop.resolvers = RESOLVERS
        it = Service(path, folder, trusted)
        stack.enter_context(turn_server(folder, it.coturn(MEDIA), path.room))
        stack.callback(it.relay_with, None)
        it.relay_with(SECRET)
        it.room_url = stack.enter_context(program.room_on(path, folder, "", *room_options(folder))).url
        yield it
