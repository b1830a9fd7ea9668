"""Processes that later commands can find again, and stop with everything that they started."""

import os
from dataclasses import dataclass

import psutil

STOPPED_WITHIN_S = 30.0  # longer than a supervisor needs when it has to kill every service


@dataclass(frozen=True)
class ProcessId:
    """The leader of a session. Another process may get its number later, but then with another start time."""

    name: str
    pid: int
    created: float

    @classmethod
    def of(cls, name: str, pid: int) -> "ProcessId":
        """The process that has this number now. Raises `psutil.NoSuchProcess` when there is none."""
        return cls(name, pid, psutil.Process(pid).create_time())

    @property
    def process(self) -> psutil.Process | None:
        """The process, or None when it has ended."""
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    def family(self) -> list[psutil.Process]:
        """The process and those that it started, also those that outlived it."""
        if self._number_is_reused():
            return []  # and the number of its process group belongs to another one too
        return [process for process in psutil.process_iter() if _group(process) == self.pid]

    def _number_is_reused(self) -> bool:
        try:
            return psutil.Process(self.pid).create_time() != self.created
        except psutil.NoSuchProcess:
            return False

    def stop(self) -> bool:
        """Ask the process to end, wait, and kill the rest of its family. Returns whether there was anything to stop."""
        family = self.family()
        if process := self.process:
            process.terminate()
            psutil.wait_procs([process], STOPPED_WITHIN_S)
        for survivor in self.family():
            survivor.kill()
        return bool(family)


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid) if process.status() != psutil.STATUS_ZOMBIE else None
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None
