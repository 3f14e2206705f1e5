"""The factories: functions that build compiled multi-task models."""

from collections.abc import Callable

from mtl_keras.models.cgc import build_cgc
from mtl_keras.models.cnn import build_cnn
from mtl_keras.models.cnn_cls_seg import build_cnn_cls_seg
from mtl_keras.models.cnn_multi_task import build_cnn_multi_task
from mtl_keras.models.cross_stitch_cnn import build_cross_stitch_cnn
from mtl_keras.models.cross_stitch_mlp import build_cross_stitch_mlp
from mtl_keras.models.dselect_k import build_dselect_k
from mtl_keras.models.esmm import build_esmm
from mtl_keras.models.from_backbone import build_from_backbone
from mtl_keras.models.hierarchical_cnn import build_hierarchical_cnn
from mtl_keras.models.hierarchical_mlp import build_hierarchical_mlp
from mtl_keras.models.low_rank import build_low_rank_mlp
from mtl_keras.models.mlp import build_mlp
from mtl_keras.models.mmoe import build_mmoe
from mtl_keras.models.mtan import build_mtan
from mtl_keras.models.ple import build_ple
from mtl_keras.models.sequence_multi_task import build_sequence_multi_task
from mtl_keras.models.soft_sharing import build_soft_sharing_mlp
from mtl_keras.models.task_relation_mlp import build_task_relation_mlp
from mtl_keras.models.text_cls_tag import build_text_cls_tag
from mtl_keras.models.text_input import (
    with_text_input,
    without_text_input,
)
from mtl_keras.spelling import did_you_mean

_FACTORIES = {
    "build_cgc": build_cgc,
    "build_cnn": build_cnn,
    "build_cnn_cls_seg": build_cnn_cls_seg,
    "build_cnn_multi_task": build_cnn_multi_task,
    "build_cross_stitch_cnn": build_cross_stitch_cnn,
    "build_cross_stitch_mlp": build_cross_stitch_mlp,
    "build_dselect_k": build_dselect_k,
    "build_esmm": build_esmm,
    "build_from_backbone": build_from_backbone,
    "build_hierarchical_cnn": build_hierarchical_cnn,
    "build_hierarchical_mlp": build_hierarchical_mlp,
    "build_low_rank_mlp": build_low_rank_mlp,
    "build_mlp": build_mlp,
    "build_mmoe": build_mmoe,
    "build_mtan": build_mtan,
    "build_ple": build_ple,
    "build_sequence_multi_task": build_sequence_multi_task,
    "build_soft_sharing_mlp": build_soft_sharing_mlp,
    "build_task_relation_mlp": build_task_relation_mlp,
    "build_text_cls_tag": build_text_cls_tag,
}

__all__ = [
    "get",
    "names",
    "with_text_input",
    "without_text_input",
    *_FACTORIES,
]


def names() -> list[str]:
    """Lists the factories that `get` knows, sorted."""
    return sorted(_FACTORIES)


def get(name: str) -> Callable:
    """Finds a factory by its name.

    Args:
        name: String, one of `names()`.

    Returns:
        The factory.

    Raises:
        ValueError: If no factory has that name.

    Example:

    >>> mtl_keras.models.get("build_mlp") is mtl_keras.build_mlp
    True
    """
    if name in _FACTORIES:
        return _FACTORIES[name]
    raise ValueError(f"No factory {name!r}. {did_you_mean(name, _FACTORIES)}")
