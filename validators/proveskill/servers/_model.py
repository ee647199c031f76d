"""What a server is asked to be, and the names under which a section reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

EMBEDDED = "embedded"
CONTAINER = "container"
ADDRESS = "address"

VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "DATABASE_URL": "the section's own fresh database on the main server",
        "PRIMARY_DATABASE_URL": "the section's database on the primary of a streaming pair",
        "STANDBY_DATABASE_URL": "the same database on the standby of that pair: reads only",
        "CLUSTER_DATABASE_URL": "both servers of the pair in one URL, the standby first",
        "TLS_DATABASE_URL": "the section's database behind TLS; the certificate is for localhost",
        "TLS_CA_FILE": "PEM file of the authority that signed that certificate",
        "TLS_OTHER_CA_FILE": "PEM file of an authority that did not sign it",
        "NO_TLS_DATABASE_URL": "the section's database on a server that refuses TLS",
        "SILENT_DATABASE_URL": "a server that accepts connections and never says a word",
    }
)


class ServerError(Exception):
    """A server cannot be had. The message says what failed and what to do next."""


@dataclass(frozen=True)
class Database:
    """A database of a section: its `name` on the main server, and the `url` to reach it."""

    name: str
    url: str


@dataclass(frozen=True)
class ServerSpec:
    """Which server to use and what its databases hold.

    kind: "embedded", "container", or a postgresql:// (or postgres://) URL.
    image: image of the container. port: of the embedded server, None for a free one.
    extensions: created in every database. schema: SQL file applied to every database.
    Raises ServerError when `kind` is none of these.
    """

    kind: str = EMBEDDED
    image: str = "pgvector/pgvector:pg18"
    port: int | None = None
    extensions: tuple[str, ...] = ()
    schema: Path | None = None

    def __post_init__(self) -> None:
        is_url = self.kind.startswith(("postgresql://", "postgres://"))
        if not is_url and self.kind not in (EMBEDDED, CONTAINER):
            raise ServerError(
                "the server is neither 'embedded', 'container' nor a URL that starts with "
                "postgresql://; choose one of these with --server"
            )

    @property
    def family(self) -> str:
        """One of "embedded", "container", "address"."""
        return self.kind if self.kind in (EMBEDDED, CONTAINER) else ADDRESS

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values, the schema path made absolute."""
        return {
            "kind": self.kind,
            "image": self.image,
            "port": self.port,
            "extensions": list(self.extensions),
            "schema": None if self.schema is None else str(Path(self.schema).absolute()),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> ServerSpec:
        """The spec that `to_json` wrote down."""
        return cls(
            kind=fields["kind"],
            image=fields["image"],
            port=fields["port"],
            extensions=tuple(fields["extensions"]),
            schema=None if fields["schema"] is None else Path(fields["schema"]),
        )
