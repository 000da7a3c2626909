from pathlib import Path

import pytest

from testroom.tokens import TokenFileError, Tokens, read

A, B = "a secret of 21 octets", "b secret of 21 octets"


def test_reads_organisations(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(f'[tokens]\nhabo = "{A}"\n"mullsjö" = "{B}å"\n', "utf-8")
    tokens = read(path)
    assert [tokens.organisation(t) for t in (A, B + "å", B, "", A.upper())] == ["habo", "mullsjö", None, None, None]


def test_reads_guest_keys(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(f'[tokens]\nhabo = "{A}"\nmullsjo = "{B}"\n[guests]\nhabo = "habo-2027"\n', "utf-8")
    tokens = read(path)
    assert [tokens.guests_of(key) for key in ("habo-2027", "", "habo", A)] == ["habo", None, None, None]
    assert tokens.organisation("habo-2027") is None


def test_a_token_that_is_no_unicode_belongs_to_nobody() -> None:
    assert Tokens({"habo": A}).organisation("\udcff" * 20) is None


def test_tokens_are_not_kept() -> None:
    assert A.encode() not in repr(vars(Tokens({"habo": A}))).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "needs one table [tokens]"),
        (b"[tokens]", "needs one table [tokens]"),
        (b"tokens = 3", "needs one table [tokens]"),
        (b'tokens = ["x"]', "needs one table [tokens]"),
        (b'[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"\n[other]\n', "needs one table [tokens]"),
        (b'[tokens]\nhabo = "short"', "the token of habo must be text of at least 16"),
        (b"[tokens]\nhabo = 1234567890123456789", "the token of habo must be text"),
        (b'[tokens]\nhabo = ["aaaaaaaaaaaaaaaaa"]', "the token of habo must be text"),
        (b'[tokens]\na = "aaaaaaaaaaaaaaaaa"\nb = "aaaaaaaaaaaaaaaaa"', "two organisations have the same token"),
        (b'[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"\n[guests]\nmullsjo = "mullsjo"', "names mullsjo, which has no token"),
        (b'guests = 3\n[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"', "[guests] is a table"),
        (b'[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"\n[guests]\nhabo = "abc"', "4 to 40 of"),
        (b'[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"\n[guests]\nhabo = "H\xc3\xa5bo"', "4 to 40 of"),
        (b'[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"\n[guests]\nhabo = 2027', "4 to 40 of"),
        (b'[tokens]\nhabo = "aaaaaaaaaaaaaaaaa"\n[guests]\nhabo = "aaaaaaaaaaaaaaaaa"', "and no token"),
        (
            b'[tokens]\na = "aaaaaaaaaaaaaaaaa"\nb = "aaaaaaaaaaaaaaaab"\n[guests]\na = "same"\nb = "same"',
            "have the same guest key",
        ),
        (b"[tokens", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
        (b"[tokens]\nhabo = " + b"9" * 5000, "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
    ],
)
def test_wrong_files(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_bytes(content)
    with pytest.raises(TokenFileError) as error:
        read(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)
    assert "aaaa" not in str(error.value), "a token in a message"


@pytest.mark.parametrize("there", ["missing", "folder"])
def test_files_that_cannot_be_read(tmp_path: Path, there: str) -> None:
    path = tmp_path / "tokens"
    if there == "folder":
        path.mkdir()
    with pytest.raises(TokenFileError, match="cannot read the token file"):
        read(path)
