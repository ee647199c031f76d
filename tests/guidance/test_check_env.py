"""``scripts/check_env.py`` of the skill, run by the Python of small virtual environments.

A package is "installed" there as its metadata and an empty module: the script imports nothing.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import venv
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from guidance import SKILL, manifest

SECTIONS = json.loads((SKILL / "sections.json").read_text(encoding="utf-8"))["sections"]
IDS = [entry["id"] for entry in SECTIONS]
UNPINNED = sorted({name for s in SECTIONS for name in s["needs"]} - manifest().versions.keys())


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    python: Path
    packages: Path

    def install(self, name: str, version: str = "1.0") -> None:
        metadata = self.packages / f"{name}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        (self.packages / name).mkdir()
        (self.packages / name / "__init__.py").write_text("")

    def remove(self, name: str) -> None:
        shutil.rmtree(self.packages / name)
        for metadata in self.packages.glob(f"{name}-*.dist-info"):
            shutil.rmtree(metadata)

    def replace(self, name: str, version: str) -> None:
        self.remove(name)
        self.install(name, version)


@dataclass(frozen=True)
class Answer:
    """What the script printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment with everything that the skill was proven with."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    made = Environment(folder / "bin" / "python", packages)
    for name, version in manifest().versions.items():
        made.install(name, version)
    for name in UNPINNED:
        made.install(name)
    return made


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """An installed copy of the skill, with a receipt of these bytes."""
    copy = tmp_path / "project" / ".agents" / "skills" / SKILL.name
    shutil.copytree(SKILL, copy, ignore=shutil.ignore_patterns("__pycache__"))
    receipt = json.loads((copy / "VERIFIED.json").read_text())
    receipt["subject"] = [
        {
            "name": file.relative_to(copy).as_posix(),
            "digest": {"sha256": sha256(file.read_bytes()).hexdigest()},
        }
        for file in sorted(copy.rglob("*"))
        if file.is_file() and file.name != "VERIFIED.json"
    ]
    (copy / "VERIFIED.json").write_text(json.dumps(receipt))
    return copy


def check(environment: Environment, skill: Path, *arguments: str) -> Answer:
    command = [environment.python, skill / "scripts" / "check_env.py", *arguments]
    process = subprocess.run(
        command, cwd=skill.parents[2], capture_output=True, text=True, timeout=60, check=False
    )
    return Answer(process.returncode, process.stdout, process.stderr)


def needing(package: str) -> list[str]:
    return [entry["id"] for entry in SECTIONS if package in entry["needs"]]


def test_with_the_proven_versions_every_section_holds(
    environment: Environment, skill: Path
) -> None:
    answer = check(environment, skill)
    assert (answer.status, answer.err) == (0, ""), answer.out
    assert f"{len(IDS)} sections: {len(IDS)} hold, 0 unproven here" in answer.out


def test_a_changed_byte_is_found_with_the_section_that_has_it(
    environment: Environment, skill: Path
) -> None:
    file = skill / "references" / "pooling.md"
    content = file.read_bytes()
    assert content.count(b"\n## Size the pool\n") == 1
    file.write_bytes(content.replace(b"\n## Size the pool\n", b"\n## Size the pond\n"))
    answer = check(environment, skill)
    assert answer.status == 1
    assert "changed: references/pooling.md" in answer.out
    assert "its text was changed (1):\n  pooling#size-the-pool\n" in answer.out
    found = check(environment, skill, "--json").data["sections"]
    assert found["unproven"] == {"pooling#size-the-pool": ["its text was changed"]}
    assert set(found["hold"]) == set(IDS) - {"pooling#size-the-pool"}


ADDED = {
    "github-path": "skills/sqlspec-psqlpy",
    "github-ref": "refs/tags/v0.1.0",
    "github-repo": "https://example.com/owner/repository",
    "github-tree-sha": "0123456789abcdef0123456789abcdef01234567",
}


