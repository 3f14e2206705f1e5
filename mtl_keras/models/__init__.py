"""The factories: functions that build compiled multi-task models."""

from collections.abc import Callable

from mtl_keras.models.cnn import build_cnn
from mtl_keras.models.cnn_cls_seg import build_cnn_cls_seg
from mtl_keras.models.mlp import build_mlp
from mtl_keras.spelling import did_you_mean

_FACTORIES = {
    "build_cnn": build_cnn,
    "build_cnn_cls_seg": build_cnn_cls_seg,
    "build_mlp": build_mlp,
}

__all__ = ["build_cnn", "build_cnn_cls_seg", "build_mlp", "get", "names"]


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
