"""What a request cost either stack. For information: CPU is sampled about once a second, and is not judged."""

import pandas as pd

from analysis.comparison.run import ComparedRun
from analysis.evidence.request_rows import counted
from scenarios.formats.columns import Column


def effort(a: ComparedRun, b: ComparedRun) -> pd.DataFrame:
    """A row per service: CPU in ms per request that was answered, in A and in B. Empty where none was sampled."""
    of_a, of_b = _cpu_ms(a), _cpu_ms(b)
    frame = pd.DataFrame({"a_cpu_ms": of_a, "b_cpu_ms": of_b}).reindex([*of_a.index.union(of_b.index)])
    return frame.assign(**{Column.RATIO: frame["b_cpu_ms"] / frame["a_cpu_ms"]}).rename_axis(Column.SERVICE)


def _cpu_ms(run: ComparedRun) -> pd.Series:
    usage, tags = run.tables.usage, run.evidence.responses[Column.HOST_TAG]
    if usage.empty or not (tags != "").any():
        return pd.Series(dtype="float64")
    answered = counted(tags).reindex(usage.index, fill_value=0)
    return (
        1e3 * usage[Column.CPU_S] / answered.where(answered > 0, (tags != "").sum())
    )  # every request passes the balancer
