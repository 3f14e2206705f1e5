"""Layers that Keras does not have: sharing, tables, text, sequences."""

from mtl_keras.layers.bidirectional_gru import BidirectionalGRU
from mtl_keras.layers.category_embedding import CategoryEmbedding
from mtl_keras.layers.cross_stitch import CrossStitch
from mtl_keras.layers.d_select_k_gate import DSelectKGate
from mtl_keras.layers.experts import Experts
from mtl_keras.layers.grouped_dense import GroupedDense
from mtl_keras.layers.low_rank_dense import LowRankDense
from mtl_keras.layers.masked_conv1d import MaskedConv1D
from mtl_keras.layers.pad_steps import PadSteps
from mtl_keras.layers.padding_mask import PaddingMask
from mtl_keras.layers.piecewise_linear_encoding import PiecewiseLinearEncoding
from mtl_keras.layers.position_encoding import PositionEncoding
from mtl_keras.layers.soft_shared_dense import SoftSharedDense
from mtl_keras.layers.step_pooling import StepPooling
from mtl_keras.layers.task_attention import TaskAttention
from mtl_keras.layers.task_relation_dense import TaskRelationDense
from mtl_keras.layers.token_ids import TokenIds
from mtl_keras.layers.weighted_sum import WeightedSum
from mtl_keras.layers.word_dropout import WordDropout

__all__ = [
    "BidirectionalGRU",
    "CategoryEmbedding",
    "CrossStitch",
    "DSelectKGate",
    "Experts",
    "GroupedDense",
    "LowRankDense",
    "MaskedConv1D",
    "PadSteps",
    "PaddingMask",
    "PiecewiseLinearEncoding",
    "PositionEncoding",
    "SoftSharedDense",
    "StepPooling",
    "TaskAttention",
    "TaskRelationDense",
    "TokenIds",
    "WeightedSum",
    "WordDropout",
]
