"""Evidence -> HTML: the strip below a fence, the mark behind a sentence, what a mark opens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from proveskill.model import Snippet
from proveskill.site.evidence import WORDS, Evidence, Record, verdict_of
from proveskill.site.proof_sources import ProofSource

Highlight = Callable[[str, int], str]
"""(Python source, number of its first line) -> HTML."""
_SIGNS = {"proven": "✓", "advice": "i", "failed": "✗", "unproven": "?", None: "?"}


def fence_strip(snippet: Snippet, evidence: Evidence, *, shown_below: bool) -> str:
    """Return what came of a fence: a verdict for each variant, and what it printed and returned.

    ``shown_below``: whether a ``text`` fence below it shows its output.
    """
    records = evidence.snippets.get(snippet.id, {})
    variants = evidence.variants or (None,)
    chips = "".join(_chip(name, verdict_of(snippet, records.get(name))) for name in variants)
    columns: dict[str, list[str]] = {}
    for name in variants:
        body = _column(snippet, records.get(name), with_output=not shown_below)
        columns.setdefault(body, []).append(name or "")
    parts = "".join(
        f"<div>{_heading(names) if len(variants) > 1 else ''}{body}</div>"
        for body, names in columns.items()
    )
    outputs = [output for record in records.values() if (output := record.get("output"))]
    seen = max((len(output["observed"]) for output in outputs), default=0)
    has_output = not shown_below and any(o["printed"] or o["result"] for o in outputs)
    what = [f"{seen} result{'s' if seen != 1 else ''}"] * bool(seen) + ["output"] * has_output
    return (
        f'<details class="ran" id="{_anchor(snippet.id)}"{" open" * has_output}><summary>{chips}'
        f'<span class="ran-what">{", ".join(what)}</span></summary>'
        f'<div class="ran-variants">{parts}</div>{_versions(evidence)}</details>\n'
    )


def _column(snippet: Snippet, record: Record | None, *, with_output: bool) -> str:
    if record is None:
        return "<p>The report has no verdict on this fence.</p>"
    output = record.get("output") or {"printed": "", "result": None, "observed": []}
    parts = [f"<p>{escape(record['reason'])}</p>"] if record["reason"] else []
    if error := record["error"]:
        parts.append(f"<p><strong>{escape(error['type'])}</strong>: {escape(error['message'])}</p>")
    if output["observed"]:
        rows = "".join(
            f"<dt><code>{escape(_line_of(snippet, seen['line']))}</code></dt>"
            f"<dd><code>{escape(seen['value'])}</code></dd>"
            for seen in output["observed"]
        )
        parts.append(f'<dl class="ran-seen">{rows}</dl>')
    if with_output:
        texts = [text for text in (output["printed"], output["result"]) if text]
        parts += [f"<pre>{escape(text.rstrip())}</pre>" for text in texts]
    return "".join(parts) or "<p>It printed nothing and raised nothing.</p>"


def _line_of(snippet: Snippet, line: int) -> str:
    """Return the code that a line of the file shows, without the comment that it ends with."""
    lines = snippet.source.splitlines()
    sign = "--" if snippet.language == "sql" else "#"
    index = line - snippet.first_line
    while index > 0 and lines[index].lstrip().startswith(sign):
        index -= 1  # a comment alone on its line speaks of the line above
    code, _, _ = lines[index].rpartition(f"  {sign}")
    return (code or lines[index]).strip()


def statement_mark(
    statement_id: str, text: str, evidence: Evidence, proofs: Iterable[ProofSource], popover: str
) -> str:
    """Return the button behind a sentence; it opens the popover with that id."""
    records = evidence.statements.get(statement_id, {})
    verdicts = [record["verdict"] for record in records.values()]
    worst = next((v for v in ("failed", "unproven", "advice", "proven") if v in verdicts), None)
    only = {proof.adapter for proof in proofs}
    label = next(iter(only)) if len(only) == 1 else None
    shown = "; ".join(
        f"{name + ': ' if name and worst != 'advice' else ''}{_said(record)}"
        for name, record in records.items()
    )
    shown = shown or "no verdict in the report"
    return (
        f'<button type="button" class="statement-mark {worst or "unknown"}" '
        f'id="{_anchor(statement_id)}" popovertarget="{popover}" data-text="{escape(text)}" '
        f'data-verdicts="{escape(shown)}" title="{escape(shown)}" '
        f'aria-label="{escape(shown)}: open the proof">{_SIGNS[worst]}'
        + (f'<span class="only">{escape(label)}</span>' if label else "")
        + "</button>"
    )


def popover(identifier: str, proofs: Iterable[ProofSource], note: str, highlight: Highlight) -> str:
    """Return what a mark opens: the tests that prove a statement, or why nothing does."""
    tests = "".join(
        f'<p class="proof-place"><code>{escape(proof.file)}:{proof.line}</code> '
        f"<code>{escape(proof.name)}</code>"
        + (f" (made for {escape(proof.adapter)})" if proof.adapter else "")
        + f"</p>{highlight(proof.source, proof.line)}"
        for proof in proofs
    )
    return (
        f'<div popover id="{identifier}" class="proof"><button type="button" class="proof-close" '
        f'popovertarget="{identifier}" popovertargetaction="hide" aria-label="Close">&times;'
        '</button><p class="proof-statement"></p><p class="proof-verdicts"></p>'
        f"{f'<p>{escape(note)}</p>' if note else ''}{tests}</div>\n"
    )


def banner(changed: Iterable[str], started: str) -> str:
    """Return the warning of a page whose text or proofs have changed since the run."""
    names = ", ".join(f"<code>{escape(name)}</code>" for name in changed)
    return (
        f'<p class="older" role="status">The run of {escape(started)} that this page shows is '
        f"older than: {names}.</p>\n"
    )


def _said(record: Record) -> str:
    """Return the verdict on a statement, with the first line of why it failed."""
    if not (error := record["error"]):
        return str(record["verdict"])
    return f"{record['verdict']} ({error['type']}: {error['message'].partition(chr(10))[0][:200]})"


def _chip(name: str | None, verdict: str | None) -> str:
    said = WORDS.get(verdict, verdict or "")
    shown = f"{name}: {said}" if name else said
    return f'<span class="verdict {verdict or "unknown"}">{escape(shown)}</span>'


def _heading(names: list[str]) -> str:
    return f'<p class="ran-name">{escape(" and ".join(names))}</p>'


def _versions(evidence: Evidence) -> str:
    on = ", ".join(f"{name} {version}" for name, version in evidence.versions.items())
    return f'<p class="ran-on">{escape(on)}; run of {escape(evidence.started)}</p>'


def _anchor(identifier: str) -> str:
    """``configuration#pool/s3`` -> ``pool-s3``; of a fence ``pool-fence-1``."""
    section, _, number = identifier.partition("#")[2].rpartition("/")
    return escape(f"{section}-{number}" if number.startswith("s") else f"{section}-fence-{number}")
