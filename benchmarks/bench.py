"""The suite in short: this library beside others, in one process and one table: `make bench`.

Two solvers take turns, now one first and now the other, of as many calls as last a few
milliseconds. What is reported is the median of the ratios of neighbours: a machine that slows down
or is shared slows both. `bench.py Small Wide` runs these groups alone. All figures go to
build/bench.json.
"""

import itertools
import json
import math
import os
import sys
import time
from pathlib import Path
from statistics import median, quantiles

from suite import bounded, curves, large, modern, native, small
from suite.startup import Startup

OURS = "leastsq"
GROUPS = (
    small.Small,
    small.Collections,
    curves.Curves,
    curves.OtherLibraries,
    bounded.Bounded,
    modern.LeastSquares,
    native.Native,
    large.Differenced,
    large.Tall,
    large.Wide,
)
TRACKED = (large.PeakMemory, Startup)
TURN = 0.005  # seconds
TURNS, FEW_TURNS = 100, 10
MOST_SECONDS = 6
WIDE = 0.1
"""A row whose ratios spread more is measured once more."""
RESULTS = Path(__file__).parents[1] / "build" / "bench.json"


def seconds(call, count):
    """Time a call."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def compare(one, other):
    """Compare two calls; once more if the ratios spread much, and keep the narrower result."""
    found = compare_once(one, other)
    return found if found[-1] <= WIDE else min(found, compare_once(one, other), key=spread_of)


def spread_of(found):
    """The spread of a comparison."""
    return found[-1]


def compare_once(one, other):
    """Median times of two calls, the median of their ratios, and its spread.

    The spread is the range of the middle half of the ratios, as a part of the median.
    """
    once = [min(seconds(call, 1) for _ in range(2)) for call in (one, other)]
    counts = [math.ceil(TURN / each) for each in once]
    turns = TURNS if min(counts) > 1 else FEW_TURNS
    while turns > 3 and turns * sum(max(TURN, each) for each in once) > MOST_SECONDS:
        turns -= 1
    times = {one: [], other: []}
    for turn in range(turns):
        both = list(zip((one, other), counts, strict=True))
        for call, count in both if turn % 2 else reversed(both):
            times[call].append(seconds(call, count))
    ratios = [a / b for a, b in zip(times[one], times[other], strict=True)]
    low, ratio, high = quantiles(ratios, n=4)
    return median(times[one]), median(times[other]), ratio, (high - low) / ratio


def prepared(group, *params):
    """A benchmark of the suite that is set up, or None where it does not apply: asv's own way."""
    benchmark = group()
    try:
        if hasattr(benchmark, "setup"):
            benchmark.setup(*params)
    except NotImplementedError:
        return None
    return benchmark


def rows_of(group):
    """Every fit of a group by this library and by another."""
    fits, solvers = group.params
    for fit, solver in itertools.product(fits, solvers[1:]):
        both = [prepared(group, fit, name) for name in (OURS, solver)]
        if None in both:
            continue
        ours, theirs, ratio, spread = compare(*(benchmark.call for benchmark in both))
        evaluations = [
            benchmark.evaluations(fit, name)
            for benchmark, name in zip(both, (OURS, solver), strict=True)
        ]
        yield {
            "group": group.__doc__.rstrip("."),
            "fit": fit,
            "beside": solver,
            "ours": ours,
            "theirs": theirs,
            "ratio": ratio,
            "spread": spread,
            "evaluations": evaluations if all(evaluations) else None,
        }


def show_times(row):
    """Print a row of times."""
    name = row["fit"] if row["beside"] == "scipy" else f"  beside {row['beside']}"
    counts = row["evaluations"]
    calls = f"{counts[0]:9}{counts[1]:9}" if counts else ""
    print(
        f"{name:38}{milliseconds(row['ours'])}{milliseconds(row['theirs'])}{row['ratio']:9.3f}"
        f"{row['spread']:8.0%}{calls}",
        flush=True,
    )


def milliseconds(time):
    """Three digits of a time."""
    return f"{time * 1e3:9.3g} ms" if time >= 1e-3 else f"{time * 1e6:9.3g} us"


def tracked(group):
    """What is measured in processes of its own, by this library and by SciPy."""
    *names, _ = group.params if isinstance(group.params[0], tuple) else (group.params,)
    for name in (name for name in vars(group) if name.startswith("track_")):
        for fit in names[0] if names else [None]:
            params = [tuple(filter(None, (fit, solver))) for solver in (OURS, "scipy")]
            both = [prepared(group, *each) for each in params]
            if None in both:
                continue
            tracks = [getattr(benchmark, name) for benchmark in both]
            ours, theirs = (track(*each) for track, each in zip(tracks, params, strict=True))
            yield {
                "group": group.__doc__.rstrip("."),
                "fit": fit or name.removeprefix("track_"),
                "ours": ours,
                "theirs": theirs,
                "ratio": ours / theirs,
                "unit": tracks[0].unit,
            }


def show_tracked(row):
    """Print a row of figures that are no times."""
    unit = row["unit"]
    values = "".join(f"{row[key]:{11 - len(unit)}.3g} {unit}" for key in ("ours", "theirs"))
    print(f"{row['fit']:38}{values}{row['ratio']:9.3g}", flush=True)


def show_load():
    """Print how busy the machine is."""
    if hasattr(os, "getloadavg"):
        print(f"load of the machine: {os.getloadavg()[0]:.2f} on {os.cpu_count()} processors")


def main(*wanted):
    """Print one row a figure, and write them all."""
    all_rows = []
    show_load()
    print(f"{'':38}{'leastsq':>12}{'SciPy':>12}{'ratio':>9}{'spread':>8}{'evaluations':>18}")
    for group in (*GROUPS, *TRACKED):
        if wanted and group.__name__ not in wanted:
            continue
        rows, show = (rows_of, show_times) if group in GROUPS else (tracked, show_tracked)
        print(f"\n{group.__doc__}")
        for row in rows(group):
            show(row)
            all_rows.append(row)
    show_load()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(all_rows, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
