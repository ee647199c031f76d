"""Every claim and pitfall that the guidance must treat has a section that treats it.

``coverage.yaml`` maps the id of a claim to ``FILE#SLUG``, or to a list of these. Ids: A to I are
claims about the adapter, P what is wrong in them, S their snippets, pit further pitfalls.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from guidance import SKILL, sections, skill_files, slug

LAST_NUMBERS = {
    "A": 10,
    "B": 33,
    "C": 9,
    "D": 8,
    "E": 15,
    "F": 17,
    "G": 10,
    "H": 5,
    "I": 13,
    "P-": 27,
    "S-": 19,
    "pit-A": 12,
    "pit-B": 14,
    "pit-C": 7,
    "pit-D": 20,
    "pit-E": 7,
}
IDS = [f"{part}{n}" for part, last in LAST_NUMBERS.items() for n in range(1, last + 1)]
IDS.append("pit-F")

_READ = yaml.safe_load(Path(__file__).with_name("coverage.yaml").read_text(encoding="utf-8"))
COVERAGE = {
    str(name): [where] if isinstance(where, str) else list(where) for name, where in _READ.items()
}
SECTIONS = {
    f"{name}#{slug(section)}"
    for file in skill_files()
    for section in sections(file)
    for name in (file.name, str(file.relative_to(SKILL)))
}


@pytest.mark.parametrize("claim", IDS)
def test_a_claim_is_treated(claim: str) -> None:
    assert COVERAGE.get(claim)


@pytest.mark.parametrize("claim", COVERAGE)
def test_the_sections_of_a_claim_exist(claim: str) -> None:
    assert [where for where in COVERAGE[claim] if where not in SECTIONS] == []
