"""A loss or metric that Keras could not find when a task was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


class MissingObject:
    """Stands for a loss or metric of one's own that could not be loaded.

    A model that has one predicts, and is saved as it was. It cannot be
    compiled.

    Args:
        config: What Keras made of the object to save it.
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
        """Raises the error that says how to load the object."""
        raise self.error("a task")

    def error(self, owner: str) -> TypeError:
        """Returns the error that says how to load the object.

        Args:
            owner: What needs it, such as `"task 'age'"`.
        """
        name = self.object_name
        return TypeError(
            f"{owner[0].upper()}{owner[1:]} needs {name!r}, which Keras does "
            "not know in this process. Pass custom_objects="
            f"{{{name!r}: {name}}} to mtl_keras.load_model, or decorate it "
            "with keras.saving.register_keras_serializable() and import it "
            "before."
        )


def load_or_stand_in(config):
    """Loads what Keras has saved, or returns a `MissingObject` for it.

    Args:
        config: What `keras.saving.serialize_keras_object` returned.
    """
    try:
        return keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError):
        if isinstance(config, list | tuple):
            return [load_or_stand_in(each) for each in config]
        if isinstance(config, Mapping) and "class_name" in config:
            if config["class_name"] == "__tuple__":
                return tuple(map(load_or_stand_in, config["config"]["value"]))
            return MissingObject(config)
        raise


def save(value):
    """Serializes a value, or returns what a `MissingObject` was made of.

    Args:
        value: An attribute of a task.
    """
    if isinstance(value, MissingObject):
        return value.config
    if isinstance(value, list | tuple):
        return [save(each) for each in value]
    return keras.saving.serialize_keras_object(value)
