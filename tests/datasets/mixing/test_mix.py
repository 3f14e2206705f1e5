"""Tests mixed streams: the order of the samples, and missing labels."""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from numbered_sets import as_stream, batch_numbers, batches, numbered, set_names

from mtl_keras.datasets import mix

SCHEDULES = (
    "joint",
    "alternate",
    "proportional",
    "square_root",
    "uniform",
)


def arguments(schedule):
    """Returns the arguments of a schedule."""
    return {"anneal_epochs": 3} if schedule == "annealed" else {}


def counts(epoch, names):
    """Counts the samples of each data set in each batch."""
    return [
        [int((set_names(b) == name).sum()) for name in names] for b in epoch
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["both"], indirect=True)
@pytest.mark.parametrize("schedule", ["joint", "uniform", "annealed"])
def test_a_number_of_steps(make, schedule):
    stream = mix(
        make(a=22, b=7),
        schedule,
        batch_size=4,
        steps_per_epoch=9,
        **arguments(schedule),
    )
    epoch = batch_numbers(stream)
    assert len(stream) == 9
    assert [len(batch) for batch in epoch] == [4] * 9


# Quickly, test_plan looks at what each schedule takes, without a stream.
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["both"], indirect=True)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_longest_passes_each_sample_of_the_longest_set_once(make, schedule):
    for sizes in ({"a": 14, "b": 5}, {"a": 8, "b": 8}):
        stream = mix(make(**sizes), schedule, batch_size=4)
        epoch = batch_numbers(stream)
        assert len(epoch) == len(stream)
        seen = np.concatenate(epoch)
        assert sorted(seen[set_names(seen) == "a"]) == list(range(sizes["a"]))
        assert set(set_names(seen)) == {"a", "b"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["both"], indirect=True)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_shortest_passes_no_sample_twice(make, schedule):
    for sizes in ({"a": 14, "b": 5}, {"a": 9, "b": 10}):
        stream = mix(
            make(**sizes), schedule, batch_size=4, steps_per_epoch="shortest"
        )
        epoch = batch_numbers(stream)
        assert len(epoch) == len(stream)
        seen = np.concatenate(epoch)
        assert len(set(seen.tolist())) == len(seen)
        per_set = [(set_names(seen) == name).sum() for name in sizes]
        # One of them is exhausted.
        assert any(n == sizes[s] for n, s in zip(per_set, sizes, strict=True))


def test_proportional_passes_every_sample_once(make):
    stream = mix(make(a=22, b=7, c=3), "proportional", batch_size=4)
    epoch = batch_numbers(stream)
    assert len(epoch) == len(stream) == 6 + 2 + 1
    seen = np.concatenate(epoch)
    expected = [*range(22), *range(1000, 1007), *range(2000, 2003)]
    assert sorted(seen.tolist()) == expected


def test_shorter_sets_are_repeated(make):
    stream = mix(make(a=20, b=3), batch_size=4)
    seen = np.concatenate(batch_numbers(stream))
    repeated = seen[set_names(seen) == "b"]
    assert len(repeated) == 20
    for start in range(0, 18, 3):
        assert sorted(repeated[start : start + 3]) == [1000, 1001, 1002]
    rounds = {tuple(repeated[s : s + 3]) for s in range(0, 18, 3)}
    assert len(rounds) > 1


@pytest.mark.parametrize("kind", ["both"], indirect=True)
@pytest.mark.parametrize(
    "schedule", mostly_slow(["joint", "uniform", "annealed"], ["annealed"])
)
def test_the_stream_depends_on_the_seed_and_the_epoch(make, schedule):
    options = {"batch_size": 4, **arguments(schedule)}
    sets = make(a=14, b=5)
    one_by_one = mix(sets, schedule, seed=5, **options)
    epochs = [[b.tolist() for b in batch_numbers(one_by_one)] for _ in range(3)]
    assert {len(epoch) for epoch in epochs} == {len(one_by_one)}
    assert epochs[0] != epochs[1] != epochs[2]
    if schedule == "annealed":
        of_b = [sum(batch[0] >= 1000 for batch in epoch) for epoch in epochs]
        assert of_b == [2, 2, 3]
    if schedule != "joint":
        turns = {tuple(batch[0] >= 1000 for batch in e) for e in epochs}
        assert len(turns) > 1
    # Keras's own seed has no part in it.
    tf.random.set_seed(99)
    in_a_row = mix(sets, schedule, seed=5, epochs=range(1, 3), **options)
    assert len(in_a_row) == 2 * len(one_by_one)
    found = [b.tolist() for b in batch_numbers(in_a_row)]
    assert found == epochs[1] + epochs[2]
    other = mix(sets, schedule, seed=6, **options)
    assert [b.tolist() for b in batch_numbers(other)] != epochs[0]


