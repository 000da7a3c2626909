"""NetworkManager and systemd-resolved as they speak: a real D-Bus, stand-ins for the two services upon it."""

from __future__ import annotations

import asyncio
import gc
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from probes.links import linux, networkmanager, resolvers
from probes.links.networkmanager import Managed
from probes.links.rtnl import Device
from probes.links.system_bus import NoAnswerError, system_bus

pytestmark = pytest.mark.timeout(15)

CONFIG = """<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>"""
NM, RESOLVED = networkmanager.SERVICE, resolvers.RESOLVED
MAC = "02:00:00:00:00:01"


@pytest.fixture
def bus_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A private bus daemon in the system bus's place."""
    if not (daemon := shutil.which("dbus-daemon")):
        pytest.skip("no dbus-daemon here")
    (tmp_path / "bus.conf").write_text(CONFIG.format(tmp_path / "bus"))
    words = [daemon, f"--config-file={tmp_path / 'bus.conf'}", "--print-address", "--nofork", "--nopidfile"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address
        process.kill()


def properties() -> dict[tuple[str, str], dict[str, Any]]:
    """Object path and interface: what GetAll answers."""
    from dbus_fast import Variant

    address = Variant("s", "192.0.2.53")
    return {
        ("/device", f"{NM}.Device"): {
            "Metered": Variant("u", 3), "HwAddress": Variant("s", MAC.upper()),
            "Ip4Config": Variant("o", "/ip"), "Dhcp4Config": Variant("o", "/dhcp"),
        },
        ("/ip", f"{NM}.IP4Config"): {"NameserverData": Variant("aa{sv}", [{"address": address}])},
        ("/dhcp", f"{NM}.DHCP4Config"): {
            "Options": Variant("a{sv}", {"vendor_encapsulated_options": Variant("s", b"ANDROID_METERED".hex())})
        },
        ("/link", f"{RESOLVED}.Link"): {"DNS": Variant("a(iay)", [[2, b"\xc0\x00\x02\x35"]])},
    }  # fmt: skip


@asynccontextmanager
async def services(*, silent: bool = False) -> AsyncIterator[None]:
    """Both services on one connection; `silent` ones take the question and never answer."""
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus

    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()

    def answer(question: Message) -> Message | bool | None:
        if question.message_type != MessageType.METHOD_CALL:
            return None
        if silent:
            return True
        if question.member == "GetDeviceByIpIface" and question.body == ["usb0"]:
            return Message.new_method_return(question, "o", ["/device"])
        if question.member == "GetLink" and question.body == [5]:
            return Message.new_method_return(question, "o", ["/link"])
        if question.member == "GetAll" and (said := properties().get((question.path, question.body[0]))):
            return Message.new_method_return(question, "a{sv}", [said])
        return Message.new_error(question, "org.example.Unknown", "no such object")

    bus.add_message_handler(answer)
    await bus.request_name(NM)
    await bus.request_name(RESOLVED)
    try:
        yield
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


def open_files() -> int:
    """How many this process holds."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_what_networkmanager_and_resolved_say(bus_address: str):
    async with services(), system_bus() as bus:
        assert await networkmanager.ask(bus, "usb0", MAC) == Managed("guess-yes", ("192.0.2.53",), True)
        assert await resolvers.from_resolved(bus, 5) == ("192.0.2.53",)


async def test_a_device_of_that_name_in_another_namespace_is_not_ours(bus_address: str):
    async with services(), system_bus() as bus:
        with pytest.raises(NoAnswerError):
            await networkmanager.ask(bus, "usb0", "02:00:00:00:00:99")


async def test_unknown_devices_and_missing_services(bus_address: str):
    async with services(), system_bus() as bus:
        with pytest.raises(NoAnswerError):
            await networkmanager.ask(bus, "eth9", MAC)
        with pytest.raises(NoAnswerError):
            await resolvers.from_resolved(bus, 99)
    async with system_bus() as bus:
        with pytest.raises(NoAnswerError):
            await networkmanager.ask(bus, "usb0", MAC)


async def test_silent_services_cost_their_deadline_and_no_more(bus_address: str):
    extras, start, before = linux.Extras(), time.monotonic(), open_files()
    async with services(silent=True):
        await linux._ask_bus([Device(5, "usb0", mac=MAC)], extras)
    assert time.monotonic() - start < linux.BUS_DEADLINE_S + 0.5
    assert extras == linux.Extras()
    await asyncio.sleep(0.05)  # the connections end on the loop's next turns
    assert open_files() == before


async def test_what_both_say_reaches_the_extras(bus_address: str):
    extras = linux.Extras()
    async with services():
        await linux._ask_bus([Device(5, "usb0", mac=MAC), Device(6, "eth0")], extras)
    assert extras.resolved == {5: ("192.0.2.53",)}
    assert extras.managed == {5: Managed("guess-yes", ("192.0.2.53",), True)}


async def test_no_bus_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    before = open_files()
    with pytest.raises(NoAnswerError):
        async with system_bus():
            pass
    extras = linux.Extras()
    await linux._ask_bus([Device(5, "usb0", mac=MAC)], extras)
    assert extras == linux.Extras()
    assert open_files() == before
