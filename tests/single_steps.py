"""Steps of a compiled model, for tests that look into one."""

from mtl_keras import MultiTaskModel
from mtl_keras.training.overrides import Overrides
from mtl_keras.training.run import Run
from mtl_keras.training.step import TrainStep


def make_train_step(model, data, **run):
    """Makes a training step of a model, with all variables that it needs."""
    model.compiled_parts.build(model, data)
    overrides = Overrides(model, MultiTaskModel)
    return TrainStep(model, model.compiled_parts, Run(**run), overrides)


def count_traces(model):
    """Counts how often a step of training is traced; returns the list."""
    traces, compute = [], model.compiled_parts.update.compute

    def counted(*arguments):
        traces.append(1)
        return compute(*arguments)

    model.compiled_parts.update.compute = counted
    return traces