def write_as_gh(skill: Path, quote: str = '"', body: str = "", **changes: object) -> None:
    """Write SKILL.md as ``gh skill install`` does: sorted, indented by 4, with keys of its own.

    https://github.com/cli/cli/blob/trunk/internal/skills/frontmatter/frontmatter.go; its library
    quotes with " what PyYAML quotes with '.
    """
    file = skill / "SKILL.md"
    _, front, text = file.read_text(encoding="utf-8").split("---\n", 2)
    fields = yaml.safe_load(front)
    fields["metadata"] |= ADDED
    fields |= changes
    dumped = yaml.safe_dump(fields, indent=4, width=10_000, allow_unicode=True)
    assert "'18.6'" in dumped
    dumped = dumped.replace("'18.6'", f"{quote}18.6{quote}")
    file.write_text(f"---\n{dumped}---\n{text}{body}", encoding="utf-8")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_metadata_that_an_installer_added_is_no_change(
    environment: Environment, skill: Path, quote: str
) -> None:
    write_as_gh(skill, quote)
    answer = check(environment, skill)
    assert (answer.status, answer.err) == (0, ""), answer.out
    assert f"an installer added: {', '.join(ADDED)}\n" in answer.out
    assert f"{len(IDS)} hold, 0 unproven here" in answer.out
    found = check(environment, skill, "--json").data
    assert found["annotated"] == list(ADDED)
    assert found["files"] == {"changed": [], "missing": [], "extra": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "One more line.\n"},
        {"description": "Another one."},
        {"license": "Apache-2.0"},
        {"metadata": {"version": "0.1.0", "verified-postgresql": "18.6", **ADDED}},
        {"hooks": "a field that nobody knew"},
    ],
    ids=["a line of the text", "a field", "the licence", "less metadata", "another field"],
)
def test_another_change_beside_the_metadata_of_an_installer_is_found(
    environment: Environment, skill: Path, changes: dict[str, Any]
) -> None:
    write_as_gh(skill, **changes)
    answer = check(environment, skill, "--json")
    assert (answer.status, answer.data["annotated"]) == (1, [])
    assert answer.data["files"]["changed"] == ["SKILL.md"]


@pytest.mark.parametrize("front", ["", "---\nname\n---\n", "---\n  name: a\n---\n"])
def test_front_matter_that_cannot_be_read_is_a_change(
    environment: Environment, skill: Path, front: str
) -> None:
    file = skill / "SKILL.md"
    file.write_text(front + file.read_text(encoding="utf-8").split("---\n", 2)[2])
    answer = check(environment, skill)
    assert (answer.status, answer.err) == (1, "")
    assert "changed: SKILL.md" in answer.out


def test_a_changed_module_of_the_adapter_is_found(environment: Environment, skill: Path) -> None:
    with (skill / "assets" / "psqlpy_adapter" / "pool.py").open("a") as file:
        file.write("\n")
    answer = check(environment, skill)
    assert answer.status == 1
    assert "changed: assets/psqlpy_adapter/pool.py" in answer.out


def test_a_missing_and_an_extra_file_are_found(environment: Environment, skill: Path) -> None:
    (skill / "references" / "tls.md").unlink()
    (skill / "references" / "notes.md").write_text("Mine.\n")
    answer = check(environment, skill, "--json")
    assert answer.status == 1
    assert answer.data["files"] == {
        "changed": [],
        "missing": ["references/tls.md"],
        "extra": ["references/notes.md"],
    }
    of_tls = {name for name in IDS if name.startswith("tls#")}
    assert answer.data["sections"]["unproven"].keys() == of_tls


def test_the_caches_of_python_are_no_extra_files(environment: Environment, skill: Path) -> None:
    cache = skill / "assets" / "psqlpy_adapter" / "__pycache__"
    cache.mkdir()
    (cache / "pool.cpython-311.pyc").write_bytes(b"")
    assert check(environment, skill).status == 0


@pytest.mark.parametrize(("version", "word"), [("0.12.0", "older"), ("0.14.0", "newer")])
def test_another_psqlpy_leaves_nothing_proven(
    environment: Environment, skill: Path, version: str, word: str
) -> None:
    environment.replace("psqlpy", version)
    answer = check(environment, skill)
    assert answer.status == 1
    pinned = manifest().versions["psqlpy"]
    assert f"psqlpy {version} is {word} than {pinned} ({len(IDS)}):\n  all\n" in answer.out
    assert check(environment, skill, "--json").data["sections"]["hold"] == []


def test_a_missing_pgvector_leaves_the_sections_on_vectors_unproven(
    environment: Environment, skill: Path
) -> None:
    environment.remove("pgvector")
    answer = check(environment, skill, "--json")
    assert answer.status == 1
    unproven = answer.data["sections"]["unproven"]
    assert unproven == {name: ["pgvector is missing"] for name in needing("pgvector")}
    assert "pgvector#insert-and-search-vectors" in needing("pgvector")
    assert f"pgvector is missing ({len(needing('pgvector'))}):" in check(environment, skill).out


