"""The room's TLS certificate: a real one from files, or one of its own that is known by its fingerprint."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 825
_FILE = "room.pem"
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


class CertificateError(ValueError):
    """The certificate cannot be used; one line says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate chain and its key, PEM. `fingerprint`: SHA-256 of the first certificate's DER."""

    chain: bytes
    key: bytes
    fingerprint: bytes

    def load_into(self, context: ssl.SSLContext) -> None:
        """Give it to a server's context; the ssl module takes files only, so a private one exists for a moment."""
        handle, name = tempfile.mkstemp(prefix="motesklar-", suffix=".pem")
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.key + b"\n" + self.chain)
            context.load_cert_chain(path, password=_no_password)
        except ssl.SSLError as error:
            raise CertificateError(f"the certificate and the key do not belong together: {error.reason}") from None
        finally:
            path.unlink()


def _no_password() -> str:
    """OpenSSL would ask at the terminal, and wait."""
    raise CertificateError("the key has a password: give one without, readable by the room only")


def make() -> Pair:
    """A new self-signed certificate with an elliptic-curve key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "motesklar test room")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return _pair(made.public_bytes(pem), private)


def keep(folder: Path) -> Pair:
    """The room's own certificate, made on the first run and kept in `folder` so that its fingerprint stays."""
    path = folder / _FILE
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        pair = make()
        _write_private(path, pair.key + pair.chain)
        return pair
    except OSError as error:
        raise CertificateError(f"cannot read {path}: {error.strerror}") from None
    marker = pem.find(_BEGIN)
    if marker < 0:
        raise CertificateError(f"{path} holds no certificate: remove it, and the next start makes a new one")
    return _pair(pem[marker:], pem[:marker])


def _write_private(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise CertificateError(f"cannot keep the certificate in {path}: {error.strerror}") from None


def read(certificate_file: Path, key_file: Path) -> Pair:
    """A real certificate and its key from PEM files. Raises CertificateError."""
    try:
        chain, key = certificate_file.read_bytes(), key_file.read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read {error.filename}: {error.strerror}") from None
    return _pair(chain, key)


def _pair(chain: bytes, key: bytes) -> Pair:
    """The first certificate of the chain is the room's; a key or words may stand before it."""
    body = chain.partition(_BEGIN)[2].partition(_END)[0]
    try:
        der = ssl.PEM_cert_to_DER_cert((_BEGIN + body + _END).decode("ascii"))
    except ValueError:
        der = b""
    if not der:
        raise CertificateError("the certificate file holds no PEM certificate")
    return Pair(chain, key, hashlib.sha256(der).digest())
