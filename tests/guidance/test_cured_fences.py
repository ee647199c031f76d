"""A fence that need not hold on the drop-in shows a fault, and a promise test shows the cure.

proveskill itself refuses an entry whose fence holds, or that has no fence.
"""

from __future__ import annotations

import re
from itertools import takewhile

import pytest
import yaml
from guidance import CURED, ROOT, sections, skill_files

REASONS: dict[str, str] = yaml.safe_load(CURED.read_text(encoding="utf-8"))
PROMISES: dict[str, str] = yaml.safe_load(
    (ROOT / "tests" / "promises" / "promises.yaml").read_text(encoding="utf-8")
)
FENCES = {
    snippet.id: snippet
    for file in skill_files()
    for section in sections(file)
    for snippet in section.snippets
}
DROP_IN = re.compile(r"psqlpy_adapter|\bdropin\b")


def test_the_list_is_in_the_order_of_the_documents() -> None:
    assert list(REASONS) == [identifier for identifier in FENCES if identifier in REASONS]


@pytest.mark.parametrize("fence", REASONS)
def test_a_reason_names_a_promise_and_says_what_is_cured(fence: str) -> None:
    for reason in REASONS[fence].split("; "):
        if follows := re.fullmatch(r"follows (\S+)", reason):
            assert follows[1] in REASONS
            continue
        promise, _, cure = reason.partition(": ")
        assert promise in PROMISES
        assert cure


@pytest.mark.parametrize("fence", REASONS)
def test_a_fence_follows_one_of_its_own_section_that_stands_before_it(fence: str) -> None:
    before = list(takewhile(lambda identifier: identifier != fence, FENCES))
    for follows in re.findall(r"follows (\S+)", REASONS[fence]):
        assert follows.partition("/")[0] == fence.partition("/")[0]
        assert follows in before


@pytest.mark.parametrize("fence", REASONS)
def test_a_fence_with_the_mark_needs_no_entry(fence: str) -> None:
    assert "WRONG" not in FENCES[fence].source


def test_what_is_shown_on_the_drop_in_is_never_excused() -> None:
    shown = [identifier for identifier in FENCES if DROP_IN.search(FENCES[identifier].source)]
    assert len(shown) >= 30
    assert [identifier for identifier in shown if identifier in REASONS] == []
    assert [identifier for identifier in shown if "WRONG" in FENCES[identifier].source] == []
