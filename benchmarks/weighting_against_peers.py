"""Compares steps with task gradients with TorchJD and PyTorch.

PyTorch runs in a separate process, `weighting_peers.py`. Blocks of both
alternate, on the same batches, and each process waits while the other is timed.
The processor time of the waiting process is listed.

Run: python benchmarks/weighting.py --part peers --peer-python PATH
"""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import lenet
import measure
import numpy as np
import training_steps

# The worker's threads spin for a moment before they sleep.
REST = 0.05
OURS = {
    "plain": {},
    "pcgrad, parameters": {"weighting": "pcgrad"},
    "mgda, parameters": {"weighting": "mgda"},
    "mgda, features": {"weighting": "mgda", "gradients": "features"},
}
# Pairs of arms to compare; a peer with two ways is listed with both.
PAIRS = [
    ("plain", "plain"),
    ("pcgrad, parameters", "torchjd pcgrad"),
    ("pcgrad, parameters", "torchjd pcgrad, one by one"),
    ("mgda, parameters", "torchjd mgda"),
    ("mgda, parameters", "torchjd mgda, one by one"),
    ("mgda, features", "mgda at the features"),
]


class Peer:
    """The process of PyTorch.

    Args:
        python: Path of a Python that has torch and torchjd.
    """

    def __init__(self, python: str):
        worker = Path(__file__).with_name("weighting_peers.py")
        self._process = subprocess.Popen(
            [python, str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = self._read()
        self.methods, self.versions = hello["methods"], hello["versions"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()

    def ask(self, **request) -> dict:
        """Sends a request and waits for the answer."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                "The peer's process ended; its own error is above. Expected a "
                "Python that has torch and torchjd 0.18."
            )
        return json.loads(line)


def compare_on(peer: Peer, count: int, blocks: int, steps: int) -> list[dict]:
    """Alternates blocks of both processes for a number of tasks."""
    x, y = lenet.data(count)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "batches.npz")
        np.savez(file, images=x, **y)
        peer.ask(file=file, tasks=list(y), batch_size=lenet.BATCH)
    ours = {
        arm: training_steps.make_block(
            lenet.build(
                count, metrics=lenet.without_metrics(count), **arguments
            ),
            x,
            y,
            lenet.BATCH,
            steps,
        )
        for arm, arguments in OURS.items()
    }
    sides = {"ours": ours, "peer": peer.methods}
    seconds = {(side, arm): [] for side in sides for arm in sides[side]}
    used = {"ours": [], "peer": []}

    def block(side, arm):
        time.sleep(REST)
        if side == "ours":
            at_rest = peer.ask(rests=True)["used"]
            start = time.perf_counter()
            ours[arm]()
            taken = time.perf_counter() - start
            waited = peer.ask(rests=True)["used"] - at_rest
        else:
            at_rest = time.process_time()
            taken = peer.ask(method=arm, steps=steps)["seconds"]
            waited = time.process_time() - at_rest
        seconds[side, arm].append(taken)
        used["peer" if side == "ours" else "ours"].append(waited / taken)

    measure.alternate(
        {"/".join(key): lambda key=key: block(*key) for key in seconds}, blocks
    )
    rows = []
    for arm, method in PAIRS:
        first = seconds["ours", arm][-blocks:]
        second = seconds["peer", method][-blocks:]
        median, low, high = measure.ratio(first, second)
        rows.append(
            {
                "model": "LeNet",
                "tasks": count,
                "arm": arm,
                "peer": method,
                "over_peer": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "step_ms": f"{1000 * np.median(first) / steps:.2f}",
                "peer_step_ms": f"{1000 * np.median(second) / steps:.2f}",
                "peer_cpu_while_waiting": f"{np.median(used['peer']):.3f}",
                "own_cpu_while_waiting": f"{np.median(used['ours']):.3f}",
                "batch_size": lenet.BATCH,
                "blocks": blocks,
                "machine": f"{measure.machine()}, {peer.versions}",
            }
        )
    return rows


def compare(blocks: int, python: str) -> list[dict]:
    """Compares both, for few tasks and for many."""
    with Peer(python) as peer:
        return [
            row
            for count, steps in ((2, 4), (8, 2))
            for row in compare_on(peer, count, blocks, steps)
        ]
