"""HTML and SVG made so that text can never become markup: what is not Html is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})


class Html(str):
    """Markup, as it is."""

    __slots__ = ()


def tag(name: str, /, *inside: object, **attributes: str | float | bool | None) -> Html:
    """An element. `class_` is class, `aria_label` is aria-label; True: the name alone; None and False: left out."""
    head = name + "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{head}>" if name in _VOID else f"<{head}>{join(*inside)}</{name}>")


def join(*parts: object) -> Html:
    """One after another; None is nothing, text is escaped."""
    return Html("".join(_flat(parts)))


def _flat(parts: Iterable[object]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, Html):
            yield part
        elif isinstance(part, str | int | float):
            yield html.escape(str(part))
        elif isinstance(part, Iterable):
            yield from _flat(part)
        elif part is not None:
            raise TypeError(f"not to be shown: {type(part).__name__}")


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'
