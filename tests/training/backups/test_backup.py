"""A training that was stopped anywhere ends as one that was not."""

import errno
import resource

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras.training import BackupError
from mtl_keras.training.backups.atomic_file import partial_path
from mtl_keras.training.backups.ordered_batches import OrderedBatches

SAMPLES, BATCH = 22, 4  # 6 batches, the last one of 2
UNDISTURBED = {}  # what trainings ended with, by what they were made of


class Killed(Exception):
    """Stands for a kill: the process does nothing more for this training."""


class Kill(keras.callbacks.Callback):
    """Ends a training after a batch, before it could be backed up."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = (epoch, step)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if self.at == (epoch, 0):
            raise Killed

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch + 1) >= self.at:
            raise Killed


def make_model(dropout=0.2, strategy="none", optimizer="adam", **arguments):
    keras.utils.set_random_seed(1)
    model = mtl_keras.distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(5,),
        tasks=[
            mtl_keras.Classification("grade", 3),
            mtl_keras.Regression("price"),
        ],
        hidden_units=(6,),
        dropout=dropout,
        compile=False,
    )
    with model.distribute_strategy.scope():
        model.compile(optimizer, **arguments)
    return model


def arrays(missing=False):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, 5)).astype("float32")
    y = {
        "grade": rng.integers(3, size=SAMPLES),
        "price": rng.normal(size=SAMPLES).astype("float32"),
    }
    if missing:
        y["price"][::3] = np.nan
    return x, y


def of_arrays(**options):
    x, y = arrays(**options)
    return {"x": x, "y": y, "batch_size": BATCH}


def of_dataset(**options):
    data = tf.data.Dataset.from_tensor_slices(arrays(**options))
    return {"x": data.shuffle(SAMPLES, seed=5).batch(BATCH)}


def of_endless_dataset():
    data = tf.data.Dataset.from_tensor_slices(arrays())
    data = data.shuffle(SAMPLES, seed=5).repeat().batch(BATCH)
    return {"x": data, "steps_per_epoch": 5}


def of_dataset_of_unknown_length():
    data = tf.data.Dataset.from_tensor_slices(arrays())
    data = data.shuffle(SAMPLES, seed=5).filter(lambda x, y: x[0] > -9.0)
    return {"x": data.batch(BATCH)}


class Batches(keras.utils.PyDataset):
    """Shuffles itself at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.epoch = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        x, y = arrays()
        order = np.random.default_rng(self.epoch).permutation(SAMPLES)
        rows = order[BATCH * index :][:BATCH]
        return x[rows], {name: values[rows] for name, values in y.items()}

    def on_epoch_end(self):
        self.epoch += 1


def of_py_dataset():
    return {"x": Batches(), "shuffle": False}


def run(model, data, callbacks=(), epochs=3, **options):
    return model.fit(
        **data, epochs=epochs, verbose=0, callbacks=[*callbacks], **options
    ).history


def state_of(model):
    variables = [*model.variables, *model.optimizer.variables]
    if model.weighting is not None:
        variables += model.weighting.variables
    return [keras.ops.convert_to_numpy(v) for v in variables]


def assert_goes_on(
    path, make, data, at, *, every_steps=2, others=tuple, exact=True, **options
):
    """Compares a training that is killed at `at` with one that is not."""
    key = None if options or others is not tuple else (make, data)
    if key is None or key not in UNDISTURBED:
        model = make()
        backup = mtl_keras.BackupAndRestore(path)
        history = run(model, data(), [*others(), backup], **options)
        UNDISTURBED[key] = state_of(model), history
    expected, history = UNDISTURBED[key]

    backup = mtl_keras.BackupAndRestore(path, every_steps=every_steps)
    with pytest.raises(Killed):
        run(make(), data(), [*others(), backup, Kill(*at)], **options)
    found = make()
    went_on = run(found, data(), [*others(), backup], **options)
    compare = (
        np.testing.assert_array_equal
        if exact
        else lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    )
    for ours, undisturbed in zip(state_of(found), expected, strict=True):
        compare(ours, undisturbed)
    assert went_on.keys() == history.keys()
    for name, values in history.items():
        compare(went_on[name], values)
    assert not path.exists()
    return backup


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "backup.npz"


