import hashlib
import socket
import ssl
import stat
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from testroom import certificate
from testroom.certificate import CertificateError, keep, make, read


def context(pair: certificate.Pair) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair.load_into(made)
    return made


def test_a_made_one_is_valid_now_and_known_by_its_fingerprint() -> None:
    pair = make()
    parsed = x509.load_pem_x509_certificate(pair.chain)
    assert parsed.not_valid_before_utc < datetime.now(UTC) < parsed.not_valid_after_utc
    assert pair.fingerprint == hashlib.sha256(parsed.public_bytes(serialization.Encoding.DER)).digest()
    context(pair)


def test_the_fingerprint_is_what_a_client_sees() -> None:
    pair = make()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    here, there = socket.socketpair()
    with here, there:
        asking, answering = (ssl.MemoryBIO(), ssl.MemoryBIO()), (ssl.MemoryBIO(), ssl.MemoryBIO())
        one = client.wrap_bio(*asking)
        two = context(pair).wrap_bio(*answering, server_side=True)
        for _ in range(5):
            for end, (_, out), (into, _) in ((one, asking, answering), (two, answering, asking)):
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                into.write(out.read())
        seen = one.getpeercert(binary_form=True)
    assert seen is not None
    assert hashlib.sha256(seen).digest() == pair.fingerprint


def test_keep_makes_one_and_finds_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    first, second = keep(folder), keep(folder)
    assert first.fingerprint == second.fingerprint
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    context(second)
    assert keep(tmp_path / "other").fingerprint != first.fingerprint


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n!", b"\xff" * 100])
def test_keep_does_not_overwrite_what_it_cannot_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "room.pem").write_bytes(content)
    with pytest.raises(CertificateError) as error:
        context(keep(tmp_path))
    assert "\n" not in str(error.value)
    assert (tmp_path / "room.pem").read_bytes() == content


def test_keep_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateError, match="cannot"):
        keep(tmp_path / "file" / "folder")


def files(tmp_path: Path, chain: bytes, key: bytes) -> tuple[Path, Path]:
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path, content in zip(paths, (chain, key), strict=True):
        path.write_bytes(content)
    return paths


def test_read(tmp_path: Path) -> None:
    pair, issuer = make(), make()
    for chain in (pair.chain, pair.chain + issuer.chain, b"subject=room\nBag Attributes\n" + pair.chain):
        found = read(*files(tmp_path, chain, pair.key))
        assert found.fingerprint == pair.fingerprint
        context(found)


def test_read_both_from_one_file(tmp_path: Path) -> None:
    pair = make()
    for both in (pair.key + pair.chain, pair.chain + pair.key):
        path, _ = files(tmp_path, both, b"")
        assert read(path, path).fingerprint == pair.fingerprint
        context(read(path, path))


def test_a_key_that_is_not_the_certificates(tmp_path: Path) -> None:
    pair = read(*files(tmp_path, make().chain, make().key))
    with pytest.raises(CertificateError, match="do not belong together"):
        context(pair)


@pytest.mark.parametrize(
    ("chain", "key"),
    [(b"", b""), (b"nonsense", b"x"), (b"\xff\xfe", b""), (b"-----BEGIN CERTIFICATE-----\n%%%%\n", b"")],
)
def test_what_is_no_certificate(tmp_path: Path, chain: bytes, key: bytes) -> None:
    with pytest.raises(CertificateError) as error:
        context(read(*files(tmp_path, chain, key)))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"no\.pem"):
        read(tmp_path / "no.pem", tmp_path / "no.key")


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    """In a process of its own with a terminal-less stdin: a question would be waited for."""
    pair = make()
    key = serialization.load_pem_private_key(pair.key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    paths = files(tmp_path, pair.chain, locked)
    code = (
        "import ssl, sys; from pathlib import Path; from testroom import certificate\n"
        "pair = certificate.read(*map(Path, sys.argv[1:]))\n"
        "try: pair.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))\n"
        "except certificate.CertificateError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "password" in done.stdout
    assert "phrase" not in done.stderr


def test_no_key_stays_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    context(make())
    with pytest.raises(CertificateError):
        context(certificate.Pair(make().chain, make().key, b""))
    assert not list(tmp_path.iterdir())
