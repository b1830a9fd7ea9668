"""The table of mutants and checks, for people: `docs/mutants.md`."""

from tests.mutants.mutants import MUTANTS, TAGS

HEAD = """# What is broken on purpose, and what notices

Written by `make test-mutants` when every line of it has just come true: a real nginx, real backends, a real Locust and
a small load, each time with one thing wrong. **F** is a check that fails, **I** one that finds that the run cannot
tell; in brackets, one that may turn as well, depending on when the fault strikes. A dot is a check that must stay as it
was. Of checks that each backend has, the worst is shown. What a check means stands in [proof.md](proof.md).

"""
TAIL = """
A report directory that was changed after the run, be it a row removed, a count or a line of the log edited, is refused
altogether, with exit code 2.
"""


def table():
    """The whole document."""
    kinds = list(dict.fromkeys(kind(check) for mutant in MUTANTS for check in (*mutant.must, *mutant.may)))
    rows = [
        ["", *kinds],
        ["---", *(":-:" for _ in kinds)],
        *([mutant.what, *(cell(mutant, each) for each in kinds)] for mutant in MUTANTS),
    ]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows) + TAIL


def kind(check):
    """The check without the backend that it is of."""
    name, _, tag = check.rpartition(" ")
    return name if tag in TAGS else check


def cell(mutant, wanted):
    for outcomes, shown in ((mutant.must, "**{}**"), (mutant.may, "({})")):
        found = {outcome for check, outcome in outcomes.items() if kind(check) == wanted}
        if found:
            return shown.format("F" if "FAIL" in found else "I")
    return "·"
