"""Training on all samples at once, against closed forms and plain SciPy."""

import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
from holes import KINDS, make_holes

import mtl_keras
from mtl_keras import BinaryClassification, Regression, fit_full_batch
from mtl_keras.training import NonFiniteLossError
from mtl_keras.training.full_batch.chunks import make_chunks
from mtl_keras.training.full_batch.joint_loss import JointLoss

METHODS = ("CG", "L-BFGS-B")
L2 = 0.1


def regressions(weight=0.5):
    return [Regression("left"), Regression("right", loss_weight=weight)]


def linear(tasks=None, **options):
    """The linear model of three inputs."""
    return mtl_keras.build_mlp(
        (3,), tasks or regressions(), hidden_units=(), **options
    )


def small(**options):
    """A model with a hidden layer."""
    options = {"hidden_units": (5,), "activation": "tanh", **options}
    return mtl_keras.build_mlp((3,), regressions(), **options)


@pytest.fixture
def data(rng):
    x = rng.normal(size=(30, 3)).astype("float32")
    # Little of it: float32 tells losses of 1 apart by 1e-7, and so parameters
    # by no less than some 5e-4.
    noise = rng.normal(0, 0.3, size=(30, 2)).astype("float32")
    y = x @ np.array([[1, -2], [0.5, 0], [0, 3]], "float32") + noise + 1
    return x, {"left": y[:, 0], "right": y[:, 1]}


def holed(y):
    """A third of the right labels missing, and one of the left."""
    y = {task: targets.copy() for task, targets in y.items()}
    y["right"][::3] = np.nan
    y["left"][4] = np.nan
    return y


def parameters(model, task):
    """Weights and bias of a head."""
    kernel, bias = model.get_layer(task).get_weights()
    return np.concatenate([kernel[:, 0], bias])


def least_squares(x, y):
    """The optimum of each task, over the rows that are labelled."""
    keep = ~np.isnan(y)
    design = np.column_stack([x, np.ones(len(x))])[keep]
    return np.linalg.lstsq(design.astype("float64"), y[keep], rcond=None)[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("missing", [False, True])
def test_linear_model_comes_to_least_squares(method, missing, data):
    x, y = data
    y = holed(y) if missing else y
    model = linear()
    history = fit_full_batch(model, x, y, method, verbose=0)
    total = 0
    for task, weight in (("left", 1), ("right", 0.5)):
        best = least_squares(x, y[task])
        np.testing.assert_allclose(parameters(model, task), best, atol=5e-4)
        errors = np.column_stack([x, np.ones(30)]) @ best - y[task]
        total += weight * np.nanmean(errors**2)
    assert history.history["loss"][-1] == pytest.approx(total, rel=1e-5)


class Shared(keras.layers.Layer):
    """One slope for all tasks, which conflict over it."""

    def build(self, input_shape):
        self.slope = self.add_weight(
            shape=(1, 1), regularizer=keras.regularizers.L2(L2), name="slope"
        )

    def call(self, x):
        return x @ self.slope


def shared_slope(**options):
    """Two tasks whose outputs are one slope times the input."""
    inputs = keras.Input((1,))
    slope = Shared()(inputs)
    outputs = {
        name: keras.layers.Identity(name=name)(slope)
        for name in ("left", "right")
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=regressions())
    model.compile(**options)
    return model


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "weighting, fixed",
    [
        (None, (1, 1)),
        ("equal", (1, 1)),
        (
            mtl_keras.weighting.Importance({"left": 1, "right": 3}),
            (0.5, 1.5),
        ),
    ],
)
def test_weights_and_regularization_decide_conflicts(
    method, weighting, fixed, rng
):
    x = rng.normal(size=(20, 1)).astype("float32")
    y = {"left": 2 * x[:, 0], "right": -3 * x[:, 0]}
    y["right"][:8] = np.nan
    model = shared_slope(weighting=weighting, loss_weights={"right": 0.25})
    fit_full_batch(model, x, y, method, verbose=0)
    first = fixed[0] * np.mean(x**2)
    second = 0.25 * fixed[1] * np.mean(x[8:] ** 2)
    expected = (2 * first - 3 * second) / (first + second + L2)
    found = model.layers[1].slope.numpy()[0, 0]
    assert found == pytest.approx(expected, abs=1e-4)


def joint_loss(model, x, y, batch_size=None, sample_weight=None):
    """The objective that `fit_full_batch` hands to SciPy."""
    x, y = model._prepare("train", x, y, sample_weight)
    model.class_weights.clear()
    chunks = make_chunks(x, y, sample_weight, batch_size)
    model._build_compiled(chunks[0])
    return JointLoss(model, chunks)


