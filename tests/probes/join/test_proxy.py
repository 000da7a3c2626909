"""The proxy that the computer's settings name: read from the environment, reached on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.join import proxy
from probes.join.errand import NeedlessError, Proxy
from probes.join.proxy import Setting, parse, search_domains
from probes.profile import MediaHost, Profile
from tests.probes.join.names import name_servers
from tests.probes.join.servers import nothing, refusing, serving, silent
from tests.probes.join.steps import ELSEWHERE, code, errand, session, taken

SERVICE = Profile(portal="https://portal.example/", media=(MediaHost("media.example"),))


@pytest.fixture(autouse=True)
def resolv_conf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No search domain but the test's own."""
    monkeypatch.setattr(proxy, "search_domains", lambda: search_domains(tmp_path / "resolv.conf"))


@pytest.mark.parametrize(
    ("url", "setting"),
    [
        ("http://proxy.example:3128", Setting("http", Proxy("proxy.example", 3128))),
        ("proxy.example:3128", Setting("http", Proxy("proxy.example", 3128))),
        ("proxy.example", Setting("http", Proxy("proxy.example", 80))),
        ("http://[2001:db8::1]:8080/", Setting("http", Proxy("2001:db8::1", 8080))),
        ("http://a%40b:c%3Ad@proxy.example:1", Setting("http", Proxy("proxy.example", 1, "a@b", "c:d"))),
        ("HTTP://Proxy.Example:1", Setting("http", Proxy("proxy.example", 1))),
        ("socks5://proxy.example:1080", Setting("socks5", Proxy("proxy.example", 1080))),
        ("https://proxy.example:1", Setting("https", Proxy("proxy.example", 1))),
        ("http://proxy.example:http", Setting("unreadable")),
        ("http://proxy.example:99999", Setting("unreadable")),
        ("http://:3128", Setting("unreadable")),
        ("http://[::1", Setting("unreadable")),
        ("http://two words:1", Setting("unreadable")),
        ("http://" + "a" * 70 + ":1", Setting("unreadable")),
        ("http://a..b:1", Setting("unreadable")),
        ("http:///", Setting("unreadable")),
    ],
)
def test_what_the_settings_may_hold(url: str, setting: Setting) -> None:
    assert parse(url) == setting


async def test_no_proxy_and_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = errand("proxy", session(SERVICE))
    draft = await taken(wanted)
    assert (code(draft), draft.facts) == (None, {"proxy": "none", "pac": "none"})
    assert wanted.found.proxy is None
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(NeedlessError):  # only the room on this computer
        await taken(errand("proxy", session()))


# variable, its URL, NO_PROXY -> code, whether it is used, and which of the hosts are reached without it
SETTINGS: list[tuple[str, str, str, str | None, bool, set[str]]] = [
    ("HTTPS_PROXY", "http://127.0.0.1:{open}", "", None, True, set()),
    ("https_proxy", "127.0.0.1:{open}", "", None, True, set()),
    ("ALL_PROXY", "http://127.0.0.1:{open}", "", None, True, set()),
    ("HTTP_PROXY", "http://127.0.0.1:{closed}", "", None, False, set()),  # is not for https
    ("HTTPS_PROXY", "http://127.0.0.1:{open}", "media.example", None, True, {"media.example"}),
    ("HTTPS_PROXY", "http://127.0.0.1:{closed}", ".example", None, False, set()),  # is for none of ours
    ("HTTPS_PROXY", "http://127.0.0.1:{closed}", "*", None, False, set()),
    ("HTTPS_PROXY", "http://127.0.0.1:{closed}", "portal.example", "proxy_unreachable", True, {"portal.example"}),
    ("HTTPS_PROXY", "http://127.0.0.1:{closed}", "", "proxy_unreachable", True, set()),
    ("HTTPS_PROXY", "http://known.example:{open}", "", None, True, set()),
    ("HTTPS_PROXY", "http://unknown.example:{open}", "", "proxy_unreachable", True, set()),
    ("HTTPS_PROXY", "http://silent.example:{open}", "", "proxy_unreachable", True, set()),
    ("HTTPS_PROXY", "http://127.0.0.1:x", "", "proxy_unreachable", False, set()),
    ("HTTPS_PROXY", "http://:8080", "", "proxy_unreachable", False, set()),
    ("HTTPS_PROXY", "socks5://127.0.0.1:{open}", "", None, False, set()),
    ("HTTPS_PROXY", "socks5://127.0.0.1:{closed}", "", "proxy_unreachable", False, set()),
]


@pytest.mark.parametrize(("variable", "url", "excepted", "failure", "used", "direct"), SETTINGS)
async def test_told_by_the_environment(
    variable: str,
    url: str,
    excepted: str,
    failure: str | None,
    used: bool,
    direct: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        serving(nothing) as there,
        name_servers(monkeypatch, {"known.example": "127.0.0.1", "silent.example": "SILENT"}) as servers,
    ):
        with refusing() as closed:
            monkeypatch.setenv(variable, url.format(open=there, closed=closed))
            monkeypatch.setenv("NO_PROXY", excepted)
            wanted = errand("proxy", session(SERVICE, resolvers=servers))
            draft = await taken(wanted)
    assert code(draft) == failure
    assert (wanted.found.proxy is not None) == used
    assert wanted.found.without_proxy == direct
    assert wanted.found.proxy_answers == ("connect_seconds" in draft.facts)
    assert not failure or not wanted.found.proxy_answers


async def test_a_room_is_asked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing() as closed:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed}")
        assert code(await taken(errand("proxy", session(None, ELSEWHERE)))) == "proxy_unreachable"


async def test_a_proxy_that_swallows_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        draft = await taken(errand("proxy", session(SERVICE), seconds=0.5))
    assert draft.failure
    assert (draft.failure.code, draft.failure.detail) == ("proxy_unreachable", "silent")


@pytest.mark.parametrize(
    ("content", "zone", "variable", "found"),
    [
        ("search a.example b.example\n", {"wpad.b.example": "127.0.0.5"}, "", True),
        ("domain a.example\n", {"wpad.a.example": "127.0.0.5"}, "", True),
        ("search a.example\nsearch b.example\n", {"wpad.a.example": "127.0.0.5"}, "", False),  # the last line counts
        ("search a.example\n", {"wpad": "127.0.0.5"}, "", False),
        ("search a.example\n", {"*": "SILENT"}, "", False),
        ("search .\n", {"*": "127.0.0.5"}, "", False),
        ("nameserver 127.0.0.1\n", {"*": "127.0.0.5"}, "", False),
        ("", {}, "http://pac.example/proxy.pac", True),
    ],
)
async def test_a_script_is_looked_for_and_not_run(
    content: str, zone: dict[str, str], variable: str, found: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "resolv.conf").write_text(content)
    if variable:
        monkeypatch.setenv("auto_proxy", variable)
    async with name_servers(monkeypatch, zone) as servers:
        draft = await taken(errand("proxy", session(SERVICE, resolvers=servers)))
    assert code(draft) is None
    assert draft.facts["pac"] == ("found" if found else "none")
    assert ("pac_evaluated" in draft.facts) == found
