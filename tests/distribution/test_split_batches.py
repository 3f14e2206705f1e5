"""Splitting batches over replicas."""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from numbered_sets import batch_numbers, numbered

from mtl_keras.datasets import mix
from mtl_keras.distribution.split_batches import shard_by_data, split_batches

OFF = tf.data.experimental.AutoShardPolicy.OFF
DATA = tf.data.experimental.AutoShardPolicy.DATA


def parts(dataset, strategy, **how):
    split = split_batches(dataset, strategy, **how)
    return [
        [
            tf.nest.map_structure(
                lambda leaf, r=replica: strategy.experimental_local_results(
                    leaf
                )[r].numpy(),
                batch,
            )
            for replica in range(strategy.num_replicas_in_sync)
        ]
        for batch in split
    ]


@pytest.mark.parametrize("repeat", mostly_slow([1, 3], [1]))
@pytest.mark.parametrize("size", mostly_slow([1, 2, 3, 4, 7], [1, 3, 7]))
def test_parts_make_the_batches(size, repeat, two_replicas):
    dataset = tf.data.Dataset.range(10).batch(size).repeat(repeat)
    for batch, of_replicas in zip(
        dataset, parts(dataset, two_replicas), strict=True
    ):
        np.testing.assert_array_equal(np.concatenate(of_replicas), batch)
        lengths = [len(part) for part in of_replicas]
        assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    "schedule", mostly_slow(["joint", "alternate"], ["joint"])
)
def test_mixtures_are_split_without_overlap_or_loss(schedule, two_replicas):
    sets = {"a": numbered("a", 14), "b": numbered("b", 5)}
    # Two mixtures, since each iteration over one has another order.
    ours, theirs = (mix(sets, schedule, batch_size=4, seed=3) for _ in "ab")
    for numbers, of_replicas in zip(
        batch_numbers(ours), parts(theirs, two_replicas), strict=True
    ):
        dealt = [x[:, 0] for x, _ in of_replicas]
        assert len(dealt) == 2
        np.testing.assert_array_equal(np.concatenate(dealt), numbers)


def test_short_batches_are_appended_to_each_part(two_replicas):
    x = tf.range(5)
    dataset = tf.data.Dataset.from_tensor_slices(({"a": x}, 10 * x)).batch(4)
    whole, short = parts(dataset, two_replicas, fill=True)
    assert [part[0]["a"].tolist() for part in whole] == [[0, 1], [2, 3]]
    assert [part[1].tolist() for part in whole] == [[0, 10], [20, 30]]
    # Each sample occurs equally often over both parts; each target once.
    assert sorted(len(part[0]["a"]) for part in short) == [1, 2]
    assert sorted(part[1].tolist() for part in short) == [[], [40]]
    assert {n for part in short for n in part[0]["a"].tolist()} == {4}


def test_the_sharding_policy_of_the_user_is_kept(two_replicas):
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = OFF
    dataset = tf.data.Dataset.range(8).batch(4).with_options(options)
    assert shard_by_data(dataset) is dataset
    assert parts(dataset, two_replicas)[0][0].tolist() == [0, 1]


def test_the_default_policy_is_data():
    dataset = shard_by_data(tf.data.Dataset.range(8))
    policy = dataset.options().experimental_distribute.auto_shard_policy
    assert policy == DATA
    array = np.zeros(3)
    assert shard_by_data(array) is array


def test_ragged_tensors_are_left_to_tensorflow(two_replicas):
    ragged = tf.ragged.constant([[1], [2, 3], [4], []])
    dataset = tf.data.Dataset.from_tensor_slices(ragged).batch(4)
    split = split_batches(dataset, two_replicas)
    (batch,) = split
    found = two_replicas.experimental_local_results(batch)
    assert [part.to_list() for part in found] == [[[1], [2, 3]], [[4], []]]
