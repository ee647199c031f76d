#!/usr/bin/env python3
"""Tell which sections of this skill hold with the versions that are installed here.

Run it with the Python of your project:

    python check_env.py                     all sections
    python check_env.py pooling types       the sections of these files
    python check_env.py pooling#warm-the-pool

It reads VERIFIED.json and sections.json of the skill, compares the installed versions with those
that the skill was proven with, and the files with their digests. It needs nothing but the standard
library of Python 3.9 or newer, opens no connection and writes nothing.

Exit status: 0 every section asked for holds; 1 one does not, or a file of the skill is not as it
was proven; 2 wrong use.
"""

import sys

if sys.version_info < (3, 9):
    sys.exit("check_env.py needs Python 3.9 or newer; this is %d.%d" % sys.version_info[:2])

import argparse
import difflib
import hashlib
import importlib.util
import io
import json
import platform
import re
import textwrap
from importlib import metadata
from pathlib import Path

SKILL = Path(__file__).resolve().parents[1]
RECEIPT, SECTIONS, MAIN = "VERIFIED.json", "sections.json", "SKILL.md"


def main():
    """Check what the command line asks for; return the exit status."""
    options = read_options()
    damage = check_files()
    annotated = accept_metadata(damage)
    sections = read_sections(damage)
    chosen = choose(sections, options.names)
    packages = check_packages(sections)
    python = check_python()
    verdicts = {entry["id"]: entry for entry in predicate().get("sections", [])}
    unproven = {}
    for section in chosen:
        reasons = damage_of(section, damage) + verdict_of(section, verdicts) + python["reasons"]
        reasons += [packages[name]["reason"] for name in section["needs"]]
        if any(reasons):
            unproven[section["id"]] = [reason for reason in reasons if reason]
    findings = {
        "ok": bool(sections) and not unproven and not any(damage.values()),
        "skill": SKILL.name,
        "version": predicate().get("version"),
        "verified": predicate().get("verified"),
        "python": {"verified": python["verified"], "installed": python["installed"]},
        "packages": list(packages.values()),
        "server": server(),
        "files": damage,
        "annotated": annotated,
        "sections": {
            "hold": [s["id"] for s in chosen if s["id"] not in unproven],
            "unproven": unproven,
        },
    }
    if options.json:
        print(json.dumps(findings, indent=2))
    elif findings["version"] is None:
        print(f"{SKILL.name}: without its receipt, {RECEIPT}, nothing can be told: install it anew")
    else:
        print_findings(findings)
    return 0 if findings["ok"] else 1