@pytest.mark.parametrize("method", METHODS)
def test_iterations_are_those_of_scipy(method, data):
    """SciPy alone, on a joint loss that is written once more in numpy."""
    x, y = data
    model, y = linear(), holed(y)
    start = joint_loss(model, x, y).weights()
    names = [w.path.split("/")[0] for w in model.trainable_weights]
    design = np.column_stack([x, np.ones(30)]).astype("float64")

    def loss(vector):
        value, gradient = 0.0, np.zeros(8)
        for task, weight in (("left", 1), ("right", 0.5)):
            at = 4 * (names.index(task) // 2)
            keep = ~np.isnan(y[task])
            rows = design[keep]
            errors = rows @ vector[at : at + 4] - y[task][keep]
            value += weight * np.mean(errors**2)
            gradient[at : at + 4] = weight * 2 * errors @ rows / keep.sum()
        return value, gradient

    expected = []
    scipy.optimize.minimize(
        loss,
        start,
        jac=True,
        method=method,
        callback=lambda intermediate_result: expected.append(
            intermediate_result.fun
        ),
        options={"maxiter": 4},
    )
    history = fit_full_batch(model, x, y, method, iterations=4, verbose=0)
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-4)
    assert history.message == "Reached iterations=4."
    assert not history.converged


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_gradient_and_chunks_of_every_kind(kind, rng):
    task, shape = KINDS[kind]
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(
        int(np.prod(shape[:-1])) * 3,
        "tanh",
        kernel_regularizer="l2",
        activity_regularizer="l2",
    )(inputs)
    hidden = keras.layers.Reshape((*shape[:-1], 3))(hidden)
    model = mtl_keras.MultiTaskModel(
        inputs, {"a": task.head(hidden)}, tasks=[task]
    )
    model.compile()
    x = rng.normal(size=(10, 4)).astype("float32")
    from factory_harness import random_targets

    targets = random_targets(task, shape, 10, rng)
    y = {"a": make_holes(task, targets, shape, rng)}
    y["a"][0] = targets[0]
    weights = rng.uniform(1, 2, size=10).astype("float32")
    whole = joint_loss(model, x, y, sample_weight=weights)
    vector = whole.weights()
    found = whole(vector)
    chunked = joint_loss(model, x, y, batch_size=3, sample_weight=weights)
    in_chunks = chunked(vector)
    assert in_chunks.value == pytest.approx(found.value, rel=1e-5)
    np.testing.assert_allclose(in_chunks.gradient, found.gradient, atol=1e-5)
    for direction in rng.normal(size=(3, len(vector))):
        step = 1e-2 * direction / np.linalg.norm(direction)
        slope = whole(vector + step).value - whole(vector - step).value
        expected = 2 * step @ found.gradient
        assert slope == pytest.approx(expected, rel=2e-2, abs=2e-6)


def test_chunks_of_a_loss_that_is_a_sum(data):
    x, y = data
    losses = {task: keras.losses.MeanSquaredError("sum") for task in y}
    model = small()
    model.compile(loss=losses)
    whole = joint_loss(model, x, y)
    vector = whole.weights()
    in_chunks = joint_loss(model, x, y, batch_size=8)(vector)
    found = whole(vector)
    assert in_chunks.value == pytest.approx(found.value, rel=1e-5)
    outputs = model.predict(x, verbose=0)["left"][:, 0]
    errors = np.sum((outputs - y["left"]) ** 2)
    assert found.logs["left_loss"] == pytest.approx(errors, rel=1e-5)


def test_loss_of_a_whole_batch_is_not_cut(rng):
    task = mtl_keras.Segmentation("a", 1, loss=keras.losses.Dice())
    model = mtl_keras.build_cnn_cls_seg((8, 8, 1), [task], filters=(2, 2))
    x = rng.normal(size=(4, 8, 8, 1)).astype("float32")
    y = {"a": (x[..., 0] > 0).astype("int32")}
    with pytest.raises(ValueError, match=r"'a': its loss 'dice' .* batch_size"):
        fit_full_batch(model, x, y, batch_size=2)


