"""The server's types and their codecs, one catalogue for a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from psqlpy.extra_types import CustomType
from sqlspec.exceptions import DataError
from sqlspec.utils.serializers import from_json, to_json

from psqlpy_adapter.types import composites, containers
from psqlpy_adapter.types.codecs import CODECS, EXTRA_TYPES, FLAT, NATIVE
from psqlpy_adapter.types.documents import Deserializer, Serializer, documents, dumps
from psqlpy_adapter.types.numbers import money
from psqlpy_adapter.types.pgtype import (
    Binary,
    PgType,
    Read,
    ServerParses,
    TextNeeded,
    Unfit,
    refusal,
)
from psqlpy_adapter.types.server import Rows, learn
from psqlpy_adapter.types.texts import server_text

Encoder = Callable[[Any], Any]
"""Gives what psqlpy is to bind for a value: None for None, else a CustomType of its bytes."""


def _is_psqlpys(value: Any, receive: str) -> bool:
    """Whether a value is one of psqlpy's own, made for the type: it cannot be read in Python."""
    name = type(value).__name__
    return type(value) is CustomType or receive in EXTRA_TYPES.get(name, ())


class Catalogue:
    """Types by oid, and how values of each are sent and read.

    `json_serializer` and `json_deserializer` are called for every json and jsonb value; SQLSpec's
    own defaults are replaced by ones that keep Decimal digits and mark no naive time as UTC.
    """

    def __init__(
        self,
        json_serializer: Serializer | None = None,
        json_deserializer: Deserializer | None = None,
    ) -> None:
        self._types: dict[int, PgType] = {}
        self._binary: dict[int, Binary] = {}
        self._read: dict[int, Read] = {}
        self._encoders: dict[int, Encoder] = {}
        self._money_units = 0
        serialize = dumps if json_serializer in (None, to_json) else json_serializer
        deserialize = json_deserializer or from_json
        self._codecs = dict(CODECS)
        for name, prefix in (("json_recv", b""), ("jsonb_recv", b"\1")):
            self._codecs[name] = documents(serialize, deserialize, prefix)

    def __getitem__(self, oid: int) -> PgType:
        return self._types[oid]

    def __contains__(self, oid: int) -> bool:
        return oid in self._types

    async def load(self, oids: Iterable[int], rows: Rows) -> None:
        """Learn the types `oids` and all that they are made of; composites are learnt anew."""
        wanted = set(oids)
        if any(oid in self._types and self._types[oid].is_alterable for oid in wanted):
            self.forget([oid for oid, known in self._types.items() if known.is_alterable])
        missing = sorted(wanted - self._types.keys())
        if not missing:
            return
        await learn(missing, self._types, rows)
        if not self._money_units:
            (row,) = await rows("SELECT 1::text::money AS unit", [])
            self._money_units = int(row["unit"])
            self._codecs["cash_recv"] = money(self._money_units)

    def forget(self, oids: Iterable[int] | None = None) -> None:
        """Forget types that were altered; all of them if it is not known which."""
        for cache in (self._types, self._binary, self._read, self._encoders):
            for oid in list(cache) if oids is None else oids:
                cache.pop(oid, None)

    def binary(self, pg_type: PgType) -> Binary:
        """Return what gives the binary send format of one value of the type that is not None.

        It raises `DataError` that names the Python type and the PostgreSQL type, as its subclass
        `TextNeeded` when the value is text that only the server can read.
        """
        send = self._raw(pg_type)

        def checked(value: Any) -> bytes:
            try:
                return send(value)
            except ServerParses as request:
                reason = "here a value of the type is needed, not text for the server to read"
                needed = TextNeeded(str(refusal(pg_type, value, reason)))
                needed.text = request.text
                raise needed from None
            except (Unfit, OverflowError) as error:
                raise refusal(pg_type, value, str(error)) from error.__cause__

        return checked

    def encode(self, pg_type: PgType) -> Encoder:
        """Return what psqlpy is to bind for each value of the type: see `binary` for errors."""
        encoder = self._encoders.get(pg_type.oid)
        if encoder is not None:
            return encoder
        checked = self.binary(pg_type)
        receive = (pg_type.element or pg_type).receive

        def encode(value: Any) -> Any:
            if value is None:
                return None
            try:
                return CustomType(checked(value))
            except DataError:
                is_list = pg_type.element is not None and type(value) is list
                for item in value if is_list else (value,):
                    if item is not None and not _is_psqlpys(item, receive):
                        raise
                return value

        self._encoders[pg_type.oid] = encode
        return encode

    def decode(self, pg_type: PgType) -> Read | None:
        """Return the decoder of a column of the type; None when psqlpy's own is right."""
        while pg_type.base is not None:
            pg_type = pg_type.base
        native = pg_type.receive in NATIVE and pg_type.schema == "pg_catalog"
        return None if native else self.exact(pg_type)

    def exact(self, pg_type: PgType) -> Read:
        """Return the decoder of the type's binary format, also where psqlpy has its own."""
        read = self._read.get(pg_type.oid)
        if read is None:
            read = self._read[pg_type.oid] = self._reader(pg_type)
        return read

    def _raw(self, pg_type: PgType) -> Binary:
        send = self._binary.get(pg_type.oid)
        if send is None:
            send = self._binary[pg_type.oid] = self._sender(pg_type)
        return send

    def _sender(self, pg_type: PgType) -> Binary:
        if pg_type.base is not None:
            return self._raw(pg_type.base)
        if pg_type.element is not None:
            flat = (pg_type.element.base or pg_type.element).receive in FLAT
            return containers.array(pg_type.element.oid, self._raw(pg_type.element), flat=flat)
        if pg_type.subtype is not None:
            part = self._raw(pg_type.subtype)
            return (
                containers.range_of(part) if pg_type.kind == "r" else containers.multirange_of(part)
            )
        if pg_type.kind == "c":
            sends = tuple(self._raw(field.type) for field in pg_type.fields)
            return composites.composite(pg_type.fields, sends)
        codec = self._codecs.get(pg_type.receive)
        return codec[0] if codec else server_text

    def _reader(self, pg_type: PgType) -> Read:
        if pg_type.base is not None:
            return self.exact(pg_type.base)
        if pg_type.element is not None:
            return containers.read_array(self.exact(pg_type.element))
        if pg_type.subtype is not None:
            part = self.exact(pg_type.subtype)
            return (
                containers.read_range(part)
                if pg_type.kind == "r"
                else containers.read_multirange(part)
            )
        if pg_type.kind == "c" or pg_type.receive == "record_recv":
            return composites.read_composite(pg_type.fields, self._exact_by_oid)
        codec = self._codecs.get(pg_type.receive)
        return codec[1] if codec else self._unreadable(pg_type)

    def _exact_by_oid(self, oid: int) -> Read:
        if oid not in self._types:
            raise DataError(f"a record holds a value of the type with oid {oid}; cast it to text")
        return self.exact(self._types[oid])

    @staticmethod
    def _unreadable(pg_type: PgType) -> Read:
        def read(data: bytes) -> Any:
            raise DataError(f"PostgreSQL {pg_type} cannot be read; cast the column to text")

        return read
