from pathlib import Path

import pytest

from agent import settings
from agent.settings import (
    AgentSection,
    CheckSection,
    CollectorSection,
    MeetingSection,
    PushSection,
    RoomSection,
    Settings,
    SettingsError,
    load,
    parse,
    plain,
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (settings.TOKEN_VARIABLE, settings.FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "settings.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", Settings()),
        ("[room]", Settings()),
        ('[room]\nurl = "https://a"', Settings(room=RoomSection("https://a"))),
        ('[room]\nurl = "https://a"\ntoken = "t"', Settings(room=RoomSection("https://a", "t"))),
        ("[check]\nseconds = 3", Settings(check=CheckSection(seconds=3.0))),
        ("[check]\nbudget_mb = 2.5", Settings(check=CheckSection(budget_mb=2.5))),
        ('[meeting]\nprofile = "jonkoping"', Settings(meeting=MeetingSection("jonkoping"))),
        ("[agent]\nevery_minutes = 30\nbattery = true", Settings(agent=AgentSection(every_minutes=30.0, battery=True))),
        ('[push]\nlabels = "a=b"\nspool_mb = 2', Settings(push=PushSection(labels="a=b", spool_mb=2.0))),
        ('[collector]\nurl = "room"', Settings(collector=CollectorSection("room"))),
        ('[check]\nlanguage = "sv"\npolicy = "p.toml"', Settings(check=CheckSection(language="sv", policy="p.toml"))),
    ],
)
def test_good_files(tmp_path: Path, content: str, expected: Settings) -> None:
    assert load(written(tmp_path, content)) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("rom = 1", "unknown table: rom; did you mean room?"),
        ("zzz = 1", "unknown table: zzz; known are agent, check, collector, meeting, push, room"),
        ('[room]\nurll = "x"', "unknown key in [room]: urll; did you mean url?"),
        ('[room]\nqqq = "x"', "unknown key in [room]: qqq; known are token, url"),
        ("[check]\nsecond = 3", "unknown key in [check]: second; did you mean seconds?"),
        ("room = 3", "[room] must be a table"),
        ("room = []", "[room] must be a table"),
        ("[[check]]", "[check] must be a table"),
        ("[room]\nurl = 3", "room.url must be text in quotes"),
        ("[room]\ntoken = true", "room.token must be text in quotes"),
        ('[check]\nseconds = "3"', "check.seconds must be a number above 0"),
        ("[check]\nseconds = true", "check.seconds must be a number above 0"),
        ("[check]\nseconds = 0", "check.seconds must be a number above 0"),
        ("[check]\nseconds = -5", "check.seconds must be a number above 0"),
        ("[check]\nseconds = nan", "check.seconds must be a number above 0"),
        ("[check]\nseconds = inf", "check.seconds must be a number above 0"),
        ("[check]\nseconds = 1" + "0" * 400, "check.seconds must be a number above 0"),
        ("[check]\nbudget_mb = 1979-05-27", "check.budget_mb must be a number above 0"),
        ("[check]\nbudget_mb = []", "check.budget_mb must be a number above 0"),
        ('[check]\nlanguage = "no"', 'check.language must be "sv" or "en"'),
        ("[check]\nlanguage = 1", "check.language must be text in quotes"),
        ("[meeting]\nprofile = 1", "meeting.profile must be text in quotes"),
        ("[agent]\nbattery = 1", "agent.battery must be true or false"),
        ('[agent]\nbattery = "yes"', "agent.battery must be true or false"),
        ("[agent]\nevery_minutes = 0", "agent.every_minutes must be a number above 0"),
        ("[agent]\nevery_minutes = true", "agent.every_minutes must be a number above 0"),
        ("[push]\nremote_write = 1", "push.remote_write must be text in quotes"),
        ('[collector]\nurls = "x"', "unknown key in [collector]: urls; did you mean url?"),
        ('[meeting]\nprofil = "x"', "unknown key in [meeting]: profil; did you mean profile?"),
        ("[room", "is not valid TOML"),
        ("[room]\n[room]", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"\0", "is not valid TOML"),
        ("[check]\nseconds = " + "9" * 5000, "is not valid TOML"),
        ("a = " + "[" * 5000, "is not valid TOML"),
    ],
)
def test_wrong_files(tmp_path: Path, content: str | bytes, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SettingsError) as error:
        load(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_no_file_at_the_default_place_means_the_defaults() -> None:
    assert load() == Settings()


def test_the_default_place_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config" / "motesklar" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[check]\nseconds = 4")
    assert load().check.seconds == 4


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_a_named_file_must_be_there(tmp_path: Path, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "none.toml"
    if by == "variable":
        monkeypatch.setenv(settings.FILE_VARIABLE, str(missing))
    with pytest.raises(SettingsError, match="there is no settings file"):
        load(missing if by == "argument" else None)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read the settings file"):
        load(tmp_path)


def test_the_tokens_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(
        tmp_path, '[room]\nurl = "https://a"\ntoken = "file"\n[check]\nseconds = 2\n[meeting]\nprofile = "p"'
    )
    monkeypatch.setenv(settings.TOKEN_VARIABLE, "variable")
    assert load(path) == Settings(RoomSection("https://a", "variable"), CheckSection(seconds=2.0), MeetingSection("p"))


def test_a_token_is_in_no_message(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(written(tmp_path, '[room]\ntoken = "very secret"\nlink = "x"'))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "content", ["", "[agent]\nflows = false", '[room]\nurl = "u"\ntoken = "t"\n[agent]\nmetered = true\ndaily_mb = 7']
)
def test_a_child_process_gets_the_same(tmp_path: Path, content: str) -> None:
    settings = load(written(tmp_path, content))
    assert parse(plain(settings), "here") == settings
