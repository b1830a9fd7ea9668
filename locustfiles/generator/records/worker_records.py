"""The records of all workers: their rows in the ledgers, the newest sample of each, and the split so far."""

import time
from collections import Counter

from locustfiles.generator.records.ledger_writers import GeneratorLog, ResponseLog
from locustfiles.generator.records.live_split import LiveSplit
from scenarios.formats.report_directory import ReportDirectory
from scenarios.formats.rows import GeneratorSample, Response
from scenarios.spec.claim import Claim

MOMENT_AT_LEAST_EVERY_S = 1.0


class WorkerRecords:
    """Writes the rows that workers send, and keeps counts of them. Nothing that exists is overwritten."""

    def __init__(self, directory: ReportDirectory, claim: Claim) -> None:
        self._responses = ResponseLog(directory.responses_path)
        self._generator = GeneratorLog(directory.generator_path)
        self._began_at = self._kept_at = time.monotonic()  # the run, and the last moment of the split
        self._in_flight: Counter[str] = Counter()
        self._heard: set[str] = set()  # the workers that have sent since the last moment of the split
        self.split = LiveSplit(claim)
        self.samples: dict[str, GeneratorSample] = {}  # the newest of each worker that takes part, or took part
        self.rows: Counter[str] = Counter()  # received from each worker
        self.unwritten: OSError | None = None  # why the ledgers lack rows that were received

    @property
    def users(self) -> int:
        """How many users there are, by the newest samples."""
        return sum(sample.users for sample in self.samples.values())

    def receive(self, worker: str, responses: list[Response], samples: list[GeneratorSample], in_flight: int) -> None:
        """Write what a worker recorded until it had so many requests in flight. On an error set `unwritten`."""
        try:
            self._generator.write(samples)
            self._responses.write(responses)
            self.split.count(responses)
        except OSError as error:
            self.unwritten = error
        self.rows[worker] += len(responses)
        if samples:
            self.samples[worker] = samples[-1]
        self._in_flight[worker] = in_flight
        self._heard.add(worker)
        self._keep_moment()

    def _keep_moment(self) -> None:
        """Keep a moment of the split once all workers have sent, or after a while without some of them.

        One worker may have sent rows since the others last did, so counts in between would not be of one moment.
        """
        now = time.monotonic()
        if self._heard >= self.samples.keys() or now - self._kept_at > MOMENT_AT_LEAST_EVERY_S:
            self._heard.clear()
            self._kept_at = now
            self.split.keep_moment(now - self._began_at, self._in_flight.total())

    def end(self, *, complete: bool) -> None:
        """Keep the last moment of the split. In a complete run no request is in flight then."""
        self.split.keep_last_moment(time.monotonic() - self._began_at, 0 if complete else self._in_flight.total())

    def close(self) -> None:
        """Close the ledgers. Raises `OSError` when they lack rows that were received."""
        self._generator.close()
        self._responses.close()
        if self.unwritten is not None:
            raise self.unwritten
