"""Full-batch training with `scipy.optimize.minimize`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from mtl_keras.training.data.class_weights import check_class_weights
from mtl_keras.training.data.preparation import prepare
from mtl_keras.training.data.streams import is_stream
from mtl_keras.training.full_batch.chunks import ChunkedMetrics, make_chunks
from mtl_keras.training.full_batch.full_batch_checks import (
    check_arguments,
    check_deterministic,
    check_method,
    check_model,
)
from mtl_keras.training.full_batch.iteration_progress import IterationProgress
from mtl_keras.training.full_batch.joint_loss import JointLoss, JointLossValue
from mtl_keras.training.losses.non_finite_loss import NonFiniteLossError


def fit_full_batch(
    model,
    x,
    y,
    method: str = "L-BFGS-B",
    *,
    iterations: int = 100,
    tolerance: float = 1e-5,
    batch_size: int | None = None,
    verbose: int | str = "auto",
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
    validation_data: tuple | None = None,
    class_weight: Mapping | None = None,
    sample_weight=None,
) -> keras.callbacks.History:
    """Trains a model on all samples at once with CG or L-BFGS.

    `scipy.optimize.minimize` minimizes the joint loss: the weighted sum of the
    task losses over all samples, plus the losses that layers add, such as
    regularization. There is no learning rate. This is suitable for small
    problems, where a pass over all samples is cheap. The optimizer of the
    model is not used, nor are its settings such as weight decay and clipping.

    The task losses are those of `MultiTaskModel.fit`: data is checked, labels
    may be missing, and `loss_weights` apply. A weighting with fixed weights
    (`"equal"`, `"importance"`) applies too. For callbacks, an iteration is an
    epoch. At the end, also after an interruption or an error, the model has
    the weights with the lowest joint loss, unless a callback such as
    `EarlyStopping` set other weights.

    Args:
        model: A compiled `MultiTaskModel`. Layers that draw random numbers in
            training (`Dropout`) or change their state in training
            (`BatchNormalization`) are not supported, because the loss must be
            a function of the weights. Computation is in float32.
        x: Inputs: an array, or a dict or list of arrays.
        y: Dict from task name to targets, or to `None` for a task without
            labels in this data.
        method: `"CG"` (conjugate gradients) or `"L-BFGS-B"`. Defaults to
            `"L-BFGS-B"`.
        iterations: Maximum number of iterations, 1 or more. Each needs one or
            more passes over the samples. Defaults to 100.
        tolerance: Stops when no component of the gradient has a larger
            absolute value, 0 or more. Defaults to `1e-5`.
        batch_size: Number of samples per chunk. Chunks limit the memory and do
            not change the result. Defaults to `None`, one chunk.
        verbose: 0 for no output, 1 for a progress bar, 2 for one line per
            iteration. Defaults to `"auto"`, which is 1.
        callbacks: List of Keras callbacks. Defaults to `None`.
        validation_data: Arrays `(x, y)` or `(x, y, sample_weight)`, evaluated
            after each iteration. Defaults to `None`.
        class_weight: As in `MultiTaskModel.fit`. Defaults to `None`.
        sample_weight: As in `MultiTaskModel.fit`. Defaults to `None`.

    Returns:
        A `keras.callbacks.History` with one entry per iteration: `loss`,
        `<task>_loss`, `<task>_<metric>`, and the same with the prefix `val_`.
        Its attribute `message` describes why training ended. `converged` is
        `True` if the tolerance was reached, or if L-BFGS-B found no decrease
        beyond rounding.

    Raises:
        TypeError: If `model` is not a `MultiTaskModel`, or `x` is a stream.
        ValueError: If an argument is out of range, the data do not match the
            model, the weighting defines no objective, or the model has several
            replicas, is not compiled, or is not deterministic.
        NonFiniteLossError: If a loss or gradient becomes NaN or infinite.

    Example:

    >>> x = np.linspace(-1, 1, 20).reshape(20, 1)
    >>> tasks = [mtl_keras.Regression("double"), mtl_keras.Regression("half")]
    >>> model = mtl_keras.build_mlp((1,), tasks, hidden_units=())
    >>> history = mtl_keras.fit_full_batch(
    ...     model, x, {"double": 2 * x, "half": x / 2}, verbose=0
    ... )
    >>> float(model.get_layer("double").kernel[0, 0].numpy().round(3))
    2.0

    Reference:

    - Polak and Ribiere, Note sur la convergence de methodes de directions
      conjuguees, Revue francaise d'informatique et de recherche
      operationnelle 3, 1969.
    - Byrd, Lu, Nocedal and Zhu, A limited memory algorithm for bound
      constrained optimization, SIAM Journal on Scientific Computing 16, 1995.
    """
    check_model(model)
    method = check_method(method)
    check_arguments(iterations, tolerance, batch_size, verbose)
    verbose = 1 if verbose == "auto" else verbose
    weights = check_class_weights(class_weight, model.tasks)
    chunks, complete = _prepare(model, "", (x, y, sample_weight), batch_size)
    validation = None
    if validation_data is not None:
        unpacked = keras.utils.unpack_x_y_sample_weight(validation_data)
        validation = _prepare(model, "validation_data", unpacked, batch_size)
    model.compiled_parts.build(model, chunks[0])
    minimization = _Minimization(
        model,
        JointLoss(model, chunks, weights, complete=complete),
        ChunkedMetrics(model, chunks, complete),
    )
    if validation is not None:
        minimization.validation = ChunkedMetrics(model, *validation)
    return minimization.run(method, iterations, tolerance, verbose, callbacks)


class _Minimization:
    """Connects SciPy's minimizer to the model and its callbacks."""

    def __init__(self, model, loss: JointLoss, metrics: ChunkedMetrics):
        self.validation = None
        self._model = model
        self._loss = loss
        self._metrics = metrics
        self._callbacks = None
        self._iteration = 0
        self._in_iteration = False
        self._last = self._best = None

    def run(
        self, method, iterations, tolerance, verbose, callbacks
    ) -> keras.callbacks.History:
        # Here, so that importing mtl_keras does not import SciPy.
        from scipy.optimize import minimize
        from threadpoolctl import threadpool_limits

        start = self._loss.weights()
        self._best = (math.inf, start)
        try:
            check_deterministic(self._model, self._evaluate, start)
            history = self._start_callbacks(iterations, verbose, callbacks)
            options = {"maxiter": iterations, "gtol": tolerance}
            if method == "L-BFGS-B":
                options["maxfun"] = np.iinfo("int32").max
            # SciPy's BLAS threads would compete with TensorFlow's threads.
            with threadpool_limits(1, "blas"):
                result = minimize(
                    self._value_and_gradient,
                    start,
                    jac=True,
                    method=method,
                    callback=self._end_iteration,
                    options=options,
                )
        except BaseException:
            # Also on KeyboardInterrupt: a line search may be far away.
            self._loss.assign(self._best[1])
            raise
        stopped = self._model.stop_training
        if not stopped:
            self._loss.assign(self._best[1])
        history.converged = bool(result.success) and not stopped
        history.message = self._describe_end(result, iterations, stopped)
        self._callbacks.on_train_end()
        return history

    def _start_callbacks(self, iterations, verbose, callbacks):
        history = keras.callbacks.History()
        progress = [IterationProgress(verbose)] if verbose else []
        self._callbacks = keras.callbacks.CallbackList(
            [*keras.tree.flatten(callbacks or []), *progress, history],
            model=self._model,
            verbose=verbose,
            epochs=iterations,
            steps=1,
        )
        self._model.stop_training = False
        # History sets it only after the first iteration.
        self._model.history = history
        self._callbacks.on_train_begin()
        return history

    def _evaluate(self, vector: np.ndarray) -> JointLossValue:
        point = self._loss(vector)
        _check_finite(point, self._iteration)
        self._last = (vector.copy(), point)
        return point

    def _evaluate_cached(self, vector: np.ndarray) -> JointLossValue:
        """Evaluates a vector unless it was the last one, which is common."""
        if np.array_equal(self._last[0], vector):
            return self._last[1]
        return self._evaluate(vector)

    def _value_and_gradient(self, vector: np.ndarray) -> tuple:
        # An iteration begins when SciPy evaluates again, and not earlier.
        if not self._in_iteration:
            self._in_iteration = True
            self._callbacks.on_epoch_begin(self._iteration)
            self._callbacks.on_train_batch_begin(0)
        point = self._evaluate_cached(vector)
        if math.isinf(self._best[0]):
            self._best = (point.value, vector.copy())
        return point.value, point.gradient

    def _end_iteration(self, intermediate_result) -> None:
        """Ends an iteration; SciPy requires the name of the argument."""
        vector = intermediate_result.x.copy()
        point = self._evaluate_cached(vector)
        self._loss.assign(vector)
        if point.value <= self._best[0]:
            self._best = (point.value, vector)
        logs = {**self._metrics(), **point.logs}
        self._callbacks.on_train_batch_end(0, dict(logs))
        if self.validation is not None:
            logs |= {f"val_{k}": v for k, v in self.validation().items()}
        self._callbacks.on_epoch_end(self._iteration, logs)
        self._iteration += 1
        self._in_iteration = False
        self._loss.check_loss_weights()
        if self._model.stop_training:
            raise StopIteration

    def _describe_end(self, result, iterations: int, stopped: bool) -> str:
        if stopped:
            return (
                f"A callback stopped training after iteration "
                f"{self._iteration}."
            )
        if result.status == 1:
            return f"Reached iterations={iterations}."
        if result.status == 2:
            message = (
                f"Found no lower loss after iteration {self._iteration}: the "
                "line search reached the precision of float32."
            )
            if not self._iteration:
                warnings.warn(
                    f"{message} Scale the inputs and targets.", stacklevel=4
                )
            return message
        return f"Converged: {result.message}"


