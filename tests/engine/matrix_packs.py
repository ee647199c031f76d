"""Packs for ``proveskill matrix``, a folder of wheels in place of a registry, and runs of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, version
from pathlib import Path
from typing import Any

import yaml
from engine_runs import Bench, Run, fence, write_pack
from packaging.requirements import Requirement

# What the functions of the toy package return, release by release.
RELEASES = {
    "1.0": {"early": 0, "middle": 1, "late": 1, "always": 1},
    "1.1": {"early": 1, "middle": 1, "late": 1, "always": 1},
    "1.2": {"early": 1, "middle": 1, "late": 1, "always": 1},
    "2.0": {"early": 1, "middle": 0, "late": 1, "always": 1},
    "2.1": {"early": 1, "middle": 0, "late": 0, "always": 1},
}
PINNED = "1.2"
HELPERS = ("1.0", "1.1")
"""Releases of a second package, which no set names."""


@dataclass(frozen=True)
class Registry:
    """A folder of wheels, and folders for the caches of uv and of the command."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "UV_CONFIG_FILE": str(self.folder / "uv.toml"),
            "UV_CACHE_DIR": str(self.folder / "uv"),
            "UV_PYTHON_DOWNLOADS": "never",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }

    def matrix(self, bench: Bench, root: Path, *more: str | Path) -> Run:
        """Run the command on a pack, with a report."""
        report = root / "matrix.json"
        arguments = ["matrix", ".", "--report", report, *more]
        return bench.run(arguments, root, report=report, **self.environment)


def make_registry(folder: Path) -> Registry:
    """Make wheels of the toy packages, and of what is installed here and the engine needs."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    for release, values in RELEASES.items():
        write_wheel(wheels, "toy", release, values)
    for release in HELPERS:
        write_wheel(wheels, "toy-helper", release, {"number": int(release == "1.0")})
    for needed in _closure("proveskill"):
        _pack_again(needed, wheels)
    (folder / "uv.toml").write_text(f"no-index = true\nfind-links = [{str(wheels)!r}]\n")
    return Registry(folder)


def write_wheel(folder: Path, name: str, release: str, values: dict[str, int]) -> None:
    """Write a wheel of one module, whose functions return these values."""
    module = name.replace("-", "_")
    info = f"{module}-{release}.dist-info"
    files = {
        f"{module}.py": "".join(f"def {k}():\n    return {v}\n" for k, v in values.items()),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{module}-{release}-py3-none-any.whl", "w") as wheel:
        for each, text in files.items():
            wheel.writestr(each, text)


def write_matrix_pack(root: Path, sets: dict[str, Any], *functions: str, **more: Any) -> Path:
    """Make a pack with a section for each of the toy functions, which should return 1."""
    text = "".join(
        f"## {name.capitalize()}\n\n" + fence(f"from toy import {name}\n{name}()  # -> 1")
        for name in functions
    )
    matrix = {"sets": sets, "requires": ["toy-helper"], **more}
    return write_pack(root, {"versions": {"toy": PINNED}, "matrix": matrix}, text)


def change_matrix(root: Path, **changes: Any) -> None:
    """Change keys of the matrix of a pack."""
    file = root / "skill.yaml"
    fields = yaml.safe_load(file.read_text())
    fields["matrix"] |= changes
    file.write_text(yaml.safe_dump(fields, sort_keys=False))


def verdicts(run: Run) -> dict[str, str]:
    return {record["name"]: record["verdict"] for record in run.report["sets"]}


def firsts(run: Run) -> dict[str, Any]:
    """Return where each item breaks first, by its section."""
    return {
        record["id"].partition("#")[2].partition("/")[0]: record["first"]
        for record in run.report["breaks"]
    }


def _closure(name: str) -> Iterator[Distribution]:
    """Yield the installed distributions that one needs, itself left out."""
    seen = {name}
    pending = [(name, "")]
    while pending:
        current, extra = pending.pop()
        for line in distribution(current).requires or ():
            needed = Requirement(line)
            if needed.marker is not None and not needed.marker.evaluate({"extra": extra}):
                continue
            pending += [(needed.name, wanted) for wanted in needed.extras]
            if needed.name.lower() not in seen:
                seen.add(needed.name.lower())
                pending.append((needed.name, ""))
                yield distribution(needed.name)


def _pack_again(installed: Distribution, folder: Path) -> None:
    """Make the wheel from which a distribution was installed, without its commands."""
    tags = [
        line.partition(": ")[2]
        for line in (installed.read_text("WHEEL") or "").splitlines()
        if line.startswith("Tag: ")
    ]
    tag = "-".join(
        ".".join(dict.fromkeys(parts)) for parts in zip(*(t.split("-") for t in tags), strict=True)
    )
    name = installed.metadata["Name"].replace("-", "_")
    release = version(installed.metadata["Name"])
    files = [
        file
        for file in installed.files or ()
        if ".." not in file.parts and "__pycache__" not in file.parts
        and file.name not in ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
    ]  # fmt: skip
    (info,) = {file.parts[0] for file in files if file.parts[0].endswith(".dist-info")}
    with zipfile.ZipFile(folder / f"{name}-{release}-{tag}.whl", "w") as wheel:
        for file in files:
            wheel.write(installed.locate_file(file), str(file))
        lines = [f"{file},,\n" for file in (*files, f"{info}/RECORD")]
        wheel.writestr(f"{info}/RECORD", "".join(lines))
