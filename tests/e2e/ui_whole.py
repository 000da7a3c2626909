"""A whole computer with a person at it, for the staff page: its network, its sound and its camera; and the program.

The network is real: the laptop of tests/netlab/service.py, with a meeting service and a test room beyond two routers.
Chromium and the program run in the laptop's namespace, so that the page is reached on its own loopback. The sound is a
private PulseAudio: a room, a headset in it, and the computer's own microphone and loudspeaker. The camera is the double
of tests/media_check/camera_double.py. Of what kind a link is, and what its radio says, is told to the program
(tests/ui/program.py): there is no radio and no telephone here. What goes over the link is measured.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.e2e.page_rooms import browser
from tests.media_check import camera_double, pulse
from tests.netlab import program
from tests.netlab.router import CHECKOUT, do, setting
from tests.netlab.service import NO_PROXY, PROFILE, PROVIDER, Service, service
from tests.netlab.service_host import LOGIN, PROXY, certificates
from tests.ui.program import LINKS, LINKS_FILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

USED, CABLE = "laptop0", "cable0"
OPENING = re.compile(r"http://127\.0\.0\.1:\d+/open/[\w-]{43}")
STARTS_WITHIN_S = 20.0
ROOM_DBFS = -60.0
TITLE, OWN_TITLE = "a meeting service of the tests", "Vårdplanering med video"
SUPPORT = """
[dial_in]
sv = "Ring in: numret står i mötesinbjudan."
en = "Dial in: the number is in the invitation."

[[support]]
owner = "municipal_it"
name = { sv = "Kommunens IT-support", en = "The municipality's IT support" }
phone = "010-123 45 67"

[[support]]
owner = "region_it"
name = { sv = "Regionens IT-support", en = "The Region's IT support" }
phone = "010-765 43 21"
"""


class Sound:
    """The room is quiet, but not silent. `phones`: what is on the person's ears."""

    def __init__(self, server: pulse.Pulse, stack: ExitStack) -> None:
        self.pulse = server
        server.speaker("room", "Skärmens högtalare")
        server.speaker("phones", "USB-headset", device_form_factor="headset")
        server.microphone("worn", "room", "USB-headset", device_form_factor="headset")
        server.speaker("box", "Inbyggda högtalare", device_form_factor="internal")
        server.microphone("inside", "room", "Inbyggd mikrofon", device_form_factor="internal")
        server.defaults(source="worn", sink="phones")
        noise = np.random.default_rng(1).normal(0, 10 ** (ROOM_DBFS / 20), 10 * pulse.RATE)
        stack.enter_context(server.playing("room", noise))


class Program:
    """`motesklar ui` when it has said its address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines = process, list[str]()
        self._said = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._said.wait(STARTS_WITHIN_S), self.lines
        found = OPENING.search("".join(self.lines))
        assert found, self.lines
        self.url = found[0]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if OPENING.search(line):
                self._said.set()
        self._said.set()

    def end(self) -> None:
        """In peace, and it has complained of nothing."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(5) == 0, self.lines
        self._reader.join(5)
        assert [line for line in self.lines if "Traceback" in line or "defect" in line] == []


