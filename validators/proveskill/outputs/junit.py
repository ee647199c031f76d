"""The report -> JUnit XML: a suite for each file, a case for each fence and each statement.

pytest's own ``--junitxml`` cannot be made from a stored report, and counts a statement that nobody
has proven as a test that has passed, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from proveskill.outputs.findings import in_repository

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document can hold, not even escaped: https://www.w3.org/TR/xml/#charsets"""
_HOLDS = ("passed", "proven")


def junit(report: Mapping[str, Any]) -> str:
    """Return the XML. What was not executed, or need not be proven, is skipped."""
    suites: dict[str, list[ET.Element]] = {}
    for record in [*report.get("checks", []), *report["snippets"], *report["statements"]]:
        suites.setdefault(in_repository(report, record["file"]), []).append(_case(record, report))
    if problems := report.get("problems", []):
        suites["pack"] = [_problem(problem, report["pack"]) for problem in problems]
    root = ET.Element("testsuites", name=report["pack"], time=f"{report['seconds']:.3f}")
    for name, cases in suites.items():
        suite = ET.SubElement(root, "testsuite", name=_text(name), timestamp=report["started"][:19])
        suite.extend(cases)
        _count(suite, cases)
    _count(root, [case for cases in suites.values() for case in cases])
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(record: Mapping[str, Any], report: Mapping[str, Any]) -> ET.Element:
    error, adapter = record["error"], record.get("adapter")
    case = ET.Element(
        "testcase",
        classname=_text(record["id"].rpartition("/")[0] or record["id"].partition("#")[0]),
        name=_text(record["id"] + (f"@{adapter}" if adapter else "")),
        file=_text(in_repository(report, record["file"])),
        line=str(error["line"] if error else record["line"]),
        time=f"{record.get('seconds', 0.0):.4f}",
    )
    if error is not None:
        head = f"{error['file']}:{error['line']}: {error['type']}: {error['message']}"
        values = [f"{key}: {value}" for key, value in error["values"].items()]
        failure = ET.SubElement(
            case, "failure", type=error["type"], message=_text(error["message"])
        )
        failure.text = _text("\n".join([head, *values, f"again: {error['rerun']}"]))
    elif record["verdict"] not in _HOLDS:
        verdict = record["verdict"].replace("_", " ")
        reason = f": {record['reason']}" if record.get("reason") else ""
        ET.SubElement(case, "skipped", message=_text(verdict + reason))
    return case


def _problem(problem: str, pack: str) -> ET.Element:
    case = ET.Element("testcase", classname=pack, name=_text(problem), time="0")
    ET.SubElement(case, "error", type="Problem", message=_text(problem))
    return case


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    if element.tag == "testsuite":
        element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.4f}")


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda m: m[0].encode("unicode_escape").decode(), text)