@pytest.mark.parametrize("at", [(0, 1), (1, 0), (2, 6)])
def test_arrays_that_are_shuffled(path, at):
    backup = assert_goes_on(path, make_model, of_arrays, at)
    epoch, step = at
    complete = (step - 1) // 2 * 2  # the kill comes before the backup
    expected = (epoch, max(complete, 0))
    assert backup.restored_from == (None if expected == (0, 0) else expected)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize(
    "data",
    mostly_slow(
        [
            of_dataset,
            of_endless_dataset,
            of_dataset_of_unknown_length,
            of_py_dataset,
        ],
        [of_endless_dataset, of_py_dataset],
    ),
)
def test_streams(path, data):
    assert_goes_on(path, make_model, data, (1, 5))


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_the_end_of_a_stream_of_unknown_length(path):
    model, again = make_model(), make_model()
    backup = mtl_keras.BackupAndRestore(path, every_steps=6)
    data = of_dataset_of_unknown_length
    with pytest.raises(Killed):
        run(model, data(), [backup, KillAtEpochEnd()], epochs=1)
    history = run(again, data(), [backup], epochs=1)
    assert backup.restored_from == (0, 6)
    assert again.optimizer.iterations == 6
    for ours, expected in zip(state_of(again), state_of(model), strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert history["grade_loss"][0] > 0


class KillAtEpochEnd(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise Killed


@pytest.mark.parametrize(
    "weighting", ["dwa", pytest.param("db_mtl", marks=pytest.mark.slow)]
)
def test_weightings_with_state(path, weighting):
    def make():
        return make_model(weighting=weighting)

    assert_goes_on(path, make, of_arrays, (1, 4))


def test_weighting_that_learns_from_held_out_data(path):
    def make():
        return make_model(weighting="auto_lambda")

    assert_goes_on(path, make, of_arrays, (1, 4), held_out_data=arrays())


@pytest.mark.parametrize(
    "data", mostly_slow([of_arrays, of_endless_dataset], [of_arrays])
)
def test_several_steps_in_an_execution(path, data):
    def make():
        return make_model(steps_per_execution=2)

    assert_goes_on(path, make, data, (1, 4))


def test_missing_labels_and_validation(path):
    def data():
        return of_arrays(missing=True)

    def others():
        return [
            keras.callbacks.ReduceLROnPlateau(
                "loss", mode="min", patience=1, min_delta=1.0
            )
        ]

    assert_goes_on(
        path, make_model, data, (2, 4), validation_split=0.3, others=others
    )


def test_arrays_in_epochs_of_other_lengths(path):
    def data():
        return {**of_arrays(), "steps_per_epoch": 4}

    assert_goes_on(path, make_model, data, (1, 4))


def test_sample_weights(path):
    def data():
        weights = np.linspace(0.0, 2.0, SAMPLES).astype("float32")
        return {**of_arrays(), "sample_weight": weights}

    assert_goes_on(path, make_model, data, (1, 4))


@pytest.mark.slow
def test_two_replicas(path, two_replicas):
    def make():
        return make_model(strategy=two_replicas, dropout=0.0)

    assert_goes_on(path, make, of_arrays, (1, 4), exact=False, epochs=2)


def test_metrics_of_other_numbers_of_replicas(path, two_replicas):
    one = make_model(dropout=0.0)
    backup = mtl_keras.BackupAndRestore(path, every_steps=2)
    with pytest.raises(Killed):
        run(one, of_arrays(missing=True), [backup, Kill(1, 4)])
    two = make_model(dropout=0.0, strategy=two_replicas)
    found = run(two, of_arrays(missing=True), [backup])
    model = make_model(dropout=0.0)
    expected = run(model, of_arrays(missing=True), [backup])
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)


def orders(seed, first=0, count=12, **options):
    """The samples of each batch, over two passes."""
    batches = OrderedBatches(
        np.arange(SAMPLES),
        batch_size=BATCH,
        seed=seed,
        **{"shuffle": True, **options},
    )
    assert batches.num_batches == 6
    stream = batches.endless(first).take(count)
    return [batch.numpy().tolist() for batch in stream]


def flat(lists):
    return [number for numbers in lists for number in numbers]


def test_the_order_of_arrays_follows_from_seed_and_epoch():
    both = orders(0)
    first, second = flat(both[:6]), flat(both[6:])
    assert sorted(first) == sorted(second) == list(range(SAMPLES))
    assert first != second
    assert orders(0) == both != orders(1)
    assert orders(0, first=8, count=4) == both[8:]
    assert flat(orders(0, shuffle=False, count=6)) == list(range(SAMPLES))
    batches = OrderedBatches(
        np.arange(SAMPLES), batch_size=BATCH, seed=0, shuffle=True
    )
    number = tf.Variable(0, dtype=tf.int64)
    one = batches.one_pass(number)
    assert one.cardinality() == 6
    assert [batch.numpy().tolist() for batch in one] == both[:6]
    number.assign(1)
    assert [batch.numpy().tolist() for batch in one] == both[6:]


def test_lists_of_inputs_stay_apart():
    x = [np.zeros((SAMPLES, 2)), np.ones((SAMPLES, 3))]
    batches = OrderedBatches((x, {"y": x[0]}), batch_size=9, shuffle=0, seed=0)
    (first, second), y = next(iter(batches.endless(0)))
    assert first.shape == (9, 2) and second.shape == (9, 3)
    assert first.dtype == "float32" and set(y) == {"y"}


def test_sparse_arrays_are_refused():
    sparse = tf.sparse.from_dense(np.eye(4))
    with pytest.raises(TypeError, match=r"Sparse.*dense arrays alone"):
        OrderedBatches(sparse, batch_size=2, seed=0, shuffle=True)


def test_early_stopping_goes_on(path):
    def others():
        return [
            keras.callbacks.EarlyStopping(
                "loss",
                mode="min",
                patience=2,
                min_delta=1.0,
                restore_best_weights=True,
            )
        ]

    backup = assert_goes_on(
        path, make_model, of_arrays, (2, 3), others=others, epochs=9
    )
    assert backup.model.optimizer.iterations == 3 * 6


def test_a_training_that_was_stopped_stays_stopped(path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    backup = mtl_keras.BackupAndRestore(path, delete_checkpoint=False)
    history = run(make_model(), of_arrays(), [Stop(), backup], epochs=5)
    again = make_model()
    assert run(again, of_arrays(), [Stop(), backup], epochs=5) == history
    assert len(history["loss"]) == 2
    assert again.optimizer.iterations == 2 * 6


def test_callbacks_of_the_user_take_part(path):
    class Counter(keras.callbacks.Callback):
        """Counts epochs, in a number and in an array."""

        count, array = 0, np.zeros(2, "int32")

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1
            self.array = self.array + 2

        def get_backup_state(self):
            return {"count": self.count, "arrays": [self.array]}

        def set_backup_state(self, state):
            self.count = state["count"]
            (self.array,) = state["arrays"]

    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(Killed):
        run(make_model(), of_arrays(), [backup, Counter(), Kill(2, 3)])
    counter = Counter()
    run(make_model(), of_arrays(), [counter, backup])
    assert counter.count == 3
    np.testing.assert_array_equal(counter.array, [6, 6])


def test_loss_weights_that_were_changed(path):
    model = make_model()
    backup = mtl_keras.BackupAndRestore(path, delete_checkpoint=False)
    run(model, of_arrays(), [backup], epochs=1)
    model.loss_weights["price"] = 0.25
    run(model, of_arrays(), [backup], epochs=2)
    # The backup is the later one of the two.
    assert model.loss_weights["price"] == 1.0
    assert backup.restored_from == (1, 0)


def test_bfloat16(path):
    def make():
        return make_model()

    keras.config.set_dtype_policy("bfloat16")
    try:
        assert_goes_on(path, make, of_arrays, (1, 4))
    finally:
        keras.config.set_dtype_policy("float32")


def stopped_after_an_epoch(path):
    """A folder with a backup, and its content."""
    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(Killed):
        run(make_model(), of_arrays(), [backup, Kill(1, 1)])
    return path.read_bytes()


def assert_usable(path):
    model, backup = make_model(), mtl_keras.BackupAndRestore(path)
    run(model, of_arrays(), [backup])
    assert backup.restored_from == (1, 0)
    assert model.optimizer.iterations == 18


def test_a_full_disk_leaves_the_backup_before(path):
    before = stopped_after_an_epoch(path)
    backup = mtl_keras.BackupAndRestore(path, every_steps=2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    class FillTheDisk(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            size = (len(before) // 2, limits[1])
            resource.setrlimit(resource.RLIMIT_FSIZE, size)

    try:
        with pytest.raises(BackupError, match=r"too large.*MiB.*intact"):
            run(make_model(), of_arrays(), [FillTheDisk(), backup])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert_usable(path)


def test_a_write_that_fails_says_so(path, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(BackupError, match=r"No space.*Make room.*none from"):
        run(make_model(), of_arrays(), [backup])
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("kind", ["file in the way", "folder in the way"])
def test_an_unwritable_folder_is_told_before_training(tmp_path, kind):
    if kind == "file in the way":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "backup.npz"
    else:
        path = tmp_path
    model = make_model()
    with pytest.raises(BackupError, match=r"No backup can be written to"):
        run(model, of_arrays(), [mtl_keras.BackupAndRestore(path)])
    assert model.optimizer.iterations == 0


def test_what_a_kill_left_of_a_write_is_removed(path):
    before = stopped_after_an_epoch(path)
    partial_path(path).write_bytes(before[:100])
    assert_usable(path)
    assert not partial_path(path).exists()


@pytest.mark.parametrize("content", [b"", b"no backup", None])
def test_a_damaged_backup(path, content):
    whole = stopped_after_an_epoch(path)
    if content is None:  # one byte of the weights is another
        middle = len(whole) // 2
        content = bytearray(whole)
        content[middle] ^= 255
    path.write_bytes(content)
    with pytest.raises(BackupError, match=r"cannot be read.*Remove it"):
        run(make_model(), of_arrays(), [mtl_keras.BackupAndRestore(path)])
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"optimizer": "sgd"}, "optimizer: Adam in the backup, SGD here"),
        ({"weighting": "dwa"}, "weighting: None in the backup, DWA here"),
    ],
)
def test_another_model_is_refused(path, arguments, text):
    stopped_after_an_epoch(path)
    with pytest.raises(ValueError, match=text):
        run(
            make_model(**arguments),
            of_arrays(),
            [mtl_keras.BackupAndRestore(path)],
        )


def test_other_shapes_are_refused(path):
    before = stopped_after_an_epoch(path)
    model = mtl_keras.build_mlp((5,), make_model().tasks, hidden_units=(7,))
    with pytest.raises(ValueError, match=r"shape \(5, 6\).*shape \(5, 7\)"):
        run(model, of_arrays(), [mtl_keras.BackupAndRestore(path)])
    assert path.read_bytes() == before


def test_other_data_are_refused(path):
    stopped_after_an_epoch(path)
    x, y = arrays()
    y = {name: values[:9] for name, values in y.items()}
    data = {"x": x[:9], "y": y, "batch_size": BATCH}
    with pytest.raises(ValueError, match=r"6 batches in an epoch.*has 3"):
        run(make_model(), data, [mtl_keras.BackupAndRestore(path)])
    model = make_model(steps_per_execution=2)
    with pytest.raises(ValueError, match=r"1 steps_per_execution.*has 2"):
        run(model, of_arrays(), [mtl_keras.BackupAndRestore(path)])


def test_bad_arguments(path):
    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(ValueError, match="There are 2 BackupAndRestore"):
        run(make_model(), of_arrays(), [backup, backup])
    with pytest.raises(ValueError, match="shuffle=False"):
        make_model().fit(Batches(), callbacks=[backup], verbose=0)
    with pytest.raises(ValueError, match="shuffle='batch'"):
        run(make_model(), of_arrays(), [backup], shuffle="batch")
    with pytest.raises(ValueError, match="every_steps=0"):
        mtl_keras.BackupAndRestore(path, every_steps=0)
    plain = keras.Sequential([keras.layers.Dense(1)])
    plain.compile("sgd", "mse")
    with pytest.raises(TypeError, match="needs a MultiTaskModel"):
        plain.fit(np.ones((2, 2)), np.ones(2), callbacks=[backup], verbose=0)


def test_keras_remembers_what_it_did():
    """Callbacks of Keras still go by these attributes."""
    from mtl_keras.training.backups.callback_states import _REMEMBERED

    callbacks = [
        keras.callbacks.EarlyStopping("loss", mode="min"),
        keras.callbacks.ReduceLROnPlateau("loss", mode="min"),
        keras.callbacks.ModelCheckpoint("m.keras", save_best_only=True),
        keras.callbacks.History(),
    ]
    for callback in callbacks:
        if hasattr(callback, "on_train_begin"):
            callback.on_train_begin()
        for name in _REMEMBERED[type(callback)]:
            assert hasattr(callback, name), (callback, name)
