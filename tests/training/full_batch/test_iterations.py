"""Iterations as callbacks and progress bars show them."""

import keras
import pytest
from full_batch_problems import holed, linear, small

from mtl_keras import fit_full_batch


@pytest.mark.slow
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


@pytest.mark.slow
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
        f"A callback stopped training after iteration {len(losses)}."
    )
    assert not history.converged


@pytest.mark.slow
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


@pytest.mark.slow
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
