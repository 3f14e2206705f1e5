"""Training in milliseconds, for tests of the code around it."""

import keras
import numpy as np

from mtl_keras import MultiTaskModel


class NumpyTrained(MultiTaskModel):
    """One hidden layer and two classifications, trained without TensorFlow.

    Steps are those of plain gradient descent, as Keras takes them with SGD
    and no shuffling. Callbacks are called for each epoch.
    """

    def fit(
        self,
        x,
        y,
        *,
        validation_data,
        batch_size=32,
        epochs=1,
        callbacks=None,
        **ignored,
    ):
        calls = keras.callbacks.CallbackList(
            callbacks, add_history=True, model=self, epochs=epochs
        )
        self.stop_training = False
        calls.on_train_begin()
        for epoch in range(epochs):
            calls.on_epoch_begin(epoch)
            logs = self._epoch(x, y, batch_size)
            found = self.evaluate(*validation_data[:2], return_dict=True)
            logs |= {f"val_{name}": value for name, value in found.items()}
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        calls.on_train_end()
        return self.history

    def evaluate(self, x, y, *, return_dict, **ignored):
        assert return_dict
        _, shares = forward(self.get_weights(), x)
        return compute_logs(
            shares, class_labels(self, y), dict(self.loss_weights)
        )

    def _epoch(self, x, y, batch_size):
        """Takes the steps of an epoch; returns the mean of their logs."""
        weights, found = self.get_weights(), []
        labels, shares = class_labels(self, y), dict(self.loss_weights)
        rate = float(self.optimizer.learning_rate)
        for start in range(0, len(x), batch_size):
            part = slice(start, start + batch_size)
            gradients, logs = step(
                weights, x[part], [each[part] for each in labels], shares
            )
            weights = [
                weight - rate * gradient
                for weight, gradient in zip(weights, gradients, strict=True)
            ]
            found.append(logs)
        self.set_weights(weights)
        return {
            name: float(np.mean([logs[name] for logs in found]))
            for name in found[0]
        }


def class_labels(model, y):
    """Returns the classes of each task, in the order of the heads."""
    return [np.asarray(y[task.name]) for task in model.tasks]


def forward(weights, x):
    """Returns the hidden layer, and the probabilities of each task."""
    kernel, bias, *heads = weights
    hidden = np.maximum(x @ kernel + bias, 0)
    found = []
    for kernel, bias in zip(heads[::2], heads[1::2], strict=True):
        scores = np.exp(hidden @ kernel + bias)
        found.append(scores / scores.sum(axis=1, keepdims=True))
    return hidden, found


def compute_logs(probabilities, labels, loss_weights):
    """Returns the logs that Keras would have for weighted tasks."""
    logs = {"loss": 0.0}
    tasks = zip(loss_weights.items(), probabilities, labels, strict=True)
    for (task, weight), found, classes in tasks:
        loss = -float(np.mean(np.log(found[np.arange(len(found)), classes])))
        logs["loss"] += weight * loss
        logs[f"{task}_loss"] = loss
        right = found.argmax(axis=1) == classes
        logs[f"{task}_accuracy"] = float(np.mean(right))
    return logs


def step(weights, x, labels, loss_weights):
    """Returns the gradients of the weighted loss, and the logs."""
    hidden, probabilities = forward(weights, x)
    gradients, hidden_gradient = [], 0.0
    tasks = zip(
        probabilities, labels, loss_weights.values(), weights[2::2], strict=True
    )
    for found, classes, weight, kernel in tasks:
        wrong = (found - np.eye(found.shape[1])[classes]) * (weight / len(x))
        gradients += [hidden.T @ wrong, wrong.sum(axis=0)]
        hidden_gradient = hidden_gradient + wrong @ kernel.T * (hidden > 0)
    gradients = [x.T @ hidden_gradient, hidden_gradient.sum(axis=0), *gradients]
    return gradients, compute_logs(probabilities, labels, loss_weights)
