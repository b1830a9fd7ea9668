from analysis.checks.meanings import MEANINGS, meaning_of
from analysis.checks.resources import CLAIMS
from analysis.checks.rules import RULES
from analysis.reconciliation import Difference


def test_every_difference_and_every_check_of_resources_has_a_meaning_of_its_own():
    assert set(RULES) == set(Difference)
    assert {*Difference, *CLAIMS} <= MEANINGS.keys()
    assert len(set(MEANINGS.values())) == len(MEANINGS)


def test_what_a_check_is_about_comes_last():
    assert meaning_of("split back-01") == meaning_of("split in surge") == MEANINGS["split"]
    assert meaning_of("running split back-01") == MEANINGS["running split"]
    assert meaning_of("ledgers") == meaning_of("ledgers back-01") == MEANINGS["ledgers"]
    assert meaning_of("p99 steady") == MEANINGS["p99"]
