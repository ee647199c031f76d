"""Addresses of servers, and the URLs of databases on them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from proveskill.servers._model import ServerError


@dataclass(frozen=True)
class Address:
    """A server, by a URL of its administrative database."""

    url: str

    @classmethod
    def local(cls, user: str, password: str, port: int, host: str = "127.0.0.1") -> Address:
        """Address of a server of this machine, by way of its database `postgres`."""
        return cls(f"postgresql://{quote(user)}:{quote(password)}@{host}:{port}/postgres")

    @classmethod
    def parse(cls, url: str) -> Address:
        """Address by a URL that a user gave. Raises ServerError when it makes no sense."""
        try:
            conninfo_to_dict(url)
            urlsplit(url)
        except (psycopg.Error, ValueError):
            # The reason is left out, because it may quote a part of the password.
            raise ServerError(
                "the server's URL cannot be read; it looks like "
                "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters as %XX"
            ) from None
        return cls(url)

    def database(self, name: str) -> str:
        """URL of the database `name` on this server."""
        parts = urlsplit(self.url)
        options = [pair for pair in parse_qsl(parts.query) if pair[0] != "dbname"]
        return parts._replace(path=f"/{quote(name)}", query=urlencode(options)).geturl()

    def through(self, host: str, port: int, name: str) -> str:
        """URL of the database `name`, reached by way of another host and port."""
        parts = urlsplit(self.database(name))
        credentials, at, _ = parts.netloc.rpartition("@")
        return f"postgresql://{credentials}{at}{host}:{port}{parts.path}"

    @property
    def place(self) -> str:
        """host:port, for messages."""
        fields = conninfo_to_dict(self.url)
        host = fields.get("hostaddr") or fields.get("host") or "localhost"
        return f"{host}:{fields.get('port') or 5432}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host, or folder of a Unix socket, and port; of the first server where there are more."""
        hosts, _, ports = self.place.rpartition(":")
        return hosts.partition(",")[0], int(ports.partition(",")[0])
