"""``proveskill receipt``: VERIFIED.json, what a run has proven of which bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from engine_runs import PYTEST, Bench, Run, fence, passes, write_skill
from jsonschema import Draft202012Validator
from proof_runs import PROOF, write_proof_pack

TEXT = f"""\
## Answer

The answer is 42. It is a good answer.

{passes()}{fence("import one" + chr(10) + "# FAULT" + chr(10) + "one.NUMBER  # -> 1")}
## Ask

{passes(2)}
"""
ADVICE = "- {says: It is a good answer., reason: a matter of taste}\n"
ADAPTERS = {"stock": {}, "cured": {"replace": {"one": "two"}, "fault_mark": "FAULT"}}


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with two variants, verified: ``out.json`` is its report."""
    root = write_proof_pack(tmp_path_factory.mktemp("receipt") / "pack", PROOF, TEXT, ADVICE)
    manifest = root / "skill.yaml"
    more = {"adapters": ADAPTERS, "path": ["modules"], "versions": {"pytest": "1.0"}}
    fields = yaml.safe_load(manifest.read_text()) | more
    manifest.write_text(yaml.safe_dump(fields, sort_keys=False))
    (root / "modules").mkdir()
    (root / "modules" / "one.py").write_text("NUMBER = 1\n")
    (root / "modules" / "two.py").write_text("NUMBER = 2\n")
    (root / "skills" / "pack" / "data.bin").write_bytes(b"\xff\x00")
    run = verify(Bench(root), root, "--adapter", "both")
    assert run.status == 0, run.text
    return root


def verify(bench: Bench, root: Path, *more: str) -> Run:
    report = root / "out.json"
    return bench.run(["verify", "--report", report, *more], root, report=report)


@pytest.fixture
def pack(proven: Path, tmp_path: Path) -> Path:
    """A copy of that pack, to be spoilt."""
    shutil.copytree(proven, tmp_path / "pack", ignore=shutil.ignore_patterns(".pytest_cache"))
    return tmp_path / "pack"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def receive(bench: Bench, root: Path, report: str = "out.json") -> Run:
    return bench.run(["receipt", ".", "--from", report], root)


def receipt_of(bench: Bench, root: Path) -> dict[str, Any]:
    run = receive(bench, root)
    assert (run.status, run.err) == (0, "")
    return dict(json.loads((root / "skills" / "pack" / "VERIFIED.json").read_text()))


def refused(bench: Bench, root: Path) -> str:
    run = receive(bench, root)
    assert (run.status, run.out) == (1, "")
    assert not (root / "skills" / "pack" / "VERIFIED.json").exists()
    return run.err


def change(root: Path, **fields: Any) -> None:
    report = json.loads((root / "out.json").read_text())
    (root / "out.json").write_text(json.dumps(report | fields))


