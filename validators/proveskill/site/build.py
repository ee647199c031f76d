"""A pack, a report and a folder of pages -> a site, whole or not at all."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from proveskill.manifest import Manifest
from proveskill.model import ManifestError

_CONFIGURATION = "from proveskill.site.configuration import *\n\nproject = {name!r}\n"
_HOME = "{name}\n{line}\n\n.. proven-summary::\n\n.. proven-pages::\n"
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_NEEDLESS = (".buildinfo", "objects.inv", "searchindex.js", "_static/searchtools.js")
"""What Sphinx always writes; the search has an index of its own."""
_MADE = "proven.js"
"""A file that tells a site of ours from a folder that somebody needs."""


def build_site(manifest: Manifest, report: Path, docs: Path | None, out: Path) -> list[str]:
    """Build a site in ``out``, which is replaced; return Sphinx's warnings.

    ``docs`` may hold a ``conf.py``, an ``index.rst`` and other pages. Raises
    :class:`ManifestError` for a folder that is no site, and for what stops Sphinx.
    """
    is_ours = (out / "_static" / _MADE).is_file()
    if out.exists() and not is_ours and (not out.is_dir() or any(out.iterdir())):
        raise ManifestError(f"{out}: not empty, and not made by this command: name another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        scratch = Path(folder)
        source = _gather(manifest, docs, scratch / "source")
        try:
            warnings = _run_sphinx(manifest, report, docs, source, scratch)
        except SphinxError as error:
            raise ManifestError(f"{docs or manifest.root}: {error}") from None
        built = scratch / "html"
        for name in _NEEDLESS:
            (built / name).unlink(missing_ok=True)
        if out.exists():
            out.replace(scratch / "former")
        built.replace(out)
    return warnings


def _gather(manifest: Manifest, docs: Path | None, source: Path) -> Path:
    """Copy the skills and the pages into one folder, as Sphinx wants them."""
    # Not links: MyST follows them, and then finds no page where they lead.
    ignored = shutil.ignore_patterns("__pycache__")
    source.mkdir(parents=True)
    if docs is not None:
        shutil.copytree(docs, source, ignore=ignored, dirs_exist_ok=True)
    for skill in manifest.skills:
        shutil.copytree(skill, source / skill.name, ignore=ignored)
    if not (source / "conf.py").exists():
        (source / "conf.py").write_text(_CONFIGURATION.format(name=manifest.name))
    if not (source / "index.rst").exists():
        line = "=" * len(manifest.name)
        (source / "index.rst").write_text(_HOME.format(name=manifest.name, line=line))
    return source


def _run_sphinx(
    manifest: Manifest, report: Path, docs: Path | None, source: Path, scratch: Path
) -> list[str]:
    """Return the warnings, with the paths of the pack in place of those of ``source``."""
    said = io.StringIO()
    app = Sphinx(
        srcdir=source,
        confdir=docs if docs is not None and (docs / "conf.py").is_file() else source,
        outdir=scratch / "html",
        doctreedir=scratch / "doctrees",
        buildername="html",
        confoverrides={
            "proveskill_pack": str(manifest.root),
            "proveskill_report": str(report.resolve()),
        },
        status=None,
        warning=said,
        freshenv=True,
    )
    app.build()
    shutil.rmtree(scratch / "doctrees")
    folders = {f"{source / skill.name}/": f"{skill}/" for skill in manifest.skills}
    folders[f"{source}/"] = f"{docs or manifest.root}/"
    warnings = _COLOURS.sub("", said.getvalue())
    for ours, theirs in folders.items():
        warnings = warnings.replace(ours, theirs)
    return [line for line in warnings.splitlines() if line.strip()]
