"""The frame around each view: head, navigation, filter; and what the browser is told to keep to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from reports.advice import LANGUAGES, Lang
from reports.store.shapes import LONGEST_NAME
from testroom.it.markup import Html, join, tag
from testroom.it.query import DAYS, UNIT_MARK, USUAL_DAYS, Query
from testroom.it.texts import say, unit_text

# No script at all, no inline style; forms go to this room only; nobody may frame the page. The room's own Origin must
# come with forms, so the Referrer-Policy is not "no-referrer".
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
VIEWS = {"overview": "/it", "network": "/it/network", "equipment": "/it/equipment", "room": "/it/room"}
LANGUAGE_NAMES = {"sv": "Svenska", "en": "English"}


@dataclass(frozen=True, slots=True)
class Frame:
    """`view`: a key of VIEWS or "". `asked`: the query as it came, for the links to other languages.

    `units`: to choose from; None: this page has no filter. `path` is the page's own.
    """

    q: Query
    path: str
    asked: Sequence[tuple[str, str]] = ()
    organisation: str = ""
    view: str = ""
    units: Sequence[str] | None = None
    period: bool = False  # is there a period to choose, though no unit?
    form: bool = True  # is there a login to end?
    readiness: bool = False  # does the room have the page /readiness?


def document(frame: Frame, title: str, *body: object) -> str:
    """A whole page."""
    lang = frame.q.lang
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{title} · Mötesklar"),
        tag("link", rel="icon", href="/it/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/it/it.css"),
    )
    skip = tag("a", say("skip", lang), href="#main", class_="skip")
    main = tag("main", tag("h1", title), _filter(frame), *body, id="main", tabindex=-1)
    foot = tag("footer", tag("p", say("foot", lang))) if frame.organisation else None
    return "<!doctype html>\n" + tag("html", head, tag("body", skip, _top(frame), main, foot), lang=lang)


def _top(frame: Frame) -> Html:
    lang = frame.q.lang
    brand = tag("span", tag("img", src="/it/icon.svg", alt="", width=28, height=28), "Mötesklar", class_="brand")
    who = tag("span", frame.organisation, class_="organisation") if frame.organisation else None
    return tag(
        "header",
        tag("div", brand, who, tag("div", _languages(frame), _leave(frame), class_="end"), class_="top"),
        tag("div", _views(frame, lang), _find(frame), class_="ways") if frame.organisation else None,
    )


def _views(frame: Frame, lang: Lang) -> Html:
    links = [
        tag(
            "a", say(f"view_{view}", lang), href=frame.q.href(path), aria_current="page" if view == frame.view else None
        )
        for view, path in VIEWS.items()
    ]
    if frame.readiness:
        links.append(tag("a", say("view_readiness", lang), href="/readiness"))
    return tag("nav", links, aria_label=say("views", lang), class_="views")


def _find(frame: Frame) -> Html:
    """A machine by its name, or a self-test by the code that somebody reads out over the telephone."""
    what = say("find", frame.q.lang)
    asked = dict(frame.asked).get("find", "")
    field = tag(
        "input",
        type="search",
        name="find",
        value=asked,
        required=True,
        maxlength=LONGEST_NAME,
        placeholder=what,
        aria_label=what,
        autocomplete="off",
        spellcheck="false",
    )
    button = tag("button", say("find_button", frame.q.lang), type="submit", class_="plain")
    return tag("form", field, button, method="get", action="/it/find", role="search", aria_label=what, class_="find")


def _languages(frame: Frame) -> Html:
    kept = [(key, value) for key, value in frame.asked if key != "lang"]
    links = [
        tag(
            "a",
            LANGUAGE_NAMES[each],
            href=f"{frame.path}?{urlencode([*kept, ('lang', each)])}",
            lang=each,
            hreflang=each,
            aria_current="true" if each == frame.q.lang else None,
        )
        for each in LANGUAGES
    ]
    return tag("nav", links, aria_label=say("languages", frame.q.lang), class_="languages")


def _leave(frame: Frame) -> Html | None:
    if not (frame.organisation and frame.form):
        return None
    button = tag("button", say("leave", frame.q.lang), type="submit", class_="plain")
    return tag("form", button, method="post", action="/it/logout")


def _filter(frame: Frame) -> Html | None:
    """A form that the browser itself sends: works without script."""
    if frame.units is None and not frame.period:
        return None
    q, lang = frame.q, frame.q.lang
    days = [tag("option", say(f"days_{d}", lang), value=d, selected=d == q.days) for d in DAYS]
    kept = ("level", "fails", "owner", "find") if frame.units is not None else ("unit",)
    hidden = [tag("input", type="hidden", name=key, value=value) for key, value in frame.asked if key in kept]
    reset = None
    if q.days != USUAL_DAYS or (q.unit is not None and frame.units is not None):
        reset = tag("a", say("filter_reset", lang), href=frame.path)
    return tag(
        "form",
        hidden,
        _unit_choice(frame.units, q) if frame.units is not None else None,
        tag("label", tag("span", say("period", lang)), tag("select", days, name="days")),
        tag("button", say("show", lang), type="submit"),
        reset,
        method="get",
        action=frame.path,
        class_="filter",
        role="search",
        aria_label=say("filter", lang),
    )


def _unit_choice(units: Sequence[str], q: Query) -> Html:
    options = [tag("option", say("unit_all", q.lang), value="", selected=q.unit is None)]
    known = [*units, *([q.unit] if q.unit is not None and q.unit not in units else [])]
    options += [tag("option", unit_text(u, q.lang), value=UNIT_MARK + u, selected=u == q.unit) for u in known]
    select = tag("select", options, name="unit")
    return tag("label", tag("span", say("unit", q.lang)), select, class_="for-unit")


def login_form(frame: Frame, next_: str, error: str = "") -> str:
    """The form that takes an organisation's token. `error`: what was wrong with the last one."""
    lang = frame.q.lang
    told = tag("p", error, class_="error", id="error", role="alert") if error else None
    field = tag(
        "input",
        type="password",
        name="token",
        id="token",
        required=True,
        autocomplete="current-password",
        autocapitalize="off",
        spellcheck="false",
        maxlength=400,
        autofocus=True,
        aria_describedby="error hint" if error else "hint",
        aria_invalid="true" if error else None,
    )
    form = tag(
        "form",
        tag("label", say("token", lang), for_="token"),
        told,
        field,
        tag("p", say("token_hint", lang), class_="quiet", id="hint"),
        tag("input", type="hidden", name="next", value=next_),
        tag("button", say("enter", lang), type="submit"),
        method="post",
        action=f"/it/login?lang={lang}",
        class_="card login",
    )
    return document(frame, say("login_title", lang), tag("p", say("login_lead", lang), class_="lead"), form)


def message(frame: Frame, title: str, words: str, *more: object) -> str:
    """A page that says one thing, and the way on."""
    back = tag("p", tag("a", say("back", frame.q.lang), href=frame.q.href("/it"))) if frame.organisation else None
    return document(frame, title, join(tag("p", words, class_="lead"), *more, back))
