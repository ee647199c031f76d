"""Every file of ``cases/`` and ``server_cases/`` is a case; a new case is a new file."""

from __future__ import annotations

from engine_cases import Case, check_case, failure_blocks
from engine_runs import Run

MOST_LINES, MOST_BYTES = 15, 700


def test_case(case: Case, cases_run: Run) -> None:
    check_case(case, cases_run)


def test_server_case(server_case: Case, server_cases_run: Run) -> None:
    check_case(server_case, server_cases_run)


def test_every_fence_has_one_verdict(cases_run: Run) -> None:
    totals = cases_run.report["totals"]
    ids = [record["id"] for record in cases_run.records]
    assert len(set(ids)) == len(ids) == totals["fences"] == sum(totals["snippets"].values())


def test_failed_fences_make_the_exit_status_1(cases_run: Run, server_cases_run: Run) -> None:
    assert (cases_run.status, server_cases_run.status) == (1, 1)


def test_no_process_is_left_behind(cases_run: Run, server_cases_run: Run) -> None:
    assert cases_run.left_processes + server_cases_run.left_processes == ()


def test_no_temporary_folder_is_left_behind(cases_run: Run, server_cases_run: Run) -> None:
    assert cases_run.left_files + server_cases_run.left_files == ()


def test_every_failure_is_printed_once(cases_run: Run) -> None:
    failed = [r["id"] for r in cases_run.records if r["verdict"] == "failed"]
    assert sorted(failure_blocks(cases_run.out)) == sorted(failed)


def test_every_failure_names_its_place_and_its_command(cases_run: Run) -> None:
    blocks = failure_blocks(cases_run.out)
    for record in cases_run.records:
        if error := record["error"]:
            lines = blocks[record["id"]].splitlines()
            assert lines[0].startswith(f"{error['file']}:{error['line']}: {error['type']}")
            assert lines[-1] == f"again: {error['rerun']}"


def test_no_failure_is_longer_than_the_limit(cases_run: Run, server_cases_run: Run) -> None:
    blocks = failure_blocks(cases_run.out) | failure_blocks(server_cases_run.out)
    long = {
        name: (lines, size)
        for name, text in blocks.items()
        if (lines := text.count("\n") + 1) > MOST_LINES or (size := len(text.encode())) > MOST_BYTES
    }
    assert blocks
    assert long == {}


def test_the_engine_itself_never_fails(cases_run: Run, server_cases_run: Run) -> None:
    assert "Traceback" not in cases_run.err + server_cases_run.err
