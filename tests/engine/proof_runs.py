"""The files of ``statement_cases/`` and ``proof_cases/``, and packs that have proofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from engine_runs import Bench, Run, write_pack

PROOF = """\
from proveskill import proves


@proves("The answer is {answer}.")
def test_answer(answer: int) -> None:
    assert answer == 42
"""


@dataclass(frozen=True)
class TextCase:
    """A file of ``statement_cases/`` or ``proof_cases/``: front matter, and the Markdown.

    ``case``: the sentence that the case proves. ``statements``: what is expected of each, in the
    order of the text; (line, text), or line, verdict, ``type`` and what the error ``says``.
    ``proofs``: the module of the proofs.
    """

    name: str
    sentence: str
    statements: list[Any]
    body: str
    proofs: str = ""


def read_text_cases(folder: Path) -> Iterator[TextCase]:
    for file in sorted(folder.glob("*.md")):
        _, front, body = file.read_text(encoding="utf-8").split("---\n", 2)
        fields = yaml.safe_load(front)
        yield TextCase(
            name=file.stem,
            sentence=fields["case"],
            statements=fields["statements"],
            body=body,
            proofs=fields.get("proofs", ""),
        )


def write_proof_pack(
    root: Path, proofs: str | dict[str, str], text: str, advice: str = "", **proof_fields: Any
) -> Path:
    """Make a pack with proofs: one module, or several by name; return its root."""
    folder = root / "proofs"
    folder.mkdir(parents=True)
    modules = {"it": proofs} if isinstance(proofs, str) else proofs
    for name, source in modules.items():
        file = folder / Path(name).with_name(f"test_{Path(name).name}.py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
    fields = {"path": "proofs", **proof_fields}
    if advice:
        (folder / "advice.yaml").write_text(advice)
        fields["advice"] = "proofs/advice.yaml"
    return write_pack(root, {"proofs": fields, "limits": {"seconds": 3, "proof_seconds": 3}}, text)


def verify(bench: Bench, root: Path, *more: str) -> Run:
    """Verify a pack, with a report."""
    report = root / "out.json"
    return bench.run(["verify", "--report", report, *more], root, report=report)


def statements_of(run: Run, name: str) -> list[dict[str, Any]]:
    """Return the records of the statements of one file, in the order of the text."""
    found = [s for s in run.report["statements"] if Path(s["file"]).stem == name]
    return sorted(found, key=lambda s: (s["line"], int(s["id"].rpartition("/s")[2])))


def check_proof_case(case: TextCase, run: Run) -> None:
    """Compare what a run says of the statements of a case with what is expected."""
    records = statements_of(run, case.name)
    errors = [record["error"] or {} for record in records]
    observed = [
        {"line": record["line"], "verdict": record["verdict"], "type": error.get("type")}
        for record, error in zip(records, errors, strict=True)
    ]
    assert len(observed) == len(case.statements), observed
    expected = [
        {
            "line": wanted["line"],
            "verdict": wanted["verdict"],
            "type": wanted.get("type", seen["type"]),
        }
        for wanted, seen in zip(case.statements, observed, strict=True)
    ]
    assert observed == expected, [error.get("message") for error in errors]
    for wanted, error in zip(case.statements, errors, strict=True):
        said = "\n".join([error.get("message", ""), *error.get("values", {}).values()])
        missing = [text for text in wanted.get("says", []) if text not in said]
        assert not missing, f"line {wanted['line']} does not say {missing}:\n{said}"


def module_name(case: TextCase) -> str:
    return case.name.replace("-", "_")
