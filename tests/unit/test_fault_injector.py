"""When it is time for a fault, by the client's ledger as it grows, and what follows when it cannot be done."""

import pytest

from scenarios.formats.columns import header
from scenarios.formats.report_directory import ReportDirectory
from scenarios.formats.rows import Response
from scenarios.run.fault_injector import LedgerProgress, faults_injected, require_possible
from scenarios.spec.errors import UsageError
from scenarios.spec.fault import Fault
from tests.builders.evidence import response
from tests.builders.processes import wait_for


def fault(kind="kill", backend="back-02", **when):
    return Fault(kind=kind, backend=backend, stage="second", **(when or {"after_requests": 2}))


def line(row):
    return ",".join(map(str, row)) + "\n"


def test_a_fault_is_due_when_so_many_requests_of_its_stage_have_ended(tmp_path):
    path = tmp_path / "responses.csv"
    progress = LedgerProgress(path)
    progress.update()
    assert not progress.has_reached(fault())
    whole = line(response(2, stage="second"))
    with path.open("w") as file:

        def write(text):
            file.write(text)
            file.flush()
            progress.update()

        write(line(header(Response)) + line(response(0, stage="first")) + line(response(1, stage="second")))
        assert not progress.has_reached(fault())
        write(whole[:10])
        assert not progress.has_reached(fault())  # half a line is none
        write(whole[10:])
        assert progress.has_reached(fault())
    assert progress.stage == "second"
    assert progress.has_reached(fault(after_s=1e-9))
    assert not progress.has_reached(fault(after_s=60.0))


class Tough:
    """A stack with one backend that cannot be killed."""

    name = "test"
    kinds = frozenset({"kill"})

    def __init__(self):
        self.done = []

    def fault_actions(self):
        return self

    def backends(self):
        return {"back-02": "http://127.0.0.1:1"}

    def apply(self, fault):
        self.done.append(fault.text)
        raise UsageError("it does not die")

    def undo_all(self):
        self.done.append("undone")


def test_what_a_stack_cannot_do_or_does_not_have_is_refused():
    require_possible(Tough(), [fault()])
    with pytest.raises(UsageError, match="hang back-02: is not possible on the test stack"):
        require_possible(Tough(), [fault("hang")])
    with pytest.raises(UsageError, match="there is no backend back-04; there are back-02"):
        require_possible(Tough(), [fault(backend="back-04")])


def test_after_a_fault_that_could_not_be_done_no_other_is_tried_and_all_is_undone(tmp_path, capsys):
    stack, directory = Tough(), ReportDirectory(tmp_path)
    directory.responses_path.write_text(line(header(Response)) + 3 * line(response(0, stage="second")))
    with faults_injected(stack, directory, [fault(), fault()]):
        wait_for(lambda: stack.done)
    assert stack.done == ["kill back-02", "undone"]
    assert "kill back-02 could not be done: it does not die" in capsys.readouterr().err
    assert directory.faults_path.read_text().splitlines()[1].endswith("it does not die")
