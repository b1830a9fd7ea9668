"""How a process of this project ends when something goes wrong: exit code, sentence, and the file of a traceback."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.cli.exit_codes import CRASH
from scenarios.formats.report_directory import VERDICT, ReportDirectory
from scenarios.run.runner import judge
from scenarios.run.web import judged
from tests.builders.processes import completed, running

SCRIPT = """
import signal, sys, time
import docker
from scenarios.cli.exit_codes import ends_in_order
from scenarios.cli.signals import SignalHandlers
from scenarios.spec.errors import UsageError
from scenarios.stacks.registry import sentence
if "handled" in sys.argv:
    SignalHandlers().install()
else:
    signal.signal(signal.SIGINT, signal.default_int_handler)
with ends_in_order("program", sentence):
    {body}
"""
WAITING = "print('waiting', flush=True); time.sleep(60)"


def started(body, *arguments):
    command = [sys.executable, "-c", SCRIPT.format(body=body), *arguments]
    return running(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(body):
    with started(body) as process:
        _, errors = process.communicate(timeout=30)
    return process.returncode, errors


def module(name, *arguments, **environment):
    return completed([sys.executable, "-m", name, *arguments], env=os.environ | environment)


def traceback_file(errors):
    return Path(re.search(r"The traceback is in (\S+)$", errors, re.MULTILINE)[1])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise UsageError('no scenario: ask for one')", "program: no scenario: ask for one\n"),
        ("open('/no/such/file')", "program: /no/such/file: No such file or directory\n"),
        (
            "docker.APIClient(base_url='unix:///no/such/socket', version='1.41').info()",
            "program: the Docker engine failed: No such file or directory\n",
        ),
    ],
    ids=["usage", "system", "docker"],
)
def test_an_error_that_the_user_can_mend_ends_with_2_and_its_sentence(body, sentence):
    assert ended(body) == (2, sentence)


def test_a_body_without_errors_ends_with_0():
    assert ended("pass") == (0, "")


def test_a_crash_ends_with_70_and_a_traceback_in_a_file():
    code, errors = ended("{}['missing']")
    file = traceback_file(errors)
    assert code == CRASH
    assert errors.startswith(
        "program: crashed with KeyError: 'missing'; this is a fault of this program and no verdict"
    )
    assert "Traceback" not in errors
    assert file.read_text().startswith("Traceback (most recent call last)")
    assert "KeyError: 'missing'" in file.read_text()
    file.unlink()


@pytest.mark.parametrize(
    ("arguments", "number", "code", "sentence"),
    [
        ((), signal.SIGINT, 130, ""),
        (("handled",), signal.SIGINT, 130, "program: interrupted\n"),
        (("handled",), signal.SIGTERM, 143, "program: interrupted\n"),
        (("handled",), signal.SIGHUP, 129, "program: interrupted\n"),
    ],
)
def test_an_interruption_ends_with_the_code_of_its_signal(arguments, number, code, sentence):
    with started(WAITING, *arguments) as process:
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (code, sentence)


def test_output_that_its_reader_has_closed_ends_with_0():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", SCRIPT.format(body="print('much' * 100_000, flush=True)")]
    process = completed(command, stdout=writer)
    os.close(writer)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("name", ["scenarios.stacks.local.supervisor", "scenarios.stacks.compose.cleanup"])
def test_a_process_behind_a_stack_that_crashes_ends_with_70_and_a_file(name):
    process = module(name)  # without its arguments
    assert process.returncode == CRASH
    traceback_file(process.stderr).unlink()


def test_a_supervisor_without_its_configuration_ends_with_2_and_a_sentence(tmp_path):
    (tmp_path / "local").mkdir()
    process = module("scenarios.stacks.local.supervisor", str(tmp_path), "/no/such/nginx.conf", "0", "attached")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "supervisor: /no/such/nginx.conf: No such file or directory\n"


def test_a_cleanup_without_docker_ends_with_2_and_a_sentence(tmp_path):
    process = module("scenarios.stacks.compose.cleanup", "0", PATH=str(tmp_path))
    assert process.returncode == 2
    assert process.stderr.startswith("cleanup: the docker command is not installed")


@pytest.fixture
def dying(tmp_path, monkeypatch):
    """Makes every Python that is started from now on do this at its start."""

    def dying(statement):
        (tmp_path / "sitecustomize.py").write_text(f"import os\n{statement}\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return dying


@pytest.fixture
def directory(tmp_path):
    """The directory of a run that has begun."""
    made = ReportDirectory(tmp_path / "reports" / "baseline" / "run")
    made.path.mkdir(parents=True)
    made.manifest_path.write_text("{}")
    return made


@pytest.mark.parametrize("statement", ["os._exit(0)", "os._exit(1)", "os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_an_analysis_that_dies_without_a_verdict_is_a_crash(statement, dying, directory):
    dying(statement)
    assert judge(directory) == CRASH
    assert judged(directory).fault.startswith("The analysis crashed: the terminal says why")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_code_of_an_analysis_with_a_verdict_is_the_verdicts(code, dying, directory):
    dying(f"os._exit({code})")
    (directory.path / VERDICT).write_text("{}")
    assert judge(directory) == code
    assert judged(directory).fault is None


def test_a_run_that_the_analysis_refuses_is_neither_judged_nor_a_crash(directory, capfd):
    assert judge(directory) == 2
    assert "is damaged" in capfd.readouterr().err
    assert judged(directory).fault.startswith("The run could not be judged: the terminal says why")
