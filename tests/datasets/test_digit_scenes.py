"""Tests digit scenes: pictures, masks and depths match."""

import keras
import numpy as np
import pytest

from mtl_keras.datasets import digit_scenes


@pytest.fixture(scope="module")
def scenes():
    return digit_scenes.load_data(num_train=1200, num_test=300)


@pytest.fixture
def solid_squares(monkeypatch):
    """Replaces the handwriting: all ink for training, half ink for test."""
    labels = np.repeat(np.arange(10, dtype="int32"), 10)
    images = np.ones((100, 8, 8), "float32")
    _, test = digit_scenes._split_handwriting(labels)
    images[test, 4:] = 0
    monkeypatch.setattr(
        digit_scenes, "_load_handwriting", lambda: (images, labels)
    )


def bounding_boxes(masks):
    """Returns first and last row and column of every mask, (n, 2, 2)."""
    inside = masks[..., 0].astype(bool)
    lines = np.stack([inside.any(axis=2), inside.any(axis=1)], axis=1)
    first = lines.argmax(axis=-1)
    last = lines.shape[-1] - 1 - lines[..., ::-1].argmax(axis=-1)
    return np.stack([first, last], axis=-1)


def contrast(x, masks):
    """Returns the distance of the mean colours in and out of each mask."""
    inside = (x * masks).sum(axis=(1, 2)) / masks.sum(axis=(1, 2))
    rest = 1 - masks
    outside = (x * rest).sum(axis=(1, 2)) / rest.sum(axis=(1, 2))
    return np.linalg.norm(inside - outside, axis=-1)


def test_shapes_dtypes_and_ranges(scenes):
    for (x, y), count in zip(scenes, (1200, 300), strict=True):
        assert x.shape == (count, 32, 32, 3)
        assert x.dtype == np.float32
        assert x.min() >= 0 and x.max() <= 1
        assert y["classification"].shape == (count,)
        assert y["classification"].dtype == np.int32
        assert set(y["classification"]) == set(range(10))
        assert y["segmentation"].shape == (count, 32, 32, 1)
        assert y["segmentation"].dtype == np.float32
        assert set(np.unique(y["segmentation"])) == {0, 1}


def test_tasks_fit_the_targets(scenes):
    (_, targets), _ = scenes
    assert [task.name for task in digit_scenes.tasks()] == list(targets)


def test_same_seed_same_scenes_for_any_size_of_the_other_part(scenes):
    (x_train, y_train), (x_test, y_test) = scenes
    (x, y), _ = digit_scenes.load_data(num_train=1200, num_test=1)
    np.testing.assert_array_equal(x, x_train)
    for name, values in y.items():
        np.testing.assert_array_equal(values, y_train[name])
    _, (x, y) = digit_scenes.load_data(num_train=1, num_test=300)
    np.testing.assert_array_equal(x, x_test)
    for name, values in y.items():
        np.testing.assert_array_equal(values, y_test[name])


def test_depths_are_those_of_the_sizes_and_change_nothing_else(scenes):
    (x, y), _ = digit_scenes.load_data(num_train=1200, num_test=1, depth=True)
    np.testing.assert_array_equal(x, scenes[0][0])
    masks = y["segmentation"]
    np.testing.assert_array_equal(masks, scenes[0][1]["segmentation"])
    assert y["depth"].dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(y["depth"]), masks == 1)
    assert [task.name for task in digit_scenes.tasks(depth=True)] == list(y)
    # One depth a scene, and the nearer the digit the larger its strokes.
    nearest = np.nanmin(y["depth"], axis=(1, 2, 3))
    np.testing.assert_array_equal(
        nearest, np.nanmax(y["depth"], axis=(1, 2, 3))
    )
    sizes = 24 / nearest
    np.testing.assert_allclose(sizes, sizes.round(), rtol=1e-6)
    assert (sizes.min().round(), sizes.max().round()) == (14, 24)
    height, _ = np.ptp(bounding_boxes(masks), axis=-1).T
    assert np.corrcoef(height, sizes)[0, 1] > 0.95


