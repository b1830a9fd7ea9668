"""The stacks that there are, and their errors in words: another stack is a folder of its own and an entry here."""

from collections.abc import Callable

from scenarios.cli.exit_codes import sentence_of
from scenarios.spec.errors import UsageError
from scenarios.stacks.compose import docker_engine
from scenarios.stacks.compose.stack import ComposeStack
from scenarios.stacks.local.stack import LocalStack
from scenarios.stacks.stack import Stack

DEFAULT = LocalStack.name
STACKS: dict[str, Callable[[int], Stack]] = {LocalStack.name: LocalStack, ComposeStack.name: ComposeStack}

# errors that the user can mend, those of the Docker engine included
USER_ERRORS = (UsageError, OSError, *docker_engine.FAULTS)


def sentence(error: BaseException) -> str | None:
    """The sentence for one of the `USER_ERRORS`; None for any other exception."""
    if isinstance(error, docker_engine.FAULTS):
        return f"the Docker engine failed: {docker_engine.reason(error)}"
    return sentence_of(error)
