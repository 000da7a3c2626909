"""Make the icons of Windows and macOS from the one that Linux takes as it is: run it when motesklar.svg has changed.

ICO: a table of pictures, each a PNG (Windows Vista and later). ICNS: blocks of a type that says the size, a length
and a PNG. Both as their makers publish them; sizes in pixels.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DRAWING = FOLDER / "linux" / "motesklar.svg"
ICO_SIZES = (16, 24, 32, 48, 64, 256)
ICNS_TYPES = {b"ic11": 32, b"ic12": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512}
_PAGE = '#set page(width: {0}pt, height: {0}pt, margin: 0pt, fill: none)\n#image("icon.svg", width: 100%, height: 100%)'


def png(size: int) -> bytes:
    """The drawing, `size` by `size`, with a transparent ground."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "icon.svg").write_bytes(DRAWING.read_bytes())
        (page := Path(folder) / "page.typ").write_text(_PAGE.format(size), "utf-8")
        made: bytes = typst.compile(str(page), format="png", ppi=72)
    return made


def ico(pictures: dict[int, bytes]) -> bytes:
    """By size; 256 is written as 0."""
    table, at = struct.pack("<HHH", 0, 1, len(pictures)), 6 + 16 * len(pictures)
    for size, picture in pictures.items():
        table += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    return table + b"".join(pictures.values())


def icns(pictures: dict[bytes, bytes]) -> bytes:
    """By type."""
    blocks = b"".join(kind + struct.pack(">I", 8 + len(picture)) + picture for kind, picture in pictures.items())
    return b"icns" + struct.pack(">I", 8 + len(blocks)) + blocks


def main() -> None:
    """Write both files."""
    (FOLDER / "windows" / "motesklar.ico").write_bytes(ico({size: png(size) for size in ICO_SIZES}))
    (FOLDER / "macos" / "motesklar.icns").write_bytes(icns({kind: png(n) for kind, n in ICNS_TYPES.items()}))


if __name__ == "__main__":
    main()
