"""What may be in the place of an output already: a link, a file of its own kind, a pipe."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from engine_runs import Bench, Run


def render(bench: Bench, green: Run, file: Path) -> Run:
    return bench.run(["render", "report.json", "--badge", file], green.folder)


def test_a_link_stays_one_and_its_target_is_written(
    bench: Bench, green: Run, tmp_path: Path
) -> None:
    target, link = tmp_path / "elsewhere" / "badge.svg", tmp_path / "link.svg"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    assert (render(bench, green, link).status, link.is_symlink()) == (0, True)
    assert target.read_text().startswith("<svg ")


def test_a_file_keeps_its_permissions(bench: Bench, green: Run, tmp_path: Path) -> None:
    file = tmp_path / "badge.svg"
    file.touch(mode=0o600)
    assert render(bench, green, file).status == 0
    assert file.read_text().startswith("<svg ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_pipe_is_written_to_and_not_replaced(bench: Bench, green: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert render(bench, green, pipe).status == 0
        assert os.read(reader, 65_536).startswith(b"<svg ")
    finally:
        os.close(reader)
    assert pipe.is_fifo()
