"""What came of a fence -> its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proveskill.model import Failure, Output, Verdict
from proveskill.plan import Step
from proveskill.worker_process import Answer

_SHOWN_OUTPUT = 1_000
_KEPT_OUTPUT = 4_000
"""Characters that the report keeps of what a fence printed or returned."""


def compare_output(step: Step, origin: Answer | None) -> Verdict:
    """Return the verdict of a ``text`` fence, which shows what the fence above it printed."""
    if origin is None or origin.error is not None:
        failure = _failure(step, "OriginFailed", "the fence above, which it shows, failed")
        return Verdict("failed", failure=failure)
    observed = _lines(origin.output) or _lines(origin.result or "")
    expected = _lines(step.snippet.source)
    if observed == expected:
        return Verdict("passed")
    pairs = zip(expected + [""] * len(observed), observed + [""] * len(expected), strict=True)
    index = next(i for i, (left, right) in enumerate(pairs) if left != right)
    values = {
        "expected": expected[index] if index < len(expected) else "(end of the output)",
        "observed": observed[index] if index < len(observed) else "(end of the output)",
    }
    failure = _failure(step, "OutputDiffers", "the fence above does not print this", index)
    output = "\n".join(observed)[:_SHOWN_OUTPUT]
    return Verdict("failed", failure=replace(failure, values=values, output=output))


def explain(
    step: Step, answer: Answer, definers: Mapping[str, Step], lost_at: Step | None
) -> Failure:
    """Return the failure of a fence.

    ``definers`` are the fences that have defined names, ``lost_at`` is the one that cost the
    section its process.
    """
    error = dict(answer.error or {})
    message = str(error.pop("message"))
    name = message.split("'")[1] if error["type"] == "NameError" and "'" in message else ""
    definer = definers.get(name)
    if name and definer is None:
        message += "; nothing above in this section defines it, and no pack fixture has its name"
    elif definer is not None and lost_at is not None:
        message += (
            f"; the fence at line {definer.snippet.line} defined it, and its process ended "
            f"at line {lost_at.snippet.line}"
        )
    output = (answer.errors + answer.output)[-_SHOWN_OUTPUT:]
    values = {key: _printable(value) for key, value in error.pop("values", {}).items()}
    return Failure(
        message=_printable(message), file=step.filename, output=output, values=values, **error
    )


def output_of(step: Step, answer: Answer) -> Output:
    """Return what a fence has shown, for the report; lines are those of the Markdown file."""
    shift = step.snippet.first_line - 1
    return Output(
        printed=_cut(answer.output),
        result=None if answer.result is None else _cut(answer.result),
        observed=tuple((line + shift, _printable(text)) for line, text in answer.observed),
    )


def with_trouble(verdict: Verdict, trouble: str | None, last: Step) -> Verdict:
    """Return the verdict of a section's last fence after what its end has raised."""
    if trouble is None or verdict.name == "failed":
        return verdict
    message = f"at the end of the section: {trouble}"
    failure = _failure(last, "TeardownFailed", message)
    return replace(verdict, name="failed", failure=failure, reason=None)


def stale_mark(step: Step, why: str) -> Verdict:
    """Return the verdict of a fence that need not be marked 'not run'."""
    message = f"marked 'not run' ({step.snippet.not_run}), but {why}: remove the mark"
    return Verdict("failed", failure=_failure(step, "StaleMark", message, -1))


def _failure(step: Step, kind: str, message: str, offset: int = 0) -> Failure:
    line = step.snippet.first_line + offset
    return Failure(type=kind, message=message, file=step.filename, line=line)


def _printable(text: str) -> str:
    """Escape lone surrogates, which no terminal and no report can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _cut(text: str) -> str:
    if len(text) <= _KEPT_OUTPUT:
        return _printable(text)
    return f"{_printable(text[:_KEPT_OUTPUT])}… ({len(text)} characters)"


def _lines(text: str) -> list[str]:
    """Lines without trailing blanks, and without empty ones at either end."""
    return [line.rstrip() for line in text.strip("\n").rstrip().splitlines()]
