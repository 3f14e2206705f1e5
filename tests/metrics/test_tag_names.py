"""Names of tags that make spans, and those that cannot."""

import numpy as np
import pytest

from mtl_keras import SequenceTagging
from mtl_keras.metrics import SpanF1, decode_tags
from mtl_keras.metrics.tag_names import check_bio, check_iob2

IOB1 = ["O", "B-PER", "I-PER", "I-LOC"]
NEEDS_B = r"'I-LOC' but not 'B-LOC'.*IOB2.*to_iob2"


def test_decoding_refuses_names_in_iob1_form():
    gold = np.array([[2, 2, 0, 3]])
    with pytest.raises(ValueError, match=NEEDS_B):
        decode_tags(np.eye(4)[gold] * 0.9 + 0.025, IOB1)
    with pytest.raises(ValueError, match=NEEDS_B):
        SpanF1(IOB1, decode=True)
    with pytest.raises(
        ValueError, match=rf"Task 'ner'.*IOB2 form. .*{NEEDS_B}"
    ):
        SequenceTagging("ner", 4, class_names=IOB1, metrics="decoded_span_f1")


def test_spans_of_single_tags_in_either_form():
    metric = SpanF1(IOB1)
    tags = np.array([[2, 2, 0, 3]])
    metric.update_state(tags, np.eye(4)[tags])
    assert float(metric.result()) == 1


def test_inside_tags_are_optional():
    assert check_iob2(["O", "B-a", "I-a", "B-b"])[3] == "B-b"


@pytest.mark.parametrize("tag", ["L-a", "U-a", "E-a", "S-a", "a", "B_a", "I-"])
def test_errors_name_the_conversion_of_other_forms(tag):
    with pytest.raises(ValueError, match=rf"'{tag}'.*to_iob2.*BILOU"):
        check_bio(["O", "B-a", tag])


def test_scores_with_another_number_of_classes():
    with pytest.raises(ValueError, match="3 classes, but class_names has 2"):
        decode_tags(np.zeros((1, 2, 3)), ["O", "B-a"])
