"""Building blocks of models whose tasks share parameters."""

from mtl_keras.layers.cross_stitch import CrossStitch
from mtl_keras.layers.d_select_k_gate import DSelectKGate
from mtl_keras.layers.experts import Experts
from mtl_keras.layers.grouped_dense import GroupedDense
from mtl_keras.layers.low_rank_dense import LowRankDense
from mtl_keras.layers.soft_shared_dense import SoftSharedDense
from mtl_keras.layers.task_attention import TaskAttention
from mtl_keras.layers.task_relation_dense import TaskRelationDense
from mtl_keras.layers.weighted_sum import WeightedSum

__all__ = [
    "CrossStitch",
    "DSelectKGate",
    "Experts",
    "GroupedDense",
    "LowRankDense",
    "SoftSharedDense",
    "TaskAttention",
    "TaskRelationDense",
    "WeightedSum",
]
