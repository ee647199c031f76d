"""Wrong commands, wrong packs, servers that are not there: exit status and message."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from engine_cases import failure_blocks
from engine_runs import (
    SQL,
    Bench,
    Run,
    fence,
    passes,
    write_pack,
    write_skill,
)


def test_a_path_that_does_not_exist_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(["verify", "nowhere"], tmp_path)
    assert (run.status, run.out) == (2, "")
    assert f"error: {tmp_path / 'nowhere'}: no such file or folder" in run.err


def test_a_folder_without_a_skill_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "text.md").write_text(passes())
    run = bench.run(["verify", "."], tmp_path)
    assert run.status == 2
    assert "neither a skill.yaml nor a SKILL.md" in run.err


FRONT_MATTERS = {
    "missing": ("# Title\n", 1, "must start with front matter"),
    "no-yaml": ("---\nname: no-yaml\ndescription: a: b\n---\n", 3, "not valid YAML"),
    "unknown-key": (
        "---\nname: unknown-key\ndescription: x\nauthor: me\n---\n", 4, "'author'",
    ),
    "other-name": ("---\ndescription: x\nname: another\n---\n", 3, "'another'"),
    "long-text": (f"---\nname: long-text\ndescription: {'x' * 1025}\n---\n", 3, "description"),
    "no-text": ("---\nname: no-text\n---\n", 2, "is missing"),
    "list": ("---\n- name\n---\n", 2, "name and description"),
}  # fmt: skip


@pytest.fixture(scope="session")
def front_matters(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = write_pack(tmp_path_factory.mktemp("front") / "front")
    for name, (text, _, _) in FRONT_MATTERS.items():
        write_skill(root / "skills" / name)
        (root / "skills" / name / "SKILL.md").write_text(text)
    skills = [f"skills/{name}" for name in FRONT_MATTERS]
    write_pack(root, {"skills": skills})
    return Bench(root).run(["verify"], root)


@pytest.mark.parametrize("name", FRONT_MATTERS)
def test_wrong_front_matter_is_a_failure_at_its_line(front_matters: Run, name: str) -> None:
    _, line, says = FRONT_MATTERS[name]
    block = failure_blocks(front_matters.out)[f"{name}: front matter"]
    headline, *message = block.splitlines()
    assert headline.startswith(f"skills/{name}/SKILL.md:{line}: FrontMatter")
    assert says in "\n".join(line for line in message if line.startswith("E "))


def test_wrong_front_matter_makes_the_exit_status_1(front_matters: Run) -> None:
    assert front_matters.status == 1


MANIFESTS = {
    "invalid YAML": ("schema: 1\nname: [\n", 3, "not valid YAML"),
    "a misspelt key": (
        "schema: 1\nname: pack\nversion: 1.0.0\nskils: []\nskills: [skills/pack]\n",
        4,
        "did you mean 'skills'",
    ),
    "a misspelt inner key": (
        "schema: 1\nname: pack\nversion: 1.0.0\nskills: [skills/pack]\nlimits:\n  second: 3\n",
        6,
        "limits.second: unknown key; did you mean 'seconds'",
    ),
    "an unknown schema": ("schema: 2\nname: pack\nversion: 1.0.0\nskills: [x]\n", 1, "schema"),
    "a missing key": ("schema: 1\nname: pack\nversion: 1.0.0\n", 1, "'skills'"),
    "a number for a version": (
        "schema: 1\nname: pack\nversion: 1.0\nskills: [skills/pack]\n", 3, "version",
    ),
    "a missing fixtures file": (
        "schema: 1\nname: pack\nversion: 1.0.0\nskills: [skills/pack]\nfixtures: no.py\n",
        5,
        "no such path: no.py",
    ),
    "a missing schema file": (
        "schema: 1\nname: pack\nversion: 1.0.0\nskills: [skills/pack]\n"
        "server:\n  kind: embedded\n  schema: no.sql\n",
        7,
        "no such path: no.sql",
    ),
    "a skill folder without SKILL.md": (
        "schema: 1\nname: pack\nversion: 1.0.0\nskills:\n  - skills/pack\n  - empty\n",
        6,
        "no SKILL.md in empty",
    ),
    "an unknown server": (
        "schema: 1\nname: pack\nversion: 1.0.0\nskills: [skills/pack]\nserver: {kind: mysql}\n",
        5,
        "server.kind",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_wrong_manifest_is_a_usage_error_at_its_line(
    bench: Bench, tmp_path: Path, what: str
) -> None:
    text, line, says = MANIFESTS[what]
    root = write_pack(tmp_path / "pack", text=passes())
    (root / "empty").mkdir()
    (root / "skill.yaml").write_text(text)
    run = bench.run(["verify"], root)
    assert run.status == 2
    assert f"skill.yaml:{line}: " in run.err
    assert says in run.err
    assert "Traceback" not in run.text


def test_an_empty_manifest_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    (root / "skill.yaml").write_text("")
    run = bench.run(["verify"], root)
    assert run.status == 2
    assert "Traceback" not in run.text


def test_a_fixtures_file_that_cannot_be_imported_is_a_usage_error(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_pack(tmp_path / "pack", {"fixtures": "fixtures.py"}, passes())
    (root / "fixtures.py").write_text("import os\nimport no_such_module_here\n")
    run = bench.run(["verify"], root)
    assert run.status == 2
    assert "fixtures.py:2: ModuleNotFoundError" in run.text
    assert "no_such_module_here" in run.text


def test_a_fixtures_file_that_does_not_parse_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", {"fixtures": "fixtures.py"}, passes())
    (root / "fixtures.py").write_text("import os\nx = (\n")
    run = bench.run(["verify"], root)
    assert run.status == 2
    assert "fixtures.py:2: '(' was never closed" in run.text


def test_a_module_that_cannot_be_preloaded_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", {"preload": ["no_such_module_here"]}, passes())
    run = bench.run(["verify"], root)
    assert run.status == 2
    assert "no_such_module_here" in run.text


def test_an_unknown_adapter_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", {"adapters": {"stock": {}, "fast": {}}}, passes())
    run = bench.run(["verify", "--adapter", "stok"], root)
    assert run.status == 2
    assert "no adapter 'stok'; known: stock, fast" in run.text


def test_an_adapter_takes_the_place_of_a_module(bench: Bench, tmp_path: Path) -> None:
    text = fence("import colorsys\ncolorsys.NAME  # -> 'ours'")
    adapters = {"stock": {}, "ours": {"replace": {"colorsys": "our_colours"}}}
    root = write_pack(tmp_path / "pack", {"adapters": adapters, "path": ["lib"]}, text)
    (root / "lib").mkdir()
    (root / "lib" / "our_colours.py").write_text("NAME = 'ours'\n")
    report = root / "out.json"
    run = bench.run(["verify", "--adapter", "ours", "--report", report], root, report=report)
    assert (run.status, run.records[0]["adapter"]) == (0, "ours")


def test_a_server_that_cannot_be_reached_has_its_own_exit_status(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_pack(tmp_path / "pack", text=SQL)
    report = root / "out.json"
    url = "postgresql://u:secret@127.0.0.1:1/x"
    run = bench.run(["verify", "--server", url, "--report", report], root, report=report)
    assert run.status == 3
    assert "127.0.0.1:1" in run.text
    assert "secret" not in run.text + json.dumps(run.report)
    assert (run.left_processes, run.left_files) == ((), ())


def test_a_server_that_nothing_needs_is_not_asked_for(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    assert bench.run(["verify", "--server", "postgresql://127.0.0.1:1/x"], root).status == 0


def test_a_taken_port_has_the_exit_status_of_servers(bench: Bench, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        root = write_pack(tmp_path / "pack", {"server": {"port": port}}, SQL)
        run = bench.run(["verify"], root)
    assert run.status == 3
    assert str(port) in run.text
    assert (run.left_processes, run.left_files) == ((), ())


def test_a_missing_container_engine_has_the_exit_status_of_servers(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_pack(tmp_path / "pack", text=SQL)
    run = bench.run(
        ["verify", "--server", "container"], root, DOCKER_HOST="unix:///nonexistent/docker.sock"
    )
    assert run.status == 3
    assert "Traceback" not in run.text


def test_an_unknown_kind_of_server_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=SQL)
    run = bench.run(["verify", "--server", "sqlite"], root)
    assert run.status == 2
    assert "--server" in run.text
    assert "Traceback" not in run.text
