"""F1 of spans, against a step-by-step reference."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras.metrics import SpanF1, decode_tags

TAGS = ["O", "B-a", "I-a", "B-b", "I-b"]
__, BA, IA, BB, IB = range(5)


def spans_of(tags, labelled):
    """Returns spans `(first, last, type)` as `conlleval` does, step by step."""
    spans, start, kind = set(), None, None
    for step, (tag, known) in enumerate(zip(tags, labelled, strict=True)):
        name = TAGS[tag] if known else "O"
        follows = name[0] == "I" and kind == name[2:]
        if start is not None and not follows:
            spans.add((start, step - 1, kind))
            start, kind = None, None
        if name != "O" and not follows:
            start, kind = step, name[2:]
    if start is not None:
        spans.add((start, len(tags) - 1, kind))
    return spans


def reference(y_true, predicted, labelled):
    """Computes F1 from sets of spans."""
    correct = true = found = 0
    for row in zip(y_true, predicted, labelled, strict=True):
        of_true, of_found = (spans_of(tags, row[2]) for tags in row[:2])
        correct += len(of_true & of_found)
        true, found = true + len(of_true), found + len(of_found)
    return 2 * correct / (true + found) if true + found else 0.0


def score(y_true, predicted, sample_weight=None):
    metric = SpanF1(TAGS)
    y_pred = np.eye(len(TAGS), dtype="float32")[np.asarray(predicted)]
    metric.update_state(np.asarray(y_true), y_pred, sample_weight)
    return float(metric.result())


@pytest.mark.parametrize(
    ("y_true", "predicted", "expected"),
    [
        ([__, BA, IA, __], [__, BA, IA, __], 1),
        ([__, BA, IA, __], [__, BA, __, __], 0),  # too short
        ([__, BA, __, __], [__, BA, IA, __], 0),  # too long
        ([__, BA, IA, __], [__, BB, IB, __], 0),  # of another type
        ([__, BA, IA, __], [__, IA, IA, __], 1),  # I- without B- starts a span
        ([BA, BA, IA, __], [BA, BA, IA, __], 1),  # adjacent, of one type
        ([BA, BA, __, __], [BA, IA, __, __], 0),  # two, taken for one
        ([BA, IB, __, __], [BA, BB, __, __], 1),  # another type starts a span
        ([BA, __, BB, IB], [BA, __, __, __], 2 / 3),
        ([__, __, __, __], [__, __, __, __], 0),  # no spans at all
        ([__, __, __, __], [BA, __, __, __], 0),
        ([__, __, BA, IA], [__, __, BA, IA], 1),  # to the last step
    ],
)
def test_a_sentence(y_true, predicted, expected):
    assert score([y_true], [predicted]) == pytest.approx(expected)


def test_spans_end_with_their_sentence():
    # If rows ran on into each other, the second would go on with the first.
    assert score([[__, BA], [IA, __]], [[__, BA], [__, __]]) == pytest.approx(
        2 / 3
    )


@pytest.mark.parametrize("share_missing", [0, 0.3, 1])
def test_random_tags_match_the_reference(rng, share_missing):
    for _ in range(2):
        y_true = rng.integers(5, size=(20, 9))
        changed = rng.random(y_true.shape) < 0.3
        predicted = np.where(changed, rng.integers(5, size=(20, 9)), y_true)
        labelled = rng.random(y_true.shape) >= share_missing
        expected = reference(y_true, predicted, labelled)
        holes = np.where(labelled, y_true, -1)
        assert score(holes, predicted) == pytest.approx(expected)
        weights = labelled.astype("float32")
        assert score(y_true, predicted, weights) == pytest.approx(expected)


def test_batches_add_up_and_state_is_reset(rng):
    y_true, predicted = rng.integers(5, size=(2, 6, 9))
    metric = SpanF1(TAGS)
    for rows in np.split(np.arange(6), 3):
        metric.update_state(y_true[rows], np.eye(5)[predicted[rows]])
    whole = reference(y_true, predicted, np.ones_like(y_true, bool))
    assert float(metric.result()) == pytest.approx(whole)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_padding_changes_nothing(rng):
    y_true, predicted = rng.integers(5, size=(2, 4, 6))
    padded = [
        np.pad(y_true, [(0, 0), (0, 3)], constant_values=-1),
        np.pad(predicted, [(0, 0), (0, 3)], constant_values=IA),
    ]
    assert score(*padded) == score(y_true, predicted)


def test_one_hot_targets_and_a_last_axis(rng):
    y_true, predicted = rng.integers(5, size=(2, 4, 6))
    expected = score(y_true, predicted)
    assert score(np.eye(5)[y_true], predicted) == expected
    assert score(y_true[..., None], predicted) == expected


@pytest.mark.parametrize("decode", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("jit_compile", mostly_slow([False, True], [False]))
def test_in_a_graph_of_any_shape(rng, jit_compile, decode):
    metric = SpanF1(TAGS, decode=decode)
    shape = [None, None]

    @tf.function(
        input_signature=[
            tf.TensorSpec(shape, tf.int32),
            tf.TensorSpec([*shape, 5], tf.float32),
        ],
        jit_compile=jit_compile,
    )
    def update(y_true, y_pred):
        metric.update_state(y_true, y_pred)

    y_true, predicted = rng.integers(5, size=(2, 4, 6))
    y_pred = tf.one_hot(predicted, 5)
    update(tf.constant(y_true, tf.int32), y_pred)
    again = SpanF1(TAGS, decode=decode)
    again.update_state(y_true, y_pred)
    assert float(metric.result()) == float(again.result()) > 0


def test_keras_masks_leave_steps_out(rng):
    y_true, predicted = rng.integers(5, size=(2, 4, 6))
    y_pred = tf.one_hot(predicted, 5)
    y_pred._keras_mask = tf.constant(np.arange(6) < 4)[None] & tf.ones(
        (4, 1), bool
    )
    metric = SpanF1(TAGS)
    metric.update_state(y_true, y_pred)
    assert float(metric.result()) == score(y_true[:, :4], predicted[:, :4])


def test_config_round_trip():
    metric = keras.metrics.deserialize(
        keras.metrics.serialize(SpanF1(TAGS, name="slots"))
    )
    assert type(metric) is SpanF1
    assert (metric.name, metric.class_names) == ("slots", TAGS)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, "class_names=None; expected a list of tags"),
        ("O", "class_names='O'"),
        (["O", 3], "class_names holds 3"),
        (["O", "artist"], "'artist'; expected 'O', or 'B-'"),
        (["O", "B-"], "holds 'B-'"),
        (["B-a", "I-a"], "lacks 'O'"),
    ],
)
def test_invalid_names(names, message):
    with pytest.raises((TypeError, ValueError), match=message):
        SpanF1(names)


def test_a_tagging_task_with_span_f1():
    task = mtl_keras.SequenceTagging(
        "slots", 5, class_names=TAGS, metrics=["span_f1", "accuracy"]
    )
    assert task.primary_metric == "span_f1" and task.direction == "max"
    assert isinstance(task.make_metrics()[0], SpanF1)
    again = mtl_keras.SequenceTagging.from_config(task.get_config())
    assert again.get_config() == task.get_config()


@pytest.mark.parametrize("activation", ["softmax", None])
def test_decoded_spans_match_decoded_tags(rng, activation):
    task = mtl_keras.SequenceTagging(
        "slots",
        5,
        class_names=TAGS,
        metrics=["decoded_span_f1", "span_f1"],
        activation=activation,
    )
    logits = rng.normal(size=(30, 6, 5)).astype("float32")
    y_pred = logits if activation is None else tf.nn.softmax(logits)
    y_true = rng.integers(5, size=(30, 6))
    y_true[:, 4:] = -1
    decoded, plain = task.make_metrics()
    for metric in (decoded, plain):
        metric.update_state(y_true, y_pred)
    tags = decode_tags(logits[:, :4], TAGS, from_logits=True)
    assert float(decoded.result()) == score(y_true[:, :4], tags)
    assert float(decoded.result()) != float(plain.result())


def test_a_tagging_task_needs_tags():
    with pytest.raises(TypeError, match="'slots': metric 'span_f1' needs"):
        mtl_keras.SequenceTagging("slots", 5, metrics="span_f1")
    with pytest.raises(ValueError, match=r"'slots'.*holds 'yes'"):
        mtl_keras.SequenceTagging(
            "slots", 2, class_names=["O", "yes"], metrics=["span_f1"]
        )


def test_an_epoch_logs_the_score_of_the_predictions(rng):
    task = mtl_keras.SequenceTagging(
        "slots", 5, class_names=TAGS, metrics=["span_f1"]
    )
    model = mtl_keras.build_text_cls_tag(
        (7,), [task], vocabulary=9, hidden_units=(4,)
    )
    model.run_eagerly = True  # two batches: a graph would take longer
    lengths = rng.integers(1, 8, size=10)
    padding = np.arange(7) >= lengths[:, None]
    x = np.where(padding, 0, rng.integers(1, 9, size=(10, 7)))
    y = np.where(padding, -1, rng.integers(5, size=(10, 7)))
    logs = model.evaluate(
        x, {"slots": y}, batch_size=6, verbose=0, return_dict=True
    )
    predicted = model(x)["slots"].numpy().argmax(-1)
    expected = reference(np.maximum(y, 0), predicted, ~padding)
    assert logs["slots_span_f1"] == pytest.approx(expected)
