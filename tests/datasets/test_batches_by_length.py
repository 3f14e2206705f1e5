"""Tests batches by length: the same samples, losses and masks."""

import contextlib

import keras
import numpy as np
import pytest

import mtl_keras
from mtl_keras import Classification, SequenceTagging
from mtl_keras.datasets import batches_by_length, join_tokens

TASKS = [Classification("kind", 3), SequenceTagging("tags", 4)]


@pytest.fixture
def samples(rng):
    """Numbers of tokens of which targets follow, padded to 9."""
    lengths = rng.integers(1, 8, size=21)
    inside = np.arange(9) < lengths[:, None]
    ids = np.where(inside, rng.integers(2, 30, size=(21, 9)), 0)
    tags = np.where(inside, ids % 4, -1)
    return ids, {"kind": ids[:, 0] % 3, "tags": tags}


def check(ids, kind, tags):
    assert (kind == ids[:, 0] % 3).all()
    assert (tags == np.where(ids, ids % 4, -1)).all()


def test_token_indices_are_cut_with_their_tags(samples):
    batches = batches_by_length(*samples, TASKS, batch_size=4)
    assert len(batches) == 6
    rows = []
    for ids, y in batches.as_numpy_iterator():
        check(ids, y["kind"], y["tags"])
        assert ids[:, -1].any() and ids.shape == y["tags"].shape
        rows += [tuple(row[row > 0]) for row in ids]
    assert sorted(rows) == sorted(tuple(row[row > 0]) for row in samples[0])


def as_tokens(ids):
    return [[f"w{number}" for number in row if number] for row in ids]


def as_sentences(tokens):
    return list(map(" ".join, tokens))


@pytest.mark.parametrize(
    "form",
    [
        list,
        as_sentences,
        join_tokens,
        lambda tokens: np.array(as_sentences(tokens)),
        lambda tokens: np.array(as_sentences(tokens)).astype("S"),
    ],
)
def test_sentences_of_any_form(samples, form):
    ids, y = samples
    x = form(as_tokens(ids))
    seen = 0
    for text, of_batch in batches_by_length(
        x, y, TASKS, batch_size=5
    ).as_numpy_iterator():
        counts = [len(one.split()) for one in text]
        assert of_batch["tags"].shape[1] == max(counts)
        found = np.zeros(of_batch["tags"].shape, int)
        for row, one in enumerate(text):
            numbers = [int(token[1:]) for token in one.decode().split()]
            found[row, : counts[row]] = numbers
        check(found, of_batch["kind"], of_batch["tags"])
        seen += len(text)
    assert seen == 21


def test_sequences_of_numbers_are_padded_by_any_number(rng):
    lengths = np.array([2, 5, 1, 4])
    x = rng.normal(size=(4, 6, 3)).astype("float32")
    x[0, 0] = -7  # a pause, and no padding
    x[np.arange(6) >= lengths[:, None]] = -7
    y = {"kind": np.arange(4) % 3, "tags": np.zeros((4, 6, 1), int)}
    batches = batches_by_length(x, y, TASKS, batch_size=1, padding_value=-7)
    widths = sorted(
        (one.shape[1], of_one["tags"].shape[1]) for one, of_one in batches
    )
    assert widths == [(1, 1), (2, 2), (4, 4), (5, 5)]
    empty = batches_by_length(
        np.zeros((2, 3)), {"kind": np.zeros(2)}, TASKS[:1]
    )
    assert [one.shape[1] for one, _ in empty] == [1]


def model_of_ids():
    keras.utils.set_random_seed(3)
    return mtl_keras.build_text_cls_tag(
        (None,),
        TASKS,
        vocabulary=30,
        embedding_size=4,
        hidden_units=(4,),
    )


def test_a_model_gives_the_same_metrics_as_on_padded_sequences(samples):
    model = model_of_ids()
    ids, y = samples
    y["kind"][::4] = -1
    y["tags"][1::5] = -1
    padded = model.evaluate(ids, y, return_dict=True, verbose=0)
    batches = batches_by_length(ids, y, TASKS, batch_size=4)
    found = model.evaluate(batches, return_dict=True, verbose=0)
    for name, value in padded.items():
        assert found[name] == pytest.approx(value, rel=1e-5), name


def test_same_seeds_train_the_same_model(samples):
    weights = []
    for _ in range(2):
        model = model_of_ids()
        batches = batches_by_length(*samples, TASKS, batch_size=4, seed=6)
        model.fit(batches, shuffle=False, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [4, 5])
def test_two_replicas_train_like_one(samples, two_replicas, batch_size):
    ids, y = samples
    y["tags"][1::5] = -1
    weights = []
    for scope in (contextlib.nullcontext(), two_replicas.scope()):
        with scope:
            model = model_of_ids()
        batches = batches_by_length(ids, y, TASKS, batch_size=batch_size)
        model.fit(batches, shuffle=False, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros(3)}, ValueError, r"shape \(3,\); expected strings"),
        ({"x": []}, ValueError, "expected samples"),
        ({"x": ["a", " ", "b"]}, ValueError, "no tokens in row 1"),
        ({"x": [["a"], ["b", ""]]}, ValueError, "Row 1 has the token ''"),
        ({"y": np.zeros(3)}, TypeError, "expected a dict"),
        ({"y": {"kind": np.zeros(3)}}, ValueError, "'tags' has no targets"),
        ({"tasks": TASKS[1:]}, ValueError, "'kind' has no task"),
        ({"kind": np.zeros(2)}, ValueError, r"'kind'.*\(2,\).*3 samples"),
        ({"tags": np.zeros((3, 1))}, ValueError, "row 1 has 2 steps"),
        ({"tags": np.zeros((3, 2))}, ValueError, "at step 1 of row 0, which"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"seed": -1}, ValueError, "`seed`"),
    ],
)
def test_invalid_arguments(change, error, message):
    y = {"kind": np.zeros(3), "tags": np.array([[0, -1], [0, 0], [1, -1]])}
    y |= {name: change.pop(name) for name in list(change) if name in y}
    given = {"x": ["a", "b c", "d"], "y": y, "tasks": TASKS, **change}
    with pytest.raises(error, match=message):
        batches_by_length(**given)
