"""A backup that the chief reads, for all workers."""

from __future__ import annotations

import json
from pathlib import Path

import keras

from mtl_keras.distribution.workers import (
    from_chief,
    run_on_chief,
    text_from_chief,
)
from mtl_keras.training.backups.backup_file import (
    Content,
    describe,
    prepare_backup,
    read_backup,
    zeros,
)
from mtl_keras.training.backups.training_state import (
    describe_state,
    differences,
)


def read_for_all(path: Path, model: keras.Model) -> Content | None:
    """Reads a backup on the chief and gives it to all workers.

    Args:
        path: Path of the file, to which the chief must be able to write.
        model: The compiled model that it is for. All workers must call this.

    Returns:
        The content, or `None` if there is no backup.

    Raises:
        BackupError: If it cannot be read, or another cannot be written.
        RuntimeError: On the other workers, if the chief failed.
        ValueError: If it is of another model.
    """
    # Variables are made on all workers or on none.
    model.build_optimizer()
    found = []

    def read() -> bool:
        prepare_backup(path)
        if path.is_file():
            found.append(read_backup(path))
            _check_model(path, found[0], model)
        return bool(found)

    strategy = model.distribute_strategy
    if not run_on_chief(strategy, read):
        return None
    return _share(strategy, *found)


def _check_model(path: Path, content: Content, model: keras.Model) -> None:
    found = differences(content.facts["model"], describe_state(model))
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ValueError(
            f"The backup '{path}' is of another model: "
            f"{'; '.join(found[:3])}{more}. Build and compile the model as "
            "before, or remove the backup to train from the start."
        )


def _share(strategy, content: Content | None = None) -> Content:
    """Gives all workers what the chief has read."""
    facts = (
        None
        if content is None
        else {"facts": content.facts, "arrays": describe(content.arrays)}
    )
    shared = json.loads(text_from_chief(strategy, json.dumps(facts)))
    arrays = zeros(shared["arrays"]) if content is None else content.arrays
    received = from_chief(strategy, list(arrays.values()))
    return Content(shared["facts"], dict(zip(arrays, received, strict=True)))
