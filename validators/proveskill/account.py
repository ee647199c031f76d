"""A pack's statements and proofs -> its ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from proveskill.advice import read_advice
from proveskill.ledger import Ledger, make_ledger
from proveskill.manifest import Manifest
from proveskill.markdown import read_document
from proveskill.model import ManifestError, Statement
from proveskill.proof_index import read_proofs


@dataclass(frozen=True)
class Account:
    """All statements of a pack, and its ledger, which is empty where it has no proofs."""

    statements: tuple[Statement, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)


_read: dict[Path, Account] = {}


def read_account(manifest: Manifest) -> Account:
    """Read files, proofs and advice, once in a process. Raises :class:`ManifestError`.

    The message has file and line.
    """
    if manifest.proofs is None:
        return Account()
    if manifest.root not in _read:
        _read[manifest.root] = _account_of(manifest, manifest.proofs)
    return _read[manifest.root]


def _account_of(manifest: Manifest, folder: Path) -> Account:
    names = {manifest.name_of(file): file for file in manifest.files()}
    if unknown := (manifest.proven_files or frozenset()) - names.keys():
        known = ", ".join(names)
        raise ManifestError(
            f"{manifest.file}: proofs.required: no file {sorted(unknown)[0]!r}; known: {known}"
        )
    try:
        documents = [read_document(file, name) for name, file in names.items()]
    except (OSError, UnicodeDecodeError):
        return Account()  # its file says so when it is collected
    statements = tuple(
        statement for d in documents for section in d.sections for statement in section.statements
    )
    proofs = read_proofs(folder)
    for proof in proofs:
        if proof.adapter is not None and proof.adapter not in manifest.adapters:
            known = ", ".join(manifest.adapters) or "none"
            raise ManifestError(
                f"{proof.file}:{proof.line}: {proof.name}: no adapter {proof.adapter!r}; "
                f"known: {known}"
            )
    where = str(manifest.advice or manifest.file)
    return Account(statements, make_ledger(statements, proofs, read_advice(manifest.advice), where))
