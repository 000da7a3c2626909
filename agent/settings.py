"""The settings file: which room, whose policy, which language. TOML; unknown keys are refused by name.

Every setting is described in docs/settings.md; a test holds the two equal.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from reports.advice import Lang

TOKEN_VARIABLE = "MOTESKLAR_TOKEN"  # noqa: S105 - a name
FILE_VARIABLE = "MOTESKLAR_SETTINGS"
LANGUAGES: tuple[Lang, ...] = ("sv", "en")


class SettingsError(ValueError):
    """The settings are wrong; one line says where and what to do."""


@dataclass(frozen=True, slots=True)
class RoomSection:
    """[room]: where the test room is."""

    url: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class CheckSection:
    """[check]: how to test. `policy` is the huvudman's own policy file."""

    seconds: float | None = None
    language: str | None = None
    policy: str | None = None
    budget_mb: float | None = None


@dataclass(frozen=True, slots=True)
class MeetingSection:
    """[meeting]: which meeting service. `profile`: a shipped profile's name, or the path of a huvudman's own file."""

    profile: str | None = None


@dataclass(frozen=True, slots=True)
class AgentSection:
    """[agent]: the background service. The last four: what it does only if it may."""

    every_minutes: float = 360.0
    daily_mb: float = 250.0
    listen: str = "127.0.0.1:8864"
    textfile: str | None = None
    only: str | None = None
    skip: str | None = None
    flows: bool = True
    all_links: bool = False
    metered: bool = False
    battery: bool = False
    devices: bool = False


@dataclass(frozen=True, slots=True)
class PushSection:
    """[push]: metrics that leave this computer."""

    remote_write: str | None = None
    token: str | None = None
    labels: str | None = None
    pushgateway: str | None = None
    spool_mb: float = 100.0


@dataclass(frozen=True, slots=True)
class CollectorSection:
    """[collector]: the room that self-tests are handed in to. `url` "room": the one of [room], with its token."""

    url: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    room: RoomSection = RoomSection()
    check: CheckSection = CheckSection()
    meeting: MeetingSection = MeetingSection()
    agent: AgentSection = AgentSection()
    push: PushSection = PushSection()
    collector: CollectorSection = CollectorSection()


SECTIONS: Mapping[str, type] = {
    "room": RoomSection,
    "check": CheckSection,
    "meeting": MeetingSection,
    "agent": AgentSection,
    "push": PushSection,
    "collector": CollectorSection,
}


def default_path() -> Path:
    """Where the file is looked for: the variable MOTESKLAR_SETTINGS, else the user's configuration folder."""
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_config_dir("motesklar", appauthor=False)) / "settings.toml"


def state_folder() -> Path:
    """Where the program keeps what it makes itself: the room's certificate, the agent's reports and pseudonym."""
    import platformdirs

    return Path(platformdirs.user_data_dir("motesklar", appauthor=False))


def plain(settings: Settings) -> dict[str, dict[str, Any]]:
    """The same as tables for `parse`: for a child process."""
    tables = asdict(settings).items()
    return {name: {key: value for key, value in table.items() if value is not None} for name, table in tables}


def load(path: Path | None = None) -> Settings:
    """Read the file; a default file that is not there means the defaults. Raises SettingsError."""
    named = path is not None or FILE_VARIABLE in os.environ
    path = path or default_path()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"there is no settings file {path}") from None
        data = {}
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number without end, a nesting without end
        raise SettingsError(f"the settings file {path} is not valid TOML: {error}") from None
    settings = parse(data, str(path))
    if token := os.environ.get(TOKEN_VARIABLE):
        return replace(settings, room=RoomSection(settings.room.url, token))
    return settings


def parse(data: Mapping[str, Any], where: str) -> Settings:
    """Build Settings from a parsed file. `where` names the file in messages."""
    _known(data, {f.name for f in fields(Settings)}, where, "table")
    settings = Settings(**{name: kind(**_section(data, name, kind, where)) for name, kind in SECTIONS.items()})
    if settings.check.language not in (None, *LANGUAGES):
        raise SettingsError(f'{where}: check.language must be "sv" or "en"')
    return settings


def _section(data: Mapping[str, Any], name: str, kind: type, where: str) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: [{name}] must be a table")
    types = {f.name: str(f.type) for f in fields(kind)}
    _known(table, set(types), where, f"key in [{name}]")
    return {key: _typed(value, types[key], f"{where}: {name}.{key}") for key, value in table.items()}


def _typed(value: Any, wanted: str, where: str) -> str | float | bool:
    if wanted.startswith("str"):
        if isinstance(value, str):
            return value
        raise SettingsError(f"{where} must be text in quotes")
    if wanted == "bool":
        if isinstance(value, bool):
            return value
        raise SettingsError(f"{where} must be true or false")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise SettingsError(f"{where} must be a number above 0")
    return float(value)


def _known(table: Mapping[str, Any], names: set[str], where: str, what: str) -> None:
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(names))}"
            raise SettingsError(f"{where}: unknown {what}: {key}; {hint}")