def test_weights_of_samples_and_classes(rng):
    x = rng.normal(size=(40, 2)).astype("float32")
    y = {"a": (x[:, 0] + rng.normal(size=40) > 0).astype("int32")}
    weights = np.where(np.arange(40) % 2, 3.0, 1.0)
    results = []
    for arguments in (
        {"sample_weight": weights, "class_weight": {"a": {1: 2.0}}},
        {"sample_weight": {"a": weights * np.where(y["a"], 2, 1)}},
    ):
        model = mtl_keras.build_mlp(
            (2,), [BinaryClassification("a")], hidden_units=()
        )
        history = fit_full_batch(model, x, y, verbose=0, **arguments)
        results.append([parameters(model, "a"), history.history["loss"][-1]])
    np.testing.assert_allclose(results[0][0], results[1][0], atol=1e-3)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-5)
    # Each weight counts as so many samples.
    copies = (weights * np.where(y["a"], 2, 1)).astype(int)
    model = mtl_keras.build_mlp(
        (2,), [BinaryClassification("a")], hidden_units=()
    )
    repeated = {"a": np.repeat(y["a"], copies)}
    fit_full_batch(model, np.repeat(x, copies, axis=0), repeated, verbose=0)
    np.testing.assert_allclose(parameters(model, "a"), results[0][0], atol=5e-3)


def test_missing_labels_are_dropped_rows(data):
    x, y = data
    missing = holed(y)
    keep = ~np.isnan(missing["right"])
    one = mtl_keras.build_mlp((3,), [Regression("right")], hidden_units=())
    fit_full_batch(one, x[keep], {"right": y["right"][keep]}, verbose=0)
    both = linear()
    fit_full_batch(both, x, missing, verbose=0)
    np.testing.assert_allclose(
        parameters(both, "right"), parameters(one, "right"), atol=1e-3
    )


def test_a_task_may_be_none(data):
    x, y = data
    model = linear()
    before = parameters(model, "right")
    none = {**y, "right": None}
    history = fit_full_batch(model, x, none, "CG", verbose=0)
    np.testing.assert_array_equal(parameters(model, "right"), before)
    best = least_squares(x, y["left"])
    np.testing.assert_allclose(parameters(model, "left"), best, atol=5e-4)
    assert history.history["right_loss"][-1] == 0


def test_no_label_at_all_is_an_error(data):
    x, y = data
    with pytest.raises(ValueError, match="targets of all tasks are None"):
        fit_full_batch(linear(), x, dict.fromkeys(y))


def test_history_is_that_of_evaluate(data):
    x, y = data
    y, model = holed(y), small()
    history = fit_full_batch(
        model,
        x,
        y,
        iterations=3,
        batch_size=7,
        validation_data=(x[:9], {k: v[:9] for k, v in y.items()}),
        verbose=0,
    )
    assert history is model.history
    assert history.epoch == [0, 1, 2]
    last = {name: values[-1] for name, values in history.history.items()}
    assert all(len(values) == 3 for values in history.history.values())
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    short = {k: v[:9] for k, v in y.items()}
    on_validation = model.evaluate(x[:9], short, verbose=0, return_dict=True)
    expected |= {f"val_{k}": v for k, v in on_validation.items()}
    assert last == pytest.approx(expected, rel=1e-5)


def test_loss_never_rises_and_fit_goes_on_after(data, tmp_path):
    x, y = data
    model = small()
    before = [v.numpy().copy() for v in model.optimizer.variables]
    history = fit_full_batch(model, x, y, iterations=20, verbose=0)
    losses = history.history["loss"]
    assert np.all(np.diff(losses) <= 1e-6) and losses[-1] < losses[0]
    # The optimizer has not taken a step.
    assert model.optimizer.iterations.numpy() == 0
    after = [v.numpy().copy() for v in model.optimizer.variables][: len(before)]
    for value, expected in zip(after, before, strict=True):
        np.testing.assert_array_equal(value, expected)
    model.save(tmp_path / "model.keras")
    loaded = mtl_keras.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(losses[-1], rel=1e-5)
    model.fit(x, y, epochs=1, verbose=0)
    assert model.optimizer.iterations.numpy() == 1


def test_same_start_same_weights(data):
    x, y = data
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = small()
        fit_full_batch(model, x, y, iterations=10, verbose=0)
        results.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    np.testing.assert_allclose(*results, atol=1e-4)


