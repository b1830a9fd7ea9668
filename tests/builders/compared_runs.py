"""Two runs to compare, made up from draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from scenarios.formats.columns import Column, header
from scenarios.formats.rows import Response
from tests.builders.evidence import evidence, response

THREE = ("back-01", "back-02", "back-03")
DOZEN = tuple(f"back-{number:02}" for number in range(1, 13))
STAGES = ("calm", "surge", "recovery")
FEW = dict.fromkeys((Column.HOST_TAG, Column.STAGE, Column.ERROR), "category")


def wandering(draws, count, memory, spread):
    """An AR(1) sequence: each value remembers so much of the one before."""
    steps = draws.normal(0, spread * np.sqrt(1 - memory**2), count)
    steps[0] = draws.normal(0, spread)
    return lfilter([1], [1, -memory], steps)


def made_up(draws, tags=THREE, *, stages=("steady",), count=200, memory=0.5, spread=0.05, slower=None):
    """A run in which each backend gets `count` requests in each stage; `slower`: by how much, in which cell."""
    cells = [(tag, stage) for stage in stages for tag in tags]
    usual_us = [20_000 * (slower or {}).get(cell, 1.0) for cell in cells]
    noise = [np.exp(wandering(draws, count, memory, spread)) for _ in cells]
    rows = (
        pd.DataFrame([response(0)], columns=header(Response))
        .loc[np.zeros(count * len(cells), dtype=int)]
        .reset_index(drop=True)
    )
    made = evidence([], dict.fromkeys(tags, 1), requests=len(rows))
    return replace(
        made,
        manifest=made.manifest.model_copy(update={"scenario": with_stages(made.manifest.scenario, stages)}),
        responses=rows.assign(
            **{
                Column.SENT_US: rows.index,
                Column.REQUEST_ID: made.ids.numbers([f"id-{number}" for number in rows.index]),
                Column.HOST_TAG: np.repeat([tag for tag, _ in cells], count),
                Column.STAGE: np.repeat([stage for _, stage in cells], count),
                Column.LATENCY_US: (np.repeat(usual_us, count) * np.concatenate(noise)).astype(int),
            }
        ).astype(FEW),
    )


def with_stages(scenario, names):
    (stage,) = scenario.stages
    return scenario.model_copy(update={"stages": tuple(stage.model_copy(update={"name": name}) for name in names)})
