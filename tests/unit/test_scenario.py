import re

import pytest

from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario, names
from scenarios.stacks.stack import PROJECT

SOUND = """
title    = "Two steps"
claim    = "It holds."
requests = 100

[[stages]]
name           = "first"
users          = 5
spawn_rate     = 5
until_requests = 40

[[stages]]
name       = "second"
users      = 10
spawn_rate = 5
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "two-steps.toml"
        path.write_text(text, encoding="utf-8")
        return Scenario.read(path)

    return read


def test_the_four_scenarios_of_the_mission_have_their_true_size():
    scenarios = map(Scenario.load, names())
    size = {scenario.name: (scenario.requests, scenario.peak_users) for scenario in scenarios}
    true_size = {
        "baseline": (1_000, 100),
        "high-concurrency": (10_000, 5_000),
        "sustained": (50_000, 1_000),
        "spike": (20_000, 10_000),
    }
    assert {name: size[name] for name in true_size} == true_size


def test_spike_is_calm_then_surges_then_recovers():
    assert [(stage.name, stage.users) for stage in Scenario.load("spike").stages] == [
        ("calm", 100),
        ("surge", 10_000),
        ("recovery", 100),
    ]


def test_a_scenario_is_named_after_its_file(read):
    assert read(SOUND).name == "two-steps"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("requests = 100", "request = 100", "request: Extra inputs are not permitted"),
        ("requests = 100", 'requests = "100"', "requests: Input should be a valid integer"),
        ("requests = 100", "requests = 0", "requests: Input should be greater than or equal to 1"),
        ("users          = 5", "users          = 5.5", "stages.0.users: Input should be a valid integer"),
        ("spawn_rate     = 5", "spawn_rate     = 0", "stages.0.spawn_rate: Input should be greater than 0"),
        ("spawn_rate     = 5", "spawn_rate     = inf", "stages.0.spawn_rate: Input should be a finite number"),
        ('"second"', '"first"', "stage 'first' stands twice"),
        ("until_requests = 40", "", "stage 'first' needs one end"),
        ("until_requests = 40", "until_requests = 40\nduration_s = 3", "stage 'first' needs one end"),
        ("until_requests = 40", "until_requests = 100", "until_requests must rise from stage to stage"),
        ("until_requests = 40", "until_requests = 4", "stage 'first' has 4 requests for 5 users"),
        ("until_requests = 40", "duration_s = 0.5", "going from 0 to 5 users at 5 per second takes 1 s"),
        ("users      = 10", "users      = 10\nduration_s = 1", "stage 'second' is the last"),
        ("users      = 10", "users      = 61", "stage 'second' has 60 requests for 61 users"),
        ('title    = "Two steps"', 'title = " "', "title: String should have at least 1 character"),
        (
            "spawn_rate = 5\n",
            "spawn_rate = 5\n[expect]\np99_ms = { third = 1 }",
            "expect.p99_ms names third, which is no stage",
        ),
        (
            "spawn_rate = 5\n",
            "spawn_rate = 5\n[expect]\np99_ms = { first = inf }",
            "expect.p99_ms.first: Input should be a finite number",
        ),
        ('"second"', '"all"', "a stage may not be called all"),
        ("requests = 100", 'requests = 100\nname = "baseline"', "a scenario is named after its file"),
        ("requests = 100", "requests = " + "[" * 5000, "is not TOML"),
        ("[[stages]]", "[[stages", "is not TOML"),
    ],
)
def test_what_breaks_a_rule_is_named_with_its_file_and_key(read, old, new, sentence):
    assert old in SOUND
    with pytest.raises(UsageError) as refusal:
        read(SOUND.replace(old, new, 1) if not old.startswith("spawn_rate = 5") else SOUND.replace(old, new))
    assert "two-steps.toml: " in str(refusal.value)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_sound_text_is_sound(read):
    assert read(SOUND).requests == 100


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError, match="no scenario 'spkie', did you mean spike\\?; there are baseline, "):
        Scenario.load("spkie")


def test_no_name_leads_out_of_the_directory():
    with pytest.raises(UsageError, match="no scenario"):
        Scenario.load("../scenarios/spike")


def test_scaling_keeps_proportions():
    spike = Scenario.load("spike").scaled(requests=2_000, users=1_000)
    assert [(stage.users, stage.spawn_rate, stage.until_requests) for stage in spike.stages] == [
        (10, 100.0, 100),
        (1_000, 500.0, 1_900),
        (10, 500.0, None),
    ]


def test_scaling_that_breaks_a_rule_is_refused():
    with pytest.raises(UsageError, match=r"baseline scaled to requests=10.*has 10 requests for 100 users"):
        Scenario.load("baseline").scaled(requests=10)


def test_not_scaling_changes_nothing():
    assert Scenario.load("spike").scaled() == Scenario.load("spike")


BROKEN = """
[[faults]]
kind    = "kill"
backend = "back-02"
stage   = "first"
after_requests = 5

[[faults]]
kind    = "start"
backend = "back-02"
stage   = "second"
after_s = 1
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('kind    = "kill"', 'kind    = "explode"', "faults.0.kind: Input should be 'kill', "),
        ('stage   = "second"', 'stage   = "third"', "start back-02: third is no stage of this scenario"),
        ("after_requests = 5", "after_requests = 40", "after 40 requests of stage first: comes after its end"),
        ("after_requests = 5", "", "kill back-02 needs one moment"),
        ("after_s = 1", "after_s = 1\nafter_requests = 1", "start back-02 needs one moment"),
        (
            'kind    = "kill"',
            'kind    = "start"',
            "after 5 requests of stage first: by then back-02 runs",
        ),
        ('kind    = "start"', 'kind    = "kill"', "kill back-02, 1 s into stage second: by then back-02 is down"),
        ('kind    = "start"', 'kind    = "resume"', "resume back-02, 1 s into stage second: by then back-02 is down"),
        ('kind    = "kill"', 'kind    = "reload-nginx"', "reload-nginx is done to nginx: leave backend out"),
        ('kind    = "kill"\nbackend = "back-02"', 'kind    = "kill"', "kill is done to a backend: give backend"),
        ('kind    = "kill"', 'kind    = "limit-cpu"', "cpus is for limit-cpu, which needs it"),
        ('kind    = "kill"', 'kind    = "kill"\ncpus = 0.5', "cpus is for limit-cpu, which needs it"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(read, old, new, sentence):
    assert old in BROKEN
    with pytest.raises(UsageError, match=re.escape(sentence)):
        read(SOUND + BROKEN.replace(old, new, 1))


def test_faults_stand_in_the_order_of_time(read):
    first, second = BROKEN.strip().split("\n\n")
    hang = first.replace("kill", "hang").replace("= 5", "= 9").replace("back-02", "back-01")
    assert len(read(f"{SOUND}\n{first}\n\n{hang}\n\n{second}\n").faults) == 3
    with pytest.raises(UsageError, match="stands after"):
        read(f"{SOUND}\n{hang}\n\n{first}\n\n{second}\n")


def test_a_fault_moves_with_the_size_of_its_scenario(read):
    scaled = read(SOUND + BROKEN).scaled(requests=1000)
    assert [fault.after_requests for fault in scaled.faults] == [50, None]


def test_a_scenario_of_load_has_a_locustfile_and_one_with_faults_has_none():
    for name in names():
        has_one = (PROJECT / "locustfiles" / f"{name.replace('-', '_')}.py").exists()
        assert has_one != bool(Scenario.load(name).faults)
