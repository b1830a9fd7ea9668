"""Report directories of a certain age."""

import os
import time

SECONDS = [f"2026-11-23T04-00-0{second}Z" for second in range(5)]


def make(path, age_s=86_400.0):
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    then = time.time() - age_s
    for each in (path / "manifest.json", path):
        os.utime(each, (then, then))
    return path
