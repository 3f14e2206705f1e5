"""Layers for sharing, tables, text and sequences that Keras lacks.

This is the registry: one import for each layer.
"""

from mtl_keras.layers.category_embedding import (
    CategoryEmbedding as CategoryEmbedding,
)
from mtl_keras.layers.category_lookup import CategoryLookup as CategoryLookup
from mtl_keras.layers.cross_stitch import CrossStitch as CrossStitch
from mtl_keras.layers.d_select_k_gate import DSelectKGate as DSelectKGate
from mtl_keras.layers.experts import Experts as Experts
from mtl_keras.layers.grouped_dense import GroupedDense as GroupedDense
from mtl_keras.layers.low_rank_dense import LowRankDense as LowRankDense
from mtl_keras.layers.masked_conv1d import MaskedConv1D as MaskedConv1D
from mtl_keras.layers.number_encoding import NumberEncoding as NumberEncoding
from mtl_keras.layers.pad_steps import PadSteps as PadSteps
from mtl_keras.layers.padding_mask import PaddingMask as PaddingMask
from mtl_keras.layers.periodic_encoding import (
    PeriodicEncoding as PeriodicEncoding,
)
from mtl_keras.layers.piecewise_linear_encoding import (
    PiecewiseLinearEncoding as PiecewiseLinearEncoding,
)
from mtl_keras.layers.position_encoding import (
    PositionEncoding as PositionEncoding,
)
from mtl_keras.layers.soft_shared_dense import (
    SoftSharedDense as SoftSharedDense,
)
from mtl_keras.layers.step_pooling import StepPooling as StepPooling
from mtl_keras.layers.task_attention import TaskAttention as TaskAttention
from mtl_keras.layers.task_relation_dense import (
    TaskRelationDense as TaskRelationDense,
)
from mtl_keras.layers.token_ids import TokenIds as TokenIds
from mtl_keras.layers.weighted_sum import WeightedSum as WeightedSum
from mtl_keras.layers.word_dropout import WordDropout as WordDropout

__all__ = sorted(name for name in globals() if name[0].isupper())
