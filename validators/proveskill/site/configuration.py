"""What the ``conf.py`` of a site starts from: ``from proveskill.site.configuration import *``.

Nothing here is fetched when a page is read: the theme has no fonts of its own, and what is searched
is a script, so that searching works from files, too.
"""

from __future__ import annotations

from pathlib import Path

extensions = ["myst_parser", "proveskill.site.extension"]

html_theme = "furo"
html_favicon = str(Path(__file__).parent / "static" / "proven.svg")
templates_path = [str(Path(__file__).parent / "templates")]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
highlight_language = "none"
smartquotes = False  # a page says what its file says
exclude_patterns = ["**/__pycache__"]

# The text means what it means to the engine: CommonMark with tables. What else MyST knows, such as
# roles in braces and comments behind a sign of percent, is plain text.
myst_disable_syntax = [
    *("myst_role", "myst_line_comment", "myst_block_break", "myst_target"),
    *("footnote_def", "footnote_ref"),
]
myst_heading_anchors = 6
suppress_warnings = ["myst.header", "misc.highlighting_failure", "toc.not_included"]
