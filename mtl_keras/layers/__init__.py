"""Building blocks: of models whose tasks share parameters, and of tables."""

from mtl_keras.layers.category_embedding import CategoryEmbedding
from mtl_keras.layers.cross_stitch import CrossStitch
from mtl_keras.layers.d_select_k_gate import DSelectKGate
from mtl_keras.layers.experts import Experts
from mtl_keras.layers.low_rank_dense import LowRankDense
from mtl_keras.layers.piecewise_linear_encoding import PiecewiseLinearEncoding
from mtl_keras.layers.soft_shared_dense import SoftSharedDense
from mtl_keras.layers.task_relation_dense import TaskRelationDense

__all__ = [
    "CategoryEmbedding",
    "CrossStitch",
    "DSelectKGate",
    "Experts",
    "LowRankDense",
    "PiecewiseLinearEncoding",
    "SoftSharedDense",
    "TaskRelationDense",
]