class Recorder(keras.callbacks.Callback):
    """Writes down what it is called with."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"{epoch}<")

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append("loss" in logs)

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"{epoch}>")

    def on_train_end(self, logs=None):
        self.calls.append("end")


def test_an_iteration_is_an_epoch_to_callbacks(data):
    recorder = Recorder()
    fit_full_batch(linear(), *data, iterations=2, callbacks=recorder, verbose=0)
    one, two = ("0<", True, "0>"), ("1<", True, "1>")
    assert recorder.calls == ["begin", *one, *two, "end"]


def test_early_stopping_restores_what_it_chose(data):
    x, y = data
    validation = (-x, y)  # gets worse as training goes on
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model = linear()
    history = fit_full_batch(
        model,
        x,
        y,
        validation_data=validation,
        callbacks=[stop, keras.callbacks.TerminateOnNaN()],
        verbose=0,
    )
    losses = history.history["val_loss"]
    assert len(losses) < 8
    found = model.evaluate(*validation, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(min(losses), rel=1e-5)
    assert history.message == (
        f"A callback stopped it after iteration {len(losses)}."
    )
    assert not history.converged


def test_model_checkpoint_holds_the_iterate(data, tmp_path):
    x, y = data
    model = small()
    path = tmp_path / "{epoch}.weights.h5"
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    history = fit_full_batch(
        model, x, y, "CG", iterations=3, callbacks=[checkpoint], verbose=0
    )
    for epoch, loss in enumerate(history.history["loss"], start=1):
        fresh = small(compile=False)
        fresh.load_weights(str(path).format(epoch=epoch))
        fresh.compile()
        found = fresh.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        assert found == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interruption_leaves_the_best_weights(error, data):
    x, y = data
    model, losses = small(), []

    def interrupt(epoch, logs):
        losses.append(logs["loss"])
        if epoch == 2:
            model.set_weights([0 * w + 9 for w in model.get_weights()])
            raise error

    callback = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    with pytest.raises(error):
        fit_full_batch(model, x, y, callbacks=[callback], verbose=0)
    found = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(min(losses), rel=1e-5)


def test_ctrl_c_in_a_real_process():
    """The signal comes while SciPy or TensorFlow is at work."""
    code = """
import numpy as np, keras, mtl_keras
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(400, 20)).astype("float32")
y = {"a": np.sin(9 * x[:, 0]), "b": np.cos(9 * x[:, 1])}
tasks = [mtl_keras.Regression(name) for name in y]
model = mtl_keras.build_mlp((20,), tasks, hidden_units=(64, 64))
losses = []
def record(epoch, logs):
    losses.append(logs["loss"])
    if epoch == 4:
        print("ready", flush=True)
callback = keras.callbacks.LambdaCallback(on_epoch_end=record)
try:
    mtl_keras.fit_full_batch(
        model, x, y, iterations=10**6, tolerance=0, callbacks=[callback],
        verbose=0,
    )
except KeyboardInterrupt:
    loss = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert loss <= min(losses) * (1 + 1e-5), (loss, min(losses))
    print("kept", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=300)[0] == "kept\n"


def test_non_finite_loss_names_the_task(data):
    x, y = data

    def inverse(y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1) * np.float32(np.inf)

    tasks = [Regression("left"), Regression("right", loss=inverse)]
    model = linear(tasks)
    before = model.get_weights()
    with pytest.raises(NonFiniteLossError, match=r"task 'right' .*iteration 1"):
        fit_full_batch(model, x, y, verbose=0)
    for value, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_non_finite_on_the_way_leaves_the_best_weights(data):
    x, y = data

    def cliff(y_true, y_pred):
        # Falls towards a cliff, behind which there is nothing.
        value = keras.ops.mean(y_pred, axis=-1)
        return keras.ops.where(value > -50, value, np.float32(np.nan))

    model = linear([Regression("left", loss=cliff), Regression("right")])
    with pytest.raises(NonFiniteLossError, match=r"task 'left' \(nan\)"):
        fit_full_batch(model, x, y, verbose=0)
    found = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert np.isfinite(found)


def test_progress(data, capsys):
    fit_full_batch(linear(), *data, iterations=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == [
        "Iteration 1/2",
        "Iteration 2/2",
    ]
    assert " - loss: " in lines[0] and " - right_loss: " in lines[0]
    fit_full_batch(linear(), *data, iterations=200)
    shown = capsys.readouterr().out
    assert "/200" in shown and "loss:" in shown and shown.endswith("\n")
    fit_full_batch(linear(), *data, iterations=2, verbose=0)
    assert capsys.readouterr().out == ""


def test_starts_at_the_optimum(rng):
    x = rng.normal(size=(10, 3)).astype("float32")
    y = {"left": 0 * x[:, 0], "right": 0 * x[:, 0]}
    model = linear()
    model.set_weights([0 * w for w in model.get_weights()])
    history = fit_full_batch(model, x, y, verbose=0)
    assert history.history == {} and history.converged
    assert history.message.startswith("Converged: ")


def test_frozen_layers_stay(data):
    x, y = data
    model = small()
    model.layers[1].trainable = False
    before = model.layers[1].get_weights()[0]
    model.compile()
    fit_full_batch(model, x, y, iterations=3, verbose=0)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], before)


