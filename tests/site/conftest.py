"""A small pack with its report and its site, and a part of this project's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from site_tools import PACK, ROOT, Site, proveskill, write_files

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PARTS = ("transactions", "errata")
"""The files of the guidance that are run for the tests; the others have no verdicts then."""


@pytest.fixture(scope="session", autouse=True)
def _generator() -> None:
    pytest.importorskip("sphinx", reason="Sphinx is missing: pip install '.[site]'")


@pytest.fixture(scope="session")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pack of two variants, and the report of a run on both."""
    root = write_files(tmp_path_factory.mktemp("small") / "pack", PACK)
    report = root.parent / "report.json"
    run = proveskill("verify", root, "--adapter", "both", "--report", report)
    assert run.returncode == 0, run.stdout + run.stderr
    return root, report


@pytest.fixture
def small(small_report: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of that pack, to be changed, and the report."""
    pack, report = small_report
    return Path(shutil.copytree(pack, tmp_path / "pack")), report


@pytest.fixture(scope="session")
def small_site(small_report: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Site:
    pack, report = small_report
    out = tmp_path_factory.mktemp("small-site") / "site"
    run = proveskill("site", pack, "--report", report, "--out", out)
    assert run.returncode == 0, run.stdout + run.stderr
    return Site(out)


@pytest.fixture(scope="session")
def guidance_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of this project, with the verdicts of some of its files."""
    folder = tmp_path_factory.mktemp("guidance")
    parts: list[dict[str, Any]] = []
    for name in PARTS:
        file = ROOT / "skills" / "sqlspec-psqlpy" / "references" / f"{name}.md"
        report = folder / f"{name}.json"
        # Whether all of it holds is what `make verify` says, not these tests.
        run = proveskill("verify", file, "--adapter", "both", "--report", report)
        assert run.returncode in (0, 1), run.stdout + run.stderr
        parts.append(json.loads(report.read_text()))
    whole = parts[0]
    for part in parts[1:]:
        for kind in ("snippets", "statements"):
            whole[kind] += part[kind]
    (folder / "report.json").write_text(json.dumps(whole))
    out = folder / "site"
    arguments = ["--docs", ROOT / "docs", "--report", folder / "report.json", "--out", out]
    run = proveskill("site", ROOT, *arguments, PROMISES=str(folder / "none.json"))
    assert run.returncode == 0, run.stdout + run.stderr
    return Site(out)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser, for one module: while Playwright runs, no test beside it can have a loop."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install playwright"
    )
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("Chromium is missing: apt-get install chromium, or name one in CHROMIUM")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(guidance_site: Site) -> Iterator[str]:
    """The address of the guidance's site on a server of its own."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        command,
        cwd=guidance_site.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().split("(")[1].rstrip("/) .\n") + "/"
    process.kill()
    process.communicate()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an address in a window of its own; ``said`` are complaints."""
    windows = []

    def open_page(address: str, width: int = 1280, **options: Any) -> Any:
        window = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        windows.append(window)
        page = window.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for window in windows:
        window.close()
