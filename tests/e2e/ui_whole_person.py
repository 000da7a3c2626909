"""A person at the staff page: reads what it asks, listens, reads aloud, looks, and presses what is to be pressed.

`Person.begins()`, and `attends()` until there is an answer; what the page says then is `answer_on(page)`.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.ui.state import ANSWERS
from tests.e2e.ui_pages import pictured, unfold
from tests.e2e.ui_whole import Sound
from tests.media_check.overheard import Overheard, likeness, sounding
from tests.media_check.pulse import RATE
from tests.media_check.voices import read_aloud

if TYPE_CHECKING:
    from playwright.sync_api import Page

WEB = Path(__file__).parents[2] / "agent/ui/web"
TEXTS: dict[str, dict[str, str]] = {
    lang: json.loads((WEB / f"texts.{lang}.json").read_text("utf-8")) for lang in ("sv", "en")
}
SIZES = ((1280, 800), (390, 844))
LOOK_S, LONGEST_S = 6.0, 110.0
VOICE_DBFS, PAUSE_S = -24.0, 0.7
# Times of the page itself, in ms: the press that began it, the first result, the answer; and how long it asked.
WATCH = """before => {
  const seen = window.seen = { begun: 0, first: 0, answer: 0, asked: 0, asks: 0 };
  addEventListener("click", () => { seen.begun = performance.now(); }, { capture: true, once: true });
  if (window.watcher) window.watcher.disconnect();
  window.watcher = new MutationObserver(() => {
    const now = performance.now(), found = s => document.querySelector(s) !== null;
    const code = document.querySelector(".code");
    if (!seen.first && found(".running .links li, .running .results li, .running .says")) seen.first = now;
    if (!seen.answer && code && code.textContent !== before) seen.answer = now;
    const asks = found(".running .answers button");
    if (asks && !seen.asks) seen.asks = now;
    if (!asks && seen.asks) { seen.asked += now - seen.asks; seen.asks = 0; }
  });
  window.watcher.observe(document.body, { childList: true, subtree: true, attributes: true });
}"""
LOOK = """() => {
  const text = s => { const e = document.querySelector(s); return e ? e.textContent.trim() : ""; };
  return { title: text("main [data-place]"), step: text(".step.open .where .name"), code: text(".code"),
    answered: document.querySelector(".card.answer") !== null, hint: text(".hint"),
    asks: document.querySelector(".running .answers button:not([aria-disabled])") !== null };
}"""
ANSWER = """() => {
  const text = (e, s) => { const f = e.querySelector(s); return f ? f.textContent.trim() : ""; };
  const steps = {};
  for (const li of document.querySelectorAll("[aria-labelledby=tested] .steps > li"))
    steps[text(li, ".name").replace(/:$/, "")] = [text(li, ".level"), li.textContent];
  return { headline: text(document, ".answer h1"), means: text(document, ".means"), action: text(document, ".next p"),
    code: text(document, ".code"), offers: [...document.querySelectorAll(".offer")].map(e => e.textContent.trim()),
    untested: text(document, ".note"), steps };
}"""


@dataclass(frozen=True)
class Shown:
    """The answer as it is read on the page. `steps`: by their name there, (the word for the level, all it says)."""

    headline: str
    means: str
    action: str
    code: str
    offers: list[str]
    untested: str
    steps: dict[str, list[str]]


def answer_on(page: Page) -> Shown:
    """As it stands there now."""
    return Shown(**page.evaluate(ANSWER))


@dataclass(frozen=True)
class Figures:
    """Seconds: to the first result, to the answer, and of these those that the page waited for the person."""

    first: float
    whole: float
    waited: float

    @property
    def alone(self) -> float:
        return self.whole - self.waited


class Album:
    """Pictures of what the page shows, each title once, at both widths; none unless they are wanted."""

    def __init__(self, page: Page, folder: Path | None, name: str) -> None:
        self._page, self._folder, self._name = page, folder, name
        self._had: set[str] = set()

    def take(self, title: str) -> None:
        if self._folder is None or title in self._had:
            return
        self._had.add(title)
        kept = "".join(c if c.isalnum() else "-" for c in title.lower())
        for width, height in SIZES:
            self._page.set_viewport_size({"width": width, "height": height})
            pictured(self._page, self._folder / f"{self._name}-{len(self._had):02}-{kept}-{width}.png")
        self._page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})

    def take_unfolded(self) -> None:
        """All that is folded away, too; it stays unfolded."""
        unfold(self._page)
        self.take("unfolded")


@dataclass
class Person:
    """`heard`: what comes out of their headset. `asked`: the questions' kinds, in order; `likeness`: to their voice."""

    page: Page
    lang: str
    sound: Sound
    heard: Overheard
    album: Album
    listens: bool = True
    asked: list[str] = field(default_factory=list)
    likeness: float | None = None
    _reading: ExitStack = field(default_factory=ExitStack)
    _since: int = 0
    _played: bool = False
    _looks: float = 0.0

    @property
    def words(self) -> dict[str, str]:
        return TEXTS[self.lang]

    def begins(self) -> None:
        """Answers the first question, which starts the test."""
        self.page.locator("main[data-revision]").wait_for()
        self.album.take("start")
        self.page.evaluate(WATCH, "")
        self._since = self.heard.count
        self.page.get_by_role("button", name=self.words["company_alone"]).click()

    def tests_again(self, code: str) -> None:
        """What the action concerned. `code`: of the answer that stands there."""
        self.page.evaluate(WATCH, code)
        self._since, self._looks = self.heard.count, 0.0
        self.page.locator(".answer .answers button").click()

    def attends(self, before: str = "") -> Figures:
        """Until there is an answer with another code than the one `before`."""
        kinds, until = {self.words[f"ask_{kind}"]: kind for kind in ANSWERS}, time.monotonic() + LONGEST_S
        with self._reading:
            while not ((seen := self.page.evaluate(LOOK))["answered"] and seen["code"] != before):
                assert time.monotonic() < until, seen
                if not seen["answered"]:
                    self.album.take(f"{seen['step']} {seen['title']}")
                if seen["asks"] and seen["title"] in kinds:
                    self._answer(kinds[seen["title"]], seen)
                self.page.wait_for_timeout(50)
        times = {name: ms / 1000 for name, ms in self.page.evaluate("window.seen").items()}
        return Figures(times["first"] - times["begun"], times["answer"] - times["begun"], times["asked"])

    def _answer(self, kind: str, seen: dict[str, Any]) -> None:
        answer: str | None = getattr(self, f"_{kind}")(seen)
        if answer is None:
            return
        if not self.asked or self.asked[-1] != kind:
            self.asked.append(kind)
        self.page.get_by_role("button", name=self.words[f"answer_{kind}_{answer}"], exact=True).click()
        if (kind, answer) == ("speak", "go"):
            self._reads()

    def _heard(self, _: dict[str, Any]) -> str:
        """The truth."""
        return "yes" if len(sounding(self.heard.sound(self._since))) > RATE / 5 else "no"

    def _speak(self, _: dict[str, Any]) -> str:
        return "go"

    def _reads(self) -> None:
        self._reading.enter_context(self.sound.pulse.playing("room", sentence(self.lang)))

    def _own_voice(self, _: dict[str, Any]) -> str:
        self._reading.close()
        if self.listens and not self._played:
            self._played, self._since = True, self.heard.count
            return "play"
        if self._played and self.likeness is None:
            self.likeness = likeness(sounding(self.heard.sound(self._since)), sentence(self.lang))
        return "next"

    def _picture(self, seen: dict[str, Any]) -> str | None:
        """Looks until the page says something of it."""
        self._looks = self._looks or time.monotonic()
        return "good" if seen["hint"] or time.monotonic() - self._looks > LOOK_S else None


def sentence(lang: str) -> Any:
    """The one on the page, read aloud by espeak over and over; whoever reads it draws breath."""
    first, second = np.array_split(read_aloud(TEXTS[lang]["sentence"], lang, 0, RATE), 2)
    pause = np.zeros(round(PAUSE_S * RATE))
    return np.concatenate([first, pause, second, pause]) * 10 ** (VOICE_DBFS / 20)
