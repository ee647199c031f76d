"""A server that wants client certificates, and certificates for it. A plugin-like helper."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

SSL_REQUEST = 80877103


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, of a server's certificate and of a client's."""

    authority: trustme.CA
    ca_file: Path
    client_certificate: Path
    client_key: Path

    @classmethod
    def make(cls, directory: Path) -> Certificates:
        authority = trustme.CA()
        client = authority.issue_cert("client@example.org", common_name="client")
        found = cls(
            authority, directory / "ca.pem", directory / "client.pem", directory / "client.key"
        )
        authority.cert_pem.write_to_path(found.ca_file)
        client.cert_chain_pems[0].write_to_path(found.client_certificate)
        client.private_key_pem.write_to_path(found.client_key)
        return found

    def server_context(self, name: str, *, wants_client: bool = True) -> ssl.SSLContext:
        """TLS of a server called `name`."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(name).configure_cert(context)
        if wants_client:
            self.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def encrypted_key(key: Path, password: str) -> bytes:
    """The PEM of a private key, encrypted."""
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    return loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )


def revocations(authority: trustme.CA, *serials: int) -> bytes:
    """The PEM of a list of the certificates that the authority has revoked."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    signer = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(now - timedelta(days=1)).next_update(now + timedelta(days=1))
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def serial_of(certificate: trustme.LeafCert) -> int:
    """The serial number of a certificate."""
    return x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes()).serial_number


@dataclass
class Front:
    """A TLS server before a PostgreSQL server; `subjects` are those of the clients it met."""

    port: int
    subjects: list[str | None]


@contextmanager
def tls_front(
    context: ssl.SSLContext, host: str, port: int, *, direct: bool = False
) -> Iterator[Front]:
    """Listen on 127.0.0.1, ask for TLS, and hand on to the server at host and port.

    direct: TLS from the first byte, without a request.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    front = Front(0, [])

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if direct:
            await writer.start_tls(context)
            front.subjects.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
            server_reader, server_writer = await asyncio.open_connection(host, port)
            await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))
            return
        opening = await reader.readexactly(8)
        if int.from_bytes(opening[4:], "big") != SSL_REQUEST:
            writer.close()
            return
        writer.write(b"S")
        try:
            await writer.start_tls(context)
            peer = writer.get_extra_info("ssl_object").getpeercert()
            subject = dict(pair[0] for pair in peer["subject"]) if peer else {}
            front.subjects.append(subject.get("commonName"))
            server_reader, server_writer = await asyncio.open_connection(host, port)
        except (OSError, ssl.SSLError):
            writer.close()
            return
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))

    opening = asyncio.start_server(handle, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(opening, loop).result()
    front.port = server.sockets[0].getsockname()[1]
    yield front
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
