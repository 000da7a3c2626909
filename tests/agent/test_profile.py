"""Profiles: what a file may say, what a wrong one is told, and that the document describes every key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from agent import profile
from agent.options import UsageError, profile_of
from agent.profile import ProfileError, load_profile, said
from agent.settings import MeetingSection, Settings
from probes.profile import GENERIC, IdentityProvider, MediaHost, Profile, Support

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "profiles.md").read_text("utf-8")
WHOLE = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)[0]
TABLES = {
    "identity_providers": profile.PROVIDER_KEYS,
    "media": profile.MEDIA_KEYS,
    "browsers": profile.BROWSERS,
    "support": profile.SUPPORT_KEYS,
}


def written(folder: Path, content: str | bytes, name: str = "habo.toml") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_the_shipped_ones_are_there() -> None:
    assert profile.names() == ["generic-webrtc", "jonkoping"]


@pytest.mark.parametrize("name", profile.names())
def test_each_shipped_one_is_valid_and_says_what_it_says_in_both_languages(name: str) -> None:
    found = load_profile(name)
    assert (found.name, bool(found.title)) == (name, True)
    assert [t for t in (found.dial_in, *(s.name for s in found.support)) if t and set(t) != {"sv", "en"}] == []


def test_of_no_service_in_particular() -> None:
    found = load_profile(None)
    assert found == load_profile("generic-webrtc")
    assert found == Profile(name=GENERIC.name, title=found.title)
    assert not found.names_service


def test_the_county() -> None:
    found = load_profile("jonkoping")
    assert found.portal == "https://dmsvpl.rjl.se/auth/rjl/login"
    assert found.media == (MediaHost("join.video.rjl.se", udp_port=3478, tcp_port=443, tls_port=443),)
    assert found.browsers == {"chrome": 85, "edge": 85, "firefox": 80, "safari": 13}
    assert [support.owner for support in found.support] == ["municipal_it", "region_it"]
    assert (found.identity_providers, found.issuers) == ((), ())  # nothing that is not known for sure
    assert not re.search(r"\d{3}", "".join(found.dial_in.values()))  # and no number that was made up


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    found = load_profile(written(tmp_path, WHOLE))
    assert found.name == "habo"
    assert found.captive_check == "http://check.municipality.example/204"
    assert found.issuers == ("Example Trust Network", "Sectigo Limited")
    assert found.identity_providers == (IdentityProvider("SITHS", "idp.siths.example", 443),)
    assert found.media == (MediaHost("media.region.example", 3478, 3478, 443),)
    name = {"sv": "Kommunens IT-support", "en": "The municipality's IT support"}
    assert found.support == (Support("municipal_it", name, "0123-456 78", "https://support.municipality.example"),)
    assert found.names_service


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[[media]]\nhost = "a.b"\nudp_port = 1', {"media": (MediaHost("a.b", 1, None, None),)}),
        ('[[media]]\nhost = "192.0.2.1"\ntls_port = 65535', {"media": (MediaHost("192.0.2.1", None, None, 65535),)}),
        ('[[media]]\nhost = "2001:db8::1"\ntcp_port = 9', {"media": (MediaHost("2001:db8::1", None, 9, None),)}),
        (
            '[[identity_providers]]\nname = "x"\nhost = "mötet.example"',
            {"identity_providers": (IdentityProvider("x", "mötet.example"),)},
        ),
        ('dial_in = { sv = "ring" }', {"dial_in": {"sv": "ring"}}),
        ("browsers = { chrome = 85 }", {"browsers": {"chrome": 85}}),
        ('portal = "https://a:8443/x?y=1"', {"portal": "https://a:8443/x?y=1"}),
    ],
)
def test_good_parts(tmp_path: Path, content: str, expected: dict[str, object]) -> None:
    found = load_profile(written(tmp_path, 'title = "t"\n' + content))
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "lacks title; add it"),
        ("title = 1", "title must be text"),
        ('title = " "', "title must be text"),
        ('title = "t"\nportel = "x"', "unknown key 'portel'; did you mean 'portal'?"),
        ('title = "t"\nzzz = 1', "unknown key 'zzz'; use one of browsers,"),
        ('title = "t"\nportal = "http://a"', "portal must be a URL that looks like https://"),
        ('title = "t"\nportal = "https://"', "portal must be a URL"),
        ('title = "t"\nportal = "https://a b/"', "portal must be a URL"),
        ('title = "t"\nportal = "https://a:99999/"', "portal must be a URL"),
        ('title = "t"\nportal = "https://a:0/"', "portal must be a URL"),
        ('title = "t"\nportal = "https://[::1/"', "portal must be a URL"),
        ('title = "t"\nportal = "https://me:secret@a/"', "not one with a user name"),
        ('title = "t"\nportal = "a"', "portal must be a URL"),
        ('title = "t"\nportal = 443', "portal must be text"),
        ('title = "t"\ncaptive_check = "https://a/"', "captive_check must be a URL that looks like http://"),
        ('title = "t"\nissuers = "Sectigo"', "issuers must be a list of words"),
        ('title = "t"\nissuers = [""]', "issuers holds an empty name"),
        ('title = "t"\nmedia = "a"', "media must be a list of tables; write each as [[media]]"),
        ('title = "t"\n[media]\nhost = "a"', "media must be a list of tables"),
        ('title = "t"\n[[media]]\nudp_port = 1', "[[media]] 1: lacks host; add it"),
        ('title = "t"\n[[media]]\nhost = "a"', "[[media]] 1: names no port; add one of udp_port, tcp_port, tls_port"),
        ('title = "t"\n[[media]]\nhost = "a"\nport = 1', "unknown key 'port'; did you mean '"),
        ('title = "t"\n[[media]]\nhost = "https://a"\nudp_port = 1', "host must be a name or an address alone"),
        ('title = "t"\n[[media]]\nhost = "a:3478"\nudp_port = 1', "host must be a name or an address alone"),
        ('title = "t"\n[[media]]\nhost = "a"\nudp_port = 0', "udp_port must be a whole number from 1 to 65535"),
        ('title = "t"\n[[media]]\nhost = "a"\nudp_port = 65536', "udp_port must be a whole number from 1 to 65535"),
        ('title = "t"\n[[media]]\nhost = "a"\nudp_port = 1.5', "udp_port must be a whole number"),
        ('title = "t"\n[[media]]\nhost = "a"\nudp_port = inf', "udp_port must be a finite number"),
        ('title = "t"\n[[media]]\nhost = "a"\nudp_port = true', "udp_port must be a number"),
        ('title = "t"\n[[media]]\nhost = "a"\nudp_port = "1"', "udp_port must be a number"),
        (
            'title = "t"\n[[media]]\nhost = "a"\nudp_port = 1\n[[media]]\nhost = "b"\ntls_port = -1',
            "[[media]] 2: tls_port must be a whole number",
        ),
        ('title = "t"\n[[identity_providers]]\nhost = "a"', "[[identity_providers]] 1: lacks name"),
        ('title = "t"\nbrowsers = 85', "[browsers] must be a table"),
        ('title = "t"\n[browsers]\nopera = 1', "unknown key 'opera'; use one of chrome, edge, firefox, safari"),
        ('title = "t"\n[browsers]\nchrome = 85.1', "chrome must be a whole number"),
        ('title = "t"\n[dial_in]\nfi = "x"', "dial_in: unknown key 'fi'; use one of en, sv"),
        ('title = "t"\n[dial_in]', "dial_in: says nothing"),
        ('title = "t"\ndial_in = "ring"', "[dial_in] must be a table"),
        ('title = "t"\n[[support]]\nowner = "you"', "[[support]] 1: lacks name"),
        ('title = "t"\n[[support]]\nowner = "it"\nname = { sv = "x" }', "unknown owner 'it'"),
        ('title = "t"\n[[support]]\nowner = "regionit"\nname = { sv = "x" }', "did you mean 'region_it'?"),
        ('title = "t"\n[[support]]\nowner = "you"\nname = "x"', "[name] must be a table"),
        ('title = "t"\n[[support]]\nowner = "you"\nname = { sv = "x" }\nurl = "http://a"', "url must be a URL"),
        ("title = ", "is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_wrong_files(tmp_path: Path, content: str | bytes, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ProfileError) as error:
        load_profile(path)
    message = str(error.value)
    assert says in message
    assert message.startswith(f"{path}:")
    assert "\n" not in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("jonkopng", "there is no profile 'jonkopng'; did you mean jonkoping?"),
        ("zzz", "there is no profile 'zzz'; there are: generic-webrtc, jonkoping"),
        ("", "there is no profile ''"),
        ("none.toml", "none.toml: there is no such profile file; check the path"),
        ("no/folder", "no/folder: there is no such profile file"),
        ("..", "there is no profile '..'"),
        (str(ROOT / "docs") + "/", "cannot be read"),
    ],
)
@pytest.mark.parametrize("by", ["option", "settings"])
def test_what_is_not_there(asked: str, says: str, by: str) -> None:
    given = (asked, Settings()) if by == "option" else (None, Settings(meeting=MeetingSection(asked)))
    with pytest.raises(UsageError) as error:
        profile_of(*given)
    assert says in str(error.value)


def test_the_option_goes_before_the_setting() -> None:
    chosen = Settings(meeting=MeetingSection("jonkoping"))
    assert profile_of(None, chosen).name == "jonkoping"
    assert profile_of("generic-webrtc", chosen).name == "generic-webrtc"
    assert profile_of(None, Settings()).name == "generic-webrtc"


def test_a_text_in_the_language_that_is_there() -> None:
    assert [said(texts, "sv") for texts in ({"sv": "a", "en": "b"}, {"en": "b"}, {})] == ["a", "b", ""]


# ---- the document


def documented() -> list[str]:
    return re.findall(r"^\| `([\w.]+)` \|", DOCS.partition("| key |")[2], re.MULTILINE)


def test_each_key_is_documented_and_each_documented_key_exists() -> None:
    known = {*profile.KEYS} | {f"{table}.{key}" for table, keys in TABLES.items() for key in keys}
    assert set(documented()) == known
    assert len(documented()) == len(known)


def test_the_example_uses_every_key() -> None:
    data = tomllib.loads(WHOLE)
    used = {*data}
    for name in TABLES:
        rows = data[name] if isinstance(data[name], list) else [data[name]]
        used |= {f"{name}.{key}" for row in rows for key in row}
    assert used == set(documented())


def test_each_shipped_profile_is_named() -> None:
    assert [name for name in profile.names() if f"| `{name}` |" not in DOCS] == []
