"""A kind of task from outside the package works everywhere.

The package never asks for its class: all follows from its attributes.
"""

import csv
import dataclasses

import keras
import numpy as np
import pytest
from PIL import Image

import mtl_keras
from mtl_keras import Regression, Task, datasets, evaluation
from mtl_keras.losses import Crossentropy

COUNT = 60


@keras.saving.register_keras_serializable("a_users_package")
@dataclasses.dataclass(frozen=True)
class Rating(Task):
    """A number of stars, from 0 on: predicted as the median of the classes."""

    num_stars: int

    target_kind = "class"
    size_argument = "num_stars"
    min_size = 2
    default_activation = "softmax"
    default_metrics = ("distance",)

    def _default_loss(self):
        return Crossentropy(from_logits=self.from_logits)

    def _metric_makers(self):
        return {"distance": lambda name: Distance(name=name)}

    def target_shapes(self, output_shape):
        """Takes one integer per sample."""
        return [(), (1,)]

    def check_target_values(self, targets, output_shape):
        """Refuses numbers of stars that do not exist."""
        if targets.max() >= self.num_stars:
            raise ValueError(f"Task {self.name!r}: {targets.max()} stars.")

    def decode(self, output):
        """Returns the median, and its probability."""
        median = (output.cumsum(axis=-1) < 0.5).sum(axis=-1)
        return median, np.take_along_axis(output, median[:, None], 1)[:, 0]


@keras.saving.register_keras_serializable("a_users_package")
class Distance(keras.metrics.Mean):
    """Mean distance between the true and the most probable class."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        predicted = keras.ops.argmax(y_pred, axis=-1)
        true = keras.ops.reshape(y_true, keras.ops.shape(predicted))
        distance = keras.ops.abs(
            keras.ops.cast(predicted, "float32")
            - keras.ops.cast(true, "float32")
        )
        super().update_state(distance, sample_weight)


@keras.saving.register_keras_serializable("a_users_package")
@dataclasses.dataclass(frozen=True)
class RatingMap(Rating):
    """A number of stars per pixel."""

    labels_per = "pixel"
    feature_rank = 4
    decode = Task.decode

    def target_shapes(self, output_shape):
        """Takes one integer per pixel."""
        return [output_shape[:-1], (*output_shape[:-1], 1)]


TASKS = [Rating("stars", 4, direction="min"), Regression("age")]


@pytest.fixture(scope="module")
def data():
    """Inputs that tell the stars, some of which are missing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(COUNT, 3)).astype("float32")
    stars = np.digitize(x[:, 0], [-0.8, 0.0, 0.8]).astype("int32")
    stars[::5] = -1
    return x, {"stars": stars, "age": x[:, 1] * 10}


@pytest.fixture(scope="module")
def model(data):
    """Returns a model that was trained."""
    model = mtl_keras.build_mlp((3,), TASKS, hidden_units=(16,))
    model.compile(keras.optimizers.Adam(0.05))
    x, y = data
    history = model.fit(x, y, epochs=20, verbose=0, batch_size=16).history
    assert history["stars_loss"][-1] < 0.5 * history["stars_loss"][0]
    assert history["stars_distance"][-1] < history["stars_distance"][0]
    return model


def test_missing_labels_are_left_out(model, data):
    x, y = data
    known = y["stars"] >= 0
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    logs = model.evaluate(
        x[known],
        {name: values[known] for name, values in y.items()},
        verbose=0,
        return_dict=True,
    )
    for name in ("stars_loss", "stars_distance"):
        assert found[name] == pytest.approx(logs[name], rel=1e-5)


def test_class_weights(model, data):
    x, y = data
    before = model.evaluate(x, y, verbose=0, return_dict=True)["stars_loss"]
    model.optimizer.learning_rate = 0.0
    weights = {"stars": dict.fromkeys(range(4), 2.0)}
    history = model.fit(x, y, class_weight=weights, verbose=0).history
    assert history["stars_loss"][0] == pytest.approx(2 * before, rel=1e-4)
    with pytest.raises(ValueError, match="names class 4; expected integers"):
        model.fit(x, y, class_weight={"stars": {4: 1.0}}, verbose=0)


