"""Arrow's lists, structs and vectors, the PostgreSQL types they go into, and what is stored."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from copying_cases import ID, Row, at, decimals

NESTED: list[Row] = [
    ("int4[]", pa.array([[1, None, 3], [], None]), ["{1,NULL,3}", "{}", None]),
    ("int4[]", pa.array([[[1, 2], [3, 4]], [], [[5], [6]]]), ["{{1,2},{3,4}}", "{}", "{{5},{6}}"]),
    ("int8[]", pa.array([[1, 2], None], pa.list_(pa.int32(), 2)), ["{1,2}", None]),
    ("int8[]", pa.array([[1, 2], None], pa.list_view(pa.int32())), ["{1,2}", None]),
    ("int8[]", pa.array([[1, 2], [3]], pa.large_list(pa.int32())), ["{1,2}", "{3}"]),
    ("int4[]", pa.array(["{1,2}"]), ["{1,2}"]),
    ("text[]", pa.array([["a", None, '"\\,{}']]), ['{a,NULL,"\\"\\\\,{}"}']),
    ("uuid[]", pa.array([[str(ID)]]), [f"{{{ID}}}"]),
    ("numeric[]", pa.array([[1.5, None]]), ["{1.5,NULL}"]),
    ("inet[]", pa.array([["10.0.0.0/8", None], None, []]), ["{10.0.0.0/8,NULL}", None, "{}"]),
    ("inet[]", pa.array([[["10.0.0.0/8"], ["::1"]]]), ["{{10.0.0.0/8},{::1}}"]),
    ("mood[]", pa.array([["ok"]]), ["{ok}"]),
    ("positive[]", pa.array([[5, None]]), ["{5,NULL}"]),
    ("timestamptz[]", pa.array([[at(2020, 1, 1)]]), ['{"2020-01-01 01:00:00+01"}']),
    ("pair", pa.array([{"b": "x", "a": 1}, {"a": None, "b": None}, None]), ["(1,x)", "(,)", None]),
    ("pair[]", pa.array([[{"a": 1, "b": '(,"'}, None]]), ['{"(1,\\"(,\\"\\"\\")",NULL}']),
    ("outer_pair", pa.array([{"n": 1.5, "p": {"a": 1, "b": 'q"'}}]), ['(1.5,"(1,""q"""""")")']),
]
VECTORS: list[Row] = [
    ("vector(3)", pa.array([[1, 2, 3], None], pa.list_(pa.float32())), ["[1,2,3]", None]),
    (
        "vector(3)",
        pa.array([[1, 2, 3], [4, 5, 6]], pa.list_(pa.float64(), 3)),
        ["[1,2,3]", "[4,5,6]"],
    ),
    ("vector(3)", pa.array([None, [4, 5, 6]], pa.list_(pa.float32(), 3)), [None, "[4,5,6]"]),
    ("vector", pa.array([[1, 2], [3]], pa.large_list(pa.int64())), ["[1,2]", "[3]"]),
    ("vector(2)", pa.array(["[1,2]"]), ["[1,2]"]),
    (
        "vector(2)",
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [2]), pa.array([[1, 2]], pa.list_(pa.float32(), 2))
        ),
        ["[1,2]"],
    ),
    ("small_vector", pa.array([[1, 2]], pa.list_(pa.float32())), ["[1,2]"]),
    ("halfvec(3)", pa.array([[1, 2, 3.5], None], pa.list_(pa.float64(), 3)), ["[1,2,3.5]", None]),
    ("sparsevec(5)", pa.array([[0, 1, 0, 2, 0], None, [0] * 5]), ["{2:1,4:2}/5", None, "{}/5"]),
    ("sparsevec(5)", pa.array(["{1:1.5}/5"]), ["{1:1.5}/5"]),
    (
        "vector[]",
        pa.array([[[1, 2], [3, 4]]], pa.list_(pa.list_(pa.float32()))),
        ['{"[1,2]","[3,4]"}'],
    ),
]
DOCUMENTS: list[Row] = [
    ("jsonb", pa.array(['{"a": 1}', None, "5"]), ['{"a": 1}', None, "5"]),
    (
        "jsonb",
        pa.array([{"b": [1.0, None], "a": 'x"\\\n\x01é'}, None]),
        ['{"a": "x\\"\\\\\\n\\u0001é", "b": [1.0, null]}', None],
    ),
    (
        "jsonb",
        pa.array([{"at": at(2020, 1, 1), "on": dt.date(2020, 1, 1), "id": None}]),
        ['{"at": "2020-01-01T00:00:00.000000+00", "id": null, "on": "2020-01-01"}'],
    ),
    ("jsonb", pa.array([[1, 2], [], None]), ["[1, 2]", "[]", None]),
    ("jsonb", pa.array([[["a"], []], None]), ['[["a"], []]', None]),
    ("jsonb", pa.array([1.5, None]), ["1.5", None]),
    ("jsonb", pa.array([True]), ["true"]),
    ("jsonb", decimals(5, 2, "1.50"), ["1.50"]),
    ("jsonb", pa.array([ID.bytes], pa.uuid()), [f'"{ID}"']),
    (
        "json",
        pa.array([[("k", 1), ('l"', None)], None, []], pa.map_(pa.string(), pa.int32())),
        ['{"k":1,"l\\"":null}', None, "{}"],
    ),
    ("jsonb[]", pa.array([['{"a":1}', None]]), ['{"{\\"a\\": 1}",NULL}']),
    ("jsonb", pa.array(["{}"], pa.json_()), ["{}"]),
]
