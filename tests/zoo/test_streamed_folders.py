"""Folders of images in recipes: read batch by batch, never whole."""

import keras
import numpy as np
import pytest
from image_folder import COUNT, written

import mtl_keras
from mtl_keras import datasets, zoo
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.zoo.batches import steps_per_epoch, validation_batches
from mtl_keras.zoo.model import factory_arguments
from mtl_keras.zoo.read import check_recipe

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return written(tmp_path_factory.mktemp("folder"))


def make_recipe(root, fit=None, **arguments):
    values = {
        "name": "cells",
        "factory": {
            "name": "build_cnn_cls_seg",
            "arguments": {"trunk_width": 2, "trunk_depth": 1},
        },
        "data": {
            "name": "from_folder",
            "preprocessing": "standardize",
            "arguments": {
                "path": str(root),
                "tasks": ["stain", "count"],
                "masks": {"tissue": "masks/tissue", "nuclei": "masks/nuclei"},
                "labels": "labels.csv",
                **arguments,
            },
        },
        "fit": {"epochs": 3, "batch_size": 3, **(fit or {})},
    }
    return check_recipe(values, "a test")


@pytest.fixture
def reads(monkeypatch):
    """Numbers of the images that are read at once."""
    sizes = []
    read = FolderSource._read

    def noted(self, indices):
        sizes.append(len(indices))
        return read(self, indices)

    monkeypatch.setattr(FolderSource, "_read", noted)
    return sizes


def test_parts_stream_and_hold_the_same_samples(root, reads):
    streamed = zoo.load_data(make_recipe(root))
    assert not reads
    in_memory = zoo.load_data(make_recipe(root), in_memory=True)
    for name in PARTS:
        part = getattr(streamed, name)
        assert isinstance(part, StreamedSamples)
        x, y = getattr(in_memory, name)
        batches = list(validation_batches(part, 2))
        assert len(part) == len(x)
        np.testing.assert_array_equal(
            np.concatenate([inputs for inputs, _ in batches]), x
        )
        for task, targets in y.items():
            found = np.concatenate([their[task] for _, their in batches])
            np.testing.assert_array_equal(found, targets)


def test_a_recipe_holds_the_same_samples_back(root):
    fit = {"num_validation": 3}
    recipe = make_recipe(root, fit, validation=0)
    streamed = zoo.load_data(recipe)
    assert len(streamed.validation) == 3
    assert sum(len(getattr(streamed, name)) for name in PARTS) == COUNT
    sources = np.concatenate(
        [getattr(streamed, name)._indices for name in PARTS]
    )
    assert sorted(sources) == list(range(COUNT))


def test_only_the_masks_of_the_tasks_are_read(root):
    recipe = make_recipe(root).model_copy(deep=True)
    data = zoo.load_data(recipe)
    part = data.train.select_tasks(["stain"])
    assert set(part.element_spec[1]) == {"stain"}
    assert not part._source.masks


def test_statistics_come_from_batches(root, reads):
    recipe = make_recipe(root)
    data = zoo.load_data(recipe)
    arguments = factory_arguments(recipe, data)
    assert arguments["input_shape"] == data.train.element_spec[0].shape[1:]
    assert max(reads) <= 3
    (layer,) = arguments["preprocessing"]
    x, _ = data.train.arrays()
    np.testing.assert_allclose(
        np.ravel(layer.mean), x.mean(axis=(0, 1, 2)), rtol=1e-5
    )
    assert steps_per_epoch(recipe, data) == -(-len(x) // 3)


def test_describe_reads_no_images(root, reads):
    data = zoo.load_data(make_recipe(root))
    parts = {name: getattr(data, name) for name in PARTS}
    described = str(datasets.describe(parts, tasks=data.tasks))
    assert f"{COUNT} samples" in described and not reads


class StopAt(keras.callbacks.Callback):
    """Interrupts a training in its third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_run_streams_and_resumes(root, tmp_path, reads):
    recipe = make_recipe(root)
    metrics = zoo.train(recipe, tmp_path / "whole")
    assert max(reads) <= 8  # a picture's; the data hold 12
    whole = len(reads)
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe, tmp_path / "stopped", callbacks=[StopAt()])
    reads.clear()
    resumed = zoo.train(recipe, tmp_path / "stopped", resume=True)
    assert len(reads) < whole
    assert resumed["test"] == metrics["test"]
    weights = [
        mtl_keras.load_model(tmp_path / name / "model.keras").get_weights()
        for name in ("whole", "stopped")
    ]
    for found, expected in zip(*weights, strict=True):
        np.testing.assert_array_equal(found, expected)