@pytest.mark.parametrize(
    "options, layer",
    [
        ({"dropout": 0.5}, "trunk_dropout_1"),
        ({"normalization": "batch"}, "trunk_normalization_1"),
    ],
)
def test_layers_that_change_in_training_are_refused(options, layer, data):
    model = small(**options)
    before = [v.numpy().copy() for v in model.variables]
    with pytest.raises(ValueError, match=f"Layer '{layer}' changes"):
        fit_full_batch(model, *data)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_normalization_that_is_frozen_passes(data):
    model = small(normalization="batch")
    model.get_layer("trunk_normalization_1").trainable = False
    model.compile()
    history = fit_full_batch(model, *data, iterations=3, verbose=0)
    assert len(history.epoch) == 3


def test_random_loss_is_refused(data):
    def noisy(y_true, y_pred):
        noise = tf.random.uniform(tf.shape(y_pred))
        return keras.ops.mean((y_true - y_pred + noise) ** 2, axis=-1)

    tasks = [Regression("left", loss=noisy), Regression("right")]
    with pytest.raises(ValueError, match="when computed again"):
        fit_full_batch(linear(tasks), *data)


def test_loss_weights_stay_while_it_runs(data):
    schedule = mtl_keras.LossWeightSchedule(lambda epoch: {"right": epoch + 2})
    with pytest.raises(ValueError, match="changed loss_weights from"):
        fit_full_batch(linear(), *data, callbacks=[schedule], verbose=0)


@pytest.mark.parametrize("weighting", ["PCGrad", "Uncertainty", "GLS"])
def test_weightings_without_an_objective_are_refused(weighting, data):
    model = small(weighting=weighting.lower())
    with pytest.raises(ValueError, match=f"={weighting}, whose weights"):
        fit_full_batch(model, *data)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "L-BFGS"}, "Did you mean 'L-BFGS-B'"),
        ({"iterations": 0}, "iterations=0; expected an integer of 1"),
        ({"iterations": 2.5}, "iterations=2.5; expected an integer of 1"),
        ({"batch_size": 0}, "batch_size=0; expected an integer of 1"),
        ({"tolerance": -1}, "tolerance=-1; expected a finite number"),
        ({"verbose": 3}, "verbose=3; expected"),
        ({"class_weight": {"left": {0: 1}}}, "a regression, which has"),
        ({"sample_weight": {"left": np.ones(30)}}, "no entry for task 'right'"),
    ],
)
def test_bad_arguments(arguments, message, data):
    with pytest.raises(ValueError, match=message):
        fit_full_batch(linear(), *data, **arguments)


def test_bad_models_and_data(data, two_replicas):
    x, y = data
    with pytest.raises(TypeError, match="expected a MultiTaskModel"):
        fit_full_batch(keras.Sequential([keras.layers.Dense(1)]), x, y)
    with pytest.raises(ValueError, match="compile"):
        fit_full_batch(linear(compile=False), x, y)
    stream = tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
    with pytest.raises(TypeError, match="x is a stream"):
        fit_full_batch(linear(), stream, None)
    with pytest.raises(TypeError, match="validation_data is a stream"):
        fit_full_batch(linear(), x, y, validation_data=stream)
    with pytest.raises(ValueError, match="'left'"):
        fit_full_batch(linear(), x, {"left": y["left"]})
    frozen = linear()
    frozen.trainable = False
    with pytest.raises(ValueError, match="no trainable weights"):
        fit_full_batch(frozen, x, y)
    with two_replicas.scope():
        spread = linear()
    with pytest.raises(ValueError, match="a strategy of 2 replicas"):
        fit_full_batch(spread, x, y)


def test_constraints_are_refused(data):
    model = small()
    model.layers[1].kernel.constraint = keras.constraints.NonNeg()
    with pytest.raises(ValueError, match="has the constraint NonNeg"):
        fit_full_batch(model, *data)


def test_runs_eagerly(data):
    x, y = data
    results = []
    for eager in (False, True):
        keras.utils.set_random_seed(1)
        model = linear()
        model.compile(run_eagerly=eager)
        history = fit_full_batch(model, x, y, iterations=3, verbose=0)
        results.append(history.history["loss"])
    np.testing.assert_allclose(*results, rtol=1e-5)
