"""Sections that leave nothing behind share a process; no other section may."""

from __future__ import annotations

import pytest
from engine_runs import Bench, Run, fence, write_skill

NOTICES = """\
from decimal import Decimal
from json import dumps
oct(8)  # -> '0o10'
str(Decimal(1) / 3)  # -> '0.3333333333333333333333333333'
dumps([1])  # -> '[1]'
isinstance(1, int)  # -> True
"""
"""What a section sees of a process that another has spoilt."""

SPOILERS = {
    "an import of builtins": "import builtins\nbuiltins.oct = None",
    "the builtins of the namespace": "__builtins__['oct'] = None",
    "globals": "globals()['__builtins__']['oct'] = None",
    "exec": "exec('import builtins; builtins.oct = None')",
    "eval": "eval('__import__(\"builtins\")').oct = None",
    "setattr": "import json\nsetattr(json, 'dumps', None)",
    "vars": "from json import dumps\nvars(dumps.__wrapped__ if 0 else dumps)['x'] = 1\n"
    "import builtins as b\nvars(b)['oct'] = None",
    "a module behind a module": "import dataclasses\ndataclasses.sys.modules['json'].dumps = None",
    "a function's globals": "from json import dumps\ndumps.__globals__['_default_encoder'] = None",
    "a function's defaults": "from json import dumps\ndumps.__kwdefaults__['indent'] = 3",
    "a getter of attributes": "from operator import attrgetter\nfrom json import dumps\n"
    "attrgetter('__kwdefaults__')(dumps)['indent'] = 3",
    "the decimal context": "from decimal import getcontext\ngetcontext().prec = 3",
    "the frame of a generator": "g = (n for n in [1])\ng.gi_frame.f_builtins['oct'] = None",
    "the frame of an exception": "try:\n    1 / 0\nexcept Exception as error:\n"
    "    error.__traceback__.tb_frame.f_builtins['oct'] = None",
    "a matched attribute": "from json import dumps\nmatch dumps:\n"
    "    case object(__kwdefaults__=found):\n        found['indent'] = 3",
    "a lambda's globals": "(lambda: 0).__globals__['__builtins__']['oct'] = None",
    "an attribute of an imported function": "from json import dumps\n"
    "for dumps.__kwdefaults__['indent'] in [3]:\n    pass",
    "a keyword of with": "from contextlib import nullcontext\nfrom json import dumps\n"
    "with nullcontext(None) as dumps.__defaults__:\n    pass\n"
    "import decimal\ndecimal.getcontext().prec = 2",
    "an awaited coroutine": "import asyncio\nawait asyncio.sleep(0)\n"
    "import decimal\ndecimal.DefaultContext.prec = 2\ndecimal.setcontext(decimal.DefaultContext)",
}


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run, one section at a time: after each that spoils its process, one that would see it."""
    root = tmp_path_factory.mktemp("spoilt")
    text = f"## First\n\n{fence(NOTICES)}"
    for number, spoiler in enumerate(SPOILERS.values()):
        text += f"## Spoils {number}\n\n{fence(spoiler)}## Sees {number}\n\n{fence(NOTICES)}"
    write_skill(root / "pack", text)
    report = root / "out.json"
    temporary = tmp_path_factory.mktemp("temporary")
    arguments = ["verify", "pack", "--jobs", "1", "--report", report]
    return Bench(temporary).run(arguments, root, report=report)


@pytest.mark.parametrize("name", SPOILERS)
def test_what_a_section_does_to_its_process_reaches_no_other(spoilt: Run, name: str) -> None:
    number = list(SPOILERS).index(name)
    assert spoilt.verdicts[f"SKILL#spoils-{number}/1"] == "passed"
    assert spoilt.verdicts[f"SKILL#sees-{number}/1"] == "passed"


def test_sections_that_leave_nothing_behind_share_no_names(bench: Bench) -> None:
    text = "## One\n\n" + fence("secret = 1") + "## Two\n\n" + fence("secret  # raises NameError")
    write_skill(bench.temporary / "pack", text)
    assert bench.run(["verify", "pack", "--jobs", "1"], bench.temporary).status == 0


def test_a_section_after_one_that_failed_is_not_touched_by_it(bench: Bench) -> None:
    endless = fence("while True:\n    pass")
    text = f"## One\n\n{fence('1 / 0')}## Two\n\n{fence('1  # -> 1')}## Three\n\n{endless}"
    write_skill(bench.temporary / "pack", f"{text}## Four\n\n{fence('2  # -> 2')}")
    report = bench.temporary / "out.json"
    run = bench.run(
        ["verify", "pack", "--jobs", "1", "--timeout", "1", "--report", report],
        bench.temporary,
        report=report,
    )
    assert list(run.verdicts.values()) == ["failed", "passed", "failed", "passed"]


def test_what_a_section_prints_is_not_shown_as_the_output_of_the_next(bench: Bench) -> None:
    shown = fence("print('mine')") + fence("mine", "text")
    text = f"## One\n\n{fence('print(1)')}## Two\n\n{shown}"
    write_skill(bench.temporary / "pack", text)
    assert bench.run(["verify", "pack", "--jobs", "1"], bench.temporary).status == 0