@pytest.mark.parametrize(
    "kind",
    mostly_slow(["arrays", "streams", "both"], ["streams"]),
    indirect=True,
)
def test_without_shuffling_samples_come_in_order(make):
    stream = mix(make(a=8, b=4), "alternate", batch_size=4, shuffle=False)
    for _ in range(2):
        assert [batch.tolist() for batch in batch_numbers(stream)] == [
            [0, 1, 2, 3],
            [1000, 1001, 1002, 1003],
            [4, 5, 6, 7],
            [1000, 1001, 1002, 1003],
        ]


def test_joint_batches_have_the_given_shares(make):
    stream = mix(
        make(a=50, b=10),
        batch_size=8,
        shares={"a": 3, "b": 1},
    )
    found = counts(batch_numbers(stream), "ab")
    # 50 samples of the first make 8 batches of 6 and one of 2.
    assert found[:-1] == [[6, 2]] * 8
    assert found[-1] == [2, 1]


@pytest.mark.slow
def test_every_part_of_a_joint_batch_has_some_of_each():
    sets = {name: numbered(name, 40) for name in "abc"}
    shares = {"a": 4, "b": 2, "c": 2}
    for batch in batch_numbers(mix(sets, batch_size=16, shares=shares)):
        for part in np.split(batch, 2):
            found = [(set_names(part) == name).sum() for name in "abc"]
            assert found == [len(part) // 2, len(part) // 4, len(part) // 4]


@pytest.mark.slow
def test_alternate_takes_turns():
    sets = {
        name: numbered(name, n) for name, n in {"a": 9, "b": 4, "c": 2}.items()
    }
    epoch = batch_numbers(mix(sets, "alternate", batch_size=4))
    turns = [set(set_names(batch)) for batch in epoch]
    assert turns == [{"a"}, {"b"}, {"c"}] * 3
    assert [len(batch) for batch in epoch] == [4, 4, 4] * 2 + [1, 4, 4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("proportional", [16, 4]),
        ("square_root", [16, 8]),
        ("uniform", [16] * 2),
    ],
)
def test_sampling_draws_the_order_of_whole_batches(schedule, expected):
    sets = {"a": numbered("a", 64), "b": numbered("b", 16)}
    stream = mix(sets, schedule, batch_size=4)
    orders = []
    for _ in range(2):
        table = np.array(counts(batch_numbers(stream), "ab"))
        assert sorted(set(table.ravel())) == [0, 4]
        assert (table > 0).sum(axis=0).tolist() == expected
        orders.append(table[:, 0].tolist())
    assert orders[0] != orders[1]


@pytest.mark.slow
def test_annealing_goes_from_proportional_towards_uniform():
    sets = {"a": numbered("a", 256), "b": numbered("b", 16)}
    stream = mix(sets, "annealed", batch_size=4, anneal_epochs=3)
    shares = []
    for _ in range(4):
        table = np.array(counts(batch_numbers(stream), "ab"))
        shares.append((table[:, 1] > 0).sum())
    # Shares of 16 ** p / (16 ** p + 256 ** p) of 68 batches, p from 1 to 0.2.
    powers = np.array([1, 0.6, 0.2, 0.2])
    exact = 68 * 16**powers / (16**powers + 256**powers)
    assert np.abs(np.array(shares) - exact).max() < 1


def test_labels_of_other_sets_are_missing(make):
    for x, y in batches(mix(make(a=9, b=5), batch_size=4)):
        numbers = x[:, 0].astype(int)
        sets = set_names(numbers)
        for name in "ab":
            expected = np.where(sets == name, numbers, -1)
            np.testing.assert_array_equal(y[f"task_{name}"], expected)


def test_dtypes_can_represent_the_missing_label():
    given = {
        "classes": (np.ones((4,), "uint8"), "int32", -1),
        "flags": (np.ones((4, 1), bool), "int32", -1),
        "long": (np.ones((4,), "int64"), "int64", -1),
        "unsigned": (np.ones((4,), "uint64"), "int64", -1),
        "mask": (np.ones((4, 3, 3, 1), "uint8"), "int32", -1),
        "pair": (np.ones((4, 2), "float32"), "float32", np.nan),
        "double": (np.ones((4,), "float64"), "float64", np.nan),
        "half": (np.ones((4,), "float16"), "float16", np.nan),
    }
    targets = {name: values for name, (values, _, _) in given.items()}
    sets = {
        "a": as_stream((np.zeros((4, 2), "float32"), targets)),
        "b": (np.ones((4, 2), "float32"), {"other": np.arange(4)}),
    }
    x, y = batches(mix(sets, batch_size=8))[0]
    is_b = x[:, 0] == 1
    for name, (values, dtype, missing) in given.items():
        labels = y[name]
        assert labels.dtype == dtype
        assert labels.shape == (8, *values.shape[1:])
        np.testing.assert_array_equal(
            labels[is_b], np.full_like(labels[is_b], missing)
        )
        assert (labels[~is_b] == 1).all()


