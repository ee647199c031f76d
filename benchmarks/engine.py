"""What a fence costs: proveskill beside plain pytest functions, Sybil and pytest-markdown-docs.

Every contender runs the same snippets in fresh pytest processes, interleaved in random order
after one warm-up each; ratios are of medians, within this one run. Usage:
``make bench-engine`` or ``python benchmarks/engine.py [--rounds N] [--json FILE]``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

from corpus import ROUND_TRIP, TRIVIAL, Corpus
from proveskill.servers import Servers, ServerSpec

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-bench"
FLOOR = "pytest functions"
OURS = "proveskill"


@dataclass
class Contender:
    """A command, the folder it runs in, how many tests must pass, and its samples (seconds)."""

    name: str
    corpus: Corpus
    command: list[str]
    folder: Path
    passed: int
    environment: dict[str, str] = field(default_factory=dict)
    samples: list[float] = field(default_factory=list)

    def run(self) -> float:
        """Return the seconds of one run; exit when it does not pass what it should."""
        started = time.perf_counter()
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if done.returncode or f"{self.passed} passed" not in done.stdout:
            sys.exit(
                f"{self.name} on {self.corpus.name} failed:\n{done.stdout[-2000:]}{done.stderr}"
            )
        return seconds


def contenders(root: Path, url: str) -> list[Contender]:
    """Return every contender on every corpus."""
    # A section has a fresh database, and a process of its own where it needs one.
    small = Corpus("trivial-500", TRIVIAL, 500, a_section=50)
    fives = Corpus("trivial-500-by-5", TRIVIAL, 500, a_section=5)
    single = Corpus("trivial-500-by-1", TRIVIAL, 500, a_section=1)
    large = Corpus("trivial-2000", TRIVIAL, 2_000, a_section=50)
    database = Corpus("round-trip-500", ROUND_TRIP, 500, a_section=50)
    databases = Corpus("round-trip-500-by-5", ROUND_TRIP, 500, a_section=5)
    ours, peers = sys.executable, str(PEERS / "bin" / "python")
    bare = ["-m", "pytest", "-q", "-c", os.devnull, "--rootdir=.", "--confcutdir=."]
    bare += ["--disable-plugin-autoload"]
    found = []
    for corpus in (small, fives, single, large, database, databases):
        markdown, functions = corpus.write(root)
        connects = corpus.code == ROUND_TRIP
        plugin = ["-p", "pytest_asyncio.plugin"] if connects else []
        environment = {"DATABASE_URL": url} if connects else {}
        found += [
            Contender(
                FLOOR, corpus, [ours, *bare, *plugin, "."], functions, corpus.fences, environment
            ),
            Contender(
                OURS,
                corpus,
                [ours, "-m", "proveskill", "verify", f"--server={url}", "."],
                markdown,
                corpus.fences + 1,  # and the front matter
            ),
        ]  # fmt: skip
        if corpus is small:
            docs = ["-p", "pytest_markdown_docs.plugin", "--markdown-docs", "--noconftest", "."]
            found += [
                Contender("Sybil", corpus, [peers, *bare, "."], markdown, corpus.fences),
                Contender(
                    "pytest-markdown-docs", corpus, [peers, *bare, *docs], markdown, corpus.fences
                ),
            ]
    return found


def make_peers() -> None:
    """Install the peers into an environment of their own, once."""
    if not (PEERS / ".ready").exists():
        print("installing the peers into .venv-bench (once)", file=sys.stderr)
        venv.create(PEERS, with_pip=True, clear=True)
        pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*pip, str(HERE / "requirements.txt")], check=True)
        (PEERS / ".ready").touch()


def measure(found: list[Contender], rounds: int) -> None:
    """Fill in the samples: one warm-up each, then all of them in a new random order a round."""
    for contender in found:
        contender.run()
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for contender in random.sample(found, len(found)):
            contender.samples.append(contender.run())


def show(found: list[Contender]) -> None:
    """Print medians, spread and ratios, then the verdict on each goal."""
    median = {(c.corpus.name, c.name): statistics.median(c.samples) for c in found}
    print(f"{'corpus':<22}{'contender':<22}{'median s':>9}{'min-max':>14}{'x functions':>13}")
    for c in found:
        ratio = median[c.corpus.name, c.name] / median[c.corpus.name, FLOOR]
        spread = f"{min(c.samples):.2f}-{max(c.samples):.2f}"
        middle = median[c.corpus.name, c.name]
        print(f"{c.corpus.name:<22}{c.name:<22}{middle:>9.2f}{spread:>14}{ratio:>13.2f}")
    growth = median["trivial-2000", OURS] / median["trivial-500", OURS]
    print(f"\n2,000 fences cost {growth:.2f} times 500")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contender (5)")
    parser.add_argument("--json", type=Path, help="write the samples to a file")
    options = parser.parse_args()
    make_peers()
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder, Servers(ServerSpec()) as s:
        found = contenders(Path(folder), s.create_database().url)
        measure(found, options.rounds)
    show(found)
    if options.json:
        samples = [{"corpus": c.corpus.name, "name": c.name, "seconds": c.samples} for c in found]
        about = {"python": platform.python_version(), "cores": os.cpu_count(), "samples": samples}
        options.json.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