def _prepare(model, where: str, data: tuple, batch_size) -> tuple[list, bool]:
    """Checks arrays and cuts them; returns whether all labels are there."""
    x, y, sample_weight = data
    if x is not None and is_stream(x):
        raise TypeError(
            f"{where or 'x'} is a stream ({type(x).__name__}); expected "
            "arrays, because every iteration uses all samples. Join the "
            "batches with numpy.concatenate, or use model.fit."
        )
    data = prepare(model, x, y, sample_weight, where=where)
    chunks = make_chunks(data.x, data.y, data.sample_weight, batch_size)
    return chunks, data.complete


def _check_finite(point: JointLossValue, iteration: int) -> None:
    if math.isfinite(point.value) and np.isfinite(point.gradient).all():
        return
    non_finite = {
        name.removesuffix("_loss"): loss
        for name, loss in point.logs.items()
        if name != "loss" and not math.isfinite(loss)
    }
    what = "The gradient of the joint loss became non-finite"
    if non_finite:
        named = ", ".join(f"{task!r} ({v})" for task, v in non_finite.items())
        what = f"The loss of task {named} became non-finite"
    elif not math.isfinite(point.value):
        what = f"The joint loss became {point.value}"
    raise NonFiniteLossError(
        f"{what} in iteration {iteration + 1}. The model has the best "
        "previous weights. Scale the inputs and targets, or choose a loss that "
        "is finite everywhere."
    )
