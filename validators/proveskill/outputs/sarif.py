"""Findings -> SARIF 2.1.0, for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and of it what GitHub reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from proveskill.outputs.findings import RULES, Finding, findings

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: Mapping[str, Any]) -> str:
    """Return a log with one run: a result for each finding, nothing for what holds.

    Statements that nobody requires to be proven are no findings.
    """
    version = report["environment"].get("proveskill")
    run = {
        "tool": {
            "driver": {
                "name": "proveskill",
                **({"version": version, "semanticVersion": version} if version else {}),
                "rules": [_rule(name, text) for name, text in RULES.items()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            "%SRCROOT%": {"description": {"text": "The root of the repository."}}
        },
        "invocations": [
            {"executionSuccessful": report.get("complete", True), "startTimeUtc": report["started"]}
        ],
        "results": [_result(finding) for finding in findings(report)],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str, text: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": f"{text} The message names the command that runs just that item again."},
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: Finding) -> dict[str, Any]:
    again = f"\nagain: {finding.rerun}" if finding.rerun else ""
    digest = _fingerprint(finding)
    return {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "level": "error",
        "message": {"text": f"{finding.type}: {finding.text}{again}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding.file),
                    "region": {"startLine": finding.line},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.subject}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": digest, "proveskillSubject/v1": digest},
    }


def _artifact(file: str) -> dict[str, str]:
    path = PurePosixPath(file)
    if path.is_absolute():  # outside the repository, or of another one
        return {"uri": path.as_uri()}
    return {"uri": quote(file), "uriBaseId": "%SRCROOT%"}


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same while lines move and observed values change."""
    parts = (finding.rule, finding.subject, finding.adapter or "", finding.type)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
