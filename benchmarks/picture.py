"""Draw speed.svg from what `make bench` wrote: how many times faster than SciPy fits are.

The picture has the rows of the table in README.md that are beside SciPy.
"""

import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from table import is_shown

HERE = Path(__file__).parent
INK, OURS, THEIRS = "#333333", "#2a6f97", "#c1666b"


def main():
    """Draw one bar a fit, group by group."""
    rows = json.loads((HERE.parent / "build" / "bench.json").read_text())
    rows = [row for row in rows if row.get("beside") == "scipy" and is_shown(row)]
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "leastsq", "font.size": 9})
    figure, axes = plt.subplots(figsize=(8, 0.21 * len(rows) + 2.2), layout="constrained")
    height, ticks, names, group = 0, [], [], None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            height += 1.2
            axes.text(1.0, height - 0.9, f" {group}", color=INK, weight="bold", va="center")
        speed = 1 / row["ratio"]
        axes.barh(height, speed - 1, left=1, color=OURS if speed >= 1 else THEIRS, height=0.75)
        label = f" {speed:.3g}"
        axes.text(max(speed, 1), height, label, va="center", color=INK, size=8)
        ticks.append(height)
        names.append(row["fit"])
        height += 1
    axes.set_xscale("log")
    axes.set_xlim(0.7, 1.6 * max(1 / row["ratio"] for row in rows))
    axes.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    axes.minorticks_off()
    axes.set_yticks(ticks, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(height, -0.6)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set_xlabel("times faster than SciPy on the same fit")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(HERE / "speed.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
