"""Mixes several data sets, each labelled for some tasks, into one stream."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.mixing.array_draws import array_draws, even_places
from mtl_keras.datasets.mixing.array_pool import make_pools
from mtl_keras.datasets.mixing.array_source import ArraySource
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

    In every batch every task of any data set has targets. Where the data set
    of a sample does not label a task, the label is missing: NaN for float
    targets and -1 for classes, which `fit` leaves out of loss, gradients and
    metrics. Unsigned and boolean classes become signed ones, to hold the -1.
    Several data sets may label the same task.

    The schedule says whose samples a batch holds:

    - `"joint"`: samples of every data set in every batch, in fixed numbers
      that follow from `shares`, evenly spread, so that each replica of a
      `tf.distribute` strategy gets some of each;
    - `"alternate"`: whole batches of each data set in turn;
    - `"proportional"`, `"square_root"`, `"uniform"`: whole batches in random
      order. How many an epoch has of a data set goes by its number of samples,
      by the square root of it, or is the same for all;
    - `"annealed"`: from proportional towards uniform: shares go by the number
      of samples to a power that falls from 1 to 0.2 over `anneal_epochs`.

    The last two lines are dynamic sampling as in the literature, of one data
    set a step, but with the numbers fixed and only the order drawn: an epoch
    of `"proportional"` passes every sample exactly once. For samples of all
    sets in each batch by size, use `"joint"` with `shares="proportional"`.

    One iteration over the stream is one epoch, of a known number of batches.
    Each iteration has an order of its own; the stream as a whole is a
    function of `seed`. To resume a run, begin with the epoch where it
    stopped: `epochs=range(3, 10)` gives these epochs in a row, for
    `fit(stream, initial_epoch=3, epochs=10, steps_per_epoch=len(stream) // 7)`.

    Args:
        datasets: Dict from name to data set: a pair `(x, {task: y})` of
            arrays, a `tf.data.Dataset` of single samples of that form, or
            `Splits`, whose training part is taken. Arrays are faster, as whole
            batches are gathered at once.
        schedule: String, one of the above. Defaults to `"joint"`.
        batch_size: Integer, samples per batch. Defaults to 32.
        shares: For `"joint"`: dict from the name of each data set to its
            share of the batch, numbers in any unit, rounded to whole samples;
            or `"uniform"`, `"square_root"` or `"proportional"`. Defaults to
            `None`, which is `"uniform"`.
        steps_per_epoch: `"longest"`: each sample of the data set that lasts
            longest comes exactly once, and shorter sets begin again, in
            another order; `"shortest"`: an epoch ends with the data set that
            ends first, and no sample comes twice; or the number of steps, all
            of whole batches. Under the other two the last batch of a data set
            may be smaller. `"annealed"` has as many steps as `"proportional"`.
            Defaults to `"longest"`.
        anneal_epochs: Integer, for `"annealed"`: the number of epochs.
        epochs: Range of the epochs, counted from 0, that one iteration gives
            in a row. Defaults to `None`: each iteration gives the next one.
        shuffle: Boolean, whether the samples of each data set come in a new
            order each time. Arrays are shuffled whole; of a
            `tf.data.Dataset`, each sample is drawn from the next 1024, or
            from as many as `shuffle` says if it is an integer. Defaults to
            `True`.
        seed: Integer of at least 0. Defaults to 0.
        image_size: `(height, width)`: images of another size are resized
            bilinearly, and targets that lie on their pixels, masks, to the
            nearest pixel. Defaults to `None`: sizes must agree.
        channels: 3 repeats single channels, 1 averages several. Defaults to
            `None`: channels must agree.
        tasks: Dict from the name of a data set to the list of its tasks. Tasks
            of one name must have one kind and the same class names in all
            data sets that say them. Defaults to `None`: those of `Splits` are
            compared.

    Returns:
        A `tf.data.Dataset` of `(x, {task: y})` batches, prefetched, of known
        cardinality. Workers of a `tf.distribute` strategy take shares of each
        batch.

    Raises:
        TypeError: If `datasets` holds something else.
        ValueError: If inputs differ, a data set is empty, tasks of one name
            have other classes, or an argument does not fit.

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
    # Else a GPU would hold the arrays, and tf.data reads them on the CPU.
    with tf.device("CPU:0"):
        return _stream(mixture, plan, epochs, bool(shuffle), seed)


def _stream(
    mixture: Mixture, plan: Plan, epochs: range | None, shuffle: bool, seed: int
) -> tf.data.Dataset:
    sources = list(mixture.sources.values())
    in_memory = [n for n, s in enumerate(sources) if isinstance(s, ArraySource)]
    streamed = [n for n in range(len(sources)) if n not in in_memory]
    arrays = [sources[number] for number in in_memory]
    pools = make_pools(arrays, mixture.y)

    # Plain Python, whose loops AutoGraph would take long to look through.
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
                here = draws if len(pools) == 1 else pool.choose(draws)
                sets, rows, places = here
                sets_of_all = tf.gather(in_memory, sets)
                parts.append((sets_of_all, places, *pool.take(sets, rows)))
        for number, (x, y) in zip(streamed, chunks, strict=True):
            count = tf.shape(x)[0]
            parts.append((tf.fill([count], number), even_places(count), x, y))
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
    """Seeds of one epoch: a tensor of shape `(count, 2)`."""
    of_epoch = tf.stack([tf.constant(seed % 2**63, tf.int64), epoch])
    folded, _ = tf.unstack(
        tf.random.experimental.stateless_fold_in(of_epoch, 0)
    )
    return tf.stack([tf.fill([count], folded), tf.range(count)], axis=1)


def _options(arrays: bool) -> tf.data.Options:
    options = tf.data.Options()
    # There are no files to share out: every worker passes all batches and
    # keeps its part of each.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    # Gathering takes so little that the tuning costs more, and the end of an
    # epoch waits half a second for it.
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
    """Puts the samples of several sources into one batch."""
    sets, places, x, y = zip(*parts, strict=True)
    y = mixture.join(y, list(map(tf.size, sets)))
    if len(parts) == 1:
        return x[0], y
    x = tf.concat(x, axis=0)
    if not blended:
        return x, y
    # By place, and at one place by the order of the data sets.
    order = tf.argsort(tf.concat(sets, axis=0), stable=True)
    places = tf.gather(tf.concat(places, axis=0), order)
    order = tf.gather(order, tf.argsort(places, stable=True))
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
            f"`epochs` must be a range of epochs in a row, counted from 0, "
            f"found {epochs!r}."
        )
