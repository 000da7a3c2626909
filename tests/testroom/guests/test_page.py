"""The page's files: texts in both languages, each used; nothing inline, nothing from elsewhere; the right language."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from reports.advice import LANGUAGES
from testroom.guests.page import FOLDER, TYPES, files, language, page, texts
from testroom.guests.record import FAILED, LOSSES, RANGES, REASONS, SCHEMA, WORDS

SCRIPTS = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.js")}
SOURCES = [*SCRIPTS.values(), (FOLDER / "page.html").read_text("utf-8")]
BY_SERVER = {"camera", "microphone", "without_camera", "without_microphone"} | {
    f"{device}_{word}_{part}"
    for device in ("camera", "microphone")
    for word in WORDS[device]
    if word != "ok"
    for part in ("says", "do")
}


# Said by devices.js and stats.js, and by the browser itself.
ELSEWHERE = {*WORDS["camera"], *WORDS["candidate_pair"], "turn_udp", "turn_tcp", "turn_tls", "direct"}


def used() -> set[str]:
    """Every word in quotes or in a place for a text."""
    return {name for source in SOURCES for name in re.findall(r"[\"{](\w+)[\"}]", source)}


def test_both_languages_say_the_same_things():
    assert texts("sv").keys() == texts("en").keys()
    for key, sentence in texts("sv").items():
        assert sentence.strip()
        assert re.findall(r"{\w+}", sentence) == re.findall(r"{\w+}", texts("en")[key])


def test_each_text_is_used_and_each_used_is_there():
    known = texts("en").keys()
    assert known - used() - BY_SERVER == set()
    asked = {key for source in SOURCES for key in re.findall(r"\bt\(\"(\w+)\"|data-(?:t|label)=\"(\w+)\"", source)}
    named = {key for pair in asked for key in pair if key}
    named |= {key for key in used() if key.endswith(("_title", "_do", "_says")) or key.startswith(("level_", "step_"))}
    assert named - known == set()
    assert known >= BY_SERVER


def test_the_only_sentence_that_differs_not_is_the_name():
    same = {key for key, text in texts("sv").items() if texts("en")[key] == text}
    assert same == set()


class Reader(HTMLParser):
    """Elements with their attributes, and whether there is anything inline."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.seen and self.seen[-1][0] in ("script", "style"):
            self.inline += data.strip()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_whole_without_script_and_has_nothing_inline(lang: str):
    reader = Reader()
    reader.feed(page(lang))  # type: ignore[arg-type]
    assert "{{" not in page(lang)  # type: ignore[arg-type]
    assert dict(reader.seen)["html"] == {"lang": lang}
    assert reader.inline == ""
    attributes = [(name, value) for _, attrs in reader.seen for name, value in attrs.items()]
    assert [name for name, _ in attributes if name == "style" or name.startswith("on")] == []
    for name, value in attributes:
        if name in ("src", "href"):
            url = urlsplit(value or "")
            assert (url.scheme, url.netloc) == ("", ""), value
            assert not url.path or url.path.removeprefix("/test/") in files(), value


def test_nothing_comes_from_elsewhere():
    for name, source in [*SCRIPTS.items(), ("page.css", (FOLDER / "page.css").read_text("utf-8"))]:
        assert "//" not in re.sub(r"^\s*//.*$|https?://www\.w3\.org\S*|; //.*$", "", source, flags=re.MULTILINE), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(|document\.write|@import|url\(", source), name


def test_each_file_has_a_type_and_is_small():
    assert {path.name for path in FOLDER.iterdir()} == {*files(), "page.html"}
    assert all(name[name.rindex(".") :] in TYPES for name in files())
    assert sum(map(len, files().values())) < 100_000


def test_the_scripts_say_only_what_the_room_reads():
    call = SCRIPTS["call.js"]
    quoted = set(re.findall(r"\"(\w+)\"", call))
    assert f'"{SCHEMA}"' in call
    assert {code for codes in FAILED.values() for code in codes} | FAILED.keys() <= quoted
    assert REASONS.keys() <= quoted
    assert {name for name in quoted if name.endswith(("_seconds", "_ratio", "_per_second"))} <= {*RANGES, *LOSSES}
    assert {word for words in WORDS.values() for word in words} - quoted <= ELSEWHERE


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "", "sv"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        (None, "en;q=0.3, sv;q=0.5", "sv"),
        (None, "fi, en;q=0.5", "en"),
        (None, "fi", "sv"),
        (None, "en;q=0", "sv"),
        (None, "en;q=x", "sv"),
        (None, ";;;,,,q=1", "sv"),
        ("en", "sv", "en"),
        ("sv", "en", "sv"),
        ("de", "en", "en"),
        ("", "en", "en"),
    ],
)
def test_the_language(asked: str | None, accepted: str, expected: str):
    assert language(asked, accepted) == expected
