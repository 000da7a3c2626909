"""proxy: is this computer told to use one for https, and does it answer?

The environment, Windows' and macOS' settings are read as Python's own library does (urllib.request). A script that
chooses the proxy (PAC) is looked for and not run: it would need a browser's JavaScript.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from probes import dns
from probes.join.dial import MARGIN_S
from probes.join.errand import NeedlessError, Proxy
from probes.join.hosts import has_room, hosts
from probes.join.lookup import ask, first_addresses
from probes.join.reach import DialError, reach
from processes.aside import aside
from processes.tasks import end

if TYPE_CHECKING:
    from probes.join.errand import Errand
    from reports.record import Link

HTTP_PORT = 80
BYPASS_S, WPAD_S, NAME_S = 0.3, 0.5, 0.6
RESOLV_CONF = Path("/etc/resolv.conf")
INTERNET_SETTINGS = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"


@dataclass(frozen=True, slots=True)
class Setting:
    """`kind`: "none", "http", "unreadable", or another scheme, which this test cannot use."""

    kind: str = "none"
    proxy: Proxy | None = None


async def step(errand: Errand) -> None:
    """Fills found.proxy, found.without_proxy and found.proxy_answers; fails with proxy_unreachable."""
    session, facts = errand.session, errand.m.facts
    if not session.profile.names_service and not has_room(session):
        raise NeedlessError
    link, setting = errand.link, configured()
    pac = asyncio.create_task(find_script(link))
    try:
        facts["proxy"] = setting.kind
        if setting.kind != "none":
            await _use(errand, setting)
    finally:
        facts["pac"] = "found" if await _ended(pac, errand.left - MARGIN_S / 2) else "none"
        if facts["pac"] == "found":
            facts["pac_evaluated"] = False


async def _ended(task: asyncio.Task[bool], seconds: float) -> bool:
    await asyncio.wait([task], timeout=max(0.0, seconds))
    if not task.done():
        await end(task)
        return False
    return task.result()


async def _use(errand: Errand, setting: Setting) -> None:
    """Whom it is for, and whether it answers."""
    wanted = [named.host for named in hosts(errand.session)]
    direct = await _bypassed(wanted)
    errand.m.facts["direct_hosts"] = len(direct)
    if len(direct) == len(wanted):
        errand.m.facts["proxy"] = "not for this service"
        return
    if setting.proxy is None:
        raise errand.fail("proxy_unreachable", "its address in the settings cannot be read")
    if setting.kind == "http":
        errand.found.proxy, errand.found.without_proxy = setting.proxy, direct
    else:
        errand.m.facts["not_used"] = "this test speaks to HTTP proxies only"
    await _reach(errand, setting.proxy)


async def _reach(errand: Errand, proxy: Proxy) -> None:
    link, until = errand.link, errand.deadline - MARGIN_S
    addresses = await first_addresses(link, proxy.host, min(NAME_S, until - time.monotonic()))
    if not addresses:
        raise errand.fail("proxy_unreachable", "its name is not found")
    begun = time.monotonic()
    try:
        (await reach(link, addresses, proxy.port, until)).close()
    except DialError as error:
        raise errand.fail("proxy_unreachable", error.kind) from None
    errand.found.proxy_answers = True
    errand.m.facts["connect_seconds"] = time.monotonic() - begun


async def _bypassed(wanted: list[str]) -> frozenset[str]:
    """Those that the settings except. On some systems this asks name servers, so it is given a moment only."""
    try:
        return await aside(lambda: frozenset(host for host in wanted if proxy_bypass(host)), BYPASS_S)
    except (TimeoutError, OSError):
        return frozenset()


# ---- what the settings say --------------------------------------------------------------------------------------


def configured() -> Setting:
    """The proxy for https, as the computer's settings have it now."""
    told = getproxies()
    url = str(told.get("https") or told.get("all") or "").strip()
    return parse(url) if url else Setting()


def parse(url: str) -> Setting:
    """A proxy's URL, or HOST:PORT. Never raises: what cannot be read is of the kind "unreadable"."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or HTTP_PORT
        host.encode("idna")
    except ValueError:
        return Setting("unreadable")
    if not host or any(c.isspace() for c in host):
        return Setting("unreadable")
    return Setting(parts.scheme, Proxy(host, port, unquote(parts.username or ""), unquote(parts.password or "")))


# ---- a script that chooses the proxy ----------------------------------------------------------------------------


async def find_script(link: Link) -> bool:
    """Is a PAC script named in the settings, or a host where browsers look for one (WPAD)?"""
    named = _SCRIPT_IN_SETTINGS.get(sys.platform, lambda: False)
    if os.environ.get("auto_proxy") or named():  # noqa: SIM112 - it is written small
        return True
    asked = [(server, f"wpad.{domain}") for domain in search_domains() for server in dns.askable(link)]
    replies = await asyncio.gather(*(ask(link, server, name, WPAD_S) for server, name in asked[:4]))
    return any(reply.outcome == "found" for reply in replies)


def search_domains(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    """The domains that the system adds to short names; the last line counts (resolv.conf(5))."""
    try:
        lines = [line.split() for line in path.read_text(errors="replace").splitlines()]
    except OSError:
        return ()
    found = [words[1:] for words in lines if words and words[0] in ("search", "domain")]
    return tuple(d.strip(".") for d in found[-1] if d.strip(".")) if found else ()


def _script_on_windows() -> bool:
    registry: Any = import_module("winreg")
    try:
        with registry.OpenKey(registry.HKEY_CURRENT_USER, INTERNET_SETTINGS) as key:
            return bool(registry.QueryValueEx(key, "AutoConfigURL")[0])
    except OSError:
        return False


def _script_on_macos() -> bool:
    try:
        from SystemConfiguration import SCDynamicStoreCopyProxies
    except ImportError:
        return False
    told = SCDynamicStoreCopyProxies(None) or {}
    return bool(told.get("ProxyAutoConfigEnable") or told.get("ProxyAutoDiscoveryEnable"))


_SCRIPT_IN_SETTINGS: dict[str, Callable[[], bool]] = {"win32": _script_on_windows, "darwin": _script_on_macos}
