"""Weightings, which turn the losses of several tasks into one update."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import keras

from mtl_keras.spelling import did_you_mean
from mtl_keras.weighting.aligned import AlignedMTL
from mtl_keras.weighting.auto_lambda import AutoLambda
from mtl_keras.weighting.cagrad import CAGrad
from mtl_keras.weighting.conflict_free import ConflictFree
from mtl_keras.weighting.db_mtl import DBMTL
from mtl_keras.weighting.dwa import DWA
from mtl_keras.weighting.equal import Equal
from mtl_keras.weighting.fairgrad import FairGrad
from mtl_keras.weighting.famo import FAMO
from mtl_keras.weighting.gls import GLS
from mtl_keras.weighting.graddrop import GradDrop
from mtl_keras.weighting.gradnorm import GradNorm
from mtl_keras.weighting.gradvac import GradVac
from mtl_keras.weighting.importance import Importance
from mtl_keras.weighting.imtl import IMTL
from mtl_keras.weighting.imtl_g import IMTLG
from mtl_keras.weighting.imtl_l import IMTLL
from mtl_keras.weighting.method_table import MethodTable
from mtl_keras.weighting.mgda import MGDA
from mtl_keras.weighting.nash import NashMTL
from mtl_keras.weighting.pcgrad import PCGrad
from mtl_keras.weighting.rlw import RLW
from mtl_keras.weighting.stch import STCH
from mtl_keras.weighting.uncertainty import Uncertainty
from mtl_keras.weighting.upgrad import UPGrad
from mtl_keras.weighting.uw_so import UWSO
from mtl_keras.weighting.weighting import Weighting

_METHODS: dict[str, type[Weighting]] = {
    "aligned": AlignedMTL,
    "auto_lambda": AutoLambda,
    "cagrad": CAGrad,
    "conflict_free": ConflictFree,
    "db_mtl": DBMTL,
    "dwa": DWA,
    "equal": Equal,
    "fairgrad": FairGrad,
    "famo": FAMO,
    "gls": GLS,
    "graddrop": GradDrop,
    "gradnorm": GradNorm,
    "gradvac": GradVac,
    "importance": Importance,
    "imtl": IMTL,
    "imtl_g": IMTLG,
    "imtl_l": IMTLL,
    "mgda": MGDA,
    "nash": NashMTL,
    "pcgrad": PCGrad,
    "rlw": RLW,
    "stch": STCH,
    "uncertainty": Uncertainty,
    "upgrad": UPGrad,
    "uw_so": UWSO,
}

__all__ = [
    "Weighting",
    "deserialize",
    "get",
    "names",
    "serialize",
    "table",
    *(method.__name__ for method in _METHODS.values()),
]


def names() -> list[str]:
    """Lists the names of all methods, sorted."""
    return sorted(_METHODS)


def table() -> MethodTable:
    """Lists the methods with their input, their cost and their paper.

    Returns:
        A list of rows that prints as a table, see `MethodTable`.

    Example:

    >>> rows = mtl_keras.weighting.table()
    >>> [row.requires for row in rows if row.name == "uncertainty"]
    ['losses']
    """
    return MethodTable(_METHODS)


def get(identifier) -> Weighting | None:
    """Returns the weighting of a name, config, class or instance.

    Args:
        identifier: One of `names()`, or the name of the class; a dict such as
            `{"class_name": "dwa", "config": {"temperature": 3.0}}`; a class or
            an instance of `Weighting`; or `None`.

    Returns:
        A `Weighting`, or `None` for `None`.

    Raises:
        TypeError: If `identifier` has another type.
        ValueError: If no method has that name, or the method has no argument
            of a given name.

    Example:

    >>> mtl_keras.weighting.get("dwa").temperature
    2.0
    >>> config = {"class_name": "dwa", "config": {"temperature": 3.0}}
    >>> mtl_keras.weighting.get(config).temperature
    3.0
    """
    if identifier is None or isinstance(identifier, Weighting):
        return identifier
    if inspect.isclass(identifier) and issubclass(identifier, Weighting):
        return identifier()
    if isinstance(identifier, str):
        return _find(identifier)()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    raise TypeError(
        f"weighting={identifier!r} of type {type(identifier).__name__}; "
        f"expected a name such as {names()[0]!r}, a dict with 'class_name' and "
        "'config', a Weighting or None."
    )


def serialize(weighting: Weighting) -> dict:
    """Returns the config of a weighting, for `deserialize`.

    Args:
        weighting: A `Weighting`.

    Returns:
        A dict.
    """
    return keras.saving.serialize_keras_object(weighting)


def deserialize(config: Mapping) -> Weighting:
    """Creates a weighting from its config.

    Args:
        config: A dict from `serialize`, or a dict with `class_name` (see
            `get`) and, optionally, `config`, a dict of arguments.

    Returns:
        A `Weighting`.

    Raises:
        TypeError: If the arguments are not a dict.
        ValueError: If `class_name` is missing or unknown, or a key or an
            argument is unknown.

    Example:

    >>> config = mtl_keras.weighting.serialize(mtl_keras.weighting.DWA(3.0))
    >>> mtl_keras.weighting.deserialize(config).temperature
    3.0
    """
    if "registered_name" in config:
        return keras.saving.deserialize_keras_object(dict(config))
    if "class_name" not in config or set(config) - {"class_name", "config"}:
        raise ValueError(
            f"weighting={dict(config)!r}; expected a dict such as "
            "{'class_name': 'dwa', 'config': {'temperature': 3.0}}. The "
            "arguments of the method belong in 'config'."
        )
    method = _find(config["class_name"])
    arguments = config.get("config") or {}
    if not isinstance(arguments, Mapping):
        raise TypeError(
            f"weighting {config['class_name']!r}: 'config' is {arguments!r}; "
            "expected a dict of arguments."
        )
    known = inspect.signature(method).parameters
    for argument in arguments:
        if argument not in known:
            raise ValueError(
                f"weighting {config['class_name']!r} has no argument "
                f"{argument!r}. {did_you_mean(argument, known)}"
            )
    return method.from_config(dict(arguments))


def _find(name: str) -> type[Weighting]:
    by_class = {method.__name__: method for method in _METHODS.values()}
    if name in _METHODS or name in by_class:
        return _METHODS.get(name) or by_class[name]
    raise ValueError(
        f"Unknown weighting {name!r}. {did_you_mean(name, _METHODS)}"
    )
