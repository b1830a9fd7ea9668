import pytest

from scenarios.definition import Scenario, names
from scenarios.errors import UsageError

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
    size = {name: (Scenario.load(name).requests, Scenario.load(name).peak_users) for name in names()}
    assert size == {
        "baseline": (1_000, 100),
        "high-concurrency": (10_000, 5_000),
        "sustained": (50_000, 1_000),
        "spike": (20_000, 10_000),
    }


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
    with pytest.raises(UsageError, match="no scenario 'spkie', did you mean spike\\?; there are baseline"):
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
