"""Tests MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100."""

import os
import pickle

import image_files
import keras
import numpy as np
import pytest

from mtl_keras.datasets import cifar10, cifar100, fashion_mnist, mnist

# Writer, place in the Keras cache, number of classes, and shape of an image.
SETS = {
    mnist: (image_files.write_mnist, "mnist.npz", 10, (28, 28, 1)),
    fashion_mnist: (
        image_files.write_fashion_mnist,
        "fashion-mnist",
        10,
        (28, 28, 1),
    ),
    cifar10: (
        image_files.write_cifar10,
        "cifar-10-batches-py-target/cifar-10-batches-py",
        10,
        (32, 32, 3),
    ),
    cifar100: (
        image_files.write_cifar100,
        "cifar-100-python-target/cifar-100-python",
        100,
        (32, 32, 3),
    ),
}


def module_name(module):
    """Returns the last part of the name of a module."""
    return module.__name__.rpartition(".")[2]


@pytest.fixture(params=SETS, ids=module_name)
def dataset(request):
    """Returns each data set in turn."""
    return request.param


@pytest.fixture
def keras_fails(monkeypatch, tmp_path, dataset):
    """Moves Keras's cache to `tmp_path`, and blocks the network."""

    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    module = getattr(keras.datasets, module_name(dataset))
    monkeypatch.setattr(module, "load_data", fail)


def test_is_read_from_the_keras_cache(dataset, keras_fails, tmp_path):
    write, place, num_classes, shape = SETS[dataset]
    write(tmp_path / "datasets" / place)
    (task,) = dataset.tasks()
    assert task.num_classes == num_classes
    for x, y in dataset.load_data():
        assert x.shape == (len(x), *shape)
        assert x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
        assert list(y) == [task.name]
        labels = y[task.name]
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, np.arange(len(x)) % num_classes)


def test_is_read_from_a_path(dataset, keras_fails, tmp_path):
    write, place, *_ = SETS[dataset]
    place = tmp_path / "elsewhere" / os.path.basename(place)
    write(place)
    (x, y), _ = dataset.load_data(path=str(place))
    (labels,) = y.values()
    # The brightness of an image tells its class.
    for label in np.unique(labels):
        assert len(np.unique(x[labels == label])) <= 5
    assert x[labels == 0].max() < x[labels == 9].min()


@pytest.mark.parametrize("dataset", [cifar10, cifar100], ids=module_name)
def test_cifar_where_keras_2_put_it(dataset, keras_fails, tmp_path):
    write, place, *_ = SETS[dataset]
    write(tmp_path / "datasets" / os.path.basename(place))
    assert dataset.load_data()[0][0].shape[1:] == (32, 32, 3)


@pytest.mark.parametrize("dataset", [cifar10, cifar100], ids=module_name)
def test_red_comes_first(dataset, keras_fails, tmp_path):
    write, place, *_ = SETS[dataset]
    folder = tmp_path / os.path.basename(place)
    write(folder)
    image = np.zeros((3, 32, 32), "uint8")
    image[0, 1, 2] = 255
    key = "labels" if dataset is cifar10 else "fine_labels"
    batch = {b"data": image.reshape(1, -1), key.encode(): [7]}
    test = folder / ("test_batch" if dataset is cifar10 else "test")
    image_files.write_python2_pickle(test, batch)
    _, (x, y) = dataset.load_data(folder)
    assert np.argwhere(x).tolist() == [[0, 1, 2, 0]]
    assert [labels.tolist() for labels in y.values()] == [[7]]


def test_missing_files_are_downloaded_by_keras(dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    _, _, num_classes, shape = SETS[dataset]
    # As Keras has them: without a channel axis, or with labels of rank 2.
    shape = shape[:2] if shape[-1] == 1 else shape
    x, y = image_files.flat_images(8, num_classes, shape)
    y = y[:, None] if len(shape) == 3 else y
    module = getattr(keras.datasets, module_name(dataset))
    monkeypatch.setattr(module, "load_data", lambda: ((x, y), (x, y)))
    (x_train, y_train), _ = dataset.load_data()
    assert x_train.shape == (8, *SETS[dataset][-1])
    assert next(iter(y_train.values())).shape == (8,)


def test_without_a_network_the_error_suggests_what_to_do(
    dataset, keras_fails, tmp_path
):
    with pytest.raises(FileNotFoundError, match="URL fetch failure") as error:
        dataset.load_data()
    message = str(error.value)
    assert str(tmp_path / "datasets") in message
    assert os.path.basename(SETS[dataset][1]) in message
    assert "KERAS_HOME" in message and "`path`" in message
    assert "https://" in message


def test_a_path_with_nothing_is_named(dataset, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found nothing at '.*none"):
        dataset.load_data(tmp_path / "none")


@pytest.mark.parametrize(
    "dataset", [fashion_mnist, cifar10, cifar100], ids=module_name
)
def test_a_folder_that_lacks_a_file_names_it(dataset, tmp_path):
    write, place, *_ = SETS[dataset]
    folder = tmp_path / os.path.basename(place)
    write(folder)
    gone = sorted(folder.iterdir())[-1]
    gone.unlink()
    with pytest.raises(FileNotFoundError, match=gone.name):
        dataset.load_data(folder)


@pytest.mark.parametrize("content", [b"", b"123", b"no pickle, no gz file"])
@pytest.mark.parametrize(
    "dataset", [fashion_mnist, cifar10, cifar100], ids=module_name
)
def test_a_corrupted_file_is_named(dataset, tmp_path, content):
    write, place, *_ = SETS[dataset]
    folder = tmp_path / os.path.basename(place)
    write(folder)
    damaged = sorted(folder.iterdir())[0]
    damaged.write_bytes(content)
    with pytest.raises(ValueError, match=f"{damaged.name}'.*https://"):
        dataset.load_data(folder)


def test_a_pickle_runs_no_code(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    image_files.write_cifar100(tmp_path)
    (tmp_path / "train").write_bytes(pickle.dumps({b"data": Harmful()}))
    with pytest.raises(ValueError, match="mkdir"):
        cifar100.load_data(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_fashion_mnist_needs_a_label_per_image(tmp_path):
    image_files.write_fashion_mnist(tmp_path)
    labels = np.zeros(7, "uint8")
    image_files.write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", labels)
    with pytest.raises(ValueError, match="20 images and 7 labels for test"):
        fashion_mnist.load_data(tmp_path)


def test_images_of_rank_1_are_an_error(tmp_path):
    image_files.write_fashion_mnist(tmp_path)
    labels = np.zeros(7, "uint8")
    image_files.write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", labels)
    with pytest.raises(ValueError, match="bytes of rank 3"):
        fashion_mnist.load_data(tmp_path)


@pytest.mark.slow  # test_multi_mnist reads the same file
def test_real_mnist(shared_data):
    path = shared_data("mnist") / "mnist.npz"
    (x, y), (x_test, y_test) = mnist.load_data(path)
    assert x.shape == (60000, 28, 28, 1)
    assert x_test.shape == (10000, 28, 28, 1)
    assert y["digit"][:5].tolist() == [5, 0, 4, 1, 9]
    assert set(y_test["digit"].tolist()) == set(range(10))
