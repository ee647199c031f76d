"""Which codec is a type's: chosen by the name of its binary input function.

That name, unlike an oid, is the same on every server, and unlike a type's own name it says what
is on the wire: a type of an extension that borrows `textrecv` is text.
"""

from __future__ import annotations

from typing import Final

from psqlpy_adapter.types import (
    composites,
    networks,
    numbers,
    searches,
    shapes,
    texts,
    times,
    vectors,
)
from psqlpy_adapter.types.pgtype import Binary, Read

_TEXT = (texts.text, texts.read_text)
_OID = (searches.number_or_name, numbers.integer(4, signed=False)[1])
_VERSIONED = (texts.versioned, texts.read_versioned)

CODECS: Final[dict[str, tuple[Binary, Read]]] = {
    # 8.1 numeric types (money needs to know the server's decimals: see Catalogue)
    "int2recv": numbers.integer(2),
    "int4recv": numbers.integer(4),
    "int8recv": numbers.integer(8),
    "float4recv": (numbers.float4, numbers.read_float4),
    "float8recv": (numbers.float8, numbers.read_float8),
    "numeric_recv": (numbers.numeric, numbers.read_numeric),
    # 8.3, 8.4, 8.6, 8.7, 8.12, 8.13
    **dict.fromkeys(
        [
            "textrecv",
            "varcharrecv",
            "bpcharrecv",
            "namerecv",
            "citextrecv",
            "xml_recv",
            "unknownrecv",
            "cstring_recv",
            "pg_node_tree_recv",
            "textinrecv",
        ],
        _TEXT,
    ),
    "enum_recv": (texts.label, texts.read_text),
    "charrecv": (texts.single_byte, texts.read_single_byte),
    "bytearecv": (texts.blob, texts.read_blob),
    "boolrecv": (texts.boolean, texts.read_boolean),
    "uuid_recv": (texts.binary_uuid, texts.read_uuid),
    # 8.5
    "date_recv": (times.binary_date, times.read_date),
    "time_recv": (times.binary_time, times.read_time),
    "timetz_recv": (times.binary_timetz, times.read_timetz),
    "timestamp_recv": (times.binary_timestamp, times.read_timestamp),
    "timestamptz_recv": (times.binary_timestamptz, times.read_timestamptz),
    "interval_recv": (times.binary_interval, times.read_interval),
    # 8.8
    "point_recv": (shapes.point, shapes.read_numbers),
    "line_recv": (shapes.line, shapes.read_numbers),
    "lseg_recv": (shapes.segment, shapes.read_segment),
    "box_recv": (shapes.box, shapes.read_box),
    "path_recv": (shapes.path, shapes.read_path),
    "poly_recv": (shapes.polygon, shapes.read_polygon),
    "circle_recv": (shapes.circle, shapes.read_circle),
    # 8.9
    "inet_recv": (networks.inet, networks.read_inet),
    "cidr_recv": (networks.cidr, networks.read_cidr),
    "macaddr_recv": (networks.hardware(6), networks.read_hardware),
    "macaddr8_recv": (networks.hardware(8), networks.read_hardware),
    # 8.10
    "bit_recv": (vectors.bits, vectors.read_bits),
    "varbit_recv": (vectors.bits, vectors.read_bits),
    # 8.11, 8.14.7, 8.19, 8.20, and the system's own
    "tsvectorrecv": (texts.server_text, searches.read_tsvector),
    "tsqueryrecv": (texts.server_text, searches.read_tsquery),
    "jsonpath_recv": _VERSIONED,
    "pg_lsn_recv": (searches.lsn, searches.read_lsn),
    "xid8recv": numbers.integer(8, signed=False),
    "tidrecv": (texts.server_text, searches.read_tid),
    "pg_snapshot_recv": (texts.server_text, searches.read_snapshot),
    "txid_snapshot_recv": (texts.server_text, searches.read_snapshot),
    "void_recv": (texts.server_text, searches.read_nothing),
    **dict.fromkeys(
        [
            "oidrecv",
            "xidrecv",
            "cidrecv",
            "regclassrecv",
            "regprocrecv",
            "regprocedurerecv",
            "regoperrecv",
            "regoperatorrecv",
            "regtyperecv",
            "regrolerecv",
            "regnamespacerecv",
            "regconfigrecv",
            "regdictionaryrecv",
            "regcollationrecv",
            "regdatabaserecv",
        ],
        _OID,
    ),
    # extensions
    "vector_recv": (vectors.dense(">f4"), vectors.read_vector),
    "halfvec_recv": (vectors.dense(">f2"), vectors.read_halfvec),
    "sparsevec_recv": (vectors.sparse, vectors.read_sparsevec),
    "hstore_recv": (composites.hstore, composites.read_hstore),
    "ltree_recv": _VERSIONED,
    "lquery_recv": _VERSIONED,
    "ltxtq_recv": _VERSIONED,
}