def test_depths_are_the_sides_of_solid_squares(solid_squares):
    (_, y), _ = digit_scenes.load_data(200, 1, depth=True)
    sides = np.ptp(bounding_boxes(y["segmentation"]), axis=-1)[:, 0] + 1
    depths = np.nanmean(y["depth"], axis=(1, 2, 3))
    np.testing.assert_allclose(depths, 24 / sides, rtol=1e-6)


def test_other_seed_other_scenes():
    zero = digit_scenes.load_data(num_train=20, num_test=20, seed=0)
    one = digit_scenes.load_data(num_train=20, num_test=20, seed=1)
    for (x, y), (other_x, other_y) in zip(zero, one, strict=True):
        assert not np.array_equal(x, other_x)
        assert any(not np.array_equal(y[name], other_y[name]) for name in y)


@pytest.mark.parametrize("new_writers", [False, True])
def test_split_is_disjoint_complete_and_stratified(new_writers):
    images, labels = digit_scenes._load_handwriting()
    train, test = digit_scenes._split_handwriting(labels, new_writers)
    assert sorted([*train, *test]) == list(range(1797))
    shares = np.bincount(labels[test]) / np.bincount(labels)
    np.testing.assert_allclose(shares, 0.2, atol=0.005)
    strokes = {image.tobytes() for image in images[train]}
    assert not any(image.tobytes() in strokes for image in images[test])


def test_new_writers_are_the_last_of_each_class():
    _, labels = digit_scenes._load_handwriting()
    train, test = digit_scenes._split_handwriting(labels, new_writers=True)
    for label in range(10):
        of_class = labels == label
        assert train[of_class[train]].max() < test[of_class[test]].min()
    _, shuffled = digit_scenes._split_handwriting(labels)
    assert set(shuffled) != set(test)


def test_parts_use_different_handwriting(solid_squares):
    (_, y_train), (_, y_test) = digit_scenes.load_data(200, 200)
    for y, height_of_a_square in ((y_train, 1), (y_test, 0.5)):
        boxes = bounding_boxes(y["segmentation"])
        height, width = (boxes[..., 1] - boxes[..., 0] + 1).T
        np.testing.assert_allclose(
            height / width, height_of_a_square, atol=0.04
        )


def test_parts_draw_different_places(solid_squares):
    (_, y_train), (_, y_test) = digit_scenes.load_data(50, 50)
    # The same draws would give the same columns, whatever the ink.
    columns = [
        bounding_boxes(y["segmentation"])[:, 1] for y in (y_train, y_test)
    ]
    assert not np.array_equal(*columns)


def test_digits_have_all_sizes_and_places_and_stay_inside(solid_squares):
    (_, y), _ = digit_scenes.load_data(num_train=2000, num_test=1)
    masks = y["segmentation"]
    boxes = bounding_boxes(masks)
    sides = boxes[..., 1] - boxes[..., 0] + 1
    np.testing.assert_array_equal(sides[:, 0], sides[:, 1])
    # No corner is cut off: the area is that of the whole square.
    np.testing.assert_array_equal(masks.sum((1, 2, 3)), sides[:, 0] ** 2)
    sizes, counts = np.unique(sides, return_counts=True)
    assert sizes.tolist() == list(range(14, 25))
    assert counts.min() > 0.5 * counts.max()
    assert boxes.min(axis=(0, 2)).tolist() == [0, 0]
    assert boxes.max(axis=(0, 2)).tolist() == [31, 31]


def test_real_masks_have_the_size_of_a_digit(scenes):
    (_, y), _ = scenes
    boxes = bounding_boxes(y["segmentation"])
    sides = boxes[..., 1] - boxes[..., 0] + 1
    assert sides.max() <= 24
    assert sides.max(axis=1).min() >= 9
    assert y["segmentation"].sum((1, 2, 3)).min() >= 20


