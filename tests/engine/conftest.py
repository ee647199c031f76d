"""What the tests of the engine share: a place to run the command in, and two large runs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_cases import Case, read_cases, write_cases
from engine_runs import Bench, Run, notes, write_pack, write_skill
from matrix_packs import Registry, make_registry
from proof_runs import TextCase, module_name, read_text_cases, write_proof_pack

pytest.register_assert_rewrite("mcp_tools", "receipt_tools")

HERE = Path(__file__).parent
CASES = list(read_cases(HERE / "cases"))
SERVER_CASES = list(read_cases(HERE / "server_cases"))
FOREIGN_CASES = list(read_cases(HERE / "foreign_cases"))
STATEMENT_CASES = list(read_text_cases(HERE / "statement_cases"))
PROOF_CASES = list(read_text_cases(HERE / "proof_cases"))


def temporary_folder() -> Iterator[Path]:
    # Not tmp_path: a database server runs as another account, which must get into it.
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def bench() -> Iterator[Bench]:
    for folder in temporary_folder():
        yield Bench(folder)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Wheels of toy packages and of what the engine needs."""
    pytest.importorskip("uv", reason="uv makes the environments: pip install uv")
    return make_registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="session")
def cases_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over all of ``cases/``, which needs no server."""
    root = tmp_path_factory.mktemp("cases")
    skill = write_skill(root / "cases")
    write_cases(CASES, skill)
    for temporary in temporary_folder():
        report = root / "out.json"
        yield Bench(temporary).run(
            ["verify", "cases", "--report", report, "--timeout", "3"],
            root,
            report=report,
        )


@pytest.fixture(scope="session")
def server_cases_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over all of ``server_cases/``, on the embedded server."""
    root = write_pack(
        tmp_path_factory.mktemp("pack") / "server-cases",
        {
            "server": {"extensions": ["vector"], "schema": "schema.sql"},
            "fixtures": "fixtures.py",
            "preload": ["sqlspec.adapters.psqlpy", "pyarrow", "psycopg"],
            "limits": {"seconds": 5},
        },
    )
    write_cases(SERVER_CASES, root / "skills" / root.name)
    for name in ("schema.sql", "fixtures.py"):
        shutil.copy(HERE / "server_pack" / name, root)
    for temporary in temporary_folder():
        report = root / "out.json"
        yield Bench(temporary).run(["verify", ".", "--report", report], root, report=report)


@pytest.fixture(scope="session")
def foreign_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """A run over the ``foreign_cases/`` of each ``run``: skills without a manifest."""
    root = tmp_path_factory.mktemp("foreign")
    runs = {}
    for temporary in temporary_folder():
        for mode in ("possible", "parse"):
            skill = write_skill(root / mode / "foreign")
            write_cases([case for case in FOREIGN_CASES if case.run == mode], skill)
            report, option = root / mode / "out.json", ["--run", mode]
            runs[mode] = Bench(temporary).run(
                ["verify", "foreign", *option, "--report", report], root / mode, report=report
            )
        yield runs


@pytest.fixture(scope="session")
def statement_cases_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over all of ``statement_cases/``, which has no proofs."""
    root = tmp_path_factory.mktemp("statements")
    skill = write_skill(root / "statements", "```python\n1  # -> 1\n```\n")
    for case in STATEMENT_CASES:
        (skill / "references" / f"{case.name}.md").write_text(case.body, encoding="utf-8")
    for temporary in temporary_folder():
        report = root / "out.json"
        yield Bench(temporary).run(
            ["verify", "statements", "--report", report], root, report=report
        )


@pytest.fixture(scope="session")
def proof_cases_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over all of ``proof_cases/``, which needs no server."""
    root = tmp_path_factory.mktemp("proofs") / "proof-cases"
    write_proof_pack(root, {module_name(case): case.proofs for case in PROOF_CASES}, "")
    references = root / "skills" / root.name / "references"
    for case in PROOF_CASES:
        (references / f"{case.name}.md").write_text(case.body, encoding="utf-8")
    for temporary in temporary_folder():
        report = root / "out.json"
        yield Bench(temporary).run(["verify", ".", "--report", report], root, report=report)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, cases in (
        ("case", CASES),
        ("server_case", SERVER_CASES),
        ("foreign_case", FOREIGN_CASES),
        ("statement_case", STATEMENT_CASES),
        ("proof_case", PROOF_CASES),
    ):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=[_id(case) for case in cases])


def _id(case: Case | TextCase) -> str:
    return case.sentence


@pytest.fixture
def logged(tmp_path: Path) -> tuple[Path, Path]:
    """A pack whose fences log that they ran: two sections of three."""
    log = tmp_path / "log"
    text = "".join(
        f"## {title}\n\n" + "".join(notes(f"{title} {n}", log) for n in (1, 2, 3))
        for title in ("One", "Two")
    )
    return write_pack(tmp_path / "pack", text=text), log
