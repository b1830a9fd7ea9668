"""What can go wrong that is no mistake of ours, in a sentence."""

from scenarios.errors import UsageError
from scenarios.stacks import docker_engine

COMPLAINTS = (UsageError, OSError, *docker_engine.FAULTS)


def sentence(fault: BaseException) -> str:
    """What a person is told of one of the `COMPLAINTS`."""
    if isinstance(fault, UsageError):
        return str(fault)
    if isinstance(fault, docker_engine.FAULTS):
        return f"the Docker engine failed: {docker_engine.reason(fault)}"
    assert isinstance(fault, OSError)
    return f"{fault.filename or 'output'}: {fault.strerror}"
