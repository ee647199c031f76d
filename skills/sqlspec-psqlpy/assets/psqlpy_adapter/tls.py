"""TLS: what `ssl_mode` and the certificates ask for, and which way gives it.

psqlpy 0.13.1 takes client certificates, `sslrootcert` and revocation lists not at all, and its
SslMode.VerifyCa and SslMode.VerifyFull connect in plaintext to a server that refuses TLS. Only
Require is safe: without `ca_file` it encrypts and verifies nothing, with `ca_file` it verifies
the chain and the host name. Here every mode means what libpq means by it (PostgreSQL manual
34.19), with one difference: `require` with a CA verifies the host name too, as psqlpy does, where
libpq checks the chain only; `verify-ca` asks for that. What psqlpy cannot do goes through the
tunnel of tunnel.py. May be unnecessary when psqlpy builds its TLS connector for every mode.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlspec.exceptions import ImproperConfigurationError

ENCRYPTED = ("require", "verify-ca", "verify-full")
SYSTEM = "system"
"""`ca_file` that stands for the authorities that the operating system trusts."""


class Way(Enum):
    """How connections get what the settings ask for."""

    PLAIN = "psqlpy, without TLS"
    NATIVE = "psqlpy's own TLS, which refuses plaintext"
    TRY_TLS = "psqlpy's own TLS if the server has TLS"
    TRY_PLAIN = "plaintext, and psqlpy's own TLS if the server refuses that"
    TUNNEL = "the tunnel"


@dataclass(frozen=True)
class TlsSettings:
    """What the configuration says about TLS, in libpq's terms. Raises ImproperConfigurationError.

    `mode` None is psqlpy's default: no TLS. (libpq's is prefer.)
    """

    mode: str | None = None
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)
    revocations: str | None = None
    direct: bool = False

    def __post_init__(self) -> None:
        self._refuse_useless()
        if self.way is Way.TUNNEL and not hasattr(socket, "AF_UNIX"):
            raise ImproperConfigurationError(
                "client certificates, 'sslcrl' and 'verify-ca' need Unix sockets, which this "
                "system does not have"
            )
        if self.way is Way.TUNNEL or self.ca_file is not None:
            self.context()

    @property
    def way(self) -> Way:
        """The cheapest way that does all that is asked for."""
        if self.mode in (None, "disable"):
            return Way.PLAIN
        if self.mode == "prefer":
            return Way.TRY_TLS
        if self.mode == "allow":
            return Way.TRY_PLAIN
        beyond_psqlpy = (
            self.mode == "verify-ca",
            self.ca_file == SYSTEM,
            self.certificate is not None,
            self.revocations is not None,
            self.direct,
        )
        return Way.TUNNEL if any(beyond_psqlpy) else Way.NATIVE

    def context(self) -> ssl.SSLContext:
        """Python's TLS with these settings, TLS 1.2 or later. Raises ImproperConfigurationError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.ca_file is not None and self.mode != "verify-ca"
        context.verify_mode = ssl.CERT_REQUIRED if self.ca_file is not None else ssl.CERT_NONE
        if self.direct:
            context.set_alpn_protocols(["postgresql"])
        if self.ca_file == SYSTEM:
            context.load_default_certs()
        elif self.ca_file is not None:
            _load("ca_file", self.ca_file, lambda: context.load_verify_locations(self.ca_file))
        if self.revocations is not None:
            crl = self.revocations
            _load("sslcrl", crl, lambda: context.load_verify_locations(crl))
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        if self.certificate is not None:
            # An empty password keeps OpenSSL from asking for one on the terminal.
            password = self.key_password or ""
            _load(
                "sslcert' with 'sslkey",
                f"{self.certificate} with {self.key}",
                lambda: context.load_cert_chain(str(self.certificate), self.key, lambda: password),
            )
        return context

    def _refuse_useless(self) -> None:
        mode = "not given" if self.mode is None else repr(self.mode)
        if (self.certificate is None) is not (self.key is None):
            lone, other = ("sslcert", "sslkey") if self.key is None else ("sslkey", "sslcert")
            raise ImproperConfigurationError(f"{lone!r} is given without {other!r}")
        if self.key_password is not None and self.key is None:
            raise ImproperConfigurationError("'sslpassword' is given without 'sslkey'")
        given = {
            "ca_file": self.ca_file,
            "sslcert": self.certificate,
            "sslcrl": self.revocations,
            "sslnegotiation": self.direct or None,
        }
        for key, value in given.items():
            if value is not None and self.mode not in ENCRYPTED:
                raise ImproperConfigurationError(
                    f"{key!r} would be ignored: 'ssl_mode' is {mode}, which allows plaintext; "
                    "give ssl_mode='verify-full' (or 'verify-ca', 'require')"
                )
        if self.mode in ("verify-ca", "verify-full") and self.ca_file is None:
            raise ImproperConfigurationError(
                f"'ssl_mode' is {mode} without 'ca_file': name the file of the authorities to "
                "trust, or 'system' for those of the operating system"
            )
        if self.ca_file == SYSTEM and self.mode != "verify-full":
            raise ImproperConfigurationError(
                f"'ca_file' is 'system' and 'ssl_mode' is {mode}; it must be 'verify-full', since "
                "anyone can get a certificate from a public authority"
            )
        if self.revocations is not None and self.ca_file is None:
            raise ImproperConfigurationError("'sslcrl' is given without 'ca_file'")


def tls_settings(values: Mapping[str, Any]) -> TlsSettings:
    """The settings out of checked keys. Raises ImproperConfigurationError."""
    return TlsSettings(
        mode=values.get("ssl_mode"),
        ca_file=values.get("ca_file"),
        certificate=values.get("sslcert"),
        key=values.get("sslkey"),
        key_password=values.get("sslpassword"),
        revocations=values.get("sslcrl"),
        direct=values.get("sslnegotiation") == "direct",
    )


def _load(key: str, path: str, load: Any) -> None:
    try:
        load()
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise ImproperConfigurationError(f"{key!r} ({path}) cannot be used: {reason}") from error
