"""Decoded tags, against a search over all sequences."""

import itertools

import numpy as np
import pytest

from mtl_keras.metrics import decode_tags

TAGS = ["O", "B-a", "I-a", "B-b", "I-b", "B-c"]


def is_valid(sequence, names):
    """Returns whether each I- continues a span of its type."""
    for before, tag in itertools.pairwise(["O", *(names[i] for i in sequence)]):
        if tag[0] == "I" and before not in (f"B-{tag[2:]}", tag):
            return False
    return True


def best(probabilities, names):
    """Returns the most probable valid sequence of a sentence."""
    sequences = itertools.product(range(len(names)), repeat=len(probabilities))
    steps = np.arange(len(probabilities))
    return max(
        (one for one in sequences if is_valid(one, names)),
        key=lambda one: np.log(probabilities[steps, list(one)]).sum(),
    )


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("names", [TAGS, ["I-b", "O", "B-a", "B-b"]])
def test_decoded_tags_are_the_most_probable_valid_sequence(rng, steps, names):
    probabilities = rng.dirichlet(np.ones(len(names)), size=(20, steps))
    found = decode_tags(probabilities, names).numpy()
    expected = [best(sentence, names) for sentence in probabilities]
    np.testing.assert_array_equal(found, expected)
    # Some of the best tags of each step alone make no valid sequence.
    if steps > 1:
        assert (found != probabilities.argmax(axis=-1)).any()


def test_logits_and_probabilities_decode_alike(rng):
    logits = rng.normal(size=(8, 5, 6))
    exponentials = np.exp(logits)
    probabilities = exponentials / exponentials.sum(axis=-1, keepdims=True)
    np.testing.assert_array_equal(
        decode_tags(logits, TAGS, from_logits=True),
        decode_tags(probabilities, TAGS),
    )


def test_masked_steps_are_outside_and_end_spans(rng):
    probabilities = rng.dirichlet(np.ones(6), size=(10, 7))
    mask = np.ones((10, 7), bool)
    mask[:, 3] = mask[:, 6] = False
    found = decode_tags(probabilities, TAGS, mask=mask).numpy()
    assert (found[~mask] == 0).all()
    np.testing.assert_array_equal(
        found[:, 4:6], decode_tags(probabilities[:, 4:6], TAGS)
    )
