"""``action.yml`` and the pre-commit hook: what another repository needs to verify its skills."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from engine_runs import Bench, Run, fence, passes, write_pack, write_skill
from jsonschema import Draft7Validator
from junitparser import JUnitXml
from output_tools import ACTION_SCHEMA, published_schema

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / ".github" / "action"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


def verify(bench: Bench, folder: Path, **variables: str) -> tuple[Run, dict[str, str]]:
    """Run the action's step as GitHub does; return the run and the outputs of the step."""
    github = folder.parent / "github"
    github.mkdir()
    for name in ("output", "summary"):
        (github / name).touch()
    run = bench.run(
        [],
        folder,
        command=[str(SCRIPTS / "verify.sh")],
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(github / "output"),
        GITHUB_STEP_SUMMARY=str(github / "summary"),
        RUNNER_TEMP=str(github),
        **variables,
    )
    lines = (github / "output").read_text().splitlines()
    return run, dict(line.split("=", 1) for line in lines)


def test_the_action_is_what_github_accepts() -> None:
    validator = Draft7Validator(published_schema(ACTION_SCHEMA))
    assert [error.message for error in validator.iter_errors(ACTION)] == []


def test_every_step_names_a_script_that_can_be_executed() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert scripts == [
        f'"$GITHUB_ACTION_PATH/.github/action/{name}.sh"' for name in ("install", "verify")
    ]
    for name in ("install", "verify"):
        assert os.access(SCRIPTS / f"{name}.sh", os.X_OK)


def test_every_input_reaches_a_step_and_every_output_comes_from_one() -> None:
    steps = yaml.safe_dump(ACTION["runs"])
    assert [name for name in ACTION["inputs"] if f"inputs.{name} " not in steps] == []
    script = (SCRIPTS / "verify.sh").read_text()
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.verify.outputs.{name} }}}}"
        assert f'echo "{name}=' in script


def test_a_foreign_pack_is_verified_by_the_step(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "repository" / "skill", passes() + fence("session.commit()"))
    run, outputs = verify(
        bench,
        tmp_path / "repository",
        PROVESKILL_PATH="skill",
        PROVESKILL_ARGUMENTS="--run possible",
    )
    assert run.status == 0, run.text
    assert sorted(outputs) == ["badge", "folder", "junit", "report", "sarif"]
    assert JUnitXml.fromfile(outputs["junit"]).tests == 3
    summary = (tmp_path / "github" / "summary").read_text()
    assert "## ✅ skill: 1 fence proven, 1 only parsed" in summary


def test_a_red_pack_makes_the_step_red_and_still_has_outputs(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "repository" / "skill", fence("1  # -> 2"))
    run, outputs = verify(
        bench,
        tmp_path / "repository",
        PROVESKILL_PATH="skill",
        PROVESKILL_ARGUMENTS="--run possible",
    )
    assert (run.status, all(Path(file).exists() for file in outputs.values())) == (1, True)
    assert "::error file=skill/SKILL.md,line=6,title=ExpectationFailed::" in run.out


def test_a_wrong_path_makes_the_step_red_without_outputs(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    run, outputs = verify(bench, tmp_path / "repository", PROVESKILL_PATH="nowhere")
    assert (run.status, outputs) == (2, {})
    assert "no such file or folder" in run.err


def test_server_and_arguments_reach_the_command(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=fence("SELECT 1;", "sql") + passes())
    url = "postgresql://127.0.0.1:1/x"
    run, _ = verify(bench, root, PROVESKILL_SERVER=url, PROVESKILL_ARGUMENTS="--run parse -x")
    assert run.status == 3, run.text


def test_the_other_step_installs_an_environment(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "path"
    checkout = tmp_path / "check out"  # a runner's folders may have spaces in their names
    package = checkout / "proveskill"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def main():\n    print('the one of the checkout')\n")
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "proveskill"\nversion = "9.9.9"\n'
        '[project.scripts]\nproveskill = "proveskill:main"\n'
    )
    folder = Path(sys.executable).parent
    site = subprocess.run(
        [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    run = bench.run(
        [],
        tmp_path,
        command=[str(SCRIPTS / "install.sh")],
        PATH=f"{folder}:{os.environ['PATH']}",
        RUNNER_TEMP=str(tmp_path),
        GITHUB_PATH=str(path),
        GITHUB_ACTION_PATH=str(checkout),
        # The backend that is installed here, so that no network is needed.
        PIP_NO_BUILD_ISOLATION="0",
        PIP_NO_INDEX="1",
        PYTHONPATH=site,
    )
    assert run.status == 0, run.text
    program = Path(path.read_text().strip()) / "proveskill"
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.stdout == "the one of the checkout\n"


def test_precommit_accepts_the_hook() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest"]
    done = subprocess.run(
        [*command, str(ROOT / ".pre-commit-hooks.yaml")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize(("text", "status"), [(passes(), 0), (fence("1  # -> 2"), 1)])
def test_the_hook_verifies_a_repository(
    bench: Bench, tmp_path: Path, text: str, status: int
) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git: apt-get install git")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    # The very hook, but in the environment of this run instead of one that is installed for it.
    local = {**hook, "language": "system"}
    del local["language_version"]
    repository = write_pack(tmp_path / "pack", text=text)
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    run = bench.run(
        ["run", "--all-files", "--verbose"],
        repository,
        command=[sys.executable, "-m", "pre_commit"],
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        PRE_COMMIT_HOME=str(tmp_path / "home"),
    )
    assert run.status == status, run.text
    assert "1 fences: " in run.out


def test_precommit_installs_the_hook_from_this_repository(tmp_path: Path) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout: apt-get install git, then git clone")
    repository = write_pack(tmp_path / "pack", text=passes())
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT", "PYTEST", "PROVE"))}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pre_commit",
            "try-repo",
            str(ROOT),
            "proveskill",
            "--all-files",
            "-v",
        ],
        cwd=repository,
        env={**kept, "PRE_COMMIT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    if done.returncode and re.search(
        r"No matching distribution|Could not find a version", done.stdout
    ):
        pytest.skip("no package index: with one, run pre-commit try-repo . proveskill --all-files")
    assert done.returncode == 0, done.stdout
    assert "1 fences: 1 passed" in done.stdout
