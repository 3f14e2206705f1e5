"""Training on all samples at once, by SciPy's minimizers."""

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
    check_deterministic,
    check_method,
    check_model,
    check_numbers,
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
    """Trains a model on all samples at once, by conjugate gradients or L-BFGS.

    The classical treatment of a joint loss: `scipy.optimize.minimize` descends
    along the weighted sum of the task losses over all samples, plus what
    layers add, such as regularization. There is no learning rate. It pays for
    small problems, where a pass over all samples is cheap. The optimizer that
    the model was compiled with is left alone, and its weight decay, clipping
    and so on do not count.

    The task losses are those of `MultiTaskModel.fit`: data is checked, labels
    may be missing, `loss_weights` count, and so does a weighting whose weights
    are fixed (`"equal"`, `"importance"`). An iteration is an epoch to
    callbacks. Afterwards, and after an interruption or an error on the way,
    the model holds the weights with the least joint loss, unless a callback
    such as `EarlyStopping` put others there.

    Args:
        model: A compiled `MultiTaskModel`. Layers that draw random numbers in
            training (`Dropout`) or change their state there
            (`BatchNormalization`) are refused: the loss would not be a
            function of the weights alone. The numbers are float32.
        x: Inputs: an array, or a dict or list of arrays.
        y: Dict from task name to targets, or to `None` for a task that has no
            labels here.
        method: `"CG"` (conjugate gradients) or `"L-BFGS-B"`. Defaults to
            `"L-BFGS-B"`.
        iterations: The most iterations, 1 or more. Each takes one or several
            passes over the samples. Defaults to 100.
        tolerance: Ends where no component of the gradient is larger in
            absolute value, 0 or more. Defaults to `1e-5`.
        batch_size: Samples of a chunk in which loss and gradient are computed,
            to bound the memory; the sum is that of all samples. Defaults to
            `None`, all in one.
        verbose: 0 for silence, 1 for a progress bar, 2 for a line for each
            iteration. Defaults to `"auto"`, which is 1.
        callbacks: Keras callbacks.
        validation_data: `(x, y)` or `(x, y, sample_weight)`, arrays, evaluated
            after each iteration.
        class_weight: As in `MultiTaskModel.fit`.
        sample_weight: As in `MultiTaskModel.fit`.

    Returns:
        A `keras.callbacks.History` with an entry for each iteration: `loss`,
        `<task>_loss`, `<task>_<metric>`, and the same with `val_`. Its
        `message` says why the run ended, its `converged` is `True` where the
        tolerance was met, or L-BFGS-B found no decrease beyond rounding.

    Raises:
        TypeError: If `model` is no `MultiTaskModel`, or `x` a stream.
        ValueError: If an argument is out of range, the data do not fit, the
            weighting defines no objective, or the model is spread over
            several replicas, not compiled, or not deterministic.
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
    check_numbers(iterations, tolerance, batch_size, verbose)
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
    """One run: what SciPy asks for, and what callbacks see of it."""

    def __init__(self, model, loss: JointLoss, metrics: ChunkedMetrics):
        self.validation = None
        self._model = model
        self._loss = loss
        self._metrics = metrics
        self._callbacks = None
        self._iteration = 0
        self._begun = False
        self._last = self._best = None

    def run(
        self, method, iterations, tolerance, verbose, callbacks
    ) -> keras.callbacks.History:
        # Here, because importing mtl_keras loads no SciPy.
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
            # BLAS threads of SciPy's would spin beside those of TensorFlow.
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
            # KeyboardInterrupt too: a line search may be far off.
            self._loss.assign(self._best[1])
            raise
        stopped = self._model.stop_training
        if not stopped:
            self._loss.assign(self._best[1])
        history.converged = bool(result.success) and not stopped
        history.message = self._why(result, iterations, stopped)
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
        # History sets it after the first iteration only.
        self._model.history = history
        self._callbacks.on_train_begin()
        return history

    def _evaluate(self, vector: np.ndarray) -> JointLossValue:
        found = self._loss(vector)
        _check_finite(found, self._iteration)
        self._last = (vector.copy(), found)
        return found

    def _at(self, vector: np.ndarray) -> JointLossValue:
        """What was found at a vector, which often is where SciPy was last."""
        if np.array_equal(self._last[0], vector):
            return self._last[1]
        return self._evaluate(vector)

    def _value_and_gradient(self, vector: np.ndarray) -> tuple:
        # An iteration begins when SciPy asks again: it may have ended instead.
        if not self._begun:
            self._begun = True
            self._callbacks.on_epoch_begin(self._iteration)
            self._callbacks.on_train_batch_begin(0)
        found = self._at(vector)
        if math.isinf(self._best[0]):
            self._best = (found.value, vector.copy())
        return found.value, found.gradient

    def _end_iteration(self, intermediate_result) -> None:
        """SciPy's callback, which knows it by the name of the argument."""
        vector = intermediate_result.x.copy()
        found = self._at(vector)
        self._loss.assign(vector)
        if found.value <= self._best[0]:
            self._best = (found.value, vector)
        logs = {**self._metrics(), **found.logs}
        self._callbacks.on_train_batch_end(0, dict(logs))
        if self.validation is not None:
            logs |= {f"val_{k}": v for k, v in self.validation().items()}
        self._callbacks.on_epoch_end(self._iteration, logs)
        self._iteration += 1
        self._begun = False
        self._loss.check_loss_weights()
        if self._model.stop_training:
            raise StopIteration

    def _why(self, result, iterations: int, stopped: bool) -> str:
        if stopped:
            return f"A callback stopped it after iteration {self._iteration}."
        if result.status == 1:
            return f"Reached iterations={iterations}."
        if result.status == 2:
            message = (
                f"Found no lower loss after iteration {self._iteration}: the "
                "line search is at the precision of float32."
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
            "arrays, because every iteration sees all samples at once. Gather "
            "the batches with numpy.concatenate, or use model.fit."
        )
    data = prepare(model, x, y, sample_weight, where=where)
    chunks = make_chunks(data.x, data.y, data.sample_weight, batch_size)
    return chunks, data.complete


def _check_finite(found: JointLossValue, iteration: int) -> None:
    if math.isfinite(found.value) and np.isfinite(found.gradient).all():
        return
    broken = {
        name.removesuffix("_loss"): loss
        for name, loss in found.logs.items()
        if name != "loss" and not math.isfinite(loss)
    }
    what = "The gradient of the joint loss became non-finite"
    if broken:
        named = ", ".join(f"{task!r} ({v})" for task, v in broken.items())
        what = f"The loss of task {named} became non-finite"
    elif not math.isfinite(found.value):
        what = f"The joint loss became {found.value}"
    raise NonFiniteLossError(
        f"{what} in iteration {iteration + 1}. The model has the best weights "
        "from before. Scale the inputs and targets, or choose a loss that is "
        "finite everywhere."
    )