class Whole:
    """All of it, and what can be the matter with it; `heal` undoes that."""

    def __init__(self, it: Service, sound: Sound, camera: camera_double.Camera, chromium: Browser) -> None:
        self.it, self.sound, self.camera, self.chromium = it, sound, camera, chromium
        self.folder = it.folder
        self._home = it.folder / "home"
        self._home.mkdir()
        (it.folder / "whole.toml").write_text(PROFILE.replace(TITLE, OWN_TITLE) + PROVIDER.format(LOGIN) + SUPPORT)
        self._faults = ExitStack()
        self._place = ""
        self.room_url = it.room_url
        self.kinds()

    # ---- what is the matter

    def kinds(self, **told: dict[str, Any]) -> None:
        """Of the links, by name; what is not said is a cable."""
        every = {name: {"kind": "wired"} for name in (USED, CABLE)} | told
        (self.folder / LINKS_FILE).write_text(json.dumps(every))

    def unplug(self) -> None:
        """The only way out. As a system does, it then has no route."""
        setting(self.it.path.gateway, "net/ipv6/conf/to_laptop/keep_addr_on_down", "1")
        self.it.no_default_route()
        do(self.it.path.gateway, ["ip", "link", "set", "dev", "to_laptop", "down"])
        self._faults.callback(self.plug_in)

    def plug_in(self) -> None:
        """Again."""
        do(self.it.path.gateway, ["ip", "link", "set", "dev", "to_laptop", "up"])
        self._route_by(self.it.path.gateway_address, self.it.path.gateway_address_v6)

    def lay_cable(self) -> None:
        """To the gateway, beside the link in use; nothing is sent there by itself."""
        path = self.it.path
        there = f"/proc/{os.getpid()}/fd/{path.gateway.fd}"
        words = ["ip", "link", "add", "dev", CABLE, "type", "veth", "peer", "name", "to_cable", "netns", there]
        do(path.laptop, words)
        self._faults.callback(do, path.laptop, ["ip", "link", "del", "dev", CABLE])
        for end, device, last in ((path.laptop, CABLE, 2), (path.gateway, "to_cable", 1)):
            lines = [f"addr add 10.98.5.{last}/24 dev {device}", f"addr add fd98:0:0:5::{last}/64 dev {device} nodad"]
            do(end, ["ip", "-batch", "-"], "\n".join([*lines, f"link set dev {device} up"]))
        do(path.laptop, ["ip", "route", "add", "default", "via", "10.98.5.1", "metric", "500"])
        do(path.operator, ["ip", "route", "replace", "10.98.5.0/24", "via", "10.98.2.1"])
        do(path.operator, ["ip", "-6", "route", "replace", "fd98:0:0:5::/64", "via", "fd98:0:0:2::1"])

    def use_cable(self) -> None:
        """The other connection is turned off for what is sent by itself."""
        self._route_by("10.98.5.1", "fd98:0:0:5::1")

    def _route_by(self, gateway: str, gateway_v6: str) -> None:
        for family, by in (("-4", gateway), ("-6", gateway_v6)):
            do(self.it.path.laptop, ["ip", family, "route", "replace", "default", "via", by])

    def fill_room(self) -> None:
        """Another room, whose only place is taken."""
        folder = self.folder / "full"
        folder.mkdir(exist_ok=True)
        room = self._faults.enter_context(program.room_on(self.it.path, folder, PROXY, "--max-sessions", "1"))
        self._place = self.it.path.room.call(_ask, f"{_base(room.url)}/v1/sessions", "POST")["id"]
        self.room_url = room.url

    def leave_room(self) -> None:
        """Its place is free again."""
        self.it.path.room.call(_ask, f"{_base(self.room_url)}/v1/sessions/{self._place}", "DELETE")

    def heal(self) -> None:
        """As it was."""
        self._faults.close()
        self.it.path.heal()
        self.it.heal()
        self.room_url = self.it.room_url
        self.kinds()
        self.camera.shows()
        self.sound.pulse.mute("worn", muted=False)

    # ---- the program

    @contextmanager
    def program(self, lang: str) -> Iterator[Program]:
        """On the laptop, in this language."""
        asked = ["--no-browser", "--lang", lang, "--room", self.room_url, "--profile", str(self.folder / "whole.toml")]
        own = {
            "HOME": str(self._home), "XDG_DATA_HOME": str(self._home), "MOTESKLAR_TOKEN": program.TOKEN,
            "SSL_CERT_FILE": str(self.it.trusted), LINKS: str(self.folder),
            camera_double.FOLDER: str(self.camera.node.parent),
        }  # fmt: skip
        words = ["env", *NO_PROXY, sys.executable, "-m", "tests.ui.program", "ui", *asked]
        pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        process = self.it.path.laptop.popen(words, env={**os.environ, **own}, cwd=CHECKOUT, **pipes)
        try:
            started = Program(process)
            yield started
            started.end()
        finally:
            process.kill()
            process.wait(5)


def _base(room_url: str) -> str:
    return room_url.partition("#")[0].rstrip("/")


def _ask(url: str, method: str) -> Any:
    """Of the room, for a place as long as any test here takes."""
    import ssl
    import urllib.request

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    head = {"Authorization": f"Bearer {program.TOKEN}", "Content-Type": "application/json"}
    body = json.dumps({"seconds": 900, "packets_per_second": 50}).encode() if method == "POST" else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(urllib.request.Request(url, body, head, method=method), timeout=10) as answer:
        return json.loads(answer.read() or b"null")


@contextmanager
def whole(folder: Path) -> Iterator[Whole]:
    """Everything running, nothing the matter."""
    with ExitStack() as stack:
        it = stack.enter_context(service(folder / "own", certificates(folder)))
        sound = Sound(stack.enter_context(pulse.running()), stack)
        [camera] = stack.enter_context(camera_double.cameras("Webbkamera"))
        with it.path.laptop.enter():  # a child is in the namespace of the thread that forks it
            chromium = stack.enter_context(browser())
        made = Whole(it, sound, camera, chromium)
        yield made
        made.heal()