def test_its_checks_are_called(model, data):
    x, y = data
    with pytest.raises(ValueError, match="'stars': 4 stars"):
        model.fit(x, {**y, "stars": np.full(COUNT, 4)}, verbose=0)


def test_its_arguments_are_checked():
    with pytest.raises(ValueError, match="num_stars: found 1, expected 2"):
        Rating("stars", 1)


def test_table_of_tasks(model):
    line = repr(model.tasks).splitlines()[1]
    assert " ".join(line.split()) == (
        "stars (4,) Crossentropy 1 distance (min) -1, NaN"
    )


def test_describe(data):
    x, y = data
    found = datasets.describe((x, y), TASKS).tasks["stars"]
    labels = y["stars"][y["stars"] >= 0]
    assert found.kind == "Rating"
    assert found.labelled == len(labels)
    expected = np.bincount(labels, minlength=4)
    assert list(found.class_counts.values()) == expected.tolist()


def test_predictions_are_decoded_by_the_kind(model, data):
    x, y = data
    found, _ = evaluation.read_predictions(model, x, y)
    output = model.predict(x, verbose=0)["stars"]
    np.testing.assert_array_equal(found.predicted, TASKS[0].decode(output)[0])
    np.testing.assert_array_equal(found.true, y["stars"])


def test_plots(model, data):
    x, y = data
    figure = evaluation.plot_predictions(model, x, y)
    stars, age = figure.axes
    assert stars.get_xlabel() == "predicted class"
    assert stars.images[0].get_array().shape == (4, 4)
    assert age.get_xlabel() == "true"
    alone = evaluation.plot_predictions(model, x)
    assert len(alone.axes[0].patches) == 4


def test_csv_of_predictions(model, data, tmp_path):
    x, y = data
    predictions = evaluation.read_predictions(model, x, y)
    evaluation.write_predictions(predictions, tmp_path / "predictions.csv")
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = [int(row["stars_true"] or -1) for row in rows]
    assert found == y["stars"].tolist()
    assert {"stars_predicted", "stars_confidence"} < rows[0].keys()


def write_csv(path, stars):
    """Writes a table with inputs and stars; returns its path."""
    lines = [f"{n % 7},{value}" for n, value in enumerate(stars)]
    path.write_text("\n".join(["visits,stars", *lines]))
    return path


@pytest.mark.parametrize(
    "tasks",
    [
        [TASKS[0]],
        {"stars": {"kind": Rating, "num_stars": 4}},
    ],
    ids=["task", "kind"],
)
def test_csv_of_data(tasks, tmp_path):
    stars = [(0, 1, 2, "")[n % 4] for n in range(40)]
    path = write_csv(tmp_path / "visits.csv", stars)
    found = datasets.from_csv(path, tasks=tasks)
    assert type(found.tasks[0]) is Rating
    assert found.tasks[0].num_stars == 4
    batches = found.train.as_numpy_iterator()
    labels = np.concatenate([y["stars"] for _, y in batches])
    assert set(labels.ravel().tolist()) == {-1, 0, 1, 2}
    described = datasets.describe(found).tasks["stars"]
    assert list(described.class_counts.values()) == [10, 10, 10, 0]


def test_csv_with_names_of_classes_that_it_cannot_keep(tmp_path):
    path = write_csv(tmp_path / "visits.csv", ["good", "bad"] * 20)
    tasks = {"stars": {"kind": Rating, "num_stars": 2}}
    with pytest.raises(ValueError, match="a Rating takes no class_names"):
        datasets.from_csv(path, tasks=tasks)


MAPS = np.arange(8 * 4 * 4).reshape(8, 4, 4) % 3


def write_images(folder, arrays):
    """Writes an image for each array; returns the folder."""
    for name, array in arrays.items():
        file = folder / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array.astype("uint8")).save(file)
    return folder


