"""Network on sequences of numbers: padding, trunks, wrong arguments."""

import keras
import numpy as np
import pytest
from factory_harness import eager, mostly_slow

import mtl_keras
from mtl_keras import Classification, Regression, SequenceTagging

TRUNKS = ("conv", "gru", "transformer")
PADDING = -5.0


def small(**arguments):
    defaults = {
        "input_shape": (None, 3),
        "hidden_units": (8, 8),
        "num_classes": 3,
        "padding_value": PADDING,
    }
    return mtl_keras.build_sequence_multi_task(**{**defaults, **arguments})


def sequences(rng):
    """Pads sequences of several lengths to one array."""
    rows = [rng.normal(size=(n, 3)).astype("float32") for n in (7, 5, 1, 3)]
    return keras.utils.pad_sequences(
        rows, padding="post", value=PADDING, dtype="float32"
    ), rows


def scale():
    """Creates a normalization with given statistics."""
    return keras.layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 1, 2])


@pytest.mark.parametrize("trunk", mostly_slow(TRUNKS, ["conv"]))
@pytest.mark.parametrize("pooling", mostly_slow(["average", "max"], ["max"]))
def test_padding_changes_no_prediction(rng, trunk, pooling):
    model = small(trunk=trunk, pooling=pooling, preprocessing=scale())
    x, rows = sequences(rng)
    # Called, because a graph would be traced for each length.
    found = model(x)
    for row, sequence in enumerate(rows):
        single = model(sequence[None])
        np.testing.assert_allclose(
            found["sequence"][row], single["sequence"][0], atol=1e-5
        )
        np.testing.assert_allclose(
            found["step"][row, : len(sequence)], single["step"][0], atol=1e-5
        )


def test_padding_does_not_change_losses(rng):
    model = eager(small(preprocessing=scale(), trunk="conv"))
    x, rows = sequences(rng)
    padding = np.arange(7) >= np.array(list(map(len, rows)))[:, None]
    step = rng.integers(3, size=(4, 7))
    y = {"sequence": np.zeros(4, int), "step": np.where(padding, -1, step)}
    by_label = model.evaluate(x, y, verbose=0, return_dict=True)
    y["step"] = np.where(padding, 0, step)
    by_mask = model.evaluate(x, y, verbose=0, return_dict=True)
    assert by_mask == pytest.approx(by_label, rel=1e-5)
    outputs = model(x)["step"].numpy()
    of_label = np.take_along_axis(outputs, y["step"][..., None], -1)[..., 0]
    expected = -np.log(of_label[~padding]).mean()
    assert by_label["step_loss"] == pytest.approx(expected, rel=1e-5)


def test_without_a_padding_value_all_steps_count(rng):
    model = small(padding_value=None)
    x, _ = sequences(rng)
    found, cut = model(x)["sequence"], model(x[:, :6])["sequence"]
    assert not np.allclose(found[1:], cut[1:], atol=1e-5)
    assert "padding_mask" not in [layer.name for layer in model.layers]


def test_tasks_of_sequences_and_of_steps():
    tasks = [
        Classification("digit", 10),
        Regression("age"),
        SequenceTagging("phone", 5),
    ]
    model = small(tasks=tasks, num_classes=None, input_shape=(9, 3))
    assert model.task_output_shapes == {
        "digit": (10,),
        "age": (1,),
        "phone": (9, 5),
    }


@pytest.mark.slow
@pytest.mark.parametrize("trunk", TRUNKS)
def test_it_learns_classes_and_tags(rng, trunk):
    x = rng.normal(size=(64, 6, 3)).astype("float32")
    y = {
        "sequence": (x.mean(axis=(1, 2)) > 0).astype(int),
        "step": (x[..., 0] > 0).astype(int),
    }
    model = small(
        trunk=trunk,
        padding_value=None,
        num_classes=2,
        optimizer=keras.optimizers.Adam(0.01),
    )
    logs = model.fit(x, y, epochs=30, batch_size=16, verbose=0).history
    assert logs["step_accuracy"][-1] > 0.9
    assert logs["sequence_accuracy"][-1] > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trunk": "lstm"}, "trunk='lstm'; expected one of"),
        ({"normalization": "group"}, "mixes the steps"),
        ({"padding_value": float("nan")}, "padding_value=nan"),
        ({"padding_value": "0"}, "padding_value='0' is not a number"),
        ({"input_shape": (9,)}, "has 1 axes; expected 2"),
        ({"kernel_size": 2}, "kernel_size=2"),
        ({"hidden_units": 0}, "hidden_units: found 0"),
        (
            {"trunk": "transformer", "hidden_units": (8, 4)},
            "expected one width",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        small(**arguments)
