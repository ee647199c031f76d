"""What `proveskill site` writes, as files."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

from site_tools import PACK, ROOT, Site, proveskill, write_files

SKILL = "small/SKILL.html"
OTHER = "small/references/other.html"


def strip_of(html: str, identifier: str) -> str:
    """Return what stands below a fence, as a reader sees it: tags are blanks."""
    match = re.search(rf'<details class="ran" id="{identifier}".*?</details>', html, re.DOTALL)
    assert match, f"no strip {identifier}"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", match[0])).split())


def mark_of(html: str, identifier: str) -> str:
    match = re.search(rf'<button[^>]* id="{identifier}".*?</button>', html, re.DOTALL)
    assert match, f"no mark {identifier}"
    return unescape(match[0])


def popover_of(html: str, mark: str) -> str:
    target = re.search(r'popovertarget="([^"]+)"', mark)
    assert target
    match = re.search(rf'<div popover id="{target[1]}".*?</div>\n', html, re.DOTALL)
    assert match
    return unescape(re.sub(r"<[^>]+>", "", match[0]))


def test_below_a_fence_stands_what_it_printed_and_what_its_expectations_saw(
    small_site: Site,
) -> None:
    strip = strip_of(small_site.text(SKILL), "print-fence-1")
    assert strip.startswith("plain: passed cured: passed 2 results, output plain and cured")
    assert "2 + 3 → 5" in strip.replace("2 + 3 5", "2 + 3 → 5")
    assert "ValueError: invalid literal for int() with base 10: 'x'" in strip
    assert "<printed> & shown" in strip


def test_output_that_the_text_shows_is_not_shown_twice(small_site: Site) -> None:
    assert "output" not in strip_of(small_site.text(SKILL), "print-fence-2")


def test_where_variants_differ_they_stand_side_by_side(small_site: Site) -> None:
    strip = strip_of(small_site.text(OTHER), "double-a-number-fence-1")
    assert strip.startswith("plain: passed cured: differs")
    plain, cured = strip.split(" cured it shows a fault ")
    assert "double(3) 5" in plain
    assert "observed 6 (int)" in cured


def test_a_strip_names_the_versions_and_the_time_of_the_run(
    small_site: Site, small_report: tuple[Path, Path]
) -> None:
    report = json.loads(small_report[1].read_text())
    strip = strip_of(small_site.text(SKILL), "print-fence-1")
    assert f"Python {report['environment']['python']}" in strip
    assert report["started"] in strip


def test_a_mark_opens_the_source_of_the_proof_with_its_file_and_line(small_site: Site) -> None:
    html = small_site.text(OTHER)
    mark = mark_of(html, "double-a-number-s1")
    assert 'data-verdicts="plain: proven"' in mark
    assert '<span class="only">plain</span>' in mark
    opened = popover_of(html, mark)
    lines = PACK["proofs/test_small.py"].splitlines()
    first = lines.index('@proves("The double of {number} is {double}.", adapter="plain")') + 1
    assert f"proofs/test_small.py:{first}" in opened
    for line in lines[first - 1 : first + 2]:
        assert line in opened
    assert "test_doubles" not in opened


def test_each_row_of_a_table_has_a_mark(small_site: Site) -> None:
    html = small_site.text(OTHER)
    for number in (2, 3):
        mark = mark_of(html, f"double-a-number-s{number}")
        assert 'data-verdicts="plain: proven; cured: proven"' in mark
        assert "test_doubles" in popover_of(html, mark)


def test_advice_says_that_it_is_advice_and_why(small_site: Site) -> None:
    html = small_site.text(SKILL)
    mark = mark_of(html, "top-s1")
    assert 'class="statement-mark advice"' in mark
    assert "it is a wish" in popover_of(html, mark)


def test_the_text_is_commonmark_and_nothing_more(small_site: Site) -> None:
    assert "It prints {braces}<code" in small_site.text(SKILL)


def test_the_front_matter_is_no_part_of_the_page(small_site: Site) -> None:
    assert "description: What the tests" not in small_site.text(SKILL)


def test_the_home_page_counts_fences_and_statements_and_says_what_files_are_for(
    small_site: Site,
) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", small_site.text("index.html")).split())
    assert "fences, plain 4 passed fences, cured 3 passed, 1 differs" in text
    assert "statements 5 proven, 1 advice" in text
    assert "Small What the tests make a site of. 3 of 3 3 of 3" in text
    assert "Other The double of 3 is 5. 1 of 1 3 of 3" in text


def test_a_fence_that_the_report_does_not_know_says_so(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, report = small
    (pack / "skills/small/SKILL.md").open("a").write("\n```python\n1\n```\n")
    proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    strip = strip_of(Site(tmp_path / "site").text(SKILL), "print-fence-4")
    assert strip.startswith("plain: no verdict cured: no verdict")


def test_a_failed_sentence_is_marked_and_says_why(small: tuple[Path, Path], tmp_path: Path) -> None:
    pack, _ = small
    file = pack / "skills/small/references/other.md"
    file.write_text(file.read_text().replace("| 4 | 8 |", "| 4 | 9 |"))
    report = tmp_path / "report.json"
    assert proveskill("verify", pack, "--adapter", "both", "--report", report).returncode == 1
    proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    mark = mark_of(Site(tmp_path / "site").text(OTHER), "double-a-number-s3")
    assert 'class="statement-mark failed"' in mark
    assert "plain: failed (AssertionError: assert (4 * 2) == 9" in mark


def test_a_skill_without_a_manifest_and_proofs_gets_a_site_without_marks(tmp_path: Path) -> None:
    skill = write_files(
        tmp_path / "mine", {"SKILL.md": "---\nname: mine\ndescription: D.\n---\n# Mine\n\nOne.\n"}
    )
    report = tmp_path / "report.json"
    proveskill("verify", skill, "--report", report)
    run = proveskill("site", skill, "--report", report, "--out", tmp_path / "site")
    assert run.returncode == 0, run.stderr
    html = Site(tmp_path / "site").text("mine/SKILL.html")
    assert "One." in html
    assert "statement-mark" not in html


def test_no_page_of_the_guidance_has_a_dead_link_or_a_request_elsewhere(
    guidance_site: Site,
) -> None:
    pages, dead = guidance_site.pages, []
    assert len(pages) > 20
    for name, page in pages.items():
        for target in page.targets:
            if re.match(r"https?:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (guidance_site.folder / name).parent / path.partition("?")[0]
            file = file.resolve() if path else guidance_site.folder.resolve() / name
            if not file.is_file():
                dead.append(f"{name}: {target}")
            elif anchor and file.suffix == ".html":
                other = pages[str(file.relative_to(guidance_site.folder.resolve()))]
                if anchor not in other.anchors:
                    dead.append(f"{name}: {target}")
    assert dead == []


def test_every_fence_and_statement_of_the_guidance_is_on_its_page(guidance_site: Site) -> None:
    from proveskill.manifest import read_manifest
    from proveskill.site.pages import read_pages

    for docname, page in read_pages(read_manifest(ROOT / "skill.yaml")).items():
        html = guidance_site.text(f"{docname}.html")
        assert html.count('<details class="ran"') == len(page.snippets), docname
        assert html.count('class="statement-mark') == len(page.statements), docname
