"""Pins what the engine uses of pytest's private assertion rewriting, and the lines of its code.

``python_source._rewrite_asserts`` calls ``_pytest.assertion.rewrite.rewrite_asserts``; a new
pytest that changes it shows here first.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from engine_cases import failure_blocks
from engine_runs import Bench, Run, fence, write_skill

INTRODUCTION = "Text.\n\n" * 20
TEXT = INTRODUCTION + (
    "## Values\n\n"
    + fence("def double(n):\n    return n * 2\n\n\nassert double(2) == 5")
    + "## Message\n\n"
    + fence("name = 'x'\nassert name.upper() == 'Y', f'{name} is wrong'")
    + "## Traceback\n\n"
    + fence("import traceback\n\n\ndef fail():\n    assert 1 == 2, 'no'\n\n\n"
            "try:\n    fail()\nexcept AssertionError:\n    print(traceback.format_exc())\n"
            "    raise")
    + "## Once\n\n"
    + fence("calls = []\nassert calls.append(1) is None\nassert len(calls) == 1")
    + "## Future\n\n"
    + fence('"""A docstring."""\n\nfrom __future__ import annotations\n\nassert 1 + 1 == 2\n'
            "__doc__  # -> 'A docstring.'")
)  # fmt: skip


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("rewriting")
    write_skill(root / "skill", guide=TEXT)
    report = root / "out.json"
    return Bench(root).run(["verify", "skill", "-v", "--report", report], root, report=report)


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


def block(run: Run, section: str) -> str:
    return failure_blocks(run.out)[f"guide#{section}/1"]


def test_the_rewriter_of_pytest_has_the_signature_in_use() -> None:
    from _pytest.assertion.rewrite import rewrite_asserts

    names = list(inspect.signature(rewrite_asserts).parameters)
    assert names[:3] == ["mod", "source", "module_path"]


def test_the_rewriter_of_pytest_imports_itself_by_a_known_name() -> None:
    from _pytest.assertion.rewrite import rewrite_asserts

    tree = ast.parse("assert x == 1")
    rewrite_asserts(tree, b"assert x == 1", "a.md")
    imported = {
        alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names
    }
    assert imported == {"builtins", "_pytest.assertion.rewrite"}


def test_a_failing_assert_shows_both_values(rewritten: Run) -> None:
    shown = block(rewritten, "values")
    assert "assert 4 == 5" in shown
    assert "where 4 = <function double at" in shown


def test_a_failing_assert_shows_its_message_and_its_values(rewritten: Run) -> None:
    shown = block(rewritten, "message")
    assert "x is wrong" in shown
    assert "assert 'X' == 'Y'" in shown


def test_a_failing_assert_is_reported_at_its_line_of_the_markdown(rewritten: Run) -> None:
    line = line_of("assert double(2) == 5")
    shown = block(rewritten, "values")
    assert shown.startswith(f"skill/references/guide.md:{line}: AssertionError")
    assert f">  {line:>4}  assert double(2) == 5".replace(">  ", "> ") in shown


def test_lines_of_tracebacks_are_those_of_the_markdown(rewritten: Run) -> None:
    shown = block(rewritten, "traceback")
    assert f'guide.md", line {line_of("    fail()")}, in <module>' in shown
    assert f'guide.md", line {line_of("    assert 1 == 2")}, in fail' in shown


def test_a_rewritten_assert_evaluates_its_expression_once(rewritten: Run) -> None:
    assert rewritten.verdicts["guide#once/1"] == "passed"


def test_a_docstring_and_future_imports_survive_rewriting(rewritten: Run) -> None:
    assert rewritten.verdicts["guide#future/1"] == "passed"


def test_compiled_fences_of_an_earlier_run_fail_at_the_lines_of_this_one(
    bench: Bench, tmp_path: Path
) -> None:
    skill = write_skill(tmp_path / "skill", guide=fence("assert 1 == 2"))
    (tmp_path / "skill.yaml").write_text("schema: 1\nname: pack\nversion: 1.0.0\nskills: [skill]\n")
    bench.run(["verify"], tmp_path)
    (skill / "references" / "guide.md").write_text("Text.\n\n" + fence("assert 1 == 2"))
    assert "guide.md:4: AssertionError" in bench.run(["verify"], tmp_path).out