def test_strokes_stand_out_where_the_mask_says(scenes):
    (x, y), _ = scenes
    masks = y["segmentation"]
    own = contrast(x, masks)
    assert np.median(own) > 0.4
    for shift in (-1, 1):
        for axis in (1, 2):
            beside = contrast(x, np.roll(masks, shift, axis))
            assert (own > beside).mean() > 0.97


def test_colours_keep_their_distance():
    rng = np.random.default_rng(0)
    cube = np.stack(np.meshgrid(*3 * [[0, 0.5, 1]]), axis=-1).reshape(-1, 3)
    colours = np.concatenate([cube, rng.random((2000, 3))])
    chosen = digit_scenes._contrasting_colours(colours, rng)
    distances = np.linalg.norm(chosen - colours, axis=1)
    assert distances.min() >= digit_scenes.CONTRAST - 1e-6
    # Not merely the farthest corner, which would be too easy to see.
    assert np.median(distances) < 0.9
    assert chosen.min() >= 0 and chosen.max() <= 1


def test_colours_keep_their_distance_when_no_candidate_does():
    class NearBlack(np.random.Generator):
        def random(self, size, dtype="float32"):
            return np.full(size, 0.01, dtype)

    rng = NearBlack(np.random.PCG64(0))
    colours = np.full((3, 3), 0.02, "float32")
    chosen = digit_scenes._contrasting_colours(colours, rng)
    np.testing.assert_array_equal(chosen, np.ones((3, 3)))


def test_backgrounds_run_from_one_colour_to_another():
    gradients = digit_scenes._gradients(500, np.random.default_rng(0))
    assert gradients.min() >= 0 and gradients.max() <= 1
    for axis in (1, 2):
        np.testing.assert_allclose(np.diff(gradients, 2, axis), 0, atol=1e-5)
    spread = np.ptp(gradients, axis=(1, 2))
    assert np.median(spread) == pytest.approx(1 - np.sqrt(0.5), abs=0.05)


def test_noise_has_the_documented_deviation(scenes):
    (x, y), _ = scenes
    # Twelve pixels without a mask leave six without any ink.
    far = ~y["segmentation"][:, :12, :12].any(axis=(1, 2, 3))
    corners = x[far, :6, :6]
    # In the middle of the range, clipping does not touch the noise.
    middle = np.abs(corners.mean(axis=(1, 2)) - 0.5) < 0.1
    # Second differences of a gradient vanish and those of noise remain.
    second = np.diff(corners, 2, axis=2).transpose(0, 3, 1, 2)[middle]
    assert second.size > 2000
    assert second.std() / np.sqrt(6) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("size", [14, 16, 19, 24])
def test_enlarging_is_bilinear_as_in_keras(size):
    images, _ = digit_scenes._load_handwriting()
    enlarge = digit_scenes._bilinear_matrix(8, size)
    expected = keras.ops.image.resize(
        images[:20, ..., None], (size, size), interpolation="bilinear"
    )
    np.testing.assert_allclose(
        enlarge @ images[:20] @ enlarge.T,
        keras.ops.convert_to_numpy(expected)[..., 0],
        atol=1e-6,
    )


@pytest.mark.parametrize("count", [0, -1, 2.5, "10", True, None])
@pytest.mark.parametrize("name", ["num_train", "num_test"])
def test_a_count_must_be_a_positive_integer(name, count):
    with pytest.raises(ValueError, match=f"`{name}`.*found {count!r}"):
        digit_scenes.load_data(**{name: count})


@pytest.mark.parametrize("seed", [-1, 0.5, None, "0", False])
def test_a_seed_must_be_an_integer(seed):
    with pytest.raises(ValueError, match=f"`seed`.*found {seed!r}"):
        digit_scenes.load_data(num_train=1, num_test=1, seed=seed)


def test_numpy_integers_are_integers():
    one = np.int64(1)
    (x, _), _ = digit_scenes.load_data(num_train=one, num_test=one, seed=one)
    assert x.shape == (1, 32, 32, 3)