def check_read_tasks(data, stars):
    """Checks the tasks and labels that were read from files."""
    rating, rating_map = (
        next(task for task in data.tasks if task.name == name)
        for name in ("stars", "stars_map")
    )
    assert (type(rating), rating.num_stars) == (Rating, 4)
    assert (type(rating_map), rating_map.num_stars) == (RatingMap, 3)
    _, y = data.arrays()
    assert sorted(y["stars"].tolist()) == sorted(stars)
    assert y["stars_map"].dtype == np.int32
    assert y["stars_map"].shape[1:] in rating_map.target_shapes((4, 4, 3))
    found = np.bincount(y["stars_map"].ravel())
    np.testing.assert_array_equal(found, np.bincount(MAPS.ravel()))


def test_npz(tmp_path):
    stars = [0, 1, 2, 3, -1, 0, 1, 2]
    np.savez(tmp_path / "reviews.npz", x=MAPS / 2, stars=stars, stars_map=MAPS)
    data = datasets.from_npz(
        tmp_path / "reviews.npz",
        {"stars": Rating, "stars_map": RatingMap},
        validation=0,
        test=0,
    )
    check_read_tasks(data, stars)


@pytest.mark.parametrize("size", [{}, {"num_stars": 3}], ids=["found", "given"])
def test_folders(size, tmp_path):
    names = [f"{n % 4}/{n}" for n in range(8)]
    maps = dict(zip(names, MAPS, strict=True))
    write_images(tmp_path / "images", maps)
    write_images(tmp_path / "stars_map", maps)
    data = datasets.from_folder(
        tmp_path,
        masks={"stars_map": "stars_map"},
        class_folders="stars",
        tasks={"stars": Rating, "stars_map": {"kind": RatingMap, **size}},
        validation=0,
        test=0,
    )
    check_read_tasks(data, [0, 1, 2, 3] * 2)


def test_folders_with_names_of_classes_that_it_cannot_keep(tmp_path):
    names = ["good/0", "bad/1"]
    write_images(tmp_path / "images", dict(zip(names, MAPS, strict=False)))
    with pytest.raises(ValueError, match="a Rating takes no class_names"):
        datasets.from_folder(
            tmp_path, class_folders="stars", tasks={"stars": Rating}
        )


def test_readers_refuse_labels_that_do_not_fit_the_kind(tmp_path):
    write_images(tmp_path / "images", {"0/0": MAPS[0], "1/1": MAPS[1]})
    with pytest.raises(ValueError, match="for a Classification, found Rating"):
        datasets.from_folder(
            tmp_path, class_folders="stars", tasks={"stars": RatingMap}
        )
    write_images(tmp_path / "stars", {"0/0": MAPS[0]})
    with pytest.raises(ValueError, match="for a Segmentation, found Rating"):
        datasets.from_folder(
            tmp_path,
            subfolders=True,
            masks={"stars": "stars"},
            tasks={"stars": Rating},
        )


def test_saving(model, data, tmp_path):
    x, _ = data
    model.save(tmp_path / "model.keras")
    loaded = mtl_keras.load_model(tmp_path / "model.keras")
    assert type(loaded.tasks[0]) is Rating
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0)["stars"],
        model.predict(x, verbose=0)["stars"],
    )


def test_add_task(model):
    extended = mtl_keras.add_task(model, Rating("more_stars", 5))
    assert extended.task_output_shapes["more_stars"] == (5,)


def test_a_kind_with_labels_per_pixel():
    task = RatingMap("stars", 3, direction="min")
    inputs = keras.Input((8, 8, 1))
    model = mtl_keras.MultiTaskModel(
        inputs, {"stars": task.head(inputs)}, tasks=[task]
    )
    model.compile()
    rng = np.random.default_rng(0)
    x = rng.random((6, 8, 8, 1))
    y = {"stars": rng.integers(-1, 3, (6, 8, 8))}
    history = model.fit(x, y, verbose=0).history
    assert np.isfinite(history["stars_loss"][0])
    found = datasets.describe((x, y), [task]).tasks["stars"]
    assert found.elements == 6 * 64
    assert found.labelled_elements == (y["stars"] >= 0).sum()
    figure = evaluation.plot_predictions(model, x, y, num_samples=2)
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == [
        "image",
        "stars\ntrue",
        "stars\npredicted",
    ]
