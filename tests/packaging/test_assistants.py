"""Each command of the README, run in an empty folder: what arrives is the skill, byte by byte."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from installs import SKILL, Tools, contents, run
from readme import VERSION, WITH_NPM, WITH_PYTHON, WITHOUT_A_TOOL, assistants, command_of


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A person with an empty home and an empty project."""
    for name in ("home", "project"):
        (tmp_path / name).mkdir()
    return tmp_path


def install(assistant: str, source: Path | str, tools: Tools, user: Path) -> str:
    command = command_of(assistant, source)
    return tools.shell(command.removeprefix("npx "), user / "project", user / "home")


def test_the_readme_has_no_command_that_is_not_tried() -> None:
    assert set(assistants()) == {*WITH_NPM, WITH_PYTHON, WITHOUT_A_TOOL}


@pytest.mark.parametrize("assistant", WITH_NPM)
def test_one_command_brings_the_whole_skill(
    assistant: str, checkout: Path, tools: Tools, user: Path
) -> None:
    install(assistant, checkout, tools, user)
    assert contents(user / WITH_NPM[assistant] / SKILL.name) == contents(SKILL)


def test_a_copy_is_the_whole_skill(checkout: Path, user: Path) -> None:
    tools = Tools(Path("/nowhere"))
    install(WITHOUT_A_TOOL, checkout, tools, user)
    assert contents(user / "project/.agents/skills" / SKILL.name) == contents(SKILL)


def test_claude_code_finds_the_plugin_valid(checkout: Path, tools: Tools, user: Path) -> None:
    said = tools.shell(f"claude plugin validate {checkout}", user, user / "home")
    assert "Validation passed" in said
    assert "skills: sqlspec-psqlpy:sqlspec-psqlpy" in said


def test_claude_code_lists_one_skill_in_the_plugin(
    checkout: Path, tools: Tools, user: Path
) -> None:
    install("Claude Code", checkout, tools, user)
    details = tools.shell("claude plugin details sqlspec-psqlpy", user, user / "home")
    assert "Skills (1)  sqlspec-psqlpy" in details


def test_claude_code_refuses_a_broken_plugin(checkout: Path, tools: Tools, user: Path) -> None:
    broken = shutil.copytree(checkout / ".claude-plugin", user / "pack" / ".claude-plugin")
    manifest = broken / "plugin.json"
    manifest.write_text(manifest.read_text().replace('"keywords": [', '"keywords": "a", "x": ['))
    said = tools.shell(f"claude plugin validate {user}/pack", user, user / "home", status=1)
    assert "keywords" in said


def test_codex_offers_the_plugin_in_its_version(checkout: Path, tools: Tools, user: Path) -> None:
    home = user / "home"
    tools.shell(f"codex plugin marketplace add {checkout}", user, home)
    said = tools.shell("codex plugin list --available --json 2>/dev/null", user, home)
    (offered,) = json.loads(said)["available"]
    assert (offered["pluginId"], offered["version"]) == ("sqlspec-psqlpy@sqlspec-psqlpy", VERSION)


def test_gemini_takes_the_repository_as_an_extension(
    checkout: Path, tools: Tools, user: Path
) -> None:
    command = f"yes | gemini extensions install {checkout} --consent"
    tools.shell(command, user, user / "home")
    extension = user / "home/.gemini/extensions/sqlspec-psqlpy"
    assert contents(extension / "skills" / SKILL.name) == contents(SKILL)


def test_gemini_lists_the_skill(checkout: Path, tools: Tools, user: Path) -> None:
    install("Gemini CLI", checkout, tools, user)
    said = tools.shell("gemini skills list", user / "project", user / "home")
    assert "sqlspec-psqlpy [Enabled]" in said


@pytest.fixture
def site(checkout: Path, user: Path) -> Iterator[str]:
    """The address of a web server that has nothing but what ``--web`` has written."""
    command = [sys.executable, "-m", "proveskill", "channels", ".", "--web", str(user / "web")]
    run(command, checkout)
    handler = partial(SimpleHTTPRequestHandler, directory=str(user / "web"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_site_offers_the_whole_skill(site: str, tools: Tools, user: Path) -> None:
    install("others, and several at once", site, tools, user)
    assert contents(user / "project/.agents/skills" / SKILL.name) == contents(SKILL)


def test_an_archive_with_another_digest_is_not_installed(
    site: str, tools: Tools, user: Path
) -> None:
    archive = user / "web/.well-known/agent-skills/sqlspec-psqlpy.tar.gz"
    archive.write_bytes(archive.read_bytes() + b"\0")
    command = f"skills add {site} --yes"
    tools.shell(command, user / "project", user / "home", status=1)
    assert not (user / "project/.agents").exists()
