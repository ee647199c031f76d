"""What the guidance costs a reader: tokens of SKILL.md, of each section, and fences not run."""

from __future__ import annotations

import pytest
import yaml
from bpe_openai import get_encoding
from guidance import ROOT, SKILL, manifest, section_text, sections, skill_files
from proveskill.markdown import parse
from proveskill.model import Section

ENCODING = get_encoding("o200k_base")
MOST_TOKENS_OF_SKILL = 2_500
MOST_TOKENS_OF_SECTION = 1_300
MOST_CHARACTERS_OF_DESCRIPTION = 400
LEAST_FENCES = 120
MOST_NOT_RUN = 0.05

SECTIONS = [section for file in skill_files() for section in sections(file)]


def test_a_session_can_afford_skill_md() -> None:
    tokens = ENCODING.encode((SKILL / "SKILL.md").read_text(encoding="utf-8"))
    assert len(tokens) <= MOST_TOKENS_OF_SKILL


@pytest.mark.parametrize("section", SECTIONS, ids=[section.id for section in SECTIONS])
def test_a_section_can_be_read_alone(section: Section) -> None:
    assert len(ENCODING.encode(section_text(section))) <= MOST_TOKENS_OF_SECTION


def test_the_description_fits_into_a_listing() -> None:
    front_matter = parse((SKILL / "SKILL.md").read_text(encoding="utf-8"))[0]
    description = yaml.safe_load(front_matter.content)["description"]
    assert 0 < len(description) <= MOST_CHARACTERS_OF_DESCRIPTION


def test_there_are_many_fences() -> None:
    assert sum(len(section.snippets) for section in SECTIONS) >= LEAST_FENCES


def test_few_fences_are_not_run() -> None:
    snippets = [snippet for section in SECTIONS for snippet in section.snippets]
    not_run = [snippet.id for snippet in snippets if snippet.not_run]
    assert len(not_run) <= MOST_NOT_RUN * len(snippets), not_run


def test_the_manifest_allows_no_more_fences_not_run() -> None:
    assert manifest().not_run_budget <= MOST_NOT_RUN, ROOT / "skill.yaml"
