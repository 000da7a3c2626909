"""Is it the room? Its certificate has an issuer that this computer trusts, or the fingerprint that the room printed."""

from __future__ import annotations

import hashlib
import hmac
import ssl

# OpenSSL's X509_V_ERR_…, x509_vfy.h. The trust of Windows and macOS has numbers of its own, none of them these.
NOT_YET, ENDED = 9, 10  # CERT_NOT_YET_VALID, CERT_HAS_EXPIRED
NOT_NOW = frozenset({NOT_YET, ENDED})
UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})  # DEPTH_ZERO_SELF_SIGNED_CERT … UNABLE_TO_VERIFY_LEAF_SIGNATURE
WRONG_NAME = frozenset({62, 64})  # HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH


def context(fingerprint: bytes | None = None) -> ssl.SSLContext:
    """For a client. With a fingerprint (SHA-256 of the certificate) any certificate passes: `is_known` must follow."""
    if fingerprint is None:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def is_known(connection: ssl.SSLSocket, fingerprint: bytes | None) -> bool:
    """After the handshake: has the other end's certificate that fingerprint? None: its issuer has been looked at."""
    if fingerprint is None:
        return True
    certificate = connection.getpeercert(binary_form=True) or b""
    return hmac.compare_digest(hashlib.sha256(certificate).digest(), fingerprint)


def failure_code(error: Exception) -> str:
    """Why a room's certificate was refused, as a code of the vocabulary."""
    not_now = isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in NOT_NOW
    return "room_certificate_not_valid_now" if not_now else "room_certificate_untrusted"
