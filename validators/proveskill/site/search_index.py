"""What the search page looks through: every section of every page, with its address.

Sphinx's own index knows pages only, and a search that works from files can fetch nothing, so the
texts are a script, ``sections.js``. ``static/minisearch.js`` (https://github.com/lucaong/minisearch,
7.2.0, MIT) is the file ``dist/umd/index.js`` of its package, unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

_LEFT_OUT = (nodes.section, nodes.title, nodes.comment, nodes.raw, nodes.compound)
Entry = dict[str, str]


def register(app: Sphinx) -> None:
    """Have the sections collected while pages are written, and the script written at the end."""
    sections: list[Entry] = []

    def collect(app: Sphinx, doctree: nodes.document, docname: str) -> None:
        sections.extend(_sections(doctree, app.builder.get_target_uri(docname)))

    def write(app: Sphinx, error: Exception | None) -> None:
        if error is None:
            text = json.dumps(sections, ensure_ascii=False, separators=(",", ":"))
            Path(app.outdir, "sections.js").write_text(f"const SECTIONS={text};\n", "utf-8")

    app.connect("doctree-resolved", collect)
    app.connect("build-finished", write)


def _sections(doctree: nodes.document, page: str) -> Iterator[Entry]:
    """Return the sections of a page: address, title, the title of the page, text."""
    found = list(doctree.findall(nodes.section))
    for section in found:
        yield {
            # MyST's slug is the name that the pack has for a section; docutils drops its number.
            "address": f"{page}#{section.get('slug') or section['ids'][0]}",
            "title": section[0].astext(),
            "page": found[0][0].astext(),
            "text": " ".join(" ".join(_texts(section)).split()),
        }


def _texts(node: nodes.Element) -> Iterator[str]:
    """Return the texts of a section without its title and without the sections in it."""
    for child in node.children:
        if isinstance(child, _LEFT_OUT):
            continue
        if isinstance(child, nodes.list_item) and _is_link(child):
            continue  # of a table of contents
        if isinstance(child, nodes.TextElement):
            yield child.astext()
        elif isinstance(child, nodes.Element):
            yield from _texts(child)


def _is_link(item: nodes.list_item) -> bool:
    paragraph = item[0] if len(item) == 1 else None
    return (
        isinstance(paragraph, nodes.paragraph)
        and len(paragraph) == 1
        and isinstance(paragraph[0], nodes.reference)
    )
