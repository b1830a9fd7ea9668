from pathlib import Path

import pytest

from scenarios.spec.claim import Claim
from scenarios.spec.errors import UsageError

NGINX_CONF = Path("nginx/nginx.conf")
CONF = """
worker_processes 4;
events {}
http {
    upstream models {
        zone models 64k;
        server back-01:8001 weight=5;
        server back-02:8002;
        server back-03:8003 down;
        server back-04:8004 backup;
    }
    server { listen 8080; location / { proxy_pass http://models; } }
}
"""


@pytest.fixture
def claim(tmp_path):
    def claim(text):
        path = tmp_path / "nginx.conf"
        path.write_text(text, encoding="utf-8")
        return Claim.of(str(path))

    return claim


def test_the_configuration_of_this_project_claims_one_two_three():
    claim = Claim.of(str(NGINX_CONF))
    assert claim.weights == {"back-01": 1, "back-02": 2, "back-03": 3}
    assert claim.cycles == 1


def test_a_server_weighs_one_unless_it_says_otherwise_and_those_that_are_down_or_spare_weigh_nothing(claim):
    assert claim(CONF).weights == {"back-01": 5, "back-02": 1}


def test_without_a_zone_every_worker_has_a_cycle_of_its_own(claim):
    assert claim(CONF).cycles == 1
    assert claim(CONF.replace("zone models 64k;", "")).cycles == 4


def test_a_claim_can_be_written_down():
    assert Claim.of("a=1,b=20").weights == {"a": 1, "b": 20}


@pytest.mark.parametrize("text", ["a=-1", "a=1.5", "=1", "a=1,,b=2", "a=x", "a=1,"])
def test_a_claim_that_is_no_claim_is_refused(text):
    with pytest.raises(UsageError, match="is not of the form back-01=1,back-02=2"):
        Claim.of(text)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("upstream models", "upstream other { server x:1; } upstream models", "has 2 upstream blocks"),
        ("server back-02:8002;", "server back-01:8002;", "back-01 stands there twice"),
        ("weight=5", "weight=many", r"nginx\.conf:7: `server back-01:8001 weight=many`: the weight is no whole number"),
        ("weight=5", "weight=0", "the weight is no whole number above zero"),
        ("server back-02:8002;", "server unix:/run/models.sock;", "write host:port"),
        ("server back-02:8002;", "server [::1]:8002;", "write host:port"),
        ("server back-02:8002;", "server all:8002;", "all means all backends together"),
        ("zone models 64k;", "least_conn;", "only weighted round-robin"),
        ("zone models 64k;", "", "`worker_processes many`: no whole number"),
        ("events {}", "events {", "is no nginx configuration"),
    ],
)
def test_a_configuration_that_claims_nothing_definite_is_refused(claim, old, new, sentence):
    with pytest.raises(UsageError, match=sentence):
        claim(CONF.replace("worker_processes 4;", "worker_processes many;").replace(old, new))


def test_a_configuration_in_which_nobody_takes_turns_is_refused(claim):
    with pytest.raises(UsageError, match="claims nothing"):
        claim(CONF.replace("weight=5", "down").replace("8002;", "8002 down;"))


@pytest.mark.parametrize(
    ("text", "sentence"), [("a=1,a=2", "a stands there twice"), ("a=0", "the weight of a is zero")]
)
def test_a_written_claim_that_contradicts_itself_is_refused(text, sentence):
    with pytest.raises(UsageError, match=sentence):
        Claim.of(text)


def test_spaces_in_a_written_claim_mean_nothing():
    assert Claim.of("a = 1, b=2 ").weights == {"a": 1, "b": 2}


def test_a_path_with_an_equals_sign_is_a_path(tmp_path):
    path = tmp_path / "x=1.conf"
    path.write_text(CONF)
    assert Claim.of(str(path)).weights == {"back-01": 5, "back-02": 1}


def test_a_configuration_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"nowhere\.conf"):
        Claim.of("nowhere.conf")
