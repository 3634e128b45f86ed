"""The style of the Fortran sources: `style.py CORE TESTS`.

No line is longer than 100 columns. In the core every dummy argument of a public procedure says
below its declaration what it means.
"""

import re
import sys
from pathlib import Path

LONGEST = 100
PROCEDURE = re.compile(
    r"^   (?:(?:pure|elemental|logical|integer|real|\(\w+\)) *)*"
    r"(subroutine|function) (\w+)\(([^)]*)\)"
)


def statements(lines):
    """Join continued lines; yield the number of the last one, and the statement."""
    joined = ""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("!"):
            continue
        joined += line.rstrip().removesuffix("&") if not joined else line.strip().removesuffix("&")
        if not line.rstrip().endswith("&"):
            yield number, joined
            joined = ""


def public_names(source):
    """Names that a module exports, and procedures that its types bind without saying private."""
    names = set()
    for _, statement in statements(source.splitlines()):
        if found := re.match(r" +public :: (.*)", statement):
            names |= set(re.findall(r"\w+", found[1]))
        bound = re.match(r" +procedure(?:\(\w+\))?(, deferred)? :: (\w+)(?: => (\w+))?$", statement)
        if bound:
            names |= set() if bound[3] else {bound[2]}  # what is renamed, an interface documents
    return names


def undocumented(source):
    """Dummy arguments of public procedures without a line of documentation."""
    lines = source.splitlines()
    public = public_names(source)
    arguments, procedure = set(), None
    for number, statement in statements(lines):
        if found := PROCEDURE.match(statement.split("!")[0]):
            procedure = found[2]
            arguments = set(re.findall(r"\w+", found[3])) - {"self"}
        elif re.match(r"   end (subroutine|function)", statement):
            arguments = set()
        if procedure not in public or "::" not in statement:
            continue
        declared = set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", statement.split("::")[1])))
        following = lines[number].strip() if number < len(lines) else ""
        for name in declared & arguments:
            if not following.startswith("!!"):
                yield number, f"{procedure}: {name} is not documented"


def too_long(source):
    """Lines that are too long."""
    for number, line in enumerate(source.splitlines(), 1):
        if len(line) > LONGEST:
            yield number, f"{len(line)} columns"


def faults(folder, *rules):
    """Everything that breaks one of the rules in a folder."""
    for path in sorted([*Path(folder).rglob("*.f90"), *Path(folder).rglob("*.F90")]):
        for rule in rules:
            for number, fault in rule(path.read_text()):
                yield f"{path}:{number}: {fault}"


core, tests = sys.argv[1:]
found = [*faults(core, too_long, undocumented), *faults(tests, too_long)]
sys.exit("\n".join(found) if found else 0)
