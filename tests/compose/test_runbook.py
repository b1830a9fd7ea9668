"""Every command of the README's runbook, in its order, as a person would type it."""

import re
import subprocess

from scenarios.stacks.compose import ComposeStack
from tests.compose.conftest import environment
from tests.conftest import PROJECT

PORT = re.compile(r"\b1?8080\b")


def runbook():
    """The commands in the README's section, line by line."""
    text = (PROJECT / "README.md").read_text()
    section = text.partition("## Runbook for Compose\n")[2].partition("\n## ")[0]
    for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
        yield from (line for line in block.splitlines() if not line.startswith("#"))


def elsewhere(command, offset):
    """The command for a stack at another place, so that it does not meet one that is up."""
    return PORT.sub(lambda port: str(int(port[0]) + offset), command)


def test_every_command_of_the_runbook_does_what_it_says(offset, overridden, reports):
    commands = list(runbook())
    assert len(commands) > 20
    reports.mkdir()
    stack = ComposeStack(offset)
    for command in commands:
        ended = subprocess.run(
            ["bash", "-c", elsewhere(command, offset)],
            cwd=PROJECT,
            env=overridden() | environment(stack) | {"REPORTS": str(reports)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        if "--scale back-01=3" in command:
            assert sum(container.service == "back-01" for container in stack.project.containers()) == 3
    assert list(reports.glob("baseline/*/manifest.json"))
    stack.stop()
