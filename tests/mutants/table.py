"""The table of mutants and checks, for people: `docs/mutants.md`."""

from tests.mutants.mutants import MUTANTS, TAGS

HEAD = """# What is broken on purpose, and what notices

`make test-mutants` writes this table when each line of it has just come true: with a real nginx, real backends, a real
Locust and a small load, each time with one thing wrong. **F** is a check that fails. **I** is a check that becomes
INVALID, because the run cannot tell. A check in brackets may turn or not: that depends on the moment of the fault. A
dot is a check that must stay as it was. Where each backend has a check, the table shows the worst.
[proof.md](proof.md) says what each check means.

"""
TAIL = """
If a report directory was changed after the run (a row removed, a count or a line of the log edited), the analysis
refuses it, with exit code 2.
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
