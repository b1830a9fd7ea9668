"""The file that tells later commands which processes the local stack has."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scenarios.formats.atomic_write import write
from scenarios.spec.errors import UsageError
from scenarios.stacks.local.processes import ProcessId


@dataclass(frozen=True)
class State:
    """The supervisor and the services that it started so far; `ready` once all of them were healthy."""

    ready: bool
    processes: list[ProcessId]


class StateFile:
    """Reads and writes the state of a local stack. The file exists while the stack has processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> State:
        """The state; no processes where there is no file. Raises `UsageError` when the file is damaged."""
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
            return State(state["ready"], [ProcessId(**process) for process in state["processes"]])
        except FileNotFoundError:
            return State(ready=False, processes=[])
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self.path}: is damaged: stop what holds the ports, if anything does, and remove the file"
            ) from error

    def write(self, state: State) -> None:
        """Replace the file. Raises `UsageError` when that fails."""
        write(self.path, json.dumps(asdict(state), indent=2) + "\n")

    def remove(self) -> None:
        """Remove the file, if it exists."""
        self.path.unlink(missing_ok=True)
