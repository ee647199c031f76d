"""Fences that are not executed: why not, and what can be found out without executing them.

In a pack that nobody wrote for this engine, a fence may use a session, a table or a package that
only its readers have. It is parsed: SQL by the grammar of the server, bash by bash, Python by
Python, whose imports are resolved.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace

from proveskill.fence_verdicts import explain
from proveskill.model import Failure, RunMode, Verdict
from proveskill.plan import Step
from proveskill.servers import VARIABLES
from proveskill.worker.requests import Request
from proveskill.worker_process import Answer

Ask = Callable[[Request], Answer]
"""Has the section's worker answer a request."""
Resolved = dict[str, str | None]
"""Import statement -> what is missing for it here, None when nothing is: those that are known."""

_ABSENT = frozenset(
    {
        *("25P02", "3D000", "3F000", "42P01", "42P02", "42703", "42704", "42883", "58P01"),
        *("42P04", "42P06", "42P07", "42701", "42710", "42723"),
    }
)
"""SQLSTATEs of a name that is not there, of one that is there already, and of a transaction in
which a fence above has met one.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""
_ABSENT_IF_IT_SAYS = {
    "0A000": 'extension "',  # ... is not available
    "22023": "unrecognized parameter namespace",  # of an extension
    "55000": "must be loaded via",  # shared_preload_libraries
}
_IMPORT_ERRORS = ("ImportError", "ModuleNotFoundError")
_BASH_LINE = re.compile(r"^bash: -c: line (\d+): ", re.MULTILINE)


def why_only_parsed(step: Step, run: RunMode, supplied: frozenset[str]) -> str | None:
    """Return why a fence is not executed, None when it is.

    ``supplied`` are the names that fixtures and the fences above, which ran, have defined.
    """
    if run == "all":
        return None
    if run == "parse":
        return "nothing of this pack is executed (run: parse)"
    if step.snippet.language == "bash":
        return "commands are executed only with run: all"
    if step.python is not None and (absent := sorted(step.python.needs - supplied)):
        said = (f'{name} (a variable of the environment: os.environ["{name}"])'
                if name in VARIABLES else name for name in absent)  # fmt: skip
        return f"nothing here defines {', '.join(said)}"
    return None


def what_is_missing(answer: Answer) -> str | None:
    """Return what an executed fence has not found here, None when it failed for another reason."""
    error = answer.error or {}
    message = str(error.get("message", ""))
    if error.get("type") == "ModuleNotFoundError":
        module = message.split("'")[1] if "'" in message else message
        # That a package has no such module is a fault; that it is not installed is none.
        return None if "." in module else f"not installed here: {module}"
    state = error.get("sqlstate")
    said = _ABSENT_IF_IT_SAYS.get(str(state))
    return message if state in _ABSENT or (said and said in message) else None


def parse_fence(step: Step, why: str, ask: Ask, resolved: Resolved) -> Verdict:
    """Return the verdict of a fence that is not executed: failed, or parsed and ``why``.

    Adds to ``resolved`` what it finds out about imports.
    """
    snippet, reasons, seconds = step.snippet, {why: None}, 0.0
    request = Request(snippet.language, step.filename, snippet.first_line, snippet.source)
    if snippet.language == "bash" and (failure := _bash_failure(step)):
        return Verdict("failed", failure=failure)
    if snippet.language == "sql":
        answer = ask(replace(request, parse_only=True))
        seconds += answer.seconds
        if answer.error is not None:
            return Verdict("failed", seconds, explain(step, answer, {}, None))
    for statement, code in step.imports.items():
        if statement not in resolved:
            answer = ask(replace(request, code=code))
            seconds += answer.seconds
            missing = what_is_missing(answer)
            if missing is None and (answer.error or {}).get("type") in _IMPORT_ERRORS:
                return Verdict("failed", seconds, explain(step, answer, {}, None))
            # Another error is the trouble of a module that is there: the text is not to blame.
            resolved[statement] = missing
        if (absent := resolved[statement]) is not None:
            reasons[absent] = None
    if snippet.not_run is not None:
        return Verdict("not_run", seconds, reason=snippet.not_run)
    return Verdict("parsed", seconds, reason="; ".join(reasons))


def _bash_failure(step: Step) -> Failure | None:
    check = ["bash", "-n", "-c", step.snippet.source]
    done = subprocess.run(check, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        return None
    found = _BASH_LINE.search(done.stderr)
    line = step.snippet.first_line + (int(found[1]) - 1 if found else 0)
    last = max(
        step.snippet.first_line, step.snippet.first_line + step.snippet.source.count("\n") - 1
    )
    message = _BASH_LINE.sub("", done.stderr).strip().partition("\n")[0]
    return Failure("SyntaxError", message, step.filename, min(line, last))
