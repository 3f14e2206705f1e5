"""Tests spoken digits: parts, padding and invalid files."""

import numpy as np
import pytest

from mtl_keras.datasets import spoken_digits

TAKES = 12


@pytest.fixture
def arrays(rng):
    names = sorted(
        (f"{digit}_{speaker}_{take}", digit, speaker, take)
        for digit in (3, 7)
        for speaker in (0, 5)
        for take in range(TAKES)
    )
    _, digit, speaker, take = map(np.array, zip(*names, strict=True))
    count = len(names)
    # The first band of the first frame tells the take.
    log_mel = rng.normal(size=(count, 100, 40)).astype("float16")
    log_mel[:, 0, 0] = take
    return {
        "log_mel": log_mel,
        "length": rng.integers(15, 101, size=count).astype("uint8"),
        "digit": digit.astype("uint8"),
        "speaker": speaker.astype("uint8"),
        "is_test": take < 5,
        "speaker_names": np.array(spoken_digits.SPEAKERS),
    }


@pytest.fixture
def write(tmp_path, arrays):
    def write(**changes):
        path = tmp_path / "spoken_digits.npz"
        np.savez(path, **{**arrays, **changes})
        return path

    return write


def takes_of(x):
    return set(x[:, 0, 0].astype(int).tolist())


def test_parts_follow_the_number_of_the_recording(write):
    path = write()
    (x_train, y_train), (x_test, y_test) = spoken_digits.load_data(path)
    assert x_train.shape == (4 * 7, 100, 40) and x_train.dtype == np.float32
    assert takes_of(x_test) == set(range(5))
    assert takes_of(x_train) == set(range(5, TAKES))
    train, validation, test = spoken_digits.load_splits(path)
    assert takes_of(validation[0]) == set(range(5, 10))
    assert takes_of(train[0]) == set(range(10, TAKES))
    np.testing.assert_array_equal(test[0], x_test)
    for y in (y_train, y_test, validation[1]):
        pairs, counts = np.unique(
            np.stack(list(y.values())), axis=1, return_counts=True
        )
        assert pairs.tolist() == [[3, 3, 7, 7], [0, 5, 0, 5]]
        assert len(set(counts)) == 1


def test_frames_after_the_end_are_padding(write, arrays):
    _, (x, _) = spoken_digits.load_data(write())
    lengths = arrays["length"][arrays["is_test"]]
    padding = (x == spoken_digits.PADDING_VALUE).all(axis=-1)
    np.testing.assert_array_equal((~padding).sum(axis=1), lengths)


def test_tasks_fit_the_targets(write):
    (_, y), _ = spoken_digits.load_data(write())
    assert [task.name for task in spoken_digits.tasks()] == list(y)
    assert [task.num_classes for task in spoken_digits.tasks()] == [10, 6]


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("digit", lambda a: a + 10, "'digit' from 0 to 9, found 13 to 17"),
        ("speaker", lambda a: a + 1, "'speaker' from 0 to 5"),
        ("length", lambda a: a * 0, "'length' from 1 to 100, found 0"),
        ("is_test", lambda a: ~a, "alphabetical order"),
        ("is_test", lambda a: np.sort(a), "alphabetical order"),
        ("speaker_names", lambda a: a[::-1], "'speaker_names' "),
        ("log_mel", lambda a: a[:, :50], r"'log_mel' in the shape \(n, 100"),
        ("length", lambda a: a[1:], "'length' in the shape"),
    ],
)
def test_invalid_arrays(write, arrays, key, change, message):
    path = write(**{key: change(arrays[key])})
    with pytest.raises(ValueError, match=message):
        spoken_digits.load_data(path)


def test_real_spoken_digits(shared_data):
    path = shared_data("spoken_digits") / "spoken_digits.npz"
    parts = spoken_digits.load_splits(path)
    assert [len(x) for x, _ in parts] == [2400, 300, 300]
    for _, y in parts:
        assert (np.bincount(y["digit"]) == len(y["digit"]) // 10).all()
        assert (np.bincount(y["speaker"]) == len(y["digit"]) // 6).all()
    lengths = np.load(path)["length"]
    x = np.concatenate([x for x, _ in parts])
    padding = (x == spoken_digits.PADDING_VALUE).all(axis=-1)
    # No recorded frame looks like padding.
    assert (~padding).sum() == lengths.sum()
