"""What `--help` says of each command, and what it costs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from engine_runs import Bench

COMMANDS = (
    *("init", "verify", "sections", "mutants", "receipt"),
    *("mcp", "channels", "render", "site", "matrix"),
)
LOADED = """
import sys
from proveskill.cli import main
try:
    main([sys.argv[1], "--help"])
finally:
    print("imported:", *sorted(sys.modules))
"""


def test_the_help_lists_the_commands(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(["--help"], tmp_path)
    assert re.findall(r"^    (\w+)  +\w", run.out, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_says_what_it_does_and_what_its_arguments_are(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    run = bench.run([name, "--help"], tmp_path)
    usage, description, arguments, *_ = run.out.split("\n\n")
    assert (run.status, run.err) == (0, "")
    assert usage.startswith(f"usage: proveskill {name} [-h]")
    assert re.match(r"[A-Z].*\. *", description, re.DOTALL)
    assert arguments.startswith("positional arguments:\n  ")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_a_terminal(bench: Bench, tmp_path: Path, name: str) -> None:
    run = bench.run([name, "--help"], tmp_path, COLUMNS="102")
    assert max(map(len, run.out.splitlines())) <= 100


@pytest.mark.parametrize("name", ["verify", "mutants", "matrix"])
def test_a_command_that_runs_the_pack_explains_each_exit_status(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    run = bench.run([name, "--help"], tmp_path)
    statuses = run.out.partition("\nexit status:\n")[2]
    assert re.findall(r"^  (\d)  \w", statuses, re.MULTILINE) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_no_more_than_its_options(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    run = bench.run(["-c", LOADED, name], tmp_path, command=(sys.executable,))
    imported = run.out.partition("imported:")[2].split()
    ours = {module for module in imported if module.startswith("proveskill.commands.")}
    assert ours <= {f"proveskill.commands.{name}", "proveskill.commands.outputs"}
    assert not {"pytest", "yaml", f"proveskill.{name}_command"} & {*imported}
