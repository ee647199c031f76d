"""Directives for the pages around a pack: ``proven-summary`` and ``proven-pages``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from proveskill.model import Snippet
from proveskill.site.evidence import WORDS, Evidence, Record, verdict_of


class Summary(SphinxDirective):
    """``.. proven-summary::``: how much of the pack was run and proven, when, and on what."""

    def run(self) -> list[nodes.Node]:
        """Return the two tables."""
        from proveskill.site.extension import data_of

        data = data_of(self.env)
        evidence = data.evidence
        snippets = [snippet for page in data.pages.values() for snippet in page.snippets]
        rows = [
            [[f"fences, {name}" if name else "fences"], [_counted(snippets, name, evidence)]]
            for name in evidence.variants
        ]
        statements = [f"{n} {verdict}" for verdict, n in evidence.statement_totals.items() if n]
        rows += [
            [["statements"], [", ".join(statements)]],
            [["versions"], [", ".join(f"{n} {v}" for n, v in evidence.versions.items())]],
            [["run"], [f"{evidence.started}, {evidence.platform}"]],
        ]
        found: list[nodes.Node] = [table((), rows, "proven-summary")]
        if evidence.changed:
            warning = nodes.warning()
            warning += nodes.paragraph(text="This run is older than the text of:")
            names = nodes.bullet_list()
            for name in evidence.changed:
                names += nodes.list_item("", nodes.paragraph("", "", nodes.literal(text=name)))
            warning += names
            found.insert(0, warning)
        return found


class Pages(SphinxDirective):
    """``.. proven-pages::``: what each file is for, and how much of it holds."""

    def run(self) -> list[nodes.Node]:
        """Return a hidden table of contents, and the table."""
        from proveskill.site.extension import data_of

        data = data_of(self.env)
        names = list(data.pages)
        toctree = addnodes.toctree(
            parent=self.env.docname, entries=[(None, name) for name in names], includefiles=names,
            maxdepth=1, caption=data.manifest.name, rawcaption=data.manifest.name, glob=False,
            hidden=True, includehidden=False, numbered=0, titlesonly=True,
        )  # fmt: skip
        rows = [
            [
                [_link(name, page.file.stem, self.env.docname)],
                _words(page.purpose),
                [_held(data.evidence.snippets, (s.id for s in page.snippets))],
                [_held(data.evidence.statements, (s.id for s in page.statements))],
            ]
            for name, page in data.pages.items()
        ]
        header = ("page", "what it is for", "fences", "statements")
        wrapper = nodes.compound(classes=["toctree-wrapper"])
        wrapper += toctree
        return [wrapper, table(header, rows, "proven-pages")]


Cell = Sequence[str | nodes.Node]


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]], style: str) -> nodes.table:
    """Return a table with a class of its own; the cells are texts and inline nodes."""
    rows = list(rows)
    columns = len(header) or len(rows[0])
    group = nodes.tgroup(cols=columns)
    group += [nodes.colspec(colwidth=1) for _ in range(columns)]
    if header:
        group += nodes.thead("", _row([[title] for title in header]))
    body = nodes.tbody()
    body += [_row(cells) for cells in rows]
    group += body
    found = nodes.table(classes=[style])
    found += group
    return found


def _row(cells: Sequence[Cell]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        parts = [nodes.Text(part) if isinstance(part, str) else part for part in cell]
        row += nodes.entry("", nodes.paragraph("", "", *parts))
    return row


def _link(docname: str, text: str, here: str) -> nodes.Node:
    """Return a link that shows the title of a page, or ``text`` where it has none."""
    link = addnodes.pending_xref(
        "", refdomain="std", reftype="doc", reftarget=f"/{docname}", refexplicit=False,
        refdoc=here, refwarn=True,
    )  # fmt: skip
    link += nodes.inline(text=text)
    return link


def _words(text: str) -> Cell:
    """Return a text whose code stands in backticks as nodes."""
    parts = text.split("`")
    return [nodes.literal(text=p) if i % 2 else nodes.Text(p) for i, p in enumerate(parts)]


def _counted(snippets: Iterable[Snippet], variant: str | None, evidence: Evidence) -> str:
    """Return ``12 passed, 2 differs``: what became of the fences on a variant."""
    verdicts = Counter(
        verdict_of(snippet, evidence.snippets.get(snippet.id, {}).get(variant))
        for snippet in snippets
    )
    return ", ".join(f"{n} {WORDS.get(name, name or '')}" for name, n in verdicts.most_common())


def _held(records: dict[str, dict[str | None, Record]], ids: Iterable[str]) -> str:
    """Return ``12 of 14``: how many of these hold on every variant that they were run on."""
    wanted = list(ids)
    held = sum(
        all(record["verdict"] not in ("failed", "unproven") for record in found.values())
        for identifier in wanted
        if (found := records.get(identifier))
    )
    return f"{held} of {len(wanted)}"
