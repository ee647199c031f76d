"""Breaks that a pack lists under ``matrix.breaks``: known, stale, or not as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_runs import SQL, Bench
from matrix_packs import Registry, write_matrix_pack

SETS: dict[str, Any] = {"pinned": {}, "newest": {"packages": "newest"}}


def known(**changes: Any) -> list[dict[str, Any]]:
    """Return a list with one entry; where it has `holds`, nothing has to say so."""
    entry = {"items": ["SKILL#middle/1"], "sets": ["newest"], "reason": "it was renamed"}
    if "holds" in changes and "says" not in changes:
        entry["unsaid"] = "it is about that release"
    return [{name: value for name, value in (entry | changes).items() if value is not None}]


def test_a_known_break_is_counted_and_does_not_fail_the_run(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    breaks = known(items=["SKILL#mid*"], holds="toy<2.0")
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", "always", breaks=breaks)
    run = registry.matrix(bench, root)
    assert (run.status, run.report["problems"]) == (0, [])
    assert [record["known"] for record in run.report["breaks"]] == ["it was renamed"]
    assert "(known: it was renamed)" in run.out


def test_a_break_beside_a_known_one_fails_the_run(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", "late", breaks=known())
    run = registry.matrix(bench, root, "--no-bisect")
    assert (run.status, run.report["problems"]) == (1, [])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"items": ["SKILL#middle/1", "SKILL#al*"]}, "SKILL#al* holds in newest: remove it"),
        ({"holds": "toy<2.1"}, "said to hold with toy<2.1, but it breaks with 2.0"),
        ({"holds": "toy<1.2"}, "said to hold only with toy<1.2, but it holds with 1.2"),
        ({"holds": "python<3.9"}, "said to hold with python<3.9, but what breaks it is toy"),
    ],
    ids=["holds", "breaks earlier", "holds longer", "something else"],
)
def test_an_entry_that_is_not_true_any_more_fails_the_run(
    bench: Bench, tmp_path: Path, registry: Registry, changes: dict[str, Any], says: str
) -> None:
    breaks = known(**changes)
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", "always", breaks=breaks)
    run = registry.matrix(bench, root)
    assert run.status == 1
    assert any(says in problem for problem in run.report["problems"])
    assert says in run.out


def test_an_entry_for_a_set_that_is_not_run_is_not_stale(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(
        tmp_path / "pack", SETS, "always", breaks=known(items=["SKILL#always/1"])
    )
    assert registry.matrix(bench, root, "--set", "pinned").status == 0
    assert registry.matrix(bench, root, "--set", "newest").status == 1


def test_a_page_that_cannot_be_read_for_a_quote_is_named(bench: Bench, tmp_path: Path) -> None:
    breaks = known(holds="toy<2.0", says="only before toy 2.0")
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", breaks=breaks)
    page = root / "skills" / "pack" / "references" / "odd.md"
    page.write_bytes(b"# \xff\n")
    run = bench.run(["matrix"], root)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"error: {page}: not UTF-8: ")


def test_an_entry_that_leaves_out_versions_of_a_set_where_all_holds_fails_the_run(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    sets = SETS | {"oldest": {"packages": {"toy": "1.0"}}}
    breaks = known(holds="toy<2.0,!=1.0")
    root = write_matrix_pack(tmp_path / "pack", sets, "middle", breaks=breaks)
    run = registry.matrix(bench, root)
    assert run.status == 1
    assert run.report["problems"] == [
        "matrix.breaks.0: said to hold only with toy!=1.0,<2.0, but all of it holds in oldest with "
        "1.0"
    ]


@pytest.mark.parametrize("name", ["python", "postgresql"])
def test_the_version_of_the_python_or_the_server_of_a_set_is_compared(
    bench: Bench, tmp_path: Path, registry: Registry, name: str
) -> None:
    breaks = known(holds=f"{name}>=99")
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", breaks=breaks)
    skill = root / "skills" / "pack" / "SKILL.md"
    skill.write_text(f"{skill.read_text()}## Server\n\n{SQL}")
    run = registry.matrix(bench, root, "--set", "pinned")
    here = run.report["sets"][0]["environment"][name]
    assert run.status == 1
    assert run.report["problems"] == [
        f"matrix.breaks.0: said to hold only with {name}>=99, but all of it holds in pinned with "
        f"{here}"
    ]


def test_the_command_refuses_a_pack_that_does_not_say_what_an_entry_quotes(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    breaks = known(holds="toy<2.0", says="only before toy 2.0")
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", breaks=breaks)
    run = registry.matrix(bench, root)
    assert (run.status, run.out) == (2, "")
    assert "no statement of the pack says 'only before toy 2.0'" in run.err
    skill = root / "skills" / "pack" / "SKILL.md"
    skill.write_text(skill.read_text() + "This works only before toy 2.0 came.\n")
    assert registry.matrix(bench, root).status == 0


WRONG = {
    "no such set": ({"sets": ["pinned", "new"]}, "sets.1: no set 'new'; known: pinned, newest"),
    "no requirement": ({"holds": "toy before 2"}, "holds: 'toy before 2' is no requirement"),
    "no version": ({"holds": "toy"}, "holds: 'toy' has no version; write it like psqlpy>=0.13"),
    "another version": ({"holds": "toy<2.0", "says": "toy 2.1"}, "does not name the package"),
    "a longer version": ({"holds": "toy<2.0", "says": "toy 2.0.1"}, "does not name the package"),
    "another package": ({"holds": "toy<2.0", "says": "joy 2.0"}, "does not name the package"),
    "versions only": ({"holds": "toy<2.0", "unsaid": None}, "`holds` goes with either"),
    "words only": ({"says": "toy 2.0"}, "`holds` goes with either"),
    "words and a reason for none": (
        {"holds": "toy<2.0", "says": "toy 2.0", "unsaid": "-"}, "`holds` goes with either",
    ),
    "no reason": ({"reason": ""}, "reason: "),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_entry_is_a_usage_error_at_its_line(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    changes, says = WRONG[name]
    root = write_matrix_pack(tmp_path / "pack", SETS, "middle", breaks=known(**changes))
    run = bench.run(["matrix", "."], root)
    assert (run.status, run.out) == (2, "")
    assert f"{root}/skill.yaml:" in run.err
    assert says in run.err
