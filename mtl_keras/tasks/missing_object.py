"""A loss or metric that Keras could not find when a task was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


class MissingObject:
    """Placeholder for a custom loss or metric that could not be loaded.

    A model that has one can predict, and saves it unchanged. It cannot be
    compiled.

    Args:
        config: The config that Keras saved for the object.
    """

    def __init__(self, config: Mapping[str, Any]):
        self.config = dict(config)
        inner = self.config.get("config")
        if self.config.get("class_name") == "function":
            self.object_name = str(inner)
            self.name = self.object_name
        else:
            self.object_name = str(self.config.get("class_name"))
            has_name = isinstance(inner, Mapping) and "name" in inner
            self.name = inner["name"] if has_name else self.object_name

    def __repr__(self) -> str:
        return f"MissingObject({self.object_name!r})"

    def __call__(self, *args, **kwargs):
        """Raises the error that explains how to load the object."""
        raise self.error("a task")

    def error(self, owner: str) -> TypeError:
        """Returns the error that explains how to load the object.

        Args:
            owner: The object that needs it, such as `"task 'age'"`.
        """
        name = self.object_name
        return TypeError(
            f"{owner[0].upper()}{owner[1:]} needs {name!r}, which Keras does "
            "not know in this process. Pass custom_objects="
            f"{{{name!r}: {name}}} to mtl_keras.load_model, or decorate it "
            "with keras.saving.register_keras_serializable() and import it "
            "first."
        )


def deserialize_or_keep(config):
    """Deserializes a value, or keeps its config as a `MissingObject`.

    Args:
        config: A config from `keras.saving.serialize_keras_object`.
    """
    try:
        return keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError):
        if isinstance(config, list | tuple):
            return [deserialize_or_keep(each) for each in config]
        if isinstance(config, Mapping) and "class_name" in config:
            if config["class_name"] == "__tuple__":
                return tuple(
                    map(deserialize_or_keep, config["config"]["value"])
                )
            return MissingObject(config)
        raise


def serialize(value):
    """Serializes a value, or returns the config of a `MissingObject`.

    Args:
        value: An attribute of a task.
    """
    if isinstance(value, MissingObject):
        return value.config
    if isinstance(value, list | tuple):
        return [serialize(each) for each in value]
    return keras.saving.serialize_keras_object(value)