def read_options():
    """Return the options; a wrong one ends the program with status 2."""
    parser = argparse.ArgumentParser(
        description="Tell which sections of this skill hold with the versions installed here.",
        epilog="exit status: 0 every section asked for holds, and no file was changed; "
        "1 not so; 2 wrong use",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a section (pooling#size-the-pool) or the sections of a file (pooling); default: all",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    return parser.parse_args()


def read_json(name):
    """Return a JSON file of the skill, empty when it is missing or damaged."""
    try:
        found = json.loads((SKILL / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def predicate():
    """Return what the receipt says of the run."""
    return read_json(RECEIPT).get("predicate", {})


def check_files():
    """Return the names of the files that are changed, missing, or not of the skill."""
    subject = read_json(RECEIPT).get("subject", [])
    wanted = {entry["name"]: entry["digest"]["sha256"] for entry in subject}
    found = {
        path.relative_to(SKILL).as_posix(): path
        for path in SKILL.rglob("*")
        if path.is_file() and "__pycache__" not in path.relative_to(SKILL).parts
    }
    has_receipt = found.pop(RECEIPT, None) is not None
    same = {
        name
        for name in wanted.keys() & found.keys()
        if hashlib.sha256(found[name].read_bytes()).hexdigest() == wanted[name]
    }
    if not wanted:  # nothing can be said of the other files
        damage = [RECEIPT]
        return {"changed": damage * has_receipt, "missing": damage * (not has_receipt), "extra": []}
    return {
        "changed": sorted(wanted.keys() & found.keys() - same),
        "missing": sorted(wanted.keys() - found.keys()),
        "extra": sorted(found.keys() - wanted.keys()),
    }


def accept_metadata(damage):
    """Return the keys that an installer has added to the front matter of SKILL.md.

    ``gh skill install`` writes it anew, sorted and with keys of its own below ``metadata``. When
    nothing else differs, SKILL.md is no longer among the changed files.
    """
    if MAIN not in damage["changed"] or {RECEIPT, SECTIONS} & {*damage["changed"]}:
        return []
    proven = next((f for f in read_json(SECTIONS).get("files", []) if f["file"] == MAIN), {})
    found, body = read_front_matter()
    metadata = found.get("metadata", {})
    known = proven.get("front_matter", {}).get("metadata", {})
    added = sorted(metadata.keys() - known.keys()) if isinstance(metadata, dict) else []
    for key in added:
        del metadata[key]
    if added and not metadata:
        del found["metadata"]
    digest = hashlib.sha256(body.encode("utf-8")).hexdigest()
    if not added or found != proven.get("front_matter") or digest != proven.get("body"):
        return []
    damage["changed"].remove(MAIN)
    return added


def read_front_matter():
    """Return the fields of SKILL.md, and the text below them without leading blank lines.

    Not all of YAML: texts of one line, and ``metadata`` with such texts, which is what the
    specification of Agent Skills knows. Of anything else there are no fields.
    """
    try:
        text = (SKILL / MAIN).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}, ""
    head, _, body = text.partition("\n---\n")
    opening, *lines = head.split("\n")
    fields = {}
    inner = None
    for line in lines:
        match = re.match(r"( *)([\w-]+):(?: +(.*))?$", line)
        if opening != "---" or match is None or (match[1] and inner is None):
            return {}, ""
        if match[3] is None:
            fields[match[2]] = inner = {}
        elif match[1]:
            inner[match[2]] = scalar(match[3])
        else:
            fields[match[2]] = scalar(match[3])
    return fields, body.lstrip("\r\n")


def scalar(text):
    """Return the text that a YAML scalar of one line stands for."""
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    try:
        return json.loads(text) if text.startswith('"') else text
    except ValueError:
        return text


def read_sections(damage):
    """Return the entries of sections.json; none when it is not the proven one."""
    if any(name in damage["changed"] + damage["missing"] for name in (RECEIPT, SECTIONS)):
        return []
    return read_json(SECTIONS).get("sections", [])


def choose(sections, names):
    """Return the sections that are asked for; a name that none has ends the program."""
    if not names or not sections:
        return sections
    known = {section["id"] for section in sections}
    known |= {section["id"].partition("#")[0] for section in sections}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), 3, 0.4)
            hint = "; near: " + ", ".join(near) if near else ""
            print(f"check_env.py: error: no section or file {name!r}{hint}", file=sys.stderr)
            sys.exit(2)
    return [s for s in sections if s["id"] in names or s["id"].partition("#")[0] in names]


def check_packages(sections):
    """Return what is installed of each package that a section needs, and what that means."""
    pinned = predicate().get("environment", {}).get("packages", {})
    needed = dict.fromkeys([*pinned, *(name for s in sections for name in s["needs"])])
    return {name: check_package(name, pinned.get(name)) for name in needed}


def check_package(name, verified):
    """Compare the installed version of a package with the one that was verified (None: any)."""
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        installed = None
    if verified is not None:
        state = compare(installed, verified) if installed else "missing"
    elif importlib.util.find_spec(name):  # a module of any version, of a package of any name
        installed, state = installed or "yes", "present"
    else:
        installed, state = None, "missing"
    reason = {
        "missing": f"{name} is missing",
        "older": f"{name} {installed} is older than {verified}",
        "newer": f"{name} {installed} is newer than {verified}",
        "another": f"{name} {installed} is not {verified}",
    }.get(state, "")
    return {
        "name": name,
        "verified": verified,
        "installed": installed,
        "state": state,
        "reason": reason,
    }


def compare(version, other):
    """Return what a version is beside another: the same, older, newer, by its numbers."""
    if version == other:
        return "same"
    mine, theirs = ([int(part) for part in re.findall(r"\d+", text)] for text in (version, other))
    return "older" if mine < theirs else "newer" if mine > theirs else "another"


def check_python():
    """Compare this Python with the one that was verified: only an older minor version matters."""
    verified = predicate().get("environment", {}).get("python") or ""
    installed = platform.python_version()
    minor = [int(part) for part in verified.split(".")[:2] if part.isdigit()]
    reasons = []
    if list(sys.version_info[:2]) < minor:
        reasons = [f"Python {installed} is older than {verified}"]
    return {"verified": verified, "installed": installed, "reasons": reasons}


def server():
    """Return the versions of the server that was verified; this program does not ask yours."""
    environment = predicate().get("environment", {})
    return {
        "postgresql": environment.get("postgresql"),
        "extensions": environment.get("extensions", {}),
    }


def damage_of(section, damage):
    """Return why the text of a section is not the one that was proven."""
    name = section["file"]
    if name in damage["missing"]:
        return [f"{name} is missing"]
    if name in damage["changed"] and digest_of(section) != section["digest"]:
        return ["its text was changed"]
    return []


def verdict_of(section, verdicts):
    """Return what the receipt does not say of a section."""
    if section["id"] not in verdicts:
        return ["it was not verified"]
    counts = verdicts[section["id"]]["statements"].values()
    unproven = max((count.get("unproven", 0) for count in counts), default=0)
    return [f"{unproven} of its statements have no proof"] if unproven else []


def digest_of(section):
    """Return the digest of the lines of a section."""
    try:
        text = (SKILL / section["file"]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    lines = list(io.StringIO(text))[section["line"] - 1 : section["end_line"]]
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def print_findings(findings):
    """Print what a person wants to know."""
    shown = findings["server"]["extensions"]
    extensions = "".join(f", {name} {version}" for name, version in shown.items())
    print(
        f"{findings['skill']} {findings['version']}, verified {findings['verified']} with "
        f"Python {findings['python']['verified']}, "
        f"PostgreSQL {findings['server']['postgresql']}{extensions}"
    )
    print(f"here: Python {findings['python']['installed']} ({sys.executable})")
    print(f"\n{'package':<14} {'verified':<10} installed")
    for package in findings["packages"]:
        mark = f"  {package['state']}" if package["reason"] and package["installed"] else ""
        installed = package["installed"] or "missing"
        print(f"{package['name']:<14} {package['verified'] or 'any':<10} {installed}{mark}")
    print()
    for kind, names in findings["files"].items():
        for name in names:
            print(f"{kind}: {name}")
    if findings["annotated"]:
        print(f"{MAIN} is as it was proven; an installer added: {', '.join(findings['annotated'])}")
    print_sections(**findings["sections"])
    print("\nNot looked at: your server. Ask it: SELECT version();", end="")
    print(" SELECT extname, extversion FROM pg_extension;")


def print_sections(hold, unproven):
    """Print how many sections hold, and for each reason which ones do not."""
    total = len(hold) + len(unproven)
    if not total:
        print("Which sections hold cannot be told without the files above: install the skill anew.")
        return
    print(f"{total} sections: {len(hold)} hold, {len(unproven)} unproven here")
    by_reason = {}
    for section, reasons in unproven.items():
        for reason in reasons:
            by_reason.setdefault(reason, []).append(section)
    for reason, names in by_reason.items():
        every = len(names) == total
        text = "all" if every else ", ".join(names)
        print(f"\n{reason} ({len(names)}):")
        wrapped = textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)
        print(textwrap.indent("\n".join(wrapped), "  "))


if __name__ == "__main__":
    sys.exit(main())
