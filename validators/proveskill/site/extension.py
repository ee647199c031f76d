"""The Sphinx extension: marks behind sentences, strips below fences, tables of the whole.

``extensions = ["myst_parser", "proveskill.site.extension"]``; the values ``proveskill_pack`` (the
pack's folder) and ``proveskill_report`` (the report of a run) say what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from proveskill.account import Account, read_account
from proveskill.manifest import Manifest, find_manifest
from proveskill.site.directives import Pages, Summary
from proveskill.site.evidence import Evidence, read_evidence
from proveskill.site.html_parts import banner, fence_strip, popover, statement_mark
from proveskill.site.pages import MARK, Page, marked_text, read_pages
from proveskill.site.proof_sources import ProofSource, sources_of
from proveskill.site.search_index import register

STATIC = Path(__file__).parent / "static"
_HELD = 40
"""The longest text, in characters, that is kept on one line with the mark behind it."""
_LAST_WORDS = re.compile(rf"\S{{1,{_HELD}}}\Z")


class html_part(nodes.General, nodes.Element):
    """HTML that no search index reads; its attribute ``render`` makes it when it is written."""


class inline_part(nodes.Inline, html_part):
    """The same within a paragraph."""


class SiteData:
    """What the events and directives of one build share."""

    def __init__(self, manifest: Manifest, evidence: Evidence) -> None:
        self.manifest = manifest
        self.evidence = evidence
        self.account: Account = read_account(manifest)
        self.pages: dict[str, Page] = read_pages(manifest)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything; Sphinx calls this."""
    app.add_config_value("proveskill_pack", ".", "env", str)
    app.add_config_value("proveskill_report", "report.json", "env", str)
    app.add_node(html_part, html=(_visit, _depart))
    app.add_node(inline_part, html=(_visit, _depart))
    app.add_directive("proven-summary", Summary)
    app.add_directive("proven-pages", Pages)
    app.add_css_file("proven.css")
    app.add_js_file("proven.js")
    app.connect("builder-inited", _read)
    app.connect("source-read", _mark)
    app.connect("doctree-read", _add_parts)
    register(app)
    return {"parallel_read_safe": False, "parallel_write_safe": False}


def data_of(env: BuildEnvironment) -> SiteData:
    """Return what this build is about."""
    data: SiteData = env.app.proveskill  # type: ignore[attr-defined]
    return data


def _read(app: Sphinx) -> None:
    manifest = find_manifest(Path(app.config.proveskill_pack))
    evidence = read_evidence(manifest, Path(app.config.proveskill_report))
    app.proveskill = SiteData(manifest, evidence)  # type: ignore[attr-defined]
    app.config.html_static_path.append(str(STATIC))


def _mark(app: Sphinx, docname: str, content: list[str]) -> None:
    """Give Sphinx the text of a page with a mark behind each statement."""
    if (page := data_of(app.env).pages.get(docname)) is not None:
        content[0] = marked_text(page)


def _add_parts(app: Sphinx, doctree: nodes.document) -> None:
    data, docname = data_of(app.env), app.env.docname
    if (page := data.pages.get(docname)) is None:
        return
    _add_strips(doctree, page, data.evidence)
    _add_marks(doctree, page, data)
    if changed := _changed(page, data):
        title = next(iter(doctree.findall(nodes.title)), None)
        note = html_part(render=partial(_given, banner(changed, data.evidence.started)))
        if title is not None and title.parent is not None:
            title.parent.insert(title.parent.index(title) + 1, note)
        else:
            doctree.insert(0, note)


def _add_strips(doctree: nodes.document, page: Page, evidence: Evidence) -> None:
    by_line = {snippet.line: snippet for snippet in page.snippets}
    shown = {snippet.shows for snippet in page.snippets}
    for block in list(doctree.findall(nodes.literal_block)):
        if (snippet := by_line.get(block.line or 0)) is not None:
            strip = fence_strip(snippet, evidence, shown_below=snippet.id in shown)
            position = block.parent.index(block) + 1
            block.parent.insert(position, html_part(render=partial(_given, strip)))


def _add_marks(doctree: nodes.document, page: Page, data: SiteData) -> None:
    """Put a button behind each statement, and what the buttons open at the end of the page."""
    statements = {statement.id: statement for statement in page.statements}
    opened: dict[tuple[tuple[ProofSource, ...], str], str] = {}
    for mark in list(doctree.findall(nodes.raw)):
        if (match := MARK.match(mark.astext())) is None:
            continue
        if data.manifest.proofs is None:  # then no sentence says of itself that it is proven
            mark.parent.remove(mark)
            continue
        statement = statements[match["id"]]
        proofs = sources_of(statement.id, data.account, data.manifest.root)
        advice = data.account.ledger.advice.get(statement.id)
        note = f"Advice, which nothing can prove: {advice.reason}" if advice else ""
        identifier = opened.setdefault((proofs, note), f"proof-{len(opened) + 1}")
        button = statement_mark(statement.id, statement.text, data.evidence, proofs, identifier)
        _replace(mark, inline_part(render=partial(_given, button)))
    for (proofs, note), identifier in opened.items():
        doctree += html_part(render=partial(popover, identifier, proofs, note))


def _replace(mark: nodes.raw, button: inline_part) -> None:
    """Put a button in place of a mark, held together with the words before it."""
    parent = mark.parent
    position = parent.index(mark)
    if position and parent[position - 1] == "":  # MyST's, behind emphasis
        position -= 1
        parent.pop(position)
    last = parent[position - 1] if position else nodes.Text("")
    if isinstance(last, (nodes.strong, nodes.emphasis)):
        parent.remove(mark)
        last.append(mark)
        _replace(mark, button)
        return
    before: list[nodes.Node] = []
    held: list[nodes.Node] = []
    if isinstance(last, nodes.Text):
        words = _LAST_WORDS.search(last)
        start = words.start() if words else len(last)
        before, held = [nodes.Text(last[:start])], [nodes.Text(last[start:])]
    elif len(last.astext()) <= _HELD:  # code, a link
        held = [last]
    else:
        before = [last]
    end = nodes.inline("", "", *held, button, classes=["statement-end"])
    parent[max(position - 1, 0) : position + 1] = [*before, end]


def _changed(page: Page, data: SiteData) -> list[str]:
    """Return what of a page's text and proofs has changed since the run."""
    shown = {str(page.file.relative_to(data.manifest.root))}
    for statement in page.statements:
        for proof in sources_of(statement.id, data.account, data.manifest.root):
            shown.add(proof.file)
    return sorted(shown & set(data.evidence.changed))


def _given(html: str, _highlight: Callable[[str, int], str]) -> str:
    return html


def _visit(translator: Any, node: nodes.Element) -> None:
    def highlight(source: str, first_line: int) -> str:
        found: str = translator.highlighter.highlight_block(
            source, "python", linenos="inline", opts={}, linenostart=first_line
        )
        return found

    translator.body.append(node["render"](highlight))
    raise nodes.SkipNode


def _depart(_translator: Any, _node: nodes.Element) -> None:
    """Nothing is left to close: the visit has skipped the node."""
