"""Weights of samples and pixels in dense losses, against plain sums."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras.tasks import DenseRegression, Segmentation, SequenceTagging

# As many samples in a batch as a map is wide and high: shapes that do not
# belong together could be multiplied without an error.
SIDE = 4


def maps(task, *, weighted_metrics=None):
    """Returns a model whose output are its inputs, that sees a task's loss."""
    inputs = keras.Input((SIDE, SIDE, 2))
    head = task.head(inputs)
    model = mtl_keras.MultiTaskModel(inputs, {task.name: head}, tasks=[task])
    model.compile(keras.optimizers.SGD(0.1), weighted_metrics=weighted_metrics)
    return model


def errors_of(model, x, y):
    """Returns squared errors of shape `(samples, side, side)`."""
    predicted = model(x)["a"].numpy()
    return np.square(predicted - y.reshape(predicted.shape)).mean(axis=-1)


@pytest.mark.parametrize(
    "of",
    mostly_slow(
        ["samples", "column", "pixels", "channel"], ["samples", "pixels"]
    ),
)
@pytest.mark.parametrize("flat", mostly_slow([False, True], [True]))
def test_weights_of_samples_and_pixels(of, flat, rng):
    model = maps(
        DenseRegression("a"),
        weighted_metrics={"a": [keras.metrics.MeanSquaredError(name="w")]},
    )
    x = rng.normal(size=(SIDE, SIDE, SIDE, 2)).astype("float32")
    y = rng.normal(size=(SIDE, SIDE, SIDE, 1)).astype("float32")
    shape = {
        "samples": (SIDE,),
        "column": (SIDE, 1),
        "pixels": (SIDE, SIDE, SIDE),
        "channel": (SIDE, SIDE, SIDE, 1),
    }[of]
    weights = rng.uniform(0, 2, size=shape).astype("float32")
    inner = (1, 1) if weights.size == SIDE else (SIDE, SIDE)
    each = np.broadcast_to(weights.reshape(SIDE, *inner), (SIDE,) * 3)
    errors = errors_of(model, x, y)
    targets = y[..., 0] if flat else y
    # Keras takes an array for all tasks of one weight a sample alone.
    forms = [{"a": weights}] + [weights] * (of == "samples")
    for sample_weight in forms:
        logs = model.evaluate(
            x,
            {"a": targets},
            sample_weight=sample_weight,
            return_dict=True,
            verbose=0,
        )
        assert logs["a_loss"] == pytest.approx((each * errors).mean(), 1e-5)
        assert logs["a_w"] == pytest.approx(
            (each * errors).sum() / each.sum(), 1e-5
        )
        assert logs["a_rmse"] == pytest.approx(np.sqrt(errors.mean()), 1e-5)
    if of == "samples":  # of one task, the targets alone will do
        alone = model.evaluate(
            x, targets, sample_weight=weights, return_dict=True, verbose=0
        )
        assert alone == pytest.approx(logs)


@pytest.mark.parametrize(
    ("task", "loss"),
    [
        pytest.param(
            Segmentation("a", 1), "binary_crossentropy", marks=pytest.mark.slow
        ),
        (Segmentation("a", 3), "sparse_categorical_crossentropy"),
        pytest.param(DenseRegression("a", 2), "mae", marks=pytest.mark.slow),
        pytest.param(
            DenseRegression("a"),
            keras.losses.Huber(reduction="mean_with_sample_weight"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_arrays_and_streams_give_the_same_step(task, loss, rng):
    """With losses of Keras, which know nothing of maps."""
    x = rng.normal(size=(2 * SIDE, SIDE, SIDE, 2)).astype("float32")
    model = maps(task)
    model.compile(keras.optimizers.SGD(0.1), loss={"a": loss})
    shape = task.target_shapes(model.task_output_shapes["a"])[0]
    y = rng.integers(2, size=(2 * SIDE, *shape)).astype("float32")
    weights = rng.uniform(0, 2, size=2 * SIDE).astype("float32")
    before, results = model.get_weights(), []
    how = {"shuffle": False, "verbose": 0}
    for streamed in (False, True):
        model.set_weights(before)
        if streamed:  # labels may be missing there
            data = tf.data.Dataset.from_tensors((x, {"a": y}, {"a": weights}))
            logs = model.fit(data, **how).history
        else:
            logs = model.fit(
                x, {"a": y}, sample_weight=weights, batch_size=len(x), **how
            ).history
        results.append((logs["a_loss"][0], *model.get_weights()))
    for first, second in zip(*results, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-6)


def test_steps_of_a_sequence_have_the_weight_of_their_sample(rng):
    task = SequenceTagging("a", 3, loss="sparse_categorical_crossentropy")
    inputs = keras.Input((SIDE, 2))
    model = mtl_keras.MultiTaskModel(
        inputs, {"a": task.head(inputs)}, tasks=[task]
    )
    model.compile("sgd")
    x = rng.normal(size=(SIDE, SIDE, 2)).astype("float32")
    y = rng.integers(3, size=(SIDE, SIDE))
    weights = rng.uniform(0, 2, size=SIDE).astype("float32")
    p = model(x)["a"].numpy()
    losses = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])
    logs = model.evaluate(
        x, {"a": y}, sample_weight=weights, return_dict=True, verbose=0
    )
    expected = (weights[:, None] * losses).mean()
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-5)
