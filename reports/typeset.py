"""PDF by typst: tagged, PDF/UA-1 (ISO 14289-1), with the fonts that typst brings, so that it is the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

STANDARD: Literal["ua-1"] = "ua-1"
# What those fonts can show, of what people may write in names: Latin, Greek, Cyrillic, punctuation, and our signs.
_SHOWN = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x45F), (0x1E00, 0x1EFF), (0x2010, 0x2027))
_SIGNS = frozenset("€−≤≥→✔✖↻□″′‹›")
_STRANGE = "□"


def pdf(template: Path, data: Mapping[str, Any], made_at: float) -> bytes:
    """The document that the template makes of `data`, which it finds in sys.inputs.data as JSON."""
    import typst

    shown = json.dumps(_showable(data), ensure_ascii=False)
    made: bytes = typst.compile(
        template.read_bytes(), ignore_system_fonts=True, format="pdf", sys_inputs={"data": shown},
        pdf_standards=STANDARD, timestamp=int(made_at),
    )  # fmt: skip
    return made


def _showable(thing: Any) -> Any:
    """A sign that no font has would be no valid PDF/UA: a box stands for it."""
    if isinstance(thing, str):
        return "".join(c if _is_shown(c) else _STRANGE for c in thing)
    if isinstance(thing, Mapping):
        return {key: _showable(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_showable(item) for item in thing]
    return thing


def _is_shown(sign: str) -> bool:
    return any(low <= ord(sign) <= high for low, high in _SHOWN) or sign in _SIGNS
