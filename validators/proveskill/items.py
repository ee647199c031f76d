"""pytest's view of a pack: a file, its sections, their fences."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from proveskill.front_matter import check_front_matter
from proveskill.manifest import SKILL
from proveskill.markdown import read_document
from proveskill.model import Failure, Statement
from proveskill.plan import Plan, Step, make_plan
from proveskill.render import FailureText, rerun_command, shown_path

if TYPE_CHECKING:
    from proveskill.ledger import Case
    from proveskill.pack import Pack
    from proveskill.session import Session


class FrontMatterWrong(Exception):
    """Carries a failure from an item to its report."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class MarkdownFile(pytest.File):
    """A Markdown file of a pack."""

    proveskill: Session

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Yield the check of the front matter (SKILL.md only) and the sections with fences."""
        shown = shown_path(self.path, self.config.invocation_params.dir)
        if self.path.name == SKILL:
            yield FrontMatterItem.from_parent(self, name="front-matter")
        packs = self.proveskill.packs_of(self.path)
        manifest = packs[0].manifest
        try:
            document = read_document(self.path, manifest.name_of(self.path))
        except (OSError, UnicodeDecodeError) as error:
            raise self.CollectError(f"{shown}: {error}") from None
        sections = document.sections
        if document.fences != (items := sum(len(section.snippets) for section in sections)):
            raise self.CollectError(
                f"{shown}: {document.fences} fences, but {items} found in its sections: "
                "please report this as a bug of proveskill"
            )
        for section in sections:
            self.proveskill.sections.append(section)
            wanted = [s for s in section.statements if needs_item(s, packs[0])]
            if section.snippets or wanted:
                fixtures = packs[0].fixtures
                compile_, run = self.proveskill.cache.compile, manifest.run
                plan = make_plan(section, shown, fixtures, compile_, run)
                for pack in packs:
                    variant = f"@{pack.adapter}" if len(packs) > 1 else ""
                    name = section.id.partition("#")[2] + variant
                    node: Any = SectionNode.from_parent(self, name=name)
                    node.pack, node.plan, node.variant = pack, plan, variant
                    node.filename, node.statements = shown, wanted
                    node.is_first = pack is packs[0]
                    yield node


def needs_item(statement: Statement, pack: Pack) -> bool:
    """Whether a statement is proven, or must be: then it passes or fails."""
    ledger = pack.account.ledger
    if statement.id in ledger.by_statement:
        return True
    return statement.id not in ledger.advice and pack.manifest.requires_proof(statement)


class SectionNode(pytest.Collector):
    """A section; its fences share a namespace and a database."""

    pack: Pack
    plan: Plan
    variant: str
    """What tells this node from that of another variant of the pack, "" when there is one only."""
    is_first: bool
    """Whether it is the variant that reports what does not depend on one."""
    filename: str
    statements: list[Statement]
    """Those that are proven, or must be."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield an item for each fence."""
        for step in self.plan.steps:
            name = step.snippet.id.rpartition("/")[2]
            item: Any = SnippetItem.from_parent(self, name=name)
            item.pack, item.plan, item.step = self.pack, self.plan, step
            item.variant = self.variant
            item.extra_keyword_matches |= {step.snippet.language, self.plan.section.title}
            item.user_properties += [("file", step.filename), ("line", step.snippet.line)]
            yield item
        for statement in self.statements:
            ledger = self.pack.account.ledger
            cases = ledger.cases_of(statement, self.pack.adapter)
            if cases or (self.is_first and statement.id not in ledger.by_statement):
                yield self._statement_item(statement, cases)

    def _statement_item(self, statement: Statement, cases: list[Case]) -> StatementItem:
        item: Any = StatementItem.from_parent(self, name=statement.id.rpartition("/")[2])
        item.pack, item.statement, item.cases = self.pack, statement, cases
        item.filename, item.variant = self.filename, self.variant
        item.extra_keyword_matches |= {"statement", self.plan.section.title}
        item.extra_keyword_matches |= {case.proof.name for case in cases}
        item.extra_keyword_matches |= {case.proof.file.stem for case in cases}
        item.user_properties += [("file", self.filename), ("line", statement.line)]
        return item  # type: ignore[no-any-return]


class WorkerItem(pytest.Item):
    """What workers run, and :mod:`proveskill.hooks` reports."""

    pack: Pack
    variant: str

    @cached_property
    def reported_keywords(self) -> dict[str, Literal[1]]:
        """The keywords of its three reports, found once."""
        return dict.fromkeys(self.keywords, 1)

    def runtest(self) -> None:
        """Refuse to run in this process. Raises ``RuntimeError``."""
        raise RuntimeError("another pytest plugin has replaced the protocol of proveskill's items")


class SnippetItem(WorkerItem):
    """One fence."""

    plan: Plan
    step: Step

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the fence stands (line from 0) and its id."""
        return self.path, self.step.snippet.line - 1, self.step.snippet.id + self.variant


class StatementItem(WorkerItem):
    """One statement, by the runs of its proofs."""

    statement: Statement
    cases: list[Case]
    """The runs of its proofs on this variant; none when nothing proves it."""
    filename: str

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the statement stands (line from 0) and its id."""
        return self.path, self.statement.line - 1, self.statement.id + self.variant


class FrontMatterItem(pytest.Item):
    """The check of a SKILL.md's front matter."""

    @property
    def filename(self) -> str:
        """The file as messages name it."""
        return shown_path(self.path, self.config.invocation_params.dir)

    def runtest(self) -> None:
        """Check it. Raises :class:`FrontMatterWrong`."""
        if failure := check_front_matter(self.path, self.filename):
            raise FrontMatterWrong(failure)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the front matter stands."""
        return self.path, 0, f"{self.path.parent.name}: front matter"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Render a failure in a few lines; anything else is the engine's own fault."""
        if isinstance(excinfo.value, FrontMatterWrong):
            verbose = self.config.get_verbosity() > 0
            return FailureText(excinfo.value.failure, rerun_command(self), verbose=verbose)
        return super().repr_failure(excinfo)
