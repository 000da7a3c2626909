"""A PDF read back by pypdf: what a screen reader would find in it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader


class Pdf:
    """`tags`: the structure elements in reading order; `text`: of all pages."""

    def __init__(self, raw: bytes) -> None:
        self.reader = PdfReader(io.BytesIO(raw))
        self.root: Any = self.reader.trailer["/Root"]
        self.text = "\n".join(page.extract_text() for page in self.reader.pages)
        self.elements = list(_walk(self.root["/StructTreeRoot"]))
        self.tags = [str(element["/S"]).lstrip("/") for element in self.elements]

    @property
    def conformance(self) -> str:
        """The part of PDF/UA that the metadata claim."""
        metadata = self.root["/Metadata"].get_object().get_data().decode()
        _, _, rest = metadata.partition("<pdfuaid:part>")
        return rest.partition("<")[0]

    def check(self, lang: str) -> None:
        """What ISO 14289-1 asks for and can be seen from here."""
        assert self.conformance == "1"
        assert self.root["/MarkInfo"]["/Marked"]
        assert str(self.root["/Lang"]) == lang
        assert self.root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert self.reader.metadata is not None
        assert self.reader.metadata.title
        assert all(page.get("/Tabs") == "/S" or "/Annots" not in page for page in self.reader.pages)
        _check_headings([tag for tag in self.tags if tag.startswith("H") and tag[1:].isdigit()])
        heads = [element for element in self.elements if element["/S"] == "/TH"]
        assert all(_scope(element) in ("/Column", "/Row", "/Both") for element in heads)

    def fonts_are_embedded(self) -> bool:
        """Every font of every page is in the file."""
        return all(_embedded(font.get_object()) for page in self.reader.pages for font in _fonts(page))


def _walk(node: Any) -> Iterator[Any]:
    node = node.get_object()
    if isinstance(node, list):
        for each in node:
            yield from _walk(each)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from _walk(node["/K"])


def _check_headings(levels: list[str]) -> None:
    """The first is the first level, and none is skipped on the way down."""
    depth = 0
    for level in (int(tag[1:]) for tag in levels):
        assert level <= depth + 1, levels
        depth = level


def _scope(element: Any) -> str:
    attributes = element.get("/A", {})
    found = attributes.get_object() if hasattr(attributes, "get_object") else attributes
    return next((str(each.get_object()["/Scope"]) for each in (found if isinstance(found, list) else [found])
                 if "/Scope" in each.get_object()), "")  # fmt: skip


def _fonts(page: Any) -> list[Any]:
    return list(page["/Resources"].get("/Font", {}).values())


def _embedded(font: Any) -> bool:
    of = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
    descriptor = of["/FontDescriptor"].get_object()
    return any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3"))
