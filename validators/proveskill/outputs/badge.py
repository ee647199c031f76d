"""The report -> a badge in SVG, in the form that badges of READMEs have."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from proveskill.outputs.counts import claim

_LABEL = "proveskill"
_GREEN, _RED, _GREY = "#2e7d32", "#c62828", "#5f6368"
_CHARACTER, _MARGIN = 6.6, 7
"""Pixels: a character of Verdana at 11 px on average, and beside a text. ``textLength`` makes the
text fit, whatever font there is."""
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-labelledby="title">
  <title id="title">{label}: {text}</title>
  <rect width="{split}" height="20" fill="#3c4043"/>
  <rect x="{split}" width="{rest}" height="20" fill="{colour}"/>
  <g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
    <text x="{left:g}" y="14" textLength="{label_length:g}" aria-hidden="true">{label}</text>
    <text x="{right:g}" y="14" textLength="{text_length:g}" aria-hidden="true">{text}</text>
  </g>
</svg>
"""


def badge(report: Mapping[str, Any]) -> str:
    """Return the SVG: green for what was proven, grey for what was only parsed, red for failure."""
    text, totals = claim(report), report["totals"]
    proven = totals["snippets"]["passed"] + totals["statements"]["proven"]
    colour = _RED if not report["ok"] else _GREEN if proven else _GREY
    label_length, text_length = (round(len(part) * _CHARACTER, 1) for part in (_LABEL, text))
    split, rest = (round(length + 2 * _MARGIN) for length in (label_length, text_length))
    return _SVG.format(
        width=split + rest,
        split=split,
        rest=rest,
        left=split / 2,
        right=split + rest / 2,
        colour=colour,
        label=_LABEL,
        text=escape(text),
        label_length=label_length,
        text_length=text_length,
    )