def test_a_receipt_follows_the_schema(bench: Bench, pack: Path) -> None:
    schema = json.loads(files("proveskill").joinpath("receipt.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(receipt_of(bench, pack))) == []


def test_its_subject_is_every_file_of_the_skill_by_its_digest(bench: Bench, pack: Path) -> None:
    (pack / "skills" / "pack" / "__pycache__").mkdir()
    (pack / "skills" / "pack" / "__pycache__" / "made.pyc").write_bytes(b"")
    skill = pack / "skills" / "pack"
    assert receipt_of(bench, pack)["subject"] == [
        {"name": name, "digest": {"sha256": sha256(skill / name)}}
        for name in ("SKILL.md", "data.bin")
    ]


def test_it_says_when_and_on_what_it_was_proven(bench: Bench, pack: Path) -> None:
    report = json.loads((pack / "out.json").read_text())
    predicate = receipt_of(bench, pack)["predicate"]
    assert (predicate["pack"], predicate["version"]) == ("pack", "1.0.0")
    assert predicate["verified"] == report["started"]
    assert predicate["environment"]["python"] == report["environment"]["python"]
    assert predicate["environment"]["packages"] == {"pytest": pytest.__version__}
    assert predicate["totals"] == report["totals"]


def test_it_counts_the_verdicts_of_each_section_on_each_variant(bench: Bench, pack: Path) -> None:
    predicate = receipt_of(bench, pack)["predicate"]
    assert predicate["variants"] == ["stock", "cured"]
    assert predicate["sections"] == [
        {
            "id": "SKILL#answer",
            "fences": {"stock": {"passed": 2}, "cured": {"not_run": 1, "passed": 1}},
            "statements": {"stock": {"advice": 1, "proven": 1}, "cured": {"proven": 1}},
        },
        {
            "id": "SKILL#ask",
            "fences": {"stock": {"passed": 1}, "cured": {"passed": 1}},
            "statements": {"stock": {}, "cured": {}},
        },
    ]


def test_the_same_report_gives_the_same_bytes(bench: Bench, pack: Path) -> None:
    receipt_of(bench, pack)
    file = pack / "skills" / "pack" / "VERIFIED.json"
    before = file.read_bytes()
    file.unlink()
    receipt_of(bench, pack)
    assert file.read_bytes() == before


def test_a_run_that_failed_gives_no_receipt(bench: Bench, pack: Path) -> None:
    skill = pack / "skills" / "pack" / "SKILL.md"
    skill.write_text(skill.read_text().replace("2  # -> 2", "2  # -> 3"))
    assert verify(bench, pack).status == 1
    assert "the run has failed: 1 fences, 0 statements, 0 other problems" in refused(bench, pack)


def test_a_run_of_a_part_gives_no_receipt(bench: Bench, pack: Path) -> None:
    assert verify(bench, pack, "-k", "answer").status == 0
    assert "has no verdict: the report is of a part of the pack" in refused(bench, pack)


def test_a_run_without_a_variant_of_a_fence_gives_no_receipt(bench: Bench, pack: Path) -> None:
    report = json.loads((pack / "out.json").read_text())
    ask = [r for r in report["snippets"] if (r["id"], r["adapter"]) != ("SKILL#ask/1", "cured")]
    change(pack, snippets=ask)
    assert "SKILL#ask/1 has no verdict" in refused(bench, pack)


def test_a_run_without_a_statement_gives_no_receipt(bench: Bench, pack: Path) -> None:
    report = json.loads((pack / "out.json").read_text())
    change(pack, statements=[r for r in report["statements"] if not r["id"].endswith("/s2")])
    assert "SKILL#answer/s2 has no verdict" in refused(bench, pack)


@pytest.mark.parametrize("name", ["SKILL.md", "data.bin", "new.txt"])
def test_a_file_that_changed_since_the_run_gives_no_receipt(
    bench: Bench, pack: Path, name: str
) -> None:
    with (pack / "skills" / "pack" / name).open("a") as file:
        file.write("\n")
    assert f"pack: not what was run: {name}: verify the whole pack again" in refused(bench, pack)


def test_a_file_that_is_gone_since_the_run_gives_no_receipt(bench: Bench, pack: Path) -> None:
    (pack / "skills" / "pack" / "data.bin").unlink()
    assert "not what was run: data.bin" in refused(bench, pack)


def test_a_report_of_another_version_gives_no_receipt(bench: Bench, pack: Path) -> None:
    change(pack, version="0.9.0")
    assert "the report is of pack 0.9.0, the pack is pack 1.0.0" in refused(bench, pack)


def test_outdated_sections_give_no_receipt(bench: Bench, pack: Path) -> None:
    (pack / "skills" / "pack" / "sections.json").write_text("{}")
    assert "write it anew first: proveskill sections . --write" in refused(bench, pack)


def test_sections_that_were_written_after_the_run_are_part_of_the_receipt(
    bench: Bench, pack: Path
) -> None:
    assert bench.run(["sections", ".", "--write"], pack).status == 0
    names = [entry["name"] for entry in receipt_of(bench, pack)["subject"]]
    assert names == ["SKILL.md", "data.bin", "sections.json"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read out.json: No such file"),
        ("{", "out.json:1: not JSON"),
        ('{"schema": 1}', "out.json: no 'pack': not what verify --report writes"),
        ("[]", "out.json: no report of proveskill verify --report: schema is None, not 1"),
    ],
)
def test_what_is_no_report_is_a_usage_error(
    bench: Bench, pack: Path, content: str | None, says: str
) -> None:
    (pack / "out.json").unlink()
    if content is not None:
        (pack / "out.json").write_text(content)
    run = receive(bench, pack)
    assert (run.status, run.out) == (2, "")
    assert says in run.err


def test_a_skill_without_a_manifest_has_a_receipt_too(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "alone", passes() + "Unproven.\n")
    report = tmp_path / "out.json"
    assert bench.run(["verify", ".", "--report", report], skill, report=report).status == 0
    assert bench.run(["receipt", ".", "--from", report], skill).status == 0
    receipt = json.loads((skill / "VERIFIED.json").read_text())
    assert [entry["name"] for entry in receipt["subject"]] == ["SKILL.md"]
    assert receipt["predicate"]["variants"] == []
    assert receipt["predicate"]["sections"] == [
        {
            "id": "SKILL#top",
            "fences": {"default": {"passed": 1}},
            "statements": {"default": {"unproven": 1}},
        }
    ]


def test_a_run_by_several_processes_gives_a_receipt(bench: Bench, pack: Path) -> None:
    (pack / "out.json").unlink()
    options = ("-n", "2", "-p", "xdist", "--proveskill-adapter=both")
    run = bench.run(["skills", "--proveskill-report=out.json", *options], pack, command=PYTEST)
    assert run.status == 0, run.text
    assert receipt_of(bench, pack)["predicate"]["variants"] == ["stock", "cured"]


def test_a_check_finds_every_file_as_it_was(bench: Bench, pack: Path) -> None:
    receipt_of(bench, pack)
    run = bench.run(["receipt", ".", "--check"], pack)
    assert (run.status, run.err) == (0, "")


def test_a_check_names_what_is_changed_new_and_missing(bench: Bench, pack: Path) -> None:
    receipt_of(bench, pack)
    skill = pack / "skills" / "pack"
    (skill / "new.txt").write_text("")
    (skill / "data.bin").unlink()
    (skill / "SKILL.md").write_text((skill / "SKILL.md").read_text() + "\n")
    run = bench.run(["receipt", ".", "--check"], pack)
    assert (run.status, run.out) == (1, "")
    assert run.err.splitlines() == [
        "error: skills/pack/SKILL.md: changed",
        "error: skills/pack/data.bin: missing",
        "error: skills/pack/new.txt: new",
        "verify the pack, then: proveskill receipt . --from REPORT",
    ]


@pytest.mark.parametrize(
    ("content", "says"), [(None, "VERIFIED.json: missing"), ("{}", "not a receipt")]
)
def test_a_check_without_a_receipt_fails(
    bench: Bench, pack: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (pack / "skills" / "pack" / "VERIFIED.json").write_text(content)
    run = bench.run(["receipt", ".", "--check"], pack)
    assert run.status == 1
    assert says in run.err


def test_a_receipt_needs_a_report_or_a_check(bench: Bench, pack: Path) -> None:
    run = bench.run(["receipt", "."], pack)
    assert run.status == 2
    assert "one of the arguments --from --check is required" in run.err


def test_a_report_with_an_entry_that_is_cut_is_a_usage_error(bench: Bench, pack: Path) -> None:
    change(pack, snippets=[{"id": "SKILL#answer/1"}])
    run = receive(bench, pack)
    assert (run.status, run.out) == (2, "")
    assert run.err == "error: out.json: an entry is not as verify --report writes it: 'adapter'\n"


def test_a_report_of_a_variant_that_the_pack_has_no_more_is_refused(
    bench: Bench, pack: Path
) -> None:
    manifest = pack / "skill.yaml"
    manifest.write_text(manifest.read_text().replace("cured:", "healed:"))
    assert "the pack has no variant cured: verify the whole pack again" in refused(bench, pack)


def test_a_report_without_a_verdict_of_any_fence_is_refused(bench: Bench, pack: Path) -> None:
    change(pack, snippets=[], statements=[])
    assert "SKILL#answer/1 has no verdict: the report is of a part" in refused(bench, pack)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["receipt", ".", "--from", "out.json"], "VERIFIED"),
        (["sections", ".", "--write"], "sections"),
    ],
)
def test_what_cannot_be_written_is_named(
    bench: Bench, pack: Path, command: list[str], name: str
) -> None:
    file = pack / "skills" / "pack" / f"{name}.json"
    file.mkdir()
    run = bench.run(command, pack)
    assert (run.status, run.out) == (2, "")
    assert run.err == f"error: cannot write {file}: Is a directory\n"
