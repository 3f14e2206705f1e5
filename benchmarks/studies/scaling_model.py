"""A model of the time of a step on many GPUs: assumptions, not measurements.

docs/scaling.md derives the sums of a step and
`benchmarks/studies/bytes_sent.py` counts them. Speeds of links, latencies and
the compute time of a step are assumed here.

Run: python benchmarks/studies/scaling_model.py [--draw]
"""

import argparse
import csv
import dataclasses
import math
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "tests"))

import measure
from reductions import reductions, ring_bytes

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "scaling.png"
GPUS_PER_HOST = 8
GPUS = (1, 10, 100, 1000)
TASKS = (2, 4, 8, 16)
BYTES = 4
# Bytes per second and seconds per message inside a host: half of the speed of
# an NVLink of the 900 GB/s class in both directions.
INSIDE = (450e9, 3e-6)
# Between hosts, one link for each host that its GPUs share, in bytes per
# second; protocols take a tenth.
LINKS = {
    "100 Gb/s": (0.9 * 100e9 / 8, 15e-6),
    "400 Gb/s": (0.9 * 400e9 / 8, 15e-6),
}
# Time of starting a sum, for any size and number of GPUs.
START = 20e-6


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that is trained.

    Args:
        name: Its name.
        shared: Number of shared parameters.
        head: Number of parameters of a head.
        forward: Seconds of the forward pass of the shared part, on the
            samples that each GPU has of a batch; backwards takes twice that.
        normalizations: Number of batch normalizations, of 512 channels.
    """

    name: str
    shared: int
    head: int
    forward: float
    normalizations: int = 0


NETWORKS = [
    Network("convolutions, 25 M", 25_000_000, 50_000, 0.030),
    Network("convolutions, 25 M, normalized", 25_000_000, 50_000, 0.030, 50),
    Network("transformer, 300 M", 300_000_000, 50_000, 0.060),
]
METHODS = {
    "no weighting, or of losses": "plain",
    "gradients, features": "features",
    "gradients, parameters": "parameters",
}
# The first two lie on each other.
STYLES = dict(
    zip(
        METHODS,
        [("#b8b8b8", 5.0), ("#0b5fa5", 1.3), ("#d95f02", 1.3)],
        strict=True,
    )
)
TICKS = (100, 200, 500, 1000, 2000, 5000)


def compute_seconds(network: Network, way: str, tasks: int) -> float:
    """Returns the compute time of a GPU in a step; heads are negligible.

    Args:
        network: The network.
        way: How gradients are had.
        tasks: Number of tasks.
    """
    passes = tasks if way == "parameters" else 1
    return network.forward * (1 + 2 * passes)


def sum_seconds(size: float, gpus: int, link: tuple[float, float]) -> float:
    """Returns the time of one sum: a ring in each host, and one over hosts.

    The sums are scattered inside of each host, the parts summed over hosts by
    rings side by side, and gathered inside.

    Args:
        size: Bytes of the sum.
        gpus: Number of GPUs.
        link: Bytes a second, and seconds of a message, between hosts.
    """
    if gpus == 1:
        return 0.0
    hosts = math.ceil(gpus / GPUS_PER_HOST)
    inside = math.ceil(gpus / hosts)
    seconds = START + 2 * (inside - 1) * INSIDE[1]
    seconds += ring_bytes(size, inside) / INSIDE[0]
    if hosts > 1:
        # A tree of messages for what is small, a ring for what is large:
        # whichever is faster, as NCCL picks it.
        ring = 2 * (hosts - 1) * link[1] + ring_bytes(size, hosts) / link[0]
        levels = math.ceil(math.log2(hosts))
        tree = 2 * levels * link[1] + 2 * size / link[0]
        seconds += min(ring, tree)
    return seconds


def step_seconds(
    network: Network,
    way: str,
    tasks: int,
    gpus: int,
    link: tuple[float, float],
) -> tuple[float, float]:
    """Returns the time of a step: computing and sums, one after the other.

    Args:
        network: The network.
        way: How gradients are had.
        tasks: Number of tasks.
        gpus: Number of GPUs.
        link: See `sum_seconds`.
    """
    sums = reductions(
        way,
        tasks,
        network.shared,
        tasks * network.head,
        channels=[512] * network.normalizations,
    )
    summed = sum(sum_seconds(BYTES * size, gpus, link) for size in sums)
    return compute_seconds(network, way, tasks), summed


def rows():
    """Yields all combinations."""
    for network in NETWORKS:
        for name, link in LINKS.items():
            for method, way in METHODS.items():
                for tasks in TASKS:
                    for gpus in GPUS:
                        computing, summing = step_seconds(
                            network, way, tasks, gpus, link
                        )
                        yield {
                            "network": network.name,
                            "between_hosts": name,
                            "method": method,
                            "tasks": tasks,
                            "gpus": gpus,
                            "compute_ms": f"{1e3 * computing:.1f}",
                            "sums_ms": f"{1e3 * summing:.2f}",
                            "step_ms": f"{1e3 * (computing + summing):.1f}",
                            "efficiency": (
                                f"{computing / (computing + summing):.3f}"
                            ),
                        }


def draw():
    """Draws the time of a step over GPUs and tasks, from the written table."""
    import matplotlib.pyplot as plt

    with open(measure.RESULTS / "scaling_model.csv", newline="") as file:
        table = list(csv.DictReader(file))
    figure, panels = plt.subplots(
        2, 3, figsize=(9.5, 6.2), sharey=True, layout="constrained"
    )
    for place, network in enumerate(NETWORKS):
        network_rows = [row for row in table if row["network"] == network.name]
        top, bottom = panels[:, place]
        top.set_title(network.name, fontsize=10)
        task_rows = [row for row in network_rows if row["tasks"] == "8"]
        _draw_lines(top, task_rows, "gpus", GPUS)
        gpu_rows = [row for row in network_rows if row["gpus"] == "1000"]
        _draw_lines(bottom, gpu_rows, "tasks", TASKS)
        top.set_xlabel("GPUs, with 8 tasks")
        bottom.set_xlabel("tasks, on 1,000 GPUs")
    for axes in panels[:, 0]:
        axes.set_ylabel("milliseconds of a step")
        axes.set_yticks(TICKS, [f"{tick:,}" for tick in TICKS])
        axes.set_yticks([], minor=True)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=3, frameon=False
    )
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def _draw_lines(axes, table: list[dict], column: str, values) -> None:
    for link, style in zip(LINKS, ("o-", "o--"), strict=True):
        for method, (color, width) in STYLES.items():
            times = [
                float(row["step_ms"])
                for row in table
                if (row["between_hosts"], row["method"]) == (link, method)
            ]
            axes.plot(
                values,
                times,
                style,
                color=color,
                linewidth=width,
                ms=3,
                label=f"{method}; {link}",
            )
    axes.set(xscale="log", yscale="log")
    axes.grid(alpha=0.3)
    axes.set_xticks(values, [f"{value:,}" for value in values])
    axes.set_xticks([], minor=True)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw", action="store_true")
    if parser.parse_args().draw:
        draw()
    else:
        measure.write("scaling_model", list(rows()))


if __name__ == "__main__":
    main()
