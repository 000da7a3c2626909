"""Reading a policy file: TOML tables, and typed getters whose errors name the file, the row and the remedy."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

Table = dict[str, Any]


class PolicyError(ValueError):
    """A policy that cannot be used. The message is one line: file, row, what is wrong, what to do."""


def read(path: Path, what: str = "policy") -> Table:
    """The tables of a file of that kind. Raises PolicyError when it is missing, unreadable or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PolicyError(f"{path}: there is no such {what} file; check the path") from None
    except OSError as e:
        raise PolicyError(f"{path}: cannot be read ({e.strerror}); check the path and its permissions") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as e:
        raise PolicyError(f"{path}: is not valid TOML ({' '.join(str(e).split())}); mend that line") from None


def table(data: Table, name: str, where: str) -> Table:
    """A table of `data`, empty when it is not there."""
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise PolicyError(
            f"{where}: [{name}] must be a table, not {_kind(found)}; write it as [{name}] or [{name}.ROW]"
        )
    return found


def one_of(word: str, known: Collection[str], where: str, what: str) -> None:
    """Refuse a word that is not known, and name the nearest one."""
    if word not in known:
        raise PolicyError(f"{where}: unknown {what} {word!r}; {_remedy(word, known)}")


def _remedy(word: str, known: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"use one of {', '.join(sorted(known))}" if len(known) <= 24 else "see docs/policy.md"


def _kind(value: object) -> str:
    names = {bool: "true or false", str: "text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date")


class RowReader:
    """One row of the file: getters that check the type of each key."""

    def __init__(self, data: Mapping[str, Any], where: str, keys: Collection[str]) -> None:
        """Refuse a key that is none of `keys`."""
        self.data, self.where = data, where
        for key in data:
            one_of(key, keys, where, "key")

    def fail(self, what: str) -> PolicyError:
        """The error to raise about this row."""
        return PolicyError(f"{self.where}: {what}")

    def need(self, keys: Collection[str], known_rows: Collection[str] = ()) -> None:
        """A new row must be whole; a missing key may also mean that the row's name is misspelt."""
        missing = [key for key in keys if key not in self.data]
        if missing:
            row = self.where.rpartition(".")[2].rstrip("]")
            hint = f", or change its name: {_remedy(row, known_rows)}" if row not in known_rows and known_rows else ""
            raise self.fail(f"lacks {', '.join(missing)}; a new row needs them{hint}")

    def text(self, key: str, known: Collection[str] | None = None) -> str:
        """Text; of `known` when that is given."""
        value = self.data[key]
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"{key} must be text, not {_shown(value)}; put it in quotation marks")
        if known is not None:
            one_of(value, known, self.where, key)
        return value

    def option(self, key: str, known: Collection[str] | None = None) -> str | None:
        """Text, or None when the row does not say."""
        return self.text(key, known) if key in self.data else None

    def flag(self, key: str) -> bool:
        """True or false; false when the row does not say."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(f"{key} must be true or false, not {_shown(value)}")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self._as_number(key, self.data[key])
        if math.isinf(value):
            raise self.fail(f"{key} must be a finite number, not {value}; leave the key out for no limit")
        return value

    def pair(self, key: str) -> tuple[float, float]:
        """Two numbers in ascending order; inf and -inf say "no limit"."""
        value = self.data[key]
        if not isinstance(value, list) or len(value) != 2:
            raise self.fail(f"{key} must be two numbers, as in [-35.0, -15.0], not {_shown(value)}")
        low, high = (self._as_number(key, v) for v in value)
        if low > high:
            raise self.fail(f"{key} = [{low:g}, {high:g}] is upside down; write the lower number first")
        return low, high

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words, empty when the row does not say."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.fail(f'{key} must be a list of words, as in ["direct"], not {_shown(value)}')
        return tuple(value)

    def _as_number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(f"{key} must be a number in SI base units, not {_shown(value)}")
        if isinstance(value, float) and math.isnan(value):
            raise self.fail(f"{key} must be a number, not nan")
        return float(value)


def _shown(value: object) -> str:
    return f"{_kind(value)} ({str(value)[:40]})"
