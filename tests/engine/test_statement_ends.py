"""Where in its file a statement ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from proveskill.markdown import read_document

ENDS = {
    "of two sentences the first ends at its full stop": ("One. Two.\n", ["One.", "One. Two."]),
    "a sentence may end on a later line": ("One goes\n  on. Two.\n", ["  on.", "  on. Two."]),
    "emphasis around a sentence belongs to it": ("**One.** Two.\n", ["**One.**", "**One.** Two."]),
    "a link belongs to its sentence": ("[It](b.md). Two.\n", ["[It](b.md).", "[It](b.md). Two."]),
    "an item ends where its text ends": ("- One. Two.  \n- Three\n", ["- One. Two.", "- Three"]),
    "an item of an item": ("- One\n  - Two\n", ["- One", "  - Two"]),
    "a quoted sentence": ("> One.\n> Two.\n", ["> One.", "> Two."]),
    "a row ends in its last cell": ("|a|b|\n|-|-|\n| x | y |\n", ["| x | y"]),
    "a row may end without a bar": ("a|b\n-|-\nx | y\n", ["x | y"]),
    "a bar that is text is no end of a row": ("a|b\n-|-\nx | y \\|\n", ["x | y \\|"]),
    "an empty last cell": ("|a|b|\n|-|-|\n| x | |\n", ["| x |"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_a_statement_ends(name: str, tmp_path: Path) -> None:
    text, expected = ENDS[name]
    file = tmp_path / "a.md"
    file.write_text(text)
    lines = text.split("\n")
    (section,) = read_document(file, "a").sections
    ends = [statement.end for statement in section.statements]
    assert [lines[line - 1][:column] for line, column in ends] == expected