def test_several_sets_may_label_one_task():
    x = np.zeros((4, 2), "float32")
    sets = {
        "a": (x, {"t": np.arange(4).astype("uint8")}),
        "b": (x, {"t": np.arange(4).astype("int64"), "u": np.arange(4.0)}),
    }
    for _, y in batches(mix(sets, batch_size=4)):
        assert y["t"].dtype == "int64" and y["t"].min() >= 0
        assert np.isnan(y["u"]).sum() == 2


def test_classes_in_floats_stay_floats_beside_integers():
    x = np.zeros((4, 2), "float32")
    sets = {
        "a": (x, {"t": np.array([0, 1, np.nan, 1], "float32")}),
        "b": (x, {"t": np.arange(4)}),
        "c": (x, {"u": np.arange(4)}),
    }
    for _, y in batches(mix(sets, batch_size=6)):
        assert y["t"].dtype == "float32"
        assert np.isnan(y["t"]).sum() >= 2


def test_a_mixture_of_one_set():
    stream = mix({"a": numbered("a", 9)}, batch_size=4)
    assert sorted(np.concatenate(batch_numbers(stream))) == list(range(9))


@pytest.mark.slow
def test_a_stream_of_unknown_length_continues():
    endless = tf.data.Dataset.counter().map(
        lambda n: (tf.fill([2], tf.cast(n, tf.float32)), {"t": n})
    )
    stream = mix({"a": endless}, batch_size=4, steps_per_epoch=2, shuffle=False)
    assert np.concatenate(batch_numbers(stream)).tolist() == list(range(8))
    assert np.concatenate(batch_numbers(stream)).tolist() == list(range(8, 16))


@pytest.mark.slow
def test_an_infinite_set_beside_a_finite_one():
    sets = {
        "a": as_stream(numbered("a", 5)).repeat(),
        "b": numbered("b", 7),
    }
    stream = mix(sets, batch_size=4, steps_per_epoch="shortest")
    assert len(stream) == 4
    assert len(batches(stream)) == 4


@pytest.mark.slow
def test_filtered_set_of_unknown_length():
    odd = as_stream(numbered("a", 9)).filter(lambda x, y: x[0] % 2 == 1)
    stream = mix({"a": odd}, "uniform", batch_size=2, steps_per_epoch=2)
    assert sorted(np.concatenate(batch_numbers(stream))) == [1, 3, 5, 7]


@pytest.mark.parametrize(
    "schedule", mostly_slow(["joint", "alternate"], ["joint"])
)
def test_replicas_get_the_samples_of_the_stream(two_replicas, schedule):
    sets = {"a": numbered("a", 24), "b": numbered("b", 16)}

    def stream():
        return mix(sets, schedule, batch_size=8, seed=1)

    expected = batch_numbers(stream())
    local = two_replicas.experimental_local_results
    distributed = two_replicas.experimental_distribute_dataset(stream())
    found = []
    for x, y in distributed:
        parts = [part.numpy()[:, 0].astype(int) for part in local(x)]
        if schedule == "joint":
            assert all(set(set_names(part)) == {"a", "b"} for part in parts)
        found.append(np.concatenate(parts))
        labels = [part.numpy() for part in local(y["task_a"])]
        of_a = np.where(set_names(found[-1]) == "a", found[-1], -1)
        np.testing.assert_array_equal(np.concatenate(labels), of_a)
    assert [b.tolist() for b in found] == [b.tolist() for b in expected]


def test_batches_are_distributed_to_workers():
    policy = mix({"a": numbered("a", 8)}).options().experimental_distribute
    assert policy.auto_shard_policy == tf.data.experimental.AutoShardPolicy.DATA


@pytest.mark.slow
def test_workers_get_different_parts():
    # What that policy does, once batches were split between the workers.
    from tensorflow.python.data.experimental.ops import distribute

    parts = []
    for index in range(2):
        sets = {"a": numbered("a", 24), "b": numbered("b", 16)}
        split = distribute._LegacyRebatchDataset(mix(sets, batch_size=8), 2)
        worker = distribute._AutoShardDataset(split, 2, index, 2)
        parts.append(np.concatenate(batch_numbers(worker)))
        assert set(set_names(parts[-1])) == {"a", "b"}
    whole = np.concatenate(batch_numbers(mix(sets, batch_size=8)))
    assert sorted(np.concatenate(parts)) == sorted(whole)
