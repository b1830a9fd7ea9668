"""The images of the compose stack: building them, and refusing containers that were made from older ones."""

from scenarios.cli.console import Console
from scenarios.spec.errors import UsageError
from scenarios.stacks.compose.containers import Container, layers
from scenarios.stacks.compose.project import LOCUST, ComposeProject


def build(project: ComposeProject, console: Console, first: str | None = None) -> None:
    """Build the images whose sources have changed.

    The replicas share one image. Built at the same time, it may become several. Where their containers are still to be
    made, one replica is therefore built `first`: otherwise the next build would make one image again, and the
    containers of the other replicas would count as out of date.
    """
    with console.working("building the images: about half a minute the first time, a second after that"):
        if first is not None:
            project.command("build", first)
        project.command("--profile", LOCUST, "build")


def require_current(project: ComposeProject, containers: list[Container]) -> None:
    """Raise `UsageError` when a container was made from other sources than there are now."""
    now = {
        name: layers(project.client, service.get("image", f"{project.name}-{name}"))
        for name, service in project.of_stack.items()
    }
    outdated = [each.name for each in containers if layers(project.client, each.image) != now[each.service]]
    if outdated:
        raise UsageError(
            f"{', '.join(outdated)}: made from sources that have changed since: `make up STACK=compose` renews it"
        )
