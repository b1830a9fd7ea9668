"""What a scenario asks: the built-in target, a table that replaces parts of it, and every rule that it can break."""

from email.message import Message

import pytest

from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import AnsweredBy, Target

SCENARIO = """
title    = "One step"
claim    = "It holds."
requests = 100

[[stages]]
name       = "only"
users      = 5
spawn_rate = 5
"""
ANOTHER = """
[target]
url = "https://example.org:8443/base"
method = "PUT"
path = "/things/7?force=yes"
headers = {Accept = "application/json", Content-Type = "text/plain"}
body = "seven: ä"
expected_statuses = [200, 204]
identity = {header = "Served-By"}
"""


@pytest.fixture
def read(tmp_path):
    def read(table):
        path = tmp_path / "one-step.toml"
        path.write_text(SCENARIO + table, encoding="utf-8")
        return Scenario.read(path)

    return read


def test_a_scenario_without_a_target_has_the_built_in_one(read):
    assert read("").target == Target()


def test_a_table_replaces_every_part(read):
    target = read(ANOTHER).target
    assert target.text == "PUT /things/7?force=yes"
    assert target.statuses_text == "200 or 204"
    assert target.content == b"seven: \xc3\xa4"
    assert target.header_lines == ("Accept: application/json", "Content-Type: text/plain", "Content-Length: 9")
    assert target.identity.key == b"served-by"


def test_a_table_replaces_only_the_parts_that_it_names(read):
    assert read("[target]\nexpected_statuses = [202]").target == Target(expected_statuses=(202,))


def test_a_target_is_the_same_after_it_was_written_down(read):
    scenario = read(ANOTHER)
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
    assert scenario.scaled(requests=50).target == scenario.target


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ('url = "ftp://example.org"', "target.url: 'ftp://example.org' is no address of the form http://host:port"),
        ('url = "http://:80"', "target.url: 'http://:80' is no address"),
        ('url = "http://a:70000"', "target.url: 'http://a:70000' is no address"),
        ('url = "http://a b"', "target.url: 'http://a b' is no address"),
        ('url = "http://a?b"', "target.url: 'http://a?b' is no address"),
        ('url = "http://a..b"', "target.url: 'http://a..b' is no address"),
        ('method = "GET IT"', "target.method: 'GET IT' is no token"),
        ('method = ""', "target.method: '' is no token"),
        ('method = "CONNECT"', "target.method: CONNECT asks for a tunnel"),
        ('path = "models"', "target.path: 'models' is no path: it begins with /"),
        ('path = "/a b"', "target.path: '/a b' is no path"),
        ('path = "/a#b"', "target.path: '/a#b' is no path"),
        ('path = "/ä"', "target.path: '/ä' is no path"),
        ('path = "/a\\r\\nX: y"', "target.path: '/a\\r\\nX: y' is no path"),
        ('headers = {"X Y" = "z"}', "'X Y' is no token"),
        ('headers = {X = "a\\r\\nY: b"}', "target.headers.X: 'a\\r\\nY: b' is no value of a header"),
        ('headers = {X = "a\\n"}', "target.headers.X: 'a\\n' is no value of a header"),
        ('headers = {X = "ä"}', "target.headers.X: 'ä' is no value of a header"),
        ('headers = {X-Y = "a", x-y = "b"}', "target: headers: x-y stands there twice"),
        ('headers = {host = "a"}', "target: headers: host: leave it out"),
        ('headers = {Content-Length = "1"}', "target: headers: content-length: leave it out"),
        ('headers = {Transfer-Encoding = "chunked"}', "target: headers: transfer-encoding: leave it out"),
        ('headers = {X-Request-ID = "1"}', "target: headers: x-request-id: leave it out"),
        ('method = "GET"', 'target: a GET has no body: give body = ""'),
        ('method = "HEAD"', "target: a HEAD has no body"),
        ("body = 7", "target.body: Input should be a valid string"),
        ("expected_statuses = []", "target.expected_statuses: "),
        ("expected_statuses = [199]", "target.expected_statuses.0: Input should be greater than or equal to 200"),
        ("expected_statuses = [600]", "target.expected_statuses.0: Input should be less than or equal to 599"),
        ('expected_statuses = ["201"]', "target.expected_statuses.0: Input should be a valid integer"),
        ('identity = {header = "X Host"}', "target.identity.header: 'X Host' is no token"),
        ('identity = {cookie = "x"}', "target.identity.cookie: Extra inputs are not permitted"),
        ('verb = "PUT"', "target.verb: Extra inputs are not permitted"),
    ],
)
def test_a_broken_rule_is_named_with_its_file_and_key(read, table, sentence):
    with pytest.raises(UsageError) as refused:
        read(f"[target]\n{table}\n")
    assert "one-step.toml: target" in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_that_can_have_no_body_says_nothing_of_one(method):
    target = Target(method=method, body="", headers={"Content-Type": "application/json", "Accept": "*/*"})
    assert target.header_lines == ("Accept: */*",)


def test_a_post_without_a_body_says_that_it_is_empty():
    assert Target(body="").header_lines == ("Content-Length: 0",)


def test_an_address_is_taken_where_there_is_none():
    assert Target().at("http://127.0.0.1:8080").url == "http://127.0.0.1:8080"
    assert Target(url="http://a").at("http://b").url == "http://a"


def test_an_address_that_is_none_is_refused():
    with pytest.raises(UsageError, match="'nowhere' is no address of the form http://host:port"):
        Target().at("nowhere")


def test_the_backend_is_read_from_the_header_in_whatever_case():
    headers = Message()
    headers["served-by"] = "a"
    assert AnsweredBy(header="Served-By").of(headers) == "a"
    assert AnsweredBy(header="X-Host-Tag").of(headers) == ""
