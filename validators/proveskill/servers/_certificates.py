"""Throw-away certificate authorities for the TLS front."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

HOST = "localhost"


@dataclass(frozen=True)
class Certificates:
    """Server side of TLS, and PEM files: of the authority that signed it, and of another."""

    context: ssl.SSLContext
    authority: Path
    other_authority: Path


def make_certificates(run: Path) -> Certificates:
    """Make a certificate for `localhost` and two authorities, their files in `run`. OSError."""
    signer, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # libpq insists on the protocol's name where it starts TLS without asking first.
    context.set_alpn_protocols(["postgresql"])
    signer.issue_cert(HOST).configure_cert(context)
    certificates = Certificates(context, run / "ca.pem", run / "other-ca.pem")
    signer.cert_pem.write_to_path(certificates.authority)
    other.cert_pem.write_to_path(certificates.other_authority)
    return certificates
