"""Tests data sets of TensorFlow Datasets, mocked or written by the tests."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras import datasets
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

tfds = pytest.importorskip("tensorflow_datasets")
from toy_tfds import KINDS, make_builder  # noqa: E402

WHOLE = {"validation": 0, "test": 0}


def mocked(count=20, **options):
    """Replaces TFDS's examples by random ones, without network."""
    policy = tfds.testing.MockPolicy.USE_CODE
    return tfds.testing.mock_data(count, policy=policy, **options)


def from_mock(name, *arguments, count=20, max_value=None, **options):
    """Reads a mocked data set."""
    with mocked(count, max_value=max_value):
        return datasets.from_tfds(name, *arguments, **options)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Returns a builder of 40 examples to train on and 10 for the test."""
    return make_builder(tmp_path_factory.mktemp("tfds"))


def numbers(x):
    """Returns the numbers of examples, by their images."""
    return np.asarray(x)[:, 0, 0, 0].astype(int)


def test_a_class_label_and_an_image():
    data = from_mock("mnist", ["label"], batch_size=4)
    (task,) = data.tasks
    assert isinstance(task, Classification) and task.num_classes == 10
    assert data.input_shape == (28, 28, 1)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [
        4,
        1,
        1,
    ]
    x, y = data.arrays()
    assert x.shape == (14, 28, 28, 1) and x.dtype == "float32" and x.max() > 99
    assert y["label"].shape == (14,) and y["label"].dtype == "int32"
    assert len(data.arrays("validation")[0]) == 2
    streamed = [labels["label"].numpy() for _, labels in data.train]
    assert sorted(np.concatenate(streamed)) == sorted(y["label"])


def test_parts_are_disjoint_and_use_the_splits_of_the_data_set(toy):
    data = datasets.from_tfds(toy, ["kind", "size"], batch_size=8)
    assert [task.name for task in data.tasks] == ["kind", "size"]
    assert data.tasks[0].class_names == tuple(KINDS)
    assert isinstance(data.tasks[1], Regression)
    parts = {part: data.arrays(part) for part in data.indices}
    found = {part: set(numbers(x)) for part, (x, _) in parts.items()}
    assert {part: len(n) for part, n in found.items()} == {
        "train": 36,
        "validation": 4,
        "test": 10,
    }
    assert found["train"] | found["validation"] == set(range(40))
    assert found["test"] == set(range(40, 50))
    for x, y in parts.values():
        n = numbers(x)
        np.testing.assert_array_equal(y["kind"], n % 3)
        sizes = np.where(n % 5, n, np.nan).astype("float32")
        np.testing.assert_array_equal(y["size"], sizes)


def test_the_order_of_the_training_part_differs_in_each_epoch(toy):
    def epochs():
        data = datasets.from_tfds(toy, ["kind"], batch_size=8, seed=3)
        return [
            np.concatenate([numbers(x) for x, _ in data.train]).tolist()
            for _ in range(2)
        ]

    keras.utils.set_random_seed(3)
    first = epochs()
    assert sorted(first[0]) == sorted(first[1]) and first[0] != first[1]
    keras.utils.set_random_seed(3)
    assert epochs() == first


@pytest.mark.parametrize(
    ("splits", "options", "expected"),
    [
        pytest.param(
            {"train": (0, 20), "dev": (20, 5)},
            {},
            {"train": 16, "validation": 5, "test": 4},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"train": (0, 20), "validation": (20, 5), "test": (25, 7)},
            {"validation": 0},
            {"train": 20, "test": 7},
            marks=pytest.mark.slow,
        ),
        (
            {"train": (0, 20), "extra": (20, 6)},
            {"train": "train[:50%]", "test": "extra", "validation": 0.2},
            {"train": 8, "validation": 2, "test": 6},
        ),
        pytest.param(
            {"validation": (0, 10)},
            {"train": "validation", "test": 0},
            {"train": 9, "validation": 1},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_splits_by_name_and_by_fraction(tmp_path, splits, options, expected):
    builder = make_builder(tmp_path, splits)
    data = datasets.from_tfds(builder, ["kind"], **options)
    assert {p: len(i) for p, i in data.indices.items()} == expected
    held = [set(numbers(data.arrays(part)[0])) for part in expected]
    assert [len(part) for part in held] == list(expected.values())
    assert len(set.union(*held)) == sum(expected.values())


@pytest.mark.slow
def test_an_ordered_data_set_is_split_at_random(tmp_path):
    builder = make_builder(tmp_path, {"train": (0, 40)}, ordered=True)
    data = datasets.from_tfds(builder, ["kind"], test=0.25, batch_size=8)
    held = {part: numbers(data.arrays(part)[0]) for part in data.indices}
    assert sorted(np.concatenate([*held.values()])) == list(range(40))
    # In one piece, they would be ten in a row.
    assert np.ptp(held["test"]) > 15
    streamed = np.concatenate([numbers(x) for x, _ in data.train])
    assert sorted(streamed) == held["train"].tolist()
    assert len(data.train) == 4


def test_masks_are_inferred_resized_and_checked(toy):
    data = datasets.from_tfds(toy, ["mask"], image_size=(12, 8), **WHOLE)
    assert isinstance(data.tasks[0], Segmentation)
    assert data.tasks[0].num_classes == 3
    x, y = data.arrays()
    assert x.shape[1:] == (12, 8, 3) and y["mask"].shape[1:] == (12, 8, 1)
    n = numbers(x)
    rows = np.arange(12)[:, None] // 2
    for number, mask in zip(n, y["mask"][..., 0], strict=True):
        expected = np.where(rows < 1 + number % 4, 1 + number % 2, 0)
        np.testing.assert_array_equal(mask, np.tile(expected, 8))
    missing = datasets.from_tfds(toy, ["mask"], missing_pixel=2, **WHOLE)
    assert missing.tasks[0].num_classes == 1
    assert (missing.arrays()[1]["mask"][n % 2 == 1] <= 0).all()
    binary = {"mask": {"kind": "Segmentation", "num_classes": 2}}
    with pytest.raises(tf.errors.InvalidArgumentError, match="of task mask "):
        datasets.from_tfds(toy, binary, **WHOLE).arrays()


@pytest.mark.parametrize(
    ("values", "num_classes", "options", "expected"),
    [
        ([0, 1], None, {}, {0: 0, 1: 1}),
        ([0, 255], None, {}, {0: 0, 255: 1}),
        ([0, 1, 2], None, {}, {0: 0, 1: 1, 2: 2}),
        ([0, 1, 255], None, {}, "missing_pixel=255.*num_classes=1"),
        ([0, 1, 255], 1, {}, "missing_pixel=255"),
        (
            [0, 1, 255],
            1,
            {"missing_pixel": 255},
            {0: 0, 1: 1, 255: -1},
        ),
        ([0, 40, 200, 255], None, {}, "num_classes=1"),
        ([0, 40, 200, 255], 1, {}, {0: 0, 40: 0, 200: 1, 255: 1}),
        ([0, 90], None, {}, "probably not class indices"),
        ([0, 90], 1, {}, "Pass num_classes=91"),
    ],
)
def test_values_of_masks(monkeypatch, values, num_classes, options, expected):
    masks = np.resize(np.array(values, "uint8"), (4, 2, 3, 1))

    def as_dataset(self, split, decoders=None, **_):
        images = np.zeros((4, 2, 3, 3), "uint8")
        example = {"image": images, "segmentation_mask": masks}
        return tf.data.Dataset.from_tensor_slices(example)

    task = "segmentation_mask"
    spec = (
        {task: "Segmentation"}
        if num_classes is None
        else [Segmentation(task, num_classes)]
    )

    def read():
        with mocked(4, as_dataset_fn=as_dataset):
            return datasets.from_tfds(
                "oxford_iiit_pet", spec, image_size=(2, 3), **WHOLE, **options
            ).arrays()[1][task]

    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            read()
    else:
        wanted = np.vectorize(expected.get)(masks)
        np.testing.assert_array_equal(read(), wanted)


@pytest.mark.slow
def test_features_with_classes(tmp_path):
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(2, 3, 3)),
            "parts": tfds.features.LabeledImage(
                labels=["sky", "road", "car"], shape=(2, 3, 1)
            ),
            "cells": tfds.features.LabeledImage(
                labels=["none", "cell"], shape=(2, 3, 1)
            ),
            "code": tfds.features.ClassLabel(num_classes=4),
        }
    )
    rows = [
        {
            "image": np.zeros((2, 3, 3), "uint8"),
            "parts": np.full((2, 3, 1), number % 3, "uint8"),
            "cells": np.full((2, 3, 1), 255 if number else 1, "uint8"),
            "code": number - 1,
        }
        for number in range(5)
    ]
    builder = make_builder(tmp_path, own_features=features, rows=rows)
    names = ["parts", "cells", "code"]
    data = datasets.from_tfds(builder, names, missing_pixel=255, **WHOLE)
    parts, cells, code = data.tasks
    assert (parts.num_classes, cells.num_classes) == (3, 1)
    assert parts.class_names == ("sky", "road", "car")
    assert cells.class_names == ("none", "cell")
    assert code.num_classes == 4 and code.class_names is None
    y = data.arrays()[1]
    assert sorted(y["code"]) == [-1, 0, 1, 2, 3]
    for number, part, cell in zip(
        y["code"] + 1, y["parts"], y["cells"], strict=True
    ):
        assert (part == number % 3).all()
        assert (cell == (-1 if number else 1)).all()


def test_nested_features_and_several_inputs(toy):
    data = datasets.from_tfds(
        toy,
        {"low": "box/low", "kind": "Classification"},
        inputs=["image", "box/high", "notes"],
        batch_size=8,
    )
    assert data.input_shape == {
        "image": (6, 4, 3),
        "box/high": (),
        "notes": (),
    }
    x, y = data.arrays("test")
    n = numbers(x["image"])
    np.testing.assert_array_equal(y["low"], n)
    np.testing.assert_array_equal(x["box/high"], n + 1)
    assert x["box/high"].dtype == "float32"
    assert x["notes"].tolist() == [f"note {number}" for number in n]
    both = datasets.from_tfds(toy, {"box": ["box"]}, **WHOLE)
    assert isinstance(both.tasks[0], Regression) and both.tasks[0].units == 2
    x, y = both.arrays()
    n = numbers(x)
    np.testing.assert_array_equal(np.sort(y["box"], axis=1)[:, 0], n)
    inputs = datasets.from_tfds(toy, ["kind"], "box", **WHOLE).arrays()[0]
    assert set(inputs) == {"low", "high"}


@pytest.mark.slow
def test_booleans_are_labels_together_and_alone():
    smile = {"smile": ["attributes/Smiling"], "kind": ["attributes"]}
    data = from_mock("celeb_a", smile, count=12, image_size=(8, 8))
    assert isinstance(data.tasks[0], BinaryClassification)
    many = data.tasks[1]
    assert isinstance(many, MultiLabelClassification) and many.num_labels == 40
    assert "Smiling" in many.class_names
    y = data.arrays()[1]
    column = many.class_names.index("Smiling")
    np.testing.assert_array_equal(y["kind"][:, column], y["smile"])


@pytest.mark.slow
def test_lists_of_classes_are_labels_if_the_kind_is_given():
    with pytest.raises(ValueError, match="'labels': 'MultiLabelClassification"):
        from_mock("voc/2007", ["labels"], image_size=(4, 4))
    spec = {"labels": "MultiLabelClassification"}
    rows = [[3, 3, 19], [], [0], [-1]]

    def as_dataset(self, split, decoders=None, **_):
        images = tf.zeros((4, 4, 4, 3), tf.uint8)
        labels = tf.ragged.constant(rows, tf.int64)
        dataset = tf.data.Dataset.from_tensor_slices((images, labels))
        return dataset.map(lambda x, y: {"image": x, "labels": y})

    with mocked(4, as_dataset_fn=as_dataset):
        data = datasets.from_tfds("voc/2007", spec, **WHOLE)
    (task,) = data.tasks
    assert task.num_labels == 20 and task.class_names[0] == "aeroplane"
    expected = np.zeros((4, 20), int)
    expected[0, [3, 19]] = expected[2, 0] = 1
    expected[3] = -1  # it is not known which there are
    np.testing.assert_array_equal(data.arrays()[1]["labels"], expected)


@pytest.mark.slow
def test_boxes_and_depths_are_numbers():
    data = from_mock("cars196", ["label", "bbox"], image_size=(4, 4))
    assert isinstance(data.tasks[1], Regression) and data.tasks[1].units == 4
    assert data.arrays()[1]["bbox"].shape == (14, 4)
    data = from_mock("nyu_depth_v2", ["depth"], count=5, image_size=(6, 8))
    assert isinstance(data.tasks[0], DenseRegression)
    x, y = data.arrays()
    assert x.shape[1:] == (6, 8, 3) and y["depth"].shape[1:] == (6, 8, 1)
    assert y["depth"].dtype == "float32"


@pytest.mark.slow
def test_classes_that_are_strings_are_encoded_by_name(toy):
    names = [f"note {number}" for number in reversed(range(50))]
    spec = {"notes": {"kind": "Classification", "class_names": names}}
    x, y = datasets.from_tfds(toy, spec, "image", **WHOLE).arrays()
    assert y["notes"].tolist() == (49 - numbers(x)).tolist()
    spec["notes"]["class_names"] = names[:20]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Task notes: exp"):
        datasets.from_tfds(toy, spec, "image", **WHOLE).arrays()


def test_tokens_and_tags():
    data = from_mock("conll2003", ["pos", "ner"], "tokens", batch_size=4)
    assert all(isinstance(task, SequenceTagging) for task in data.tasks)
    assert data.tasks[1].class_names[0] == "O"
    assert data.tasks[0].num_classes == len(data.tasks[0].class_names)
    for x, y in data.train:
        assert x.dtype == tf.string and x.shape == (len(y["ner"]),)
        assert y["ner"].dtype == y["pos"].dtype == tf.int32
    # TFDS mocks the lengths of each feature by themselves.
    x, y = data.arrays()
    assert x.shape == (14,) and y["pos"].shape[0] == 14


def sentences(rows):
    """Returns a mocked data set of tokens and tags."""

    def as_dataset(self, split, decoders=None, **_):
        return tf.data.Dataset.from_generator(
            lambda: ({"tokens": t, "ner": n} for t, n in rows),
            output_signature={
                "tokens": tf.TensorSpec((None,), tf.string),
                "ner": tf.TensorSpec((None,), tf.int64),
            },
        ).apply(tf.data.experimental.assert_cardinality(len(rows)))

    return tfds.testing.mock_data(
        policy=tfds.testing.MockPolicy.USE_CODE, as_dataset_fn=as_dataset
    )


def test_sentences_are_padded_to_the_longest_of_the_batch():
    rows = [(["a", "b"], [1, 0]), (["c"], [2]), (["d", "e", "f"], [0, -1, 3])]
    with sentences(rows):
        data = datasets.from_tfds(
            "conll2003", ["ner"], "tokens", batch_size=2, **WHOLE
        )
    x, y = data.arrays()
    assert x.tolist() == ["a b", "c", "d e f"]
    assert y["ner"].tolist() == [[1, 0, -1], [2, -1, -1], [0, -1, 3]]
    batches = data.source.batches(np.arange(3), 2, None)
    assert [y["ner"].shape for _, y in batches] == [(2, 2), (1, 3)]
    assert datasets.describe(data).tasks["ner"].missing == pytest.approx(1 / 6)


def test_tokens_stay_in_step_with_their_tags():
    tokens = ["New York", "", "a\tb", "c"]
    with sentences([(tokens, [1, 0, 2, 3])]):
        data = datasets.from_tfds("conll2003", ["ner"], "tokens", **WHOLE)
    x, y = data.arrays()
    assert x.tolist() == ["New\u00a0York \u00a0 a\u00a0b c"]
    layer = mtl_keras.layers.TokenIds(["c"])
    assert layer(x.astype(object)).shape == y["ner"].shape == (1, 4)


def test_missing_labels_of_a_test_part():
    def as_dataset(self, split, decoders=None, **_):
        labels = np.full(4, -1) if "test" in split else np.arange(4) % 2
        return tf.data.Dataset.from_tensor_slices(
            {"sentence": np.array(list("abcd")), "label": labels}
        )

    with mocked(4, as_dataset_fn=as_dataset):
        data = datasets.from_tfds(
            "glue/cola", ["label"], "sentence", validation=0, test="test"
        )
    assert isinstance(data.tasks[0], BinaryClassification)
    assert data.tasks[0].class_names == ("unacceptable", "acceptable")
    assert data.arrays("test")[1]["label"].tolist() == [-1] * 4
    found = datasets.describe(data)
    assert found.parts["test"].tasks["label"].labelled == 0
    assert found.parts["train"].tasks["label"].labelled == 4


def test_describe_reads_no_inputs(toy, monkeypatch):
    data = datasets.from_tfds(toy, ["kind", "mask"])
    monkeypatch.setattr(
        type(data.source), "read_inputs", property(lambda _: 1 / 0), False
    )
    for part in data.source.parts:
        assert set(part.labels.element_spec) == {"kind", "mask"}
        assert set(part.samples.element_spec) == {"image", "kind", "mask"}
    found = datasets.describe(data)
    assert found.samples == 50
    expected = np.bincount(np.arange(50) % 3)
    counts = found.tasks["kind"].class_counts
    assert list(counts) == KINDS
    assert list(counts.values()) == expected.tolist()


def test_class_names_of_the_task_encode_the_classes(toy):
    order = ["eel", "cat", "dog"]
    spec = {"kind": {"kind": "Classification", "class_names": order}}
    x, y = datasets.from_tfds(toy, spec, **WHOLE).arrays()
    expected = [order.index(KINDS[number % 3]) for number in numbers(x)]
    assert y["kind"].tolist() == expected
    spec["kind"]["class_names"] = ["eel", "cat", "cow"]
    with pytest.raises(ValueError, match="class 'dog', which is not among"):
        datasets.from_tfds(toy, spec)


@pytest.mark.slow
def test_a_model_fits_a_data_set(toy):
    data = datasets.from_tfds(toy, ["kind", "size"], batch_size=16)
    model = mtl_keras.build_mlp(data.input_shape, data.tasks)
    model.run_eagerly = True
    history = model.fit(
        data.train, validation_data=data.validation, shuffle=False, verbose=0
    ).history
    assert np.isfinite(history["val_loss"]).all()


def test_decoders_change_what_is_read(toy):
    @tfds.decode.make_decoder(output_dtype=tf.float32)
    def halved(example, feature):
        return tf.cast(feature.decode_example(example), tf.float32) / 2

    data = datasets.from_tfds(
        toy, ["kind"], decoders={"image": halved()}, **WHOLE
    )
    x, _ = data.arrays()
    assert sorted(2 * x[:, 0, 0, 0]) == list(range(40))


@pytest.mark.slow
def test_a_mixture_streams_the_training_part_and_compares_classes(toy):
    data = datasets.from_tfds(toy, ["kind"])
    stream = datasets.mix({"toy": data}, batch_size=10)
    assert len(stream) == 4
    seen = np.concatenate([numbers(x) for x, _ in stream])
    assert sorted(seen) == sorted(numbers(data.arrays()[0]))
    x, y = datasets.concatenate({"toy": data}, part="test")
    np.testing.assert_array_equal(y["kind"], numbers(x) % 3)
    spec = {"kind": {"kind": "Classification", "class_names": KINDS[::-1]}}
    turned = datasets.from_tfds(toy, spec)
    with pytest.raises(ValueError, match="the same in another order"):
        datasets.mix({"toy": data, "turned": turned})


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (["knd"], {}, ValueError, r"`tasks` names the feature 'knd'.*'kind'\?"),
        (["kind"], {"inputs": "imag"}, ValueError, r"`inputs`.*'image'\?"),
        (["kind"], {"inputs": ["image", "kind"]}, ValueError, "label of task"),
        (["kind"], {"inputs": 3}, TypeError, "name of a feature or a list"),
        (["notes"], {}, ValueError, "'notes': its kind is ambiguous"),
        (
            {"notes": "Classification"},
            {},
            ValueError,
            "are unknown. .*'class_names'",
        ),
        ({"kind": "Regression"}, {}, None, None),
        (
            {"kind": {"kind": "Classification", "num_classes": 2}},
            {},
            ValueError,
            "has 3 classes, but the task has 2",
        ),
        ({"mask": "Classification"}, {}, ValueError, "has a value per sample"),
        (["kind"], {"train": "trian"}, ValueError, r"'trian', which .*'train'"),
        (["kind"], {"test": "tst"}, ValueError, r"`test` names .*'test'\?"),
        (["kind"], {"validation": 1.5}, ValueError, "`validation` must be"),
        (["kind"], {"batch_size": 0}, ValueError, "`batch_size`"),
        (["kind"], {"image_size": 8}, ValueError, r"\(height, width\)"),
        (["kind"], {"decoders": {"size": None}}, ValueError, "neither an in"),
        (["kind"], {"decoders": {"imge": None}}, ValueError, r"'image'\?"),
        (["kind"], {"decoders": [1]}, TypeError, "`decoders` must be a dict"),
    ],
)
def test_errors_name_the_feature(toy, arguments, options, error, message):
    if error is None:
        assert datasets.from_tfds(toy, arguments, **options).tasks
        return
    with pytest.raises(error, match=message):
        datasets.from_tfds(toy, arguments, **options)


@pytest.mark.slow
def test_images_of_different_sizes_need_an_image_size():
    with pytest.raises(ValueError, match=r"'image' .*image_size=\(height"):
        from_mock("oxford_iiit_pet", ["species"])
    data = from_mock("oxford_iiit_pet", ["species"], image_size=(9, 7))
    assert data.input_shape == (9, 7, 3)
    assert isinstance(data.tasks[0], BinaryClassification)
    assert data.tasks[0].class_names == ("Cat", "Dog")


def test_without_tfds_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install mtl_keras\[tfds\]"):
        datasets.from_tfds("mnist", ["label"])


def test_a_data_set_that_does_not_exist():
    with pytest.raises(ValueError, match=r"'mnst'\. Did you mean 'mnist'"):
        datasets.from_tfds("mnst", ["label"])
    with pytest.raises(TypeError, match="`name` must be the name"):
        datasets.from_tfds(3, ["label"])


def test_an_input_that_is_missing_is_an_error(toy):
    data = datasets.from_tfds(toy, ["kind"], inputs=["size"], **WHOLE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="'size' has a m"):
        list(data.train)