def test_a_missing_import_leaves_the_sections_that_import_it_unproven(
    environment: Environment, skill: Path
) -> None:
    environment.remove("pyarrow")
    answer = check(environment, skill, "--json")
    assert answer.status == 1
    assert list(answer.data["sections"]["unproven"]) == needing("pyarrow")


def test_only_the_sections_that_are_asked_for_count(environment: Environment, skill: Path) -> None:
    environment.remove("pgvector")
    assert check(environment, skill, "tls", "pooling#size-the-pool").status == 0
    answer = check(environment, skill, "tls", "pgvector#top", "--json")
    assert answer.status == 1
    assert list(answer.data["sections"]["unproven"]) == ["pgvector#top"]


def test_an_older_python_than_the_proven_one_leaves_nothing_proven(
    environment: Environment, skill: Path
) -> None:
    receipt = json.loads((skill / "VERIFIED.json").read_text())
    receipt["predicate"]["environment"]["python"] = "3.99.1"
    (skill / "VERIFIED.json").write_text(json.dumps(receipt))
    answer = check(environment, skill)
    assert answer.status == 1
    assert f"is older than 3.99.1 ({len(IDS)}):" in answer.out


def test_a_statement_without_a_proof_leaves_its_section_unproven(
    environment: Environment, skill: Path
) -> None:
    receipt = json.loads((skill / "VERIFIED.json").read_text())
    first, *_, last = receipt["predicate"]["sections"]
    first["statements"]["stock"]["unproven"] = 2
    receipt["predicate"]["sections"].remove(last)
    (skill / "VERIFIED.json").write_text(json.dumps(receipt))
    assert check(environment, skill, "--json").data["sections"]["unproven"] == {
        first["id"]: ["2 of its statements have no proof"],
        last["id"]: ["it was not verified"],
    }


def test_changed_sections_cannot_tell_what_holds(environment: Environment, skill: Path) -> None:
    with (skill / "sections.json").open("a") as file:
        file.write("\n")
    answer = check(environment, skill)
    assert answer.status == 1
    assert "changed: sections.json" in answer.out
    assert "Which sections hold cannot be told" in answer.out


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_without_its_receipt_nothing_can_be_told(
    environment: Environment, skill: Path, content: str | None
) -> None:
    (skill / "VERIFIED.json").unlink()
    if content is not None:
        (skill / "VERIFIED.json").write_text(content)
    answer = check(environment, skill)
    assert (answer.status, answer.err) == (1, "")
    assert "without its receipt, VERIFIED.json, nothing can be told" in answer.out


def test_an_unknown_section_is_wrong_use(environment: Environment, skill: Path) -> None:
    answer = check(environment, skill, "poling")
    assert (answer.status, answer.out) == (2, "")
    assert "no section or file 'poling'; near: pooling" in answer.err


def test_an_unknown_option_is_wrong_use(environment: Environment, skill: Path) -> None:
    answer = check(environment, skill, "--jsn")
    assert (answer.status, answer.out) == (2, "")
    assert "unrecognized arguments: --jsn" in answer.err


def test_it_says_what_it_cannot_look_at(environment: Environment, skill: Path) -> None:
    answer = check(environment, skill)
    assert "Not looked at: your server." in answer.out
    assert ", PostgreSQL 18" in answer.out
    assert ", vector 0.8" in answer.out


def test_it_works_through_a_link(environment: Environment, skill: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(skill)
    assert check(environment, tmp_path / "linked").status == 0


def test_a_python_that_is_too_old_can_read_it_far_enough_to_say_so() -> None:
    """Its syntax is that of 3.6, and nothing is imported or defined above the check."""
    source = (SKILL / "scripts" / "check_env.py").read_text(encoding="utf-8")
    docstring, system, check, *_ = ast.parse(source, feature_version=(3, 6)).body
    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(system) == "import sys"
    assert ast.unparse(check).startswith("if sys.version_info < (3, 9):\n    sys.exit(")


def test_a_python_that_is_too_old_says_so(skill: Path) -> None:
    for name in ("python3.8", "python3.7", "python3.6"):
        python = shutil.which(name)
        command = [python or name, skill / "scripts" / "check_env.py"]
        if python and subprocess.run([python, "-c", ""], check=False).returncode == 0:
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            assert process.returncode == 1
            assert process.stderr == (
                f"check_env.py needs Python 3.9 or newer; this is {name.removeprefix('python')}\n"
            )
            return
    pytest.skip("no Python 3.6 to 3.8 here: pyenv install 3.8, then pyenv global ... 3.8")
