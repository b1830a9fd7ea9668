"""The files that checks point to, each with the ledgers that it was made from."""

from analysis.checks.check import Source
from scenarios.formats import report_directory, rows, stack_record


def _ledger(name: str) -> Source:
    return Source(name, (name,))


MANIFEST, STACK = _ledger(report_directory.MANIFEST), _ledger(stack_record.STACK)
RESPONSES, GENERATOR = _ledger(rows.RESPONSES), _ledger(rows.GENERATOR)
BALANCER = Source(rows.BALANCER, (rows.RESPONSES, rows.BALANCER))  # joined with the client's by request id
BACKENDS, RESOURCES, FAULTS = _ledger(rows.BACKENDS), _ledger(rows.RESOURCES), _ledger(rows.FAULTS)
DISTRIBUTION, LATENCY = Source("distribution.csv", (rows.RESPONSES,)), Source("latency.csv", (rows.RESPONSES,))
RUNNING = Source("running.csv", (rows.RESPONSES, rows.BALANCER))
RECONCILIATION = Source("reconciliation.csv", (rows.RESPONSES, rows.BALANCER, rows.BACKENDS))
DIFFERENCES = Source("differences.csv", (rows.RESPONSES, rows.BALANCER, rows.BACKENDS))
AFTERMATH = Source("aftermath.csv", (rows.RESPONSES, rows.BALANCER, rows.FAULTS))
