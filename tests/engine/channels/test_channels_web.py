"""``--web``: the index and the archives of a web site that offers the skills."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

from channel_packs import PAGE, make_pack, written
from engine_runs import Bench


def archive(web: Path) -> bytes:
    return (web / ".well-known/agent-skills/hello.tar.gz").read_bytes()


def members(content: bytes) -> dict[str, tuple[int, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        found = {}
        for member in opened.getmembers():
            file = opened.extractfile(member)
            assert file is not None
            found[member.name] = (member.mode, file.read())
    return found


def test_a_web_root_has_the_index_the_archives_and_what_llms_txt_links_to(
    bench: Bench, pack: Path
) -> None:
    run = bench.run(["channels", "--web", "site"], pack)
    assert run.status == 0, run.text
    web = pack / "site"
    index = json.loads((web / ".well-known/agent-skills/index.json").read_text())
    digest = hashlib.sha256(archive(web)).hexdigest()
    assert index == {
        "$schema": "https://schemas.agentskills.io/discovery/0.2.0/schema.json",
        "skills": [
            {
                "name": "hello",
                "type": "archive",
                "description": "A skill of the tests.",
                "url": "hello.tar.gz",
                "digest": f"sha256:{digest}",
            }
        ],
    }
    assert (web / "llms.txt").read_bytes() == (pack / "llms.txt").read_bytes()
    assert (web / "skills/hello/references/bulk.md").read_text() == PAGE


def test_an_archive_holds_the_whole_skill_and_no_caches(bench: Bench, pack: Path) -> None:
    skill = pack / "skills/hello"
    for name in (
        "scripts/check.py",
        "assets/tool/data.bin",
        "assets/__pycache__/x.pyc",
        ".cache/y",
    ):
        (skill / name).parent.mkdir(parents=True, exist_ok=True)
        (skill / name).write_bytes(name.encode())
    (skill / "scripts/check.py").chmod(0o744)
    bench.run(["channels", "--web", "site"], pack)
    found = members(archive(pack / "site"))
    assert list(found) == [
        "SKILL.md",
        "assets/tool/data.bin",
        "references/bulk.md",
        "scripts/check.py",
    ]
    assert found["scripts/check.py"] == (0o755, b"scripts/check.py")
    assert found["assets/tool/data.bin"] == (0o644, b"assets/tool/data.bin")


def test_the_same_skill_gives_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    first, second = (make_pack(tmp_path / name / "hello") for name in ("first", "second"))
    copy = second / "skills/hello"
    for file in copy.rglob("*.md"):  # what a checkout elsewhere, later, may differ in
        file.chmod(0o600)
        os.utime(file, (1, 1))
    for pack in (first, second):
        assert bench.run(["channels", "--web", "site"], pack).status == 0
    assert archive(first / "site") == archive(second / "site")
    # RFC 1952: no name, no time, best compression, an operating system that is not named.
    assert archive(first / "site")[:10] == b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"


def test_a_symbolic_link_in_a_skill_is_refused(bench: Bench, pack: Path) -> None:
    (pack / "skills/hello/link.md").symlink_to("SKILL.md")
    run = bench.run(["channels", "--web", "site"], pack)
    assert run.status == 2
    assert "link.md: a symbolic link, which installers drop" in run.err


def test_a_web_root_that_is_a_file_is_a_usage_error(bench: Bench, pack: Path) -> None:
    (pack / "site").write_text("a file")
    run = bench.run(["channels", "--web", "site"], pack)
    assert run.status == 2
    assert run.err.startswith("error: cannot write site/llms.txt: ")
    assert (pack / "site").read_text() == "a file"


def test_a_web_root_inside_a_skill_is_refused(bench: Bench, pack: Path) -> None:
    run = bench.run(["channels", "--web", "skills/hello/site"], pack)
    assert run.status == 2
    assert f"--web skills/hello/site is inside the skill {pack / 'skills/hello'}" in run.err
    assert written(pack) == {}
