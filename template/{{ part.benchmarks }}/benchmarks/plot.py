"""Draws the times that pytest-benchmark measured: plot.py TIMES.json PLOT.svg."""

import json
import sys
from pathlib import Path

import pygal

results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["benchmarks"]
times: dict[str, dict[str, float]] = {}  # of each function, by its parameters
for result in results:
    name, _, param = result["name"].removesuffix("]").partition("[")
    times.setdefault(name, {})[param] = result["stats"]["median"] * 1e6

chart = pygal.Line(js=[], logarithmic=True, title="Median time in microseconds, logarithmic")
chart.x_labels = list(dict.fromkeys(param for each in times.values() for param in each))
for name, each in times.items():
    chart.add(name, [each.get(label) for label in chart.x_labels])
chart.render_to_file(sys.argv[2])
