"""The wheels in an empty environment: what they hold, and that both of them work there."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pytest
from installs import SKILL, contents, run

INSIDE = "psqlpy_adapter/.agents/skills/sqlspec-psqlpy/"
FOREIGN = """\
---
name: hello
description: A pack that nobody here wrote.
---
# Hello

## Count

```sql
SELECT count(*) FROM generate_series(1, 3);  -- -> {rows}
```
"""


@pytest.fixture(scope="module")
def adapter(wheels: list[Path]) -> zipfile.ZipFile:
    (file,) = [file for file in wheels if file.name.startswith("sqlspec_psqlpy_adapter-")]
    return zipfile.ZipFile(file)


def test_the_wheel_of_the_adapter_carries_the_whole_skill(adapter: zipfile.ZipFile) -> None:
    names = [name for name in adapter.namelist() if name.startswith(INSIDE)]
    assert {name.removeprefix(INSIDE): adapter.read(name) for name in names} == contents(SKILL)


def test_the_wheel_of_the_adapter_requires_nothing_of_the_engine(adapter: zipfile.ZipFile) -> None:
    (metadata,) = [name for name in adapter.namelist() if name.endswith("/METADATA")]
    required = re.findall(r"^Requires-Dist: ([\w-]+)", adapter.read(metadata).decode(), re.M)
    assert set(required) == {"sqlspec", "psqlpy", "numpy", "pyarrow", "pgvector"}


def python(project: Path, *arguments: str) -> str:
    return run([".venv/bin/python", *arguments], project, environment={"HOME": str(project)})


def test_the_adapter_is_imported_from_the_wheel(project: Path) -> None:
    said = python(project, "-c", "import psqlpy_adapter as a; print(a.__file__, a.PsqlpyConfig())")
    assert said.startswith(str(project / ".venv"))
    assert "PsqlpyConfig" in said


@pytest.mark.parametrize(("rows", "status"), [(3, 0), (4, 1)])
def test_the_engine_verifies_a_foreign_pack(
    project: Path, tmp_path: Path, rows: int, status: int
) -> None:
    pack = tmp_path / "hello"
    pack.mkdir()
    (pack / "SKILL.md").write_text(FOREIGN.format(rows=rows))
    environment = {"HOME": str(project), "PATH": "/usr/bin:/bin"}
    command = [str(project / ".venv/bin/proveskill"), "verify", str(pack)]
    said = run(command, project, environment=environment, status=status)
    assert f"1 fences: {1 - status} passed, {status} failed, 0 not run" in said


def test_library_skills_links_the_skill_into_the_project(project: Path) -> None:
    library_skills = str(Path(sys.executable).with_name("library-skills"))
    environment = {"HOME": str(project), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    run(
        [library_skills, "--skill", "sqlspec-psqlpy", "--yes"],
        project,
        environment=environment,
    )
    installed = project / ".agents/skills/sqlspec-psqlpy"
    assert installed.is_symlink()
    assert contents(installed.resolve()) == contents(SKILL)
    run([library_skills, "--check"], project, environment=environment)
