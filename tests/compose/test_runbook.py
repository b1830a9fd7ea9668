"""Every command of the runbook, in its order, as a person would type it."""

import re

import pytest

from scenarios.stacks.compose.stack import ComposeStack
from scenarios.stacks.stack import PROJECT
from tests.builders.processes import completed
from tests.compose.conftest import environment

PORT = re.compile(r"\b1?8080\b")


def runbook():
    """The commands in docs/runbook.md, line by line."""
    text = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        yield from (line for line in block.splitlines() if not line.startswith("#"))


def elsewhere(command, offset):
    """The command for a stack at another place, so that it does not meet one that is up."""
    return PORT.sub(lambda port: str(int(port[0]) + offset), command)


@pytest.mark.full
@pytest.mark.deadline(900)
def test_commands_of_the_runbook_do_as_they_say(offset, overridden, reports):
    commands = list(runbook())
    assert len(commands) > 20
    reports.mkdir()
    stack = ComposeStack(offset)
    for command in commands:
        settings = overridden() | environment(stack) | {"REPORTS": str(reports)}
        ended = completed(["bash", "-c", elsewhere(command, offset)], 200, env=settings)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        if "--scale back-01=3" in command:
            assert sum(container.service == "back-01" for container in stack.project.containers()) == 3
    assert list(reports.glob("baseline/*/manifest.json"))
    stack.stop()
