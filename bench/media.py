"""The confusion tables of picture and sound analysis, over more than 1000 made cases each. Kept in docs/media.md."""

from __future__ import annotations

import argparse

from bench import media_picture, media_sound


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench media", description=__doc__)
    parser.add_argument(
        "--pictures", type=int, default=media_picture.CASES, help="cases of each class of picture; 0: none"
    )
    parser.add_argument("--sounds", type=int, default=media_sound.CASES, help="cases of each class of sound; 0: none")
    chosen = parser.parse_args()
    for title, cases, table in (
        ("Picture", chosen.pictures, media_picture.table),
        ("Sound", chosen.sounds, media_sound.table),
    ):
        if cases:
            print(f"## {title}\n\n{table(cases)}")


if __name__ == "__main__":
    main()
