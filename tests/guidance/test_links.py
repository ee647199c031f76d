"""Every link inside the repository leads to something, and every reference is linked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from guidance import HUMAN_DOCUMENTS, ROOT, SKILL, anchors, links, skill_files

DOCUMENTS = [*skill_files(), *HUMAN_DOCUMENTS]
REFERENCES = [file for file in skill_files() if file.parent.name == "references"]


def names(files: list[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files]


def broken(file: Path) -> list[str]:
    found = []
    for link in links(file):
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_every_link_leads_somewhere(document: Path) -> None:
    assert broken(document) == []


@pytest.mark.parametrize("document", skill_files(), ids=names(skill_files()))
def test_the_skill_links_to_nothing_outside_its_folder(document: Path) -> None:
    targets = [(document.parent / link.partition("#")[0]).resolve() for link in links(document)]
    assert [target for target in targets if not target.is_relative_to(SKILL)] == []


@pytest.mark.parametrize("reference", REFERENCES, ids=names(REFERENCES))
def test_skill_md_says_when_to_load_a_reference(reference: Path) -> None:
    assert str(reference.relative_to(SKILL)) in links(SKILL / "SKILL.md")


@pytest.mark.parametrize("reference", REFERENCES, ids=names(REFERENCES))
def test_the_readme_lists_a_reference(reference: Path) -> None:
    assert str(reference.relative_to(ROOT)) in links(ROOT / "README.md")


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# Here\n\n[a](#here) [b](#gone) [c](page.md#here) [d](none.md) [e](#here-1)\n")
    assert broken(file) == ["#gone", "none.md", "#here-1"]
