"""The profile of a meeting service, read from TOML: one that is shipped (profiles/NAME.toml), or a huvudman's own file.

docs/profiles.md describes every key; a test holds the two equal. A wrong file is refused with one line that names the
file, the key and the remedy.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from probes.profile import GENERIC, IdentityProvider, MediaHost, Profile, Support
from reports.advice import LANGUAGES, Lang
from reports.policy_file import PolicyError, RowReader, Table, read, table
from reports.record import OWNERS, Owner

SHIPPED = Path(__file__).with_name("profiles")
KEYS = (
    *("title", "portal", "captive_check", "issuers", "identity_providers", "media", "browsers", "card", "dial_in"),
    "support",
)
HTTPS = 443
PROVIDER_KEYS = ("name", "host", "port")
PORT_KEYS = ("udp_port", "tcp_port", "tls_port")
MEDIA_KEYS = ("host", *PORT_KEYS)
BROWSERS = ("chrome", "edge", "firefox", "safari")
SUPPORT_KEYS = ("owner", "name", "phone", "url")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class ProfileError(ValueError):
    """A profile that cannot be used. The message is one line: file, key, what is wrong, what to do."""


def names() -> list[str]:
    """The shipped profiles."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_profile(asked: str | None) -> Profile:
    """The profile of that name, or of the file at that path; None: of no service. Raises ProfileError."""
    path = SHIPPED / f"{GENERIC.name}.toml" if asked is None else _path(asked)
    try:
        return _profile(path.stem, read(path, "profile"), path.name if path.parent == SHIPPED else str(path))
    except PolicyError as error:
        raise ProfileError(str(error)) from None


def said(texts: Mapping[str, str], lang: Lang) -> str:
    """The text in the language asked for, else in the one that is there."""
    return texts.get(lang) or next(iter(texts.values()), "")


def _path(asked: str) -> Path:
    """A bare word is the name of a shipped profile; what has a slash or ends in .toml is a file."""
    if asked in names():
        return SHIPPED / f"{asked}.toml"
    if asked.endswith(".toml") or Path(asked).name != asked:
        return Path(asked)
    near = difflib.get_close_matches(asked, names(), 1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names())}"
    raise ProfileError(f"there is no profile {asked!r}; {hint}; a file of your own is named by its path, as x.toml")


def _profile(name: str, data: Table, where: str) -> Profile:
    r = RowReader(data, where, KEYS)
    _need(r, "title")
    return Profile(
        name=name,
        title=r.text("title"),
        portal=_url(r, "portal", "https"),
        captive_check=_url(r, "captive_check", "http"),
        issuers=_issuers(r),
        identity_providers=tuple(_provider(row) for row in _rows(r, "identity_providers", PROVIDER_KEYS)),
        media=tuple(_media(row) for row in _rows(r, "media", MEDIA_KEYS)),
        browsers=_browsers(r),
        card=r.flag("card"),
        dial_in=_texts(r, "dial_in"),
        support=tuple(_support(row) for row in _rows(r, "support", SUPPORT_KEYS)),
    )


def _need(r: RowReader, *keys: str) -> None:
    if missing := [key for key in keys if key not in r.data]:
        raise r.fail(f"lacks {', '.join(missing)}; add {'it' if len(missing) == 1 else 'them'}")


def _rows(r: RowReader, key: str, keys: Collection[str]) -> Iterator[RowReader]:
    """The tables of a list, [[key]]; the first is number 1 in messages."""
    rows = r.data.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise r.fail(f"{key} must be a list of tables; write each as [[{key}]]")
    for number, row in enumerate(rows, 1):
        yield RowReader(row, f"{r.where}: [[{key}]] {number}", keys)


def _url(r: RowReader, key: str, scheme: str) -> str | None:
    url = r.option(key)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        fits = parts.scheme == scheme and _is_host(parts.hostname or "") and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port that is no number, brackets that do not close
        fits = False
    if not fits or url != url.strip():
        shown = "one with a user name" if "@" in url else repr(url)
        raise r.fail(f"{key} must be a URL that looks like {scheme}://host.example/path, not {shown}; correct it")
    return url


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return True
    try:
        name = text.encode("idna").decode("ascii")
    except ValueError:
        return False
    return 0 < len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.removesuffix(".").split("."))


def _host(r: RowReader) -> str:
    host = r.text("host")
    if not _is_host(host):
        raise r.fail(f"host must be a name or an address alone, as in host.example, not {host!r}; correct it")
    return host.lower()  # as the hosts of URLs are read


def _issuers(r: RowReader) -> tuple[str, ...]:
    issuers = r.words("issuers")
    if not all(word.strip() for word in issuers):
        raise r.fail("issuers holds an empty name; take it out")
    return issuers


def _whole(r: RowReader, key: str, least: int, most: int) -> int:
    value = r.number(key)
    if value != int(value) or not least <= value <= most:
        raise r.fail(f"{key} must be a whole number from {least} to {most}, not {value:g}; correct it")
    return int(value)


def _port(r: RowReader, key: str) -> int | None:
    return _whole(r, key, 1, 65535) if key in r.data else None


def _provider(r: RowReader) -> IdentityProvider:
    _need(r, "name", "host")
    return IdentityProvider(r.text("name"), _host(r), _port(r, "port") or HTTPS)


def _media(r: RowReader) -> MediaHost:
    _need(r, "host")
    ports = {key: _port(r, key) for key in PORT_KEYS}
    if not any(ports.values()):
        raise r.fail(f"names no port; add one of {', '.join(PORT_KEYS)}")
    return MediaHost(_host(r), **ports)


def _browsers(r: RowReader) -> dict[str, int]:
    row = RowReader(table(dict(r.data), "browsers", r.where), f"{r.where}: [browsers]", BROWSERS)
    return {name: _whole(row, name, 1, 9999) for name in row.data}


def _texts(r: RowReader, key: str) -> dict[str, str]:
    """The same text by language; empty when the key is not there."""
    if key not in r.data:
        return {}
    row = RowReader(table(dict(r.data), key, r.where), f"{r.where}: {key}", LANGUAGES)
    if not row.data:
        raise row.fail('says nothing; write it as { sv = "…", en = "…" }, or leave it out')
    return {lang: row.text(lang) for lang in LANGUAGES if lang in row.data}


def _support(r: RowReader) -> Support:
    _need(r, "owner", "name")
    owner = cast("Owner", r.text("owner", OWNERS))
    return Support(owner, _texts(r, "name"), r.option("phone") or "", _url(r, "url", "https") or "")
