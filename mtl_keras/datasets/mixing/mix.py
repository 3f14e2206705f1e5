"""Mixes several data sets, each labelled for some tasks, into one stream."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.mixing.array_data_set import ArrayDataSet
from mtl_keras.datasets.mixing.array_draws import array_draws, even_positions
from mtl_keras.datasets.mixing.array_pool import make_pools
from mtl_keras.datasets.mixing.mixture import Mixture, make_mixture
from mtl_keras.datasets.mixing.plan import Plan
from mtl_keras.datasets.mixing.schedules import make_plan
from mtl_keras.tasks import Task

STREAM_BUFFER = 1024
PREFETCHED_BATCHES = 4


def mix(
    datasets: Mapping[str, Any],
    schedule: str = "joint",
    *,
    batch_size: int = 32,
    shares: str | Mapping[str, float] | None = None,
    steps_per_epoch: str | int = "longest",
    anneal_epochs: int | None = None,
    epochs: range | None = None,
    shuffle: bool | int = True,
    seed: int = 0,
    image_size: Sequence[int] | None = None,
    channels: int | None = None,
    tasks: Mapping[str, Sequence[Task]] | None = None,
) -> tf.data.Dataset:
    """Mixes data sets, each labelled for some tasks, into one stream.

    Every batch has targets for every task. If the data set of a sample does
    not label a task, the label is missing: NaN for float targets and -1 for
    classes, which `fit` excludes from losses, gradients and metrics. Unsigned
    and boolean classes become signed, to represent -1. Several data sets may
    label the same task.

    The schedule determines which data sets a batch contains:

    - `"joint"`: samples of every data set in every batch, in fixed numbers
      given by `shares`, evenly spread, so that each replica of a
      `tf.distribute` strategy gets some of each;
    - `"alternate"`: whole batches of each data set in turn;
    - `"proportional"`, `"square_root"`, `"uniform"`: whole batches in random
      order. The number of batches of a data set in an epoch is proportional to
      its number of samples, to its square root, or the same for all;
    - `"annealed"`: shares are proportional to the number of samples to a power
      that decreases from 1 to 0.2 over `anneal_epochs`.

    The last two are dynamic sampling as in the literature, with one data set
    per step, but with fixed numbers and only the order random: an epoch of
    `"proportional"` passes every sample exactly once. For samples of all data
    sets in each batch by size, use `"joint"` with `shares="proportional"`.

    One iteration over the stream is one epoch, with a known number of batches.
    The order differs in each iteration; the whole stream depends only on
    `seed`. To resume a run, start with the epoch where it stopped:
    `epochs=range(3, 10)` yields these epochs in a row, for
    `fit(stream, initial_epoch=3, epochs=10, steps_per_epoch=len(stream) // 7)`.

    Args:
        datasets: Dict from name to data set: a pair `(x, {task: y})` of
            arrays, a `tf.data.Dataset` of single samples of that form, or
            `Splits`, of which the training part is used. Arrays are faster,
            because whole batches are gathered at once.
        schedule: String, one of the above. Defaults to `"joint"`.
        batch_size: Integer, samples per batch. Defaults to 32.
        shares: For `"joint"`: dict from the name of each data set to its
            share of the batch, numbers in any unit, rounded to whole samples;
            or `"uniform"`, `"square_root"` or `"proportional"`. Defaults to
            `None`, which is `"uniform"`.
        steps_per_epoch: `"longest"`: an epoch passes each sample of the
            longest data set exactly once, and repeats shorter ones in another
            order; `"shortest"`: an epoch ends with the shortest data set, and
            repeats no sample; or the number of steps, all with whole batches.
            With `"longest"` and `"shortest"`, the last batch of a data set may
            be smaller. `"annealed"` has as many steps as `"proportional"`.
            Defaults to `"longest"`.
        anneal_epochs: Integer, number of epochs of `"annealed"`. Defaults to
            `None`, for other schedules.
        epochs: Range of the epochs, counted from 0, that one iteration yields.
            Defaults to `None`: each iteration yields the next epoch.
        shuffle: Boolean, whether to shuffle the samples of each data set in
            each epoch; or an integer, the size of the shuffle buffer of a
            `tf.data.Dataset`, which is 1024 otherwise. Arrays are shuffled as
            a whole. Defaults to `True`.
        seed: Integer of at least 0. Defaults to 0.
        image_size: `(height, width)` to resize to, images bilinearly and masks
            (targets with the height and width of the images) by the nearest
            pixel. Defaults to `None`: sizes must be equal.
        channels: 3 repeats single channels, 1 averages several. Defaults to
            `None`: channels must be equal.
        tasks: Dict from the name of a data set to the list of its tasks. Tasks
            with the same name must have the same kind and class names. Defaults
            to `None`: only those of `Splits` are compared.

    Returns:
        A `tf.data.Dataset` of `(x, {task: y})` batches, prefetched, with known
        cardinality. Each worker of a `tf.distribute` strategy takes its part
        of each batch.

    Raises:
        TypeError: If `datasets` contains something else.
        ValueError: If inputs differ, a data set is empty, tasks with the same
            name differ, or an argument does not fit.

    Example:

    >>> stream = mtl_keras.datasets.mix(
    ...     {
    ...         "digits": (np.zeros((6, 8)), {"digit": np.arange(6)}),
    ...         "loads": (np.ones((3, 8)), {"load": np.arange(3.0)}),
    ...     },
    ...     batch_size=4,
    ... )
    >>> len(stream)
    3
    >>> x, y = next(iter(stream))
    >>> y["digit"].numpy() == -1
    array([False,  True, False,  True])

    Reference:

    - Stickland and Murray, BERT and PALs: Projected Attention Layers for
      Efficient Adaptation in Multi-Task Learning, 2019 (square-root and
      annealed sampling).
    """
    check_count("batch_size", batch_size)
    check_seed(seed)
    _check_epochs(epochs)
    if shuffle is not False:
        check_count("shuffle", int(shuffle))
    buffer_size = STREAM_BUFFER if shuffle is True else int(shuffle)
    mixture = make_mixture(
        datasets, image_size, channels, buffer_size, tasks=tasks
    )
    plan = make_plan(
        {name: source.size for name, source in mixture.sources.items()},
        schedule,
        batch_size=batch_size,
        shares=shares,
        steps_per_epoch=steps_per_epoch,
        anneal_epochs=anneal_epochs,
    )
    # tf.data reads arrays on the CPU; otherwise they would be on the GPU.
    with tf.device("CPU:0"):
        return _stream(mixture, plan, epochs, bool(shuffle), seed)


def _stream(
    mixture: Mixture, plan: Plan, epochs: range | None, shuffle: bool, seed: int
) -> tf.data.Dataset:
    sources = list(mixture.sources.values())
    in_memory = [
        n for n, s in enumerate(sources) if isinstance(s, ArrayDataSet)
    ]
    streamed = [n for n in range(len(sources)) if n not in in_memory]
    arrays = [sources[number] for number in in_memory]
    pools = make_pools(arrays, mixture.y)

    # Without AutoGraph, which would be slow here.
    @tf.autograph.experimental.do_not_convert
    def one_epoch(epoch):
        seeds = _seeds(seed, epoch, len(sources) + 1)
        counts = plan.counts(epoch, seeds[-1])
        chunks = [
            sources[n].chunks(counts[:, n], epoch, seeds[n], shuffle)
            for n in streamed
        ]
        if arrays:
            draws = array_draws(
                [source.size for source in arrays],
                tf.gather(counts, in_memory, axis=1),
                tf.gather(seeds, in_memory),
                shuffle=shuffle,
                blended=plan.blended,
            )
            chunks.insert(0, draws)
        return tf.data.Dataset.zip(tuple(chunks))

    @tf.autograph.experimental.do_not_convert
    def batch(*chunks):
        parts = []
        if arrays:
            draws, *chunks = chunks
            for pool in pools:
                chosen = draws if len(pools) == 1 else pool.choose(draws)
                sets, rows, positions = chosen
                numbers = tf.gather(in_memory, sets)
                parts.append((numbers, positions, *pool.take(sets, rows)))
        for number, (x, y) in zip(streamed, chunks, strict=True):
            count = tf.shape(x)[0]
            numbers = tf.fill([count], number)
            parts.append((numbers, even_positions(count), x, y))
        return _join(parts, mixture, plan.blended)

    steps = plan.steps * (1 if epochs is None else len(epochs))
    all_in_memory = not streamed
    return (
        _epoch_numbers(epochs)
        .flat_map(one_epoch)
        .map(batch, num_parallel_calls=tf.data.AUTOTUNE)
        .apply(tf.data.experimental.assert_cardinality(steps))
        .prefetch(PREFETCHED_BATCHES if all_in_memory else tf.data.AUTOTUNE)
        .with_options(_options(all_in_memory))
    )


def _seeds(seed: int, epoch, count: int):
    """Returns the seeds of one epoch, a tensor of shape `(count, 2)`."""
    seed_and_epoch = tf.stack([tf.constant(seed % 2**63, tf.int64), epoch])
    folded, _ = tf.unstack(
        tf.random.experimental.stateless_fold_in(seed_and_epoch, 0)
    )
    return tf.stack([tf.fill([count], folded), tf.range(count)], axis=1)


def _options(arrays: bool) -> tf.data.Options:
    options = tf.data.Options()
    # There are no files to distribute: every worker reads all batches and
    # keeps its part of each.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    # Gathering is so fast that autotuning costs more, about half a second at
    # the end of an epoch.
    options.autotune.enabled = not arrays
    return options


def _epoch_numbers(epochs: range | None) -> tf.data.Dataset:
    if epochs is not None:
        return tf.data.Dataset.range(epochs.start, epochs.stop)
    counter = itertools.count()
    return tf.data.Dataset.from_generator(
        lambda: [next(counter)],
        output_signature=tf.TensorSpec((), tf.int64),
    )


def _join(parts: list, mixture: Mixture, blended: bool):
    """Joins the samples of several data sets to one batch."""
    sets, positions, x, y = zip(*parts, strict=True)
    y = mixture.join(y, list(map(tf.size, sets)))
    if len(parts) == 1:
        return x[0], y
    x = tf.concat(x, axis=0)
    if not blended:
        return x, y
    # By position, and then by the order of the data sets.
    order = tf.argsort(tf.concat(sets, axis=0), stable=True)
    positions = tf.gather(tf.concat(positions, axis=0), order)
    order = tf.gather(order, tf.argsort(positions, stable=True))
    return tf.nest.map_structure(lambda v: tf.gather(v, order), (x, y))


def _check_epochs(epochs) -> None:
    if epochs is None:
        return
    if not isinstance(epochs, range):
        raise TypeError(
            f"`epochs` must be a range such as range(3, 10), found {epochs!r}."
        )
    if epochs.step != 1 or not epochs or epochs.start < 0:
        raise ValueError(
            f"`epochs` must be a range of consecutive epochs from 0 on, found "
            f"{epochs!r}."
        )
