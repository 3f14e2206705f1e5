"""The PyTorch side of `weighting.py --part peers`, with TorchJD 0.18.

A separate process, which another Python runs than that of TensorFlow. It reads
requests from standard input, one line of JSON each, and answers with the
seconds of a block of steps. Between requests it waits for input.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torchjd.aggregation import MGDA, MGDAWeighting, PCGrad
from torchjd.autojac import jac_to_grad, mtl_backward


def build(count: int) -> tuple[nn.Module, nn.ModuleList]:
    """Returns LeNet as in `lenet.py`: its shared part and its heads."""
    torch.manual_seed(0)
    trunk = nn.Sequential(
        nn.Conv2d(1, 10, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(10, 20, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(320, 50),
        nn.ReLU(),
    )
    heads = nn.ModuleList(
        nn.Sequential(nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 10))
        for _ in range(count)
    )
    return trunk, heads


def task_losses(heads, features, labels):
    """Returns the loss of each task."""
    return [
        cross_entropy(head(features), target)
        for head, target in zip(heads, labels, strict=True)
    ]


def plain(trunk, heads, images, labels):
    """Differentiates the sum of the losses once."""
    sum(task_losses(heads, trunk(images), labels)).backward()


def torchjd(aggregator, chunk_size):
    """Computes the gradients by TorchJD, as in its documentation."""

    def differentiate(trunk, heads, images, labels):
        features = trunk(images)
        losses = task_losses(heads, features, labels)
        mtl_backward(losses, features=features, parallel_chunk_size=chunk_size)
        jac_to_grad(trunk.parameters(), aggregator)

    return differentiate


def mgda_at_the_features():
    """Computes MGDA at the features by hand, with one pass of the trunk."""
    weighting = MGDAWeighting()

    def differentiate(trunk, heads, images, labels):
        features = trunk(images)
        found = [features.detach().requires_grad_() for _ in heads]
        losses = [
            cross_entropy(head(own), target)
            for head, own, target in zip(heads, found, labels, strict=True)
        ]
        sum(losses).backward()
        rows = torch.stack([own.grad.flatten() for own in found])
        weights = weighting(rows @ rows.T)
        features.backward((weights @ rows).view_as(features))

    return differentiate


METHODS = {
    "plain": lambda: plain,
    "torchjd pcgrad": lambda: torchjd(PCGrad(), None),
    "torchjd pcgrad, one by one": lambda: torchjd(PCGrad(), 1),
    "torchjd mgda": lambda: torchjd(MGDA(), None),
    "torchjd mgda, one by one": lambda: torchjd(MGDA(), 1),
    "mgda at the features": mgda_at_the_features,
}


class Arm:
    """A network that a method trains on prepared batches."""

    def __init__(self, method: str, images, labels, batch_size: int):
        self.trunk, self.heads = build(len(labels))
        self.differentiate = METHODS[method]()
        self.batches = [
            (batch_images, batch_labels)
            for batch_images, *batch_labels in zip(
                torch.from_numpy(images).movedim(-1, 1).split(batch_size),
                *(
                    torch.from_numpy(one).long().split(batch_size)
                    for one in labels
                ),
                strict=True,
            )
        ]
        self.optimizer = torch.optim.Adam(
            [*self.trunk.parameters(), *self.heads.parameters()]
        )
        self.steps = 0

    def block(self, steps: int) -> float:
        """Takes some steps and returns their time in seconds."""
        start = time.perf_counter()
        for _ in range(steps):
            images, labels = self.batches[self.steps % len(self.batches)]
            self.optimizer.zero_grad()
            self.differentiate(self.trunk, self.heads, images, labels)
            self.optimizer.step()
            self.steps += 1
        return time.perf_counter() - start


def main():
    """Answers requests until the input ends."""
    torch.set_num_threads(2)
    arms = {}
    answer = {
        "methods": list(METHODS),
        "versions": f"PyTorch {torch.__version__}, {torch.get_num_threads()} "
        "threads",
    }
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "file" in request:
            with np.load(request["file"]) as stored:
                images = stored["images"]
                labels = [stored[name] for name in request["tasks"]]
            arms = {
                method: Arm(method, images, labels, request["batch_size"])
                for method in METHODS
            }
            answer = {}
        elif "rests" in request:
            answer = {"used": time.process_time()}
        else:
            answer = {
                "seconds": arms[request["method"]].block(request["steps"])
            }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
