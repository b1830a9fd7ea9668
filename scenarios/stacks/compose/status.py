"""What a person sees of the compose stack: states, logs, and the reasons why it is not up."""

from collections.abc import Iterator

from scenarios.cli.log_tail import LOG_LINES, in_one_line
from scenarios.spec.errors import UsageError
from scenarios.stacks.compose.containers import Container, last_log_lines
from scenarios.stacks.compose.project import ComposeProject
from scenarios.stacks.stack import ServiceState


def states(project: ComposeProject) -> list[ServiceState]:
    """The state of every service."""
    containers = project.containers()
    missing = project.of_stack.keys() - {container.service for container in containers}
    return [
        *(ServiceState(each.service, " ".join(each.ports), each.text) for each in containers),
        *(ServiceState(service, "", "not running") for service in sorted(missing)),
    ]


def logs(project: ComposeProject) -> Iterator[tuple[str, str]]:
    """The name and the last lines of every container. Raises `UsageError` when there are none."""
    containers = project.containers()
    if not containers:
        raise UsageError("there are no logs: the stack is not up")
    yield from ((each.name, "\n".join(last_log_lines(project.client, each.id, LOG_LINES))) for each in containers)


def failures(project: ComposeProject) -> str:
    """Each container that failed, with the last lines of its log and of its health check."""
    found = []
    for container in project.containers():
        if container.has_failed:
            lines = in_one_line(last_log_lines(project.client, container.id, LOG_LINES))
            check = container.health_check_output
            probe = f"; its health check: {in_one_line(check.splitlines())}" if check else ""
            found.append(f"{container.name} is {container.text}: {lines}{probe}")
    return ". ".join(found)


def problems(project: ComposeProject, containers: list[Container]) -> str:
    """Why the stack with these containers is not up."""
    there = {container.service for container in containers}
    return ", ".join(
        [f"{container.name} is {container.text}" for container in containers if not container.is_healthy]
        + [f"{service} is missing" for service in project.of_stack if service not in there]
    )
