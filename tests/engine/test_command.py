"""The command ``proveskill``: exit statuses, messages, selection, report."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from engine_runs import (
    PYTEST,
    Bench,
    Run,
    failure_blocks,
    fence,
    wait_until,
    write_pack,
    write_skill,
)
from jsonschema import Draft202012Validator

HERE = Path(__file__).parent
SQL = fence("SELECT 1;  -- -> 1", "sql")


def passes(n: int = 1) -> str:
    return fence(f"{n}  # -> {n}")


def notes(text: str, log: Path) -> str:
    """Return a fence that leaves a line in a file when it runs."""
    return fence(f"with open({str(log)!r}, 'a') as log:\n    print({text!r}, file=log)")


# --- wrong commands, wrong packs


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


# --- servers that are not there


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


# --- selection


@pytest.fixture
def logged(tmp_path: Path) -> tuple[Path, Path]:
    """A pack whose fences log that they ran: two sections of three."""
    log = tmp_path / "log"
    text = "".join(
        f"## {title}\n\n" + "".join(notes(f"{title} {n}", log) for n in (1, 2, 3))
        for title in ("One", "Two")
    )
    return write_pack(tmp_path / "pack", text=text), log


def lines(log: Path) -> list[str]:
    return sorted(log.read_text().splitlines()) if log.exists() else []


def test_a_fence_of_a_file_is_named_by_section_and_number(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, _ = logged
    report = root / "out.json"
    run = bench.run(
        ["verify", "skills/pack/SKILL.md::two::2", "--report", report], root, report=report
    )
    assert (run.status, run.verdicts) == (0, {"SKILL#two/2": "passed"})


def test_fences_that_are_not_selected_run_only_ahead_of_a_selected_one(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    bench.run(["verify", "skills/pack/SKILL.md::two::2"], root)
    assert lines(log) == ["Two 1", "Two 2"]


def test_a_section_is_selected_by_its_heading(bench: Bench, logged: tuple[Path, Path]) -> None:
    root, log = logged
    assert bench.run(["verify", "-k", "Two"], root).status == 0
    assert lines(log) == ["Two 1", "Two 2", "Two 3"]


def test_a_file_is_found_to_be_of_the_pack_above_it(
    bench: Bench, logged: tuple[Path, Path], tmp_path: Path
) -> None:
    root, log = logged
    run = bench.run(["verify", root / "skills" / "pack" / "SKILL.md"], tmp_path)
    assert (run.status, len(lines(log))) == (0, 6)
    assert run.out.startswith("pack 1.0.0")


def test_a_number_that_does_not_exist_is_a_usage_error(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, _ = logged
    run = bench.run(["verify", "skills/pack/SKILL.md::two::9"], root)
    assert run.status == 2
    assert "SKILL.md::two::9" in run.text


def test_an_expression_that_matches_nothing_is_a_usage_error(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    run = bench.run(["verify", "-k", "nonsense"], root)
    assert run.status == 2
    assert "nothing matches -k 'nonsense'" in run.err
    assert lines(log) == []


def test_collecting_runs_nothing(bench: Bench, logged: tuple[Path, Path]) -> None:
    root, log = logged
    run = bench.run([".", "--collect-only", "-q"], root, command=PYTEST)
    assert run.status == 0
    assert "SKILL.md::two::3" in run.out
    assert lines(log) == []


def test_the_first_failure_stops_a_run_on_request(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=fence("1  # -> 2") + fence("1  # -> 3"))
    report = root / "out.json"
    run = bench.run(["verify", "-x", "--report", report], root, report=report)
    assert (run.status, run.verdicts) == (1, {"SKILL#top/1": "failed"})


def test_a_run_that_stops_does_not_wait_for_other_sections(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    wait = f"import os\nwhile not os.path.exists({str(log)!r}):\n    pass\n1  # -> 2"
    endless = notes("B", log) + fence("import time\ntime.sleep(6000)")
    text = "## A\n\n" + fence(wait) + "## B\n\n" + endless
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 6000}}, text)
    run = bench.run(["verify", "-x", "--jobs", "2"], root)
    assert (run.status, run.left_processes, run.left_files) == (1, (), ())


def test_sections_run_in_the_order_of_the_text_with_one_job(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    assert bench.run(["verify", "--jobs", "1"], root).status == 0
    order = [f"{title} {n}" for title in ("One", "Two") for n in (1, 2, 3)]
    assert log.read_text().splitlines() == order


def test_only_what_failed_last_time_runs_again_on_request(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes() + fence("1  # -> 2") + passes())
    report = root / "out.json"
    bench.run(["verify"], root)
    run = bench.run(["verify", "--lf", "--report", report], root, report=report)
    assert (run.status, run.verdicts) == (1, {"SKILL#top/2": "failed"})


def test_the_last_failures_of_a_skill_without_manifest_run_again_on_request(
    bench: Bench, tmp_path: Path
) -> None:
    skill = write_skill(tmp_path / "skill", passes() + fence("1  # -> 2"))
    report = tmp_path / "out.json"
    bench.run(["verify", "skill"], tmp_path)
    run = bench.run(["verify", "skill", "--lf", "--report", report], tmp_path, report=report)
    assert run.status == 1
    assert "SKILL#top/2" in run.verdicts
    assert skill.is_dir()


def test_a_skill_without_manifest_is_not_written_to(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "skill", passes())
    before = sorted(skill.rglob("*"))
    assert bench.run(["verify", "skill"], tmp_path).status == 0
    assert sorted(skill.rglob("*")) == before


# --- a run with something of everything


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("mixed") / "mixed"
    text = (
        "## First, a heading\n\n" + fence("base = 1") + fence("base + 1  # -> 3") + passes()
        + fence("raise ValueError('100%, at\\nsecond: line')")
        + fence("raise ValueError('\\n'.join(map(str, range(40))))")
        + "<!-- not run: needs a cluster -->\n" + fence("cluster.connect()")
    )  # fmt: skip
    write_pack(root, {"versions": {"pytest": "0.0.1"}}, text)
    report = root / "out.json"
    return Bench(root).run(
        ["verify", "--report", report], root, report=report, GITHUB_ACTIONS="true"
    )


def test_the_report_has_the_shape_of_the_contract(mixed: Run, server_cases_run: Run) -> None:
    schema = json.loads((HERE / "report.schema.json").read_text())
    validator = Draft202012Validator(schema)
    for report in (mixed.report, server_cases_run.report):
        assert [error.message for error in validator.iter_errors(report)] == []


def test_the_report_tells_the_verdicts(mixed: Run) -> None:
    totals = mixed.report["totals"]
    assert (mixed.report["pack"], mixed.report["version"]) == ("mixed", "1.0.0")
    assert (mixed.status, mixed.report["ok"], totals["fences"]) == (1, False, 6)
    assert totals["snippets"] == {"passed": 2, "failed": 3, "not_run": 1}


def test_the_report_tells_server_and_extensions(server_cases_run: Run) -> None:
    environment = server_cases_run.report["environment"]
    assert environment["server"] == "embedded"
    assert list(environment["extensions"]) == ["vector"]


def test_the_summary_counts_each_section(mixed: Run) -> None:
    assert re.search(r"^SKILL#first-a-heading +2 +3 +1 +\d+\.\d\d$", mixed.out, re.MULTILINE), (
        mixed.out
    )
    assert "6 fences: 2 passed, 3 failed, 1 not run" in mixed.out


def test_another_version_than_the_verified_one_is_noted(mixed: Run) -> None:
    assert "note: pytest " in mixed.out
    assert "; the pack was verified with 0.0.1" in mixed.out


def test_failures_are_annotated_for_github(mixed: Run) -> None:
    file = "skills/mixed/SKILL.md"
    found = [line for line in mixed.out.splitlines() if line.startswith("::")]
    assert found[0].startswith(f"::error file={file},line=12,title=ExpectationFailed::")
    assert "expected: -> 3%0A" in found[0]
    assert found[1] == f"::error file={file},line=20,title=ValueError::100%25, at%0Asecond: line"
    assert len(found) == 3


def test_nothing_is_annotated_elsewhere(cases_run: Run) -> None:
    assert not re.search("^::", cases_run.out, re.MULTILINE)


def test_there_are_no_colours_without_a_terminal(mixed: Run, cases_run: Run) -> None:
    assert "\x1b" not in mixed.text + cases_run.text


def test_the_printed_command_runs_that_fence_again(bench: Bench, mixed: Run) -> None:
    record = next(r for r in mixed.records if r["id"].endswith("/2"))
    _, *arguments = shlex.split(record["error"]["rerun"])
    report = mixed.folder / "again.json"
    run = bench.run([*arguments, "--report", report], mixed.folder, report=report)
    assert (run.status, run.verdicts) == (1, {record["id"]: "failed"})
    assert run.records[0]["error"]["message"] == record["error"]["message"]


def test_the_printed_command_has_the_options_of_the_run_without_a_password(
    bench: Bench, mixed: Run
) -> None:
    url = "postgresql://u:secret@127.0.0.1:1/x"
    run = bench.run(["verify", "--server", url, "-k", "first"], mixed.folder)
    assert "first-a-heading::2 --server postgresql://u@127.0.0.1:1/x" in run.out
    assert "secret" not in run.text


def test_the_printed_command_starts_with_an_installed_program(mixed: Run) -> None:
    record = next(r for r in mixed.records if r["error"])
    program = shlex.split(record["error"]["rerun"])[0]
    done = subprocess.run([program, "--help"], capture_output=True, cwd=mixed.folder, check=False)
    assert done.returncode == 0


def test_a_verbose_run_shows_whole_messages(bench: Bench, mixed: Run) -> None:
    run = bench.run(["verify", "-v", "skills/mixed/SKILL.md::first-a-heading::5"], mixed.folder)
    assert "\nE   39\n" in run.out
    assert "\nE   39\n" not in mixed.out


def test_messages_name_files_that_are_elsewhere_by_their_whole_path(
    bench: Bench, mixed: Run, tmp_path: Path
) -> None:
    run = bench.run(["verify", mixed.folder, "-k", "first"], tmp_path)
    assert f"\n{mixed.folder}/skills/mixed/SKILL.md:12: ExpectationFailed" in run.out


# --- how runs end


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_a_run_and_nothing_is_left(
    bench: Bench, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    log = tmp_path / "log"
    endless = notes("started", log) + fence("import time\ntime.sleep(600)") + SQL
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 600}}, endless)
    process, mark = bench.start(["verify"], root)
    wait_until(log.exists, "the first fence")
    # As a terminal does it: to all of the group.
    os.killpg(process.pid, number)
    run = bench.finish(process, mark, root)
    assert (run.status, run.left_processes, run.left_files) == (status, (), ())
    assert "Traceback" not in run.text


def test_a_killed_run_leaves_nothing_running(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    endless = notes("started", log) + fence("import time\ntime.sleep(600)")
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 600}}, endless)
    process, mark = bench.start(["verify"], root)
    wait_until(log.exists, "the first fence")
    process.kill()
    process.wait()
    wait_until(lambda: not bench.left(mark), "the end of the processes")
    wait_until(lambda: not list(bench.temporary.iterdir()), "the end of their files")
    process.communicate()


def test_too_many_fences_that_are_not_run_fail_the_run(bench: Bench, tmp_path: Path) -> None:
    text = passes() + "<!-- not run: needs a cluster -->\n" + fence("cluster.connect()")
    root = write_pack(tmp_path / "pack", {"budgets": {"not_run": 0.25}}, text)
    report = root / "out.json"
    run = bench.run(["verify", "--report", report], root, report=report)
    assert (run.status, run.report["ok"]) == (1, False)
    assert "1 of 2 fences (50.0%) are marked 'not run', more than the budget of 25.0%" in run.text


def test_a_report_that_cannot_be_written_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    run = bench.run(["verify", "--report", "nowhere/out.json"], root)
    assert run.status == 2
    assert "cannot write the report nowhere/out.json" in run.text
    assert "Traceback" not in run.text


def test_a_limit_of_the_manifest_holds(bench: Bench, tmp_path: Path) -> None:
    text = fence("print('x' * 101)") + fence("import time\ntime.sleep(600)")
    limits = {"seconds": 0.5, "output_bytes": 100}
    root = write_pack(tmp_path / "pack", {"limits": limits}, text)
    report = root / "out.json"
    run = bench.run(["verify", "--report", report], root, report=report)
    assert [r["error"]["type"] for r in run.records] == ["OutputFlood", "TimeLimit"]


def test_two_runs_at_once_do_not_meet(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=SQL)
    started = [bench.start(["verify"], root) for _ in range(2)]
    runs = [bench.finish(process, mark, root) for process, mark in started]
    assert [(run.status, run.left_processes) for run in runs] == [(0, ())] * 2
    assert list(bench.temporary.glob("proveskill*")) == []


@pytest.mark.parametrize("home", [None, "/dev/null"], ids=["no HOME", "an unusable HOME"])
def test_a_home_folder_is_not_needed(bench: Bench, tmp_path: Path, home: str | None) -> None:
    root = write_pack(tmp_path / "pack", text=passes() + fence("echo x", "bash"))
    assert bench.run(["verify"], root, HOME=home).status == 0


def test_a_pack_in_a_folder_that_cannot_be_written_is_verified(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    # A file in place of the cache folder: permissions do not stop root.
    (root / ".pytest_cache").write_text("")
    run = bench.run(["verify"], root)
    assert run.status == 0, run.text


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"# \xff\n", "utf-8"), (b"\xef\xbb\xbf```python\n1  # -> 2\n```\n", "a.md:2: Expect")],
    ids=["no UTF-8", "a byte order mark"],
)
def test_a_file_in_an_odd_encoding_is_not_passed_over(
    bench: Bench, tmp_path: Path, content: bytes, says: str
) -> None:
    skill = write_skill(tmp_path / "skill", passes())
    (skill / "references" / "a.md").write_bytes(content)
    run = bench.run(["verify", "skill"], tmp_path)
    assert run.status in (1, 2)
    assert says in run.text
    assert "Traceback" not in run.text


def test_a_skill_without_any_fence_is_not_proven(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", "Only text.\n")
    run = bench.run(["verify", "skill"], tmp_path)
    assert "Traceback" not in run.text
    assert "0 fences" in run.text or "no fence" in run.text or "nothing was proven" in run.text


# --- pytest itself


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
    (tmp_path / "test_a.py").write_text("def test_a():\n    assert True\n")
    run = bench.run(["."], tmp_path, command=PYTEST)
    assert run.status == 0
    assert "1 passed" in run.out


# --- ids and sections


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with equal headings, and equal file names in two skills."""
    root = write_pack(tmp_path_factory.mktemp("many") / "many")
    for name in ("first", "second"):
        write_skill(root / "skills" / name, "## Start\n\n" + passes(), same=passes())
    (root / "skills" / "first" / "references" / "twice.md").write_text(
        "Text.\n\n## Use `it`!\n\n" + passes(1) + "## Use it\n\nBetween.\n\n" + passes(2)
    )
    return write_pack(root, {"skills": ["skills/first", "skills/second"]})


