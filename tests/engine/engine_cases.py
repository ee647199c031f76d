"""The files of ``cases/`` and ``server_cases/``: reading them, and checking what a run says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from engine_runs import Run


@dataclass(frozen=True)
class Case:
    """A file of ``cases/``: what is expected, as front matter, and the Markdown to verify.

    ``case``: the sentence that the case proves. ``verdicts``: of the fences, in their order.
    ``errors``: of those that fail, in their order, the ``line`` of the Markdown, the ``type``
    (left out where it is not promised) and what the message or its values ``says``.
    ``reasons``: of the fences that are not run, or only parsed. ``run``: the option of the command,
    for the files of ``foreign_cases/``. ``printed``: what the terminal shows besides.
    ``replace`` and ``repeat`` put characters into the Markdown that an editor would not keep.
    """

    name: str
    sentence: str
    verdicts: list[str]
    errors: list[dict[str, Any]]
    body: str
    reasons: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    run: str = "possible"


def read_cases(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.glob("*.md")):
        _, front, body = file.read_text().split("---\n", 2)
        expected = yaml.safe_load(front)
        for written, meant in expected.get("replace", {}).items():
            body = body.replace(written, meant)
        for written, (text, times) in expected.get("repeat", {}).items():
            body = body.replace(written, text * times)
        yield Case(
            name=file.stem,
            sentence=expected["case"],
            verdicts=expected["verdicts"],
            errors=expected.get("errors", []),
            body=body,
            reasons=expected.get("reasons", []),
            printed=expected.get("printed", []),
            run=expected.get("run", "possible"),
        )


def write_cases(cases: Sequence[Case], skill: Path) -> None:
    for case in cases:
        file = skill / "references" / f"{case.name}.md"
        file.write_bytes(case.body.encode())


def failure_blocks(out: str) -> dict[str, str]:
    """Return the message of each failure that a run printed, by its heading."""
    _, _, rest = out.partition(" FAILURES ")
    rest = re.split(r"^-+ sections -+$", rest.partition("\n")[2], flags=re.M)[0]
    parts = re.split(r"^_{3,} (.+?) _{3,}$", rest, flags=re.M)
    return dict(zip(parts[1::2], (part.strip("\n") for part in parts[2::2]), strict=True))


def check_case(case: Case, run: Run) -> None:
    """Compare what a run says of a case with what the case expects, all of it at once."""
    records = [r for r in run.records if Path(r["file"]).stem == case.name]
    failed = [record["error"] for record in records if record["verdict"] == "failed"]
    observed = {
        "verdicts": [record["verdict"] for record in records],
        "errors": [(error["line"], error["type"]) for error in failed],
    }
    expected = {
        "verdicts": case.verdicts,
        "errors": [
            (wanted["line"], wanted.get("type", found["type"]))
            for wanted, found in zip(case.errors, failed, strict=False)
        ]
        + [(wanted["line"], wanted.get("type")) for wanted in case.errors[len(failed) :]],
    }
    assert observed == expected, "\n".join(f"{e['line']}: {e['message']}" for e in failed)
    for wanted, error in zip(case.errors, failed, strict=True):
        said = "\n".join([error["message"], *error["values"].values(), error["sqlstate"] or ""])
        missing = [text for text in wanted["says"] if text not in said]
        assert not missing, f"line {error['line']} does not say {missing}:\n{said}"
    reasons = [r["reason"] for r in records if r["verdict"] in ("not_run", "parsed")]
    assert reasons[: len(case.reasons)] == case.reasons
    blocks = failure_blocks(run.out)
    printed = "\n".join(blocks.get(record["id"], "") for record in records)
    assert [text for text in case.printed if text not in printed] == [], printed
