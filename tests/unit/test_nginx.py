"""What the nginx implementation of a balancer reads from a configuration, and how it reads its log."""

import pytest

from scenarios.formats.rows import Balanced
from scenarios.spec.balancer import Algorithm
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.balancer import NGINX
from scenarios.spec.nginx.log import variables
from scenarios.spec.target import AnsweredBy, Target
from scenarios.stacks.stack import PROJECT

CONF = """
worker_processes 2;
http {
    upstream models { METHOD server a:1; server b:2; }
    server { listen 8080; location / { proxy_pass http://models; } }
}
"""
OURS = (PROJECT / "nginx" / "nginx.conf").read_text()


@pytest.fixture
def configuration(tmp_path):
    def written(text):
        path = tmp_path / "nginx.conf"
        path.write_text(text)
        return NGINX.configuration(path)

    return written


def test_the_balancers_ledger_has_a_variable_for_each_of_its_columns_in_their_order():
    assert tuple(variables(AnsweredBy())) == Balanced._fields


def test_the_projects_configuration_logs_what_the_ledger_holds(configuration):
    configuration(OURS).require_ledger(Target().identity)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("log_format ledger", "log_format other", "keeps no log of requests: `log_format ledger` is missing"),
        ('"$msec","$pid"', '"$pid","$msec"', "has pid where balancer.csv has msec"),
        ('"$msec",', "", "has pid where balancer.csv has msec"),
        (',"$upstream_http_x_host_tag"', "", "has nothing where balancer.csv has upstream_http_x_host_tag"),
        ('x_host_tag"', 'x_host_tag","$host"', "has host where balancer.csv has nothing"),
    ],
)
def test_another_log_is_refused(configuration, old, new, sentence):
    assert old in OURS
    with pytest.raises(UsageError, match=r"nginx\.conf.*" + sentence.replace(".", r"\.")):
        configuration(OURS.replace(old, new)).require_ledger(Target().identity)


def test_a_log_that_has_another_header_than_the_target_names_is_refused(configuration):
    with pytest.raises(
        UsageError, match=r"has upstream_http_x_host_tag where balancer\.csv has upstream_http_served_by"
    ):
        configuration(OURS).require_ledger(AnsweredBy(header="Served-By"))


@pytest.mark.parametrize(
    ("method", "workers", "algorithms"),
    [
        ("zone models 64k;", 2, (Algorithm.SHARED,)),
        ("", 2, (Algorithm.PER_WORKER,)),
        ("", 1, (Algorithm.SHARED, Algorithm.PER_WORKER)),
        ("zone models 64k; least_conn;", 2, (Algorithm.LEAST_CONNECTIONS,)),
        ("random;", 2, (Algorithm.RANDOM,)),
        ("random two least_conn;", 2, ()),
        ("ip_hash;", 2, (Algorithm.ADDRESS_HASH,)),
        ("hash $binary_remote_addr consistent;", 2, (Algorithm.ADDRESS_HASH,)),
        ("hash $request_uri;", 2, ()),
    ],
)
def test_the_algorithm_is_read_from_the_configuration(configuration, method, workers, algorithms):
    text = CONF.replace("METHOD", method).replace("processes 2", f"processes {workers}")
    assert configuration(text).algorithms() == algorithms


@pytest.mark.parametrize(
    ("text", "attempts"),
    [("a:80", ["a:80"]), ("a:80, b:80", ["a:80", "b:80"]), ("-, 0.002 : 0.004", ["-", "0.002", "0.004"])],
)
def test_the_attempts_of_a_request_are_told_apart(text, attempts):
    assert NGINX.notation.attempts(text) == attempts