def test_ids_are_unique_where_headings_and_file_names_are_not(bench: Bench, many: Path) -> None:
    report = many / "out.json"
    run = bench.run(["verify", "--report", report], many, report=report)
    assert sorted(run.verdicts) == [
        "first/SKILL#start/1",
        "first/references/same#top/1",
        "second/SKILL#start/1",
        "second/references/same#top/1",
        "twice#use-it-1/1",
        "twice#use-it/1",
    ]


def test_sections_lists_sections_with_their_fences(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", "."], many)
    assert run.status == 0
    assert re.search(r"^twice#use-it +1 fences +Use it!$", run.out, re.MULTILINE), run.out


def test_sections_prints_one_section(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", ".", "twice#use-it-1"], many)
    assert (run.status, run.out) == (0, "## Use it\n\nBetween.\n\n" + passes(2))


def test_sections_speaks_json(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", ".", "--json"], many)
    found = {record["id"]: record for record in json.loads(run.out)}
    section = found["twice#use-it-1"]
    assert section["file"] == "skills/first/references/twice.md"
    assert (section["line"], section["end_line"], section["title"]) == (9, 16, "Use it")
    assert section["snippets"] == [{"id": "twice#use-it-1/1", "line": 13, "language": "python"}]


def test_sections_suggests_near_ids_for_an_unknown_one(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", ".", "twice#use"], many)
    assert (run.status, run.out) == (2, "")
    assert "no section 'twice#use'; near: " in run.err
    assert "twice#use-it" in run.err


def test_sections_ends_quietly_when_its_reader_has_enough(bench: Bench, tmp_path: Path) -> None:
    text = "".join(f"## Section {n} {'x' * 200}\n\n{passes()}" for n in range(2000))
    root = write_pack(tmp_path / "pack", text=text)
    process, mark = bench.start(["sections", "."], root)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait()
    assert process.stderr is not None
    assert (process.returncode, process.stderr.read()) == (0, "")
    process.stderr.close()
    assert bench.left(mark) == []


def test_help_tells_the_exit_statuses(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(["verify", "--help"], tmp_path)
    assert run.status == 0
    assert "3  the server could not be started" in run.out
