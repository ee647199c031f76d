"""Words -> sections, the best first: SQLite's full-text search with its BM25 ranking."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from proveskill.model import ManifestError
from proveskill.section_records import SectionRecord

_WEIGHTS = (10.0, 4.0, 2.0)
"""Of a word in a title, in a statement, in code."""
_QUESTION = """
a an and are as at be by can do does for from has have how i if in is it its my not of on or should
that the then this to use was what when where which why will with you your
"""
_SMALL = frozenset(_QUESTION.split())
"""Words of a question that say nothing of what it is about."""


class SectionSearch:
    """An index in memory. Raises :class:`ManifestError` where SQLite was built without FTS5."""

    def __init__(self, records: Iterable[SectionRecord]) -> None:
        self._records = list(records)
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            # porter: "vectors" finds "vector". Underscores separate: "execute many" finds
            # "execute_many", and "execute_many" is looked for as these two words in a row.
            self._database.execute(
                "CREATE VIRTUAL TABLE sections USING "
                "fts5(title, statements, code, tokenize='porter unicode61')"
            )
        except sqlite3.OperationalError as error:
            raise ManifestError(f"this Python's SQLite cannot search text: {error}") from None
        self._database.executemany(
            "INSERT INTO sections (rowid, title, statements, code) VALUES (?, ?, ?, ?)",
            [(row, *_columns(record)) for row, record in enumerate(self._records)],
        )

    def find(self, words: str, limit: int = 10) -> list[tuple[SectionRecord, float]]:
        """Return at most ``limit`` sections with any of the words, each with its score.

        A higher score is better; scores of different questions cannot be compared.
        """
        # Quoted, so that no operator of FTS5 is meant; a word without letters matches nothing.
        spoken = [word for word in words.split() if any(map(str.isalnum, word))]
        telling = [word for word in spoken if word.lower().strip("?!.,:;") not in _SMALL]
        terms = ['"' + word.replace('"', '""') + '"' for word in telling or spoken]
        if not terms:
            return []
        rows = self._database.execute(
            "SELECT rowid, -bm25(sections, ?, ?, ?) AS score FROM sections WHERE sections MATCH ? "
            "ORDER BY score DESC, rowid LIMIT ?",
            (*_WEIGHTS, " OR ".join(terms), limit),
        ).fetchall()
        return [(self._records[row], score) for row, score in rows]


def _columns(record: SectionRecord) -> tuple[str, str, str]:
    section = record.section
    return (
        f"{record.title} {section.file.stem}",
        "\n".join(statement.text for statement in section.statements),
        "\n".join(snippet.source for snippet in section.snippets),
    )
