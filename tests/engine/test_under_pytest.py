"""Fences under plain pytest and pytest-xdist."""

from __future__ import annotations

from pathlib import Path

from engine_runs import (
    PYTEST,
    Bench,
    fence,
    lines,
    passes,
    write_pack,
)
from proof_runs import write_proof_pack


def test_pytest_with_several_processes_runs_every_fence_once(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    run = bench.run([".", "-p", "xdist", "-n", "2", "-q"], root, command=PYTEST)
    assert run.status == 0, run.text
    assert lines(log) == [f"{title} {n}" for title in ("One", "Two") for n in (1, 2, 3)]


def test_pytest_with_several_processes_keeps_sections_whole(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    body = (
        f"import os\nwith open({str(log)!r}, 'a') as log:\n    print(TITLE, os.getpid(), file=log)"
    )
    text = "".join(f"## S{n}\n\n" + fence(f"TITLE = {n}\n{body}") + fence(body) for n in range(4))
    root = write_pack(tmp_path / "pack", text=text)
    run = bench.run([".", "-p", "xdist", "-n", "2", "-q"], root, command=PYTEST)
    assert run.status == 0, run.text
    seen = lines(log)
    assert (len(seen), len(set(seen))) == (8, 4)


def test_pytest_with_several_processes_shares_one_server(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    body = (
        "import os, psycopg\nwith psycopg.connect(os.environ['DATABASE_URL']) as c:\n"
        "    name, port = c.info.dbname, c.info.port\n"
        f"print(name, port, file=open({str(log)!r}, 'a'))"
    )
    text = "".join(f"## S{n}\n\n" + fence(body) for n in range(3))
    root = write_pack(tmp_path / "pack", text=text)
    run = bench.run([".", "-p", "xdist", "-n", "2", "-q"], root, command=PYTEST)
    assert (run.status, run.left_processes, run.left_files) == (0, (), ()), run.text
    names, ports = zip(*(line.split() for line in lines(log)), strict=True)
    assert (len(set(names)), len(set(ports))) == (3, 1)


def test_pytest_selects_fences_by_expression(bench: Bench, logged: tuple[Path, Path]) -> None:
    root, log = logged
    run = bench.run([".", "-k", "one and python"], root, command=PYTEST)
    assert run.status == 0, run.text
    assert lines(log) == ["One 1", "One 2", "One 3"]


def test_pytest_leaves_markdown_outside_of_skills_alone(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(fence("1  # -> 2"))
    (tmp_path / "test_a.py").write_text("def test_a():\n    assert 1 + 1 == 2\n")
    run = bench.run(["."], tmp_path, command=PYTEST)
    assert run.status == 0
    assert "1 passed" in run.out


PROVEN = """\
from proveskill import proves


@proves("There are {n} sides.")
def test_sides(n: int) -> None:
    assert len("abcd") == n


@proves("It never said this.")
def test_idle() -> None:
    assert "abcd".isalpha()
"""


def test_pytest_with_several_processes_proves_every_statement(bench: Bench, tmp_path: Path) -> None:
    text = "There are 4 sides. There are 5 sides.\n\n" + passes()
    root = write_proof_pack(tmp_path / "pack", PROVEN, text)
    report = root / "out.json"
    options = ["-p", "xdist", "-n", "2", "-q", f"--proveskill-report={report}"]
    run = bench.run([".", *options], root, command=PYTEST, report=report)
    assert run.status == 1, run.text
    verdicts = {s["text"]: s["verdict"] for s in run.report["statements"]}
    assert verdicts == {"There are 4 sides.": "proven", "There are 5 sides.": "failed"}
    assert "test_idle quotes no statement" in run.out


def test_plain_pytest_leaves_proofs_alone(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "pack", PROVEN, "There are 4 sides.\n")
    run = bench.run(["proofs"], root, command=PYTEST)
    assert "no tests ran" in run.out
