"""What a server's certificate says (RFC 5280), and of a refused one what is the matter with it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from probes.trust import NOT_NOW, NOT_YET, UNKNOWN_ISSUER, WRONG_NAME

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from cryptography import x509

CLOCK_WRONG_S = 60.0  # less is no reason why a certificate should not be valid
_HOST_NAME = re.compile(r"\S+\.\S+|\S*\d\S*")  # or an address, or a device's name


@dataclass(frozen=True, slots=True)
class Certificate:
    """`issuer`: its organisation, as far as it is no host's name; `issuers`: all that it says of the issuer.

    `begins`, `ends`: seconds since 1970. `names`: DNS names (with wildcards) and addresses. `chain`: how many came.
    """

    begins: float
    ends: float
    issuer: str | None = None
    issuers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    chain: int | None = None

    def made_by(self, wanted: Sequence[str]) -> bool:
        """Is the issuer one of these (part of its name, any case)?"""
        return any(w.casefold() in text.casefold() for w in wanted for text in self.issuers)

    def is_for(self, host: str) -> bool:
        """RFC 9525: the same name, or with a wildcard for the whole first label."""
        with contextlib.suppress(ValueError):
            host = str(ip_address(host))
        return any(_same(name.lower().rstrip("."), host.lower().rstrip(".")) for name in self.names)

    def good_at(self, when: float) -> bool:
        """Has it begun, and not ended?"""
        return self.begins <= when <= self.ends


def _same(name: str, host: str) -> bool:
    return name == host or (name.startswith("*.") and name[1:] == host[len(host.partition(".")[0]) :])


def read(connection: ssl.SSLObject) -> Certificate | None:
    """The other end's, after the handshake; None when it cannot be read."""
    from cryptography import x509

    with contextlib.suppress(ValueError):
        found = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
        issuer, texts = _issuer(found)
        begins, ends = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
        return Certificate(begins, ends, issuer, texts, _names(found), _chain(connection))
    return None


def _issuer(found: x509.Certificate) -> tuple[str | None, tuple[str, ...]]:
    from cryptography.x509.oid import NameOID

    kinds = NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME
    texts = [str(a.value) for kind in kinds for a in found.issuer.get_attributes_for_oid(kind)]
    return next((t for t in texts if not _HOST_NAME.fullmatch(t)), None), tuple(texts)


def _names(found: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    with contextlib.suppress(x509.ExtensionNotFound, ValueError):
        said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (*said.get_values_for_type(x509.DNSName), *map(str, said.get_values_for_type(x509.IPAddress)))
    return ()


def _chain(connection: ssl.SSLObject) -> int | None:
    """Public since Python 3.13, before that one level down."""
    for holder in (connection, getattr(connection, "_sslobj", None)):
        if (ask := getattr(holder, "get_unverified_chain", None)) is not None:
            return len(ask() or ())
    return None


def fault(code: int | None, seen: Certificate | None, host: str, now: float, server: float | None) -> tuple[str, str]:
    """Failure code and detail of a refused certificate.

    `code`: why the system refused it; `seen`: None when it could not be fetched. `server`: the server's own clock.
    """
    if code in UNKNOWN_ISSUER:
        return "tls_untrusted", f"issuer {seen.issuer}" if seen and seen.issuer else ""
    if code in WRONG_NAME:
        return "tls_wrong_name", ""
    if code in NOT_NOW or (seen is not None and not seen.good_at(now)):
        return _not_now(code, seen, now, server)
    if seen is not None and not seen.is_for(host):
        return "tls_wrong_name", ""
    return "tls_untrusted", f"issuer {seen.issuer}" if seen and seen.issuer else ""


def _not_now(code: int | None, seen: Certificate | None, now: float, server: float | None) -> tuple[str, str]:
    early = now < seen.begins if seen is not None and not seen.good_at(now) else code == NOT_YET
    if server is None:  # a certificate is hardly ever used before it begins; a clock that was never set is common
        return ("tls_not_valid_now", "not yet, and no clock to compare with") if early else ("tls_expired", "")
    if abs(now - server) > CLOCK_WRONG_S and seen is not None and seen.good_at(server):
        return "tls_not_valid_now", f"this computer's clock is {_span(now - server)}"
    return "tls_expired", "not yet valid" if early else "an issuer's" if seen and seen.good_at(now) else ""


def _span(seconds: float) -> str:
    size = abs(seconds)
    words = f"{size / 86400:.0f} days" if size > 172_800 else f"{size / 60:.0f} minutes"
    return f"{words} {'ahead' if seconds > 0 else 'behind'}"
