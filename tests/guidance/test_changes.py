"""A fence that is changed in one word fails, and the error points at the changed statement."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from changes import KINDS, Change, changes_of
from guidance import CURED, ROOT, manifest, sections, skill_files
from proveskill.servers import Servers, ServerSpec

SEED = 20_261_122
OF_EACH_KIND = 6
MOST_OF_A_FILE = 2
LIMIT = 60.0
"""Seconds until a run that does not end fails its test."""


def possible_changes() -> list[Change]:
    return [
        change
        for file in skill_files()
        for section in sections(file)
        for snippet in section.snippets
        if snippet.language == "python" and snippet.not_run is None and snippet.problem is None
        for change in changes_of(snippet)
    ]


def chosen_changes() -> list[Change]:
    """Choose by chance, the same ones each time: so many of each kind, few of a file."""
    candidates = possible_changes()
    random.Random(SEED).shuffle(candidates)
    kinds: Counter[str] = Counter()
    files: Counter[Path] = Counter()
    chosen = []
    for change in candidates:
        file = change.snippet.file
        if kinds[change.kind] < OF_EACH_KIND and files[file] < MOST_OF_A_FILE:
            kinds[change.kind] += 1
            files[file] += 1
            chosen.append(change)
    return sorted(chosen, key=lambda change: change.id)


CHOSEN = chosen_changes()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of an embedded server that all runs of this module share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PROVESKILL_KEEPER", raising=False)
        servers = Servers(ServerSpec())
    with servers:
        yield servers.create_database().url


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of what the manifest names, and of the manifest."""
    found = manifest()
    assert found.file is not None
    sources = (found.file, *found.skills, *found.path, found.fixtures, found.server.schema, CURED)
    for source in sources:
        if source is not None:
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif not target.exists():
                shutil.copy(source, target)
    # Of fences alone: test_sentence_changes.py changes what is proven.
    copy = tmp_path / found.file.name
    fields = yaml.safe_load(copy.read_text(encoding="utf-8"))
    del fields["proofs"]
    copy.write_text(yaml.safe_dump(fields, sort_keys=False), encoding="utf-8")
    return tmp_path


def test_there_are_enough_changes_of_every_kind() -> None:
    assert Counter(change.kind for change in CHOSEN) == dict.fromkeys(KINDS, OF_EACH_KIND)


@pytest.mark.parametrize("change", CHOSEN, ids=[change.id for change in CHOSEN])
def test_a_changed_word_fails_where_it_stands(change: Change, pack: Path, server: str) -> None:
    file = pack / change.snippet.file.relative_to(ROOT)
    file.write_text(change.apply(file.read_text(encoding="utf-8")), encoding="utf-8")
    section = change.snippet.id.partition("#")[2].rpartition("/")[0]
    status, report = verify(pack, f"{file.relative_to(pack)}::{section}", server)
    errors = [record["error"] for record in report["snippets"] if record["error"]]
    assert status == 1, report["problems"]
    assert errors[0]["line"] in change.lines, errors[0]["message"]


def verify(pack: Path, target: str, server: str) -> tuple[int, dict[str, object]]:
    """Run one section of a pack; return the exit status and the report."""
    report = pack / "report.json"
    command = [sys.executable, "-m", "proveskill", "verify", target]
    process = subprocess.run(
        [*command, "--report", report, "--server", server],
        cwd=pack,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "GITHUB"))},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert report.exists(), process.stdout + process.stderr
    return process.returncode, json.loads(report.read_text())