FLAT: Final = frozenset(
    [
        "json_recv",
        "jsonb_recv",
        "vector_recv",
        "halfvec_recv",
        "sparsevec_recv",
        "bit_recv",
        "varbit_recv",
        "hstore_recv",
        "point_recv",
        "line_recv",
        "lseg_recv",
        "box_recv",
        "path_recv",
        "poly_recv",
        "circle_recv",
        "record_recv",
        "multirange_recv",
    ]
)
"""Types whose values may be lists or tuples: an array of them has one dimension."""

NATIVE: Final = frozenset(
    [
        "int2recv",
        "int4recv",
        "int8recv",
        "float4recv",
        "float8recv",
        "textrecv",
        "varcharrecv",
        "namerecv",
        "boolrecv",
        "bytearecv",
        "date_recv",
        "timestamp_recv",
        "timestamptz_recv",
    ]
)
"""Types that psqlpy reads right or not at all (infinity: the exact decoders are then asked)."""

EXTRA_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "SmallInt": ("int2recv",),
    "Integer": ("int4recv",),
    "BigInt": ("int8recv",),
    "Float32": ("float4recv",),
    "Float64": ("float8recv",),
    "Text": ("textrecv", "varcharrecv"),
    "VarChar": ("textrecv", "varcharrecv"),
    "Money": ("cash_recv",),
    "JSON": ("json_recv",),
    "JSONB": ("jsonb_recv",),
    "PgVector": ("vector_recv",),
    "MacAddr6": ("macaddr_recv",),
    "MacAddr8": ("macaddr8_recv",),
    "Point": ("point_recv",),
    "Line": ("line_recv",),
    "LineSegment": ("lseg_recv",),
    "Box": ("box_recv",),
    "Path": ("path_recv",),
    "Circle": ("circle_recv",),
    "BoolArray": ("boolrecv",),
    "UUIDArray": ("uuid_recv",),
    "VarCharArray": ("varcharrecv", "textrecv"),
    "TextArray": ("textrecv", "varcharrecv"),
    "Int16Array": ("int2recv",),
    "Int32Array": ("int4recv",),
    "Int64Array": ("int8recv",),
    "Float32Array": ("float4recv",),
    "Float64Array": ("float8recv",),
    "MoneyArray": ("cash_recv",),
    "IpAddressArray": ("inet_recv",),
    "JSONBArray": ("jsonb_recv",),
    "JSONArray": ("json_recv",),
    "DateArray": ("date_recv",),
    "TimeArray": ("time_recv",),
    "DateTimeArray": ("timestamp_recv",),
    "DateTimeTZArray": ("timestamptz_recv",),
    "MacAddr6Array": ("macaddr_recv",),
    "MacAddr8Array": ("macaddr8_recv",),
    "NumericArray": ("numeric_recv",),
    "PointArray": ("point_recv",),
    "BoxArray": ("box_recv",),
    "PathArray": ("path_recv",),
    "LineArray": ("line_recv",),
    "LsegArray": ("lseg_recv",),
    "CircleArray": ("circle_recv",),
    "IntervalArray": ("interval_recv",),
}
"""psqlpy's own wrappers go through as they are, for the types (or elements) they are made for."""
