"""``proveskill mcp`` as a command."""

from __future__ import annotations

from pathlib import Path

from engine_runs import Bench


def test_the_server_ends_with_its_input(bench: Bench, pack: Path) -> None:
    run = bench.run(["mcp", "."], pack)
    assert (run.status, run.out, run.err) == (0, "", "")


def test_a_folder_without_a_skill_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(["mcp", "."], tmp_path)
    assert (run.status, run.out) == (2, "")
    assert "neither a skill.yaml nor a SKILL.md" in run.err


def test_without_the_sdk_it_says_what_to_install(bench: Bench, pack: Path, tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ImportError('hidden by the test')")
    run = bench.run(["mcp", "."], pack, PYTHONPATH=str(tmp_path))
    assert (run.status, run.out) == (2, "")
    assert "pip install 'proveskill[mcp]'" in run.err
