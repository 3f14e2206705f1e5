"""Reference implementations of the loss methods in numpy.

Each has `step(losses)`, which returns the combined loss and the task weights,
and, if the method needs them, `after(losses)` and `epoch(mean_losses)`. All
assume complete labels.
"""

import numpy as np
from weighting_harness import RATE


def softmax(logits):
    """Returns the softmax of a vector."""
    shifted = np.exp(logits - np.max(logits))
    return shifted / shifted.sum()


class Reference:
    """Base class that does nothing after steps and epochs."""

    def __init__(self, num_tasks):
        self.num_tasks = num_tasks

    def after(self, losses):
        """Receives the losses after the step."""

    def epoch(self, losses):
        """Receives the mean losses of an epoch."""


class Equal(Reference):
    """The plain sum."""

    def step(self, losses):
        return losses.sum(), np.ones(self.num_tasks)


class Uncertainty(Reference):
    """Losses over twice the variances, plus half the log-variances."""

    factor = 0.5

    def __init__(self, num_tasks):
        super().__init__(num_tasks)
        self.s = np.zeros(num_tasks)

    def step(self, losses):
        weights = self.factor * np.exp(-self.s)
        loss = (weights * losses + self.s / 2).sum()
        self.s = self.s - RATE * (0.5 - weights * losses)
        return loss, weights


class IMTLL(Reference):
    """Scaled losses minus the logarithms of the scales."""

    def __init__(self, num_tasks):
        super().__init__(num_tasks)
        self.s = np.zeros(num_tasks)

    def step(self, losses):
        weights = np.exp(self.s)
        loss = (weights * losses - self.s).sum()
        self.s = self.s - RATE * (weights * losses - 1)
        return loss, weights


class UWSO(Reference):
    """Softmax of inverse losses."""

    temperature = 1.0

    def step(self, losses):
        weights = softmax(1 / losses / self.temperature)
        return (weights * losses).sum(), weights


class DWA(Reference):
    """Softmax of the ratios of the last two epochs."""

    temperature = 2.0

    def __init__(self, num_tasks):
        super().__init__(num_tasks)
        self.history = []

    def step(self, losses):
        weights = np.ones(self.num_tasks)
        if len(self.history) > 1:
            ratios = self.history[-1] / self.history[-2]
            weights = self.num_tasks * softmax(ratios / self.temperature)
        return (weights * losses).sum(), weights

    def epoch(self, losses):
        self.history.append(losses)


class GLS(Reference):
    """The geometric mean."""

    def step(self, losses):
        loss = losses.prod() ** (1 / self.num_tasks)
        return loss, loss / (self.num_tasks * losses)


class STCH(Reference):
    """Logarithms, then a smooth maximum of logarithms over the nadir."""

    mu, warmup_epochs = 1.0, 4

    def __init__(self, num_tasks):
        super().__init__(num_tasks)
        self.history = []

    def step(self, losses):
        if len(self.history) < self.warmup_epochs:
            return np.log(losses).sum(), 1 / losses
        nadir = self.history[self.warmup_epochs - 1]
        exponents = np.log(losses / nadir) / self.mu
        loss = self.num_tasks * self.mu * np.log(np.exp(exponents).sum())
        return loss, self.num_tasks * softmax(exponents) / losses

    def epoch(self, losses):
        self.history.append(losses)


class FAMO(Reference):
    """Weighted logarithms, and Adam with weight decay on the logits."""

    rate, decay = 0.025, 1e-3

    def __init__(self, num_tasks):
        super().__init__(num_tasks)
        self.xi, self.m, self.v = np.zeros((3, num_tasks))
        self.t = 0

    def step(self, losses):
        self.before = losses
        z = softmax(self.xi)
        c = 1 / (z / (losses + 1e-8)).sum()
        return c * (z * np.log(losses + 1e-8)).sum(), c * z / (losses + 1e-8)

    def after(self, losses):
        delta = np.log(self.before + 1e-8) - np.log(losses + 1e-8)
        z = softmax(self.xi)
        jacobian = np.diag(z) - np.outer(z, z)
        gradient = jacobian.T @ delta + self.decay * self.xi
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        m = self.m / (1 - 0.9**self.t)
        v = self.v / (1 - 0.999**self.t)
        self.xi = self.xi - self.rate * m / (np.sqrt(v) + 1e-8)


class Importance(Reference):
    """Inverse to the numbers of samples in the harness."""

    def step(self, losses):
        weights = 1 / np.array([10.0, 20.0, 40.0])
        weights *= 3 / weights.sum()
        return (weights * losses).sum(), weights


REFERENCES = {
    "dwa": DWA,
    "equal": Equal,
    "famo": FAMO,
    "gls": GLS,
    "importance": Importance,
    "imtl_l": IMTLL,
    "stch": STCH,
    "uncertainty": Uncertainty,
    "uw_so": UWSO,
}
