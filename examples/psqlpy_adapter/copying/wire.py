"""Values that are in their column's wire form already: those that `execute`'s codecs encoded."""

from __future__ import annotations

import pyarrow as pa

from psqlpy_adapter.copying.fields import Field, validity
from psqlpy_adapter.copying.text import strings


class Wire(pa.ExtensionType):  # type: ignore[misc]  # pyarrow has no types
    """The wire form of each value; with `has_text`, of some rows the text for the server to read.

    A row of a column that has text holds the one or the other, or neither when it is NULL.
    """

    def __init__(self, *, has_text: bool = False) -> None:
        self.has_text = has_text
        parts = pa.struct([("wire", pa.binary()), ("text", pa.string())])
        super().__init__(parts if has_text else pa.binary(), "psqlpy_adapter.wire")

    def __arrow_ext_serialize__(self) -> bytes:
        """Tell the two forms apart."""
        return b"text" if self.has_text else b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> Wire:
        """Restore the type."""
        del storage_type
        return cls(has_text=bool(serialized))


def wire_array(
    wires: list[bytes | None], texts: list[str | None] | None
) -> pa.Array | pa.ChunkedArray:
    """Make a column of encoded values, of texts where there is no encoded one, or of both."""
    encoded = pa.array(wires, pa.binary())
    if texts is None:
        kind, parts = Wire(), [encoded]
    else:
        written = pa.array(texts, pa.string())
        if encoded.null_count == len(encoded):
            return written
        kind, parts = Wire(has_text=True), [encoded, written]
    chunked = any(isinstance(part, pa.ChunkedArray) for part in parts)  # more than 2 GiB
    table = pa.table(parts, names=["wire", "text"][: len(parts)])
    chunks = [
        pa.ExtensionArray.from_storage(
            kind,
            pa.StructArray.from_arrays(batch.columns, fields=list(kind.storage_type))
            if kind.has_text
            else batch.column(0),
        )
        for batch in table.to_batches()
    ]
    return pa.chunked_array(chunks, kind) if chunked else chunks[0]


def wire_fields(array: pa.ExtensionArray) -> list[Field]:
    """Give the field of the encoded values, and that of the texts where there are some."""
    if not array.type.has_text:
        return [Field((array.storage,), validity(array.storage))]
    wires, texts = array.storage.flatten()
    return [Field((wires,), validity(wires)), strings(texts, "text", -1)]
