"""Metrics that Keras lacks, or lacks in the form that a task needs."""

from mtl_keras.metrics.accuracy import Accuracy
from mtl_keras.metrics.balanced_accuracy import (
    BalancedAccuracy,
    BinaryBalancedAccuracy,
)
from mtl_keras.metrics.dice import BinaryDice, MeanDice
from mtl_keras.metrics.f1_score import F1Score
from mtl_keras.metrics.mean_iou import MeanIoU
from mtl_keras.metrics.r2_score import R2Score
from mtl_keras.metrics.span_f1 import SpanF1
from mtl_keras.metrics.tag_decoding import decode_tags

__all__ = [
    "Accuracy",
    "BalancedAccuracy",
    "BinaryBalancedAccuracy",
    "BinaryDice",
    "F1Score",
    "MeanDice",
    "MeanIoU",
    "R2Score",
    "SpanF1",
    "decode_tags",
]
