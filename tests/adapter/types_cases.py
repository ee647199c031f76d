"""How a value of a type is given, read and compared."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pgvector

UTC = dt.UTC
INF = math.inf
UUID_1 = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
SETUP = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "great", isn''t it');
CREATE DOMAIN age AS int CHECK (VALUE >= 0);
CREATE DOMAIN tags AS text[];
CREATE TYPE item AS (name text, price numeric, tags text[]);
CREATE TYPE pair AS (first item, second item);
CREATE TYPE float_range AS RANGE (subtype = float8);
CREATE SCHEMA "Odd schema";
CREATE TYPE "Odd schema"."Odd type" AS ENUM ('a', 'b');
CREATE TABLE animals (id int);
"""


@dataclass(frozen=True)
class Case:
    """A value given for a column of a type: what is read back, and its text on the server."""

    type: str
    given: Any
    read: Any
    text: str

    def __str__(self) -> str:
        return f"{self.type}-{type(self.given).__name__}-{str(self.given)[:30]}"


def same(type_: str, value: Any, text: str) -> Case:
    return Case(type_, value, value, text)


def read_of(text_of: str, type_: str, read: Any) -> Case:
    """A string given for a type: the server reads it."""
    return Case(type_, text_of, read, text_of)


def alike(a: Any, b: Any) -> bool:
    """Equal in value and type; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, Decimal):
        return str(a) == str(b)
    if isinstance(a, pgvector.SparseVector):
        return (
            a.dimensions() == b.dimensions()
            and a.indices() == b.indices()
            and (a.values() == b.values())
        )
    return a == b or (a != a and b != b)
