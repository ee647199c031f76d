"""The sections in PostgreSQL: a table with a vector column and an HNSW index."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa
from psqlpy_adapter import PsqlpyDriver

from semantic_search.embedding import DIMENSIONS
from semantic_search.sections import Section

TABLE = "guidance_sections"
CREATE = f"""
    CREATE EXTENSION IF NOT EXISTS vector;
    CREATE TABLE IF NOT EXISTS {TABLE} (
        digest text PRIMARY KEY,
        file text NOT NULL,
        line integer NOT NULL,
        heading text NOT NULL,
        embedding vector({DIMENSIONS}) NOT NULL
    );
    CREATE INDEX IF NOT EXISTS {TABLE}_embedding
        ON {TABLE} USING hnsw (embedding vector_cosine_ops);
"""
SEARCH = f"""
    SELECT file, line, heading, 1 - (embedding <=> $1) AS similarity
    FROM {TABLE} ORDER BY embedding <=> $1 LIMIT $2
"""

Embed = Callable[[Sequence[str]], Awaitable[np.ndarray]]


@dataclass(frozen=True)
class Change:
    """What an update of the index did: sections embedded anew, and sections that are gone."""

    new: int
    gone: int


async def update(session: PsqlpyDriver, sections: Sequence[Section], embed: Embed) -> Change:
    """Bring the table up to date with `sections`; only what is new is embedded. SQLSpecError."""
    async with session.transaction():
        # Two programs that create the same thing at the same time would get in each other's way.
        await session.execute("SELECT pg_advisory_xact_lock(hashtext($1))", TABLE)
        await session.execute_script(CREATE)
    found = await session.select(f"SELECT digest FROM {TABLE}")
    known = {row["digest"] for row in found}
    wanted = {_digest(section): section for section in sections}
    new = {digest: section for digest, section in wanted.items() if digest not in known}
    if new:
        texts = [section.text for section in new.values()]
        vectors = await embed(texts)
    async with session.transaction():
        if new:
            await session.load_from_arrow(TABLE, _arrow(new, vectors), on_conflict="nothing")
        gone = await session.execute(f"DELETE FROM {TABLE} WHERE digest <> ALL($1)", list(wanted))
    return Change(len(new), gone.rows_affected)


async def search(session: PsqlpyDriver, question: np.ndarray, limit: int) -> list[dict]:
    """The `limit` sections nearest to the vector `question`: file, line, heading, similarity."""
    return await session.select(SEARCH, question, limit)


def _digest(section: Section) -> str:
    return hashlib.sha256(repr(astuple(section)).encode()).hexdigest()


def _arrow(sections: dict[str, Section], vectors: np.ndarray) -> pa.Table:
    values = pa.array(vectors.reshape(-1))
    return pa.table(
        {
            "digest": list(sections),
            "file": [section.file for section in sections.values()],
            "line": pa.array([section.line for section in sections.values()], pa.int32()),
            "heading": [section.heading for section in sections.values()],
            "embedding": pa.FixedSizeListArray.from_arrays(values, DIMENSIONS),
        }
    )
