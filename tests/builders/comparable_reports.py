"""Report directories of runs to compare."""

from datetime import UTC, datetime, timedelta

from scenarios.formats.columns import header
from scenarios.formats.report_directory import ReportDirectory
from scenarios.formats.rows import GeneratorSample, Response
from tests.builders.evidence import manifest, pulse, responses, scenario

EXACT = {"a": 100, "b": 200}
WEIGHTS = {"a": 1, "b": 2}
START = datetime(2026, 1, 1, tzinfo=UTC)


def write(reports, name, at, *, scenario_name="made", complete=True, counts=EXACT, us=1000):
    directory = ReportDirectory(reports / scenario_name / name)
    directory.path.mkdir(parents=True)
    described = scenario(sum(counts.values())).model_copy(update={"name": scenario_name})
    description = manifest(described, WEIGHTS).model_copy(
        update={"end": None, "started_at": START + timedelta(minutes=at)}
    )
    directory.begin(description)
    rows = [row._replace(latency_us=us if row.host_tag == "a" else 1000) for row in responses(counts)]
    for path, row, lines in (
        (directory.responses_path, Response, rows),
        (directory.generator_path, GeneratorSample, [pulse()]),
    ):
        path.write_text("\n".join(",".join(map(str, line)) for line in [header(row), *lines]) + "\n", encoding="utf-8")
    directory.end(description, complete=complete, reason="done")
    return directory.path
