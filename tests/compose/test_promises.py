"""What compose.yaml promises, seen from outside on the stack that is up."""

from collections import Counter

import pytest

from tests.builders.http import ask
from tests.compose.conftest import BACKENDS, container_of

MIB = 2**20
S = 1_000_000_000  # the engine counts in nanoseconds
SERVICES = (*BACKENDS, "nginx")


def inside(compose, service, script):
    ended = compose("exec", service, "bash", "-c", script)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize(
    ("service", "cpus", "memory_mib"), [("back-01", 0.125, 64), ("back-02", 0.25, 128), ("back-03", 0.25, 256)]
)
def test_limits_are_in_force_in_the_engine_and_in_the_kernel(inspected, compose, service, cpus, memory_mib):
    host = inspected[service]["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (cpus * S, memory_mib * MIB, memory_mib * MIB)
    v1, v2 = "cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us memory/memory.limit_in_bytes", "cpu.max memory.max"
    quota, period, memory = inside(
        compose, service, f"cd /sys/fs/cgroup; cat $([ -e cpu.max ] && echo {v2} || echo {v1})"
    ).split()
    assert int(quota) / int(period) == cpus
    assert int(memory) == memory_mib * MIB


@pytest.mark.parametrize("service", BACKENDS)
def test_health_is_checked_as_promised_and_healthy(inspected, service):
    check = inspected[service]["Config"]["Healthcheck"]
    assert (check["Interval"], check["Timeout"], check["Retries"]) == (10 * S, 10 * S, 3)
    assert inspected[service]["State"]["Health"]["Status"] == "healthy"
    assert inspected[service]["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


@pytest.mark.parametrize("service", SERVICES)
def test_container_knows_its_tag(inspected, service):
    assert {f"HOST_TAG={service}", "PYTHONUNBUFFERED=1"} <= set(inspected[service]["Config"]["Env"])


@pytest.mark.parametrize(
    ("service", "port"), [("back-01", 8001), ("back-02", 8002), ("back-03", 8003), ("nginx", 8080)]
)
def test_ports_are_published_on_this_machine_only(inspected, stack, service, port):
    published = {"HostIp": "127.0.0.1", "HostPort": str(port + stack.port_offset)}
    assert inspected[service]["HostConfig"]["PortBindings"] == {f"{port}/tcp": [published]}
    answer = ask(f"http://127.0.0.1:{port + stack.port_offset}/")
    assert answer.status == 200
    assert answer.headers["x-host-tag"] == service or service == "nginx"


def test_two_cycles_are_split_as_claimed(stack):
    tags = Counter(ask(stack.url).headers["x-host-tag"] for _ in range(12))
    assert tags == {"back-01": 2, "back-02": 4, "back-03": 6}


@pytest.mark.parametrize("service", SERVICES)
def test_container_has_no_right_beyond_its_need(inspected, compose, service):
    host = inspected[service]["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert 0 < host["PidsLimit"] <= 64
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}
    status = dict(line.split(":\t", 1) for line in inside(compose, service, "cat /proc/1/status").splitlines())
    assert status["Uid"].split()[0] != "0"
    assert {int(status[kind], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert int(inside(compose, service, "ulimit -Hn")) == 20_000
    assert compose("exec", service, "touch", "/app").returncode != 0


def test_image_of_a_replica_holds_what_it_runs_and_no_more(compose):
    assert inside(compose, "back-01", "ls /app") == "backend"
    assert compose("exec", "back-01", "sh", "-c", "command -v gcc cc make git").stdout == ""
    packages = set(inside(compose, "back-01", "ls /usr/local/lib/python3*/site-packages").split())
    assert "fastapi" in packages
    assert not {"locust", "pytest", "pandas", "matplotlib", "ruff"} & packages


def test_replica_that_idles_needs_less_than_40_mb(engine, stack):
    memory = engine.stats(container_of(stack, "back-01").id, stream=False)["memory_stats"]
    unused = memory["stats"].get("total_inactive_file", memory["stats"].get("inactive_file"))
    assert memory["usage"] - unused < 40 * MIB
