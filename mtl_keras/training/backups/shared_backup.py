"""A backup that the chief reads for all workers."""

from __future__ import annotations

import json
from pathlib import Path

import keras

from mtl_keras.distribution import from_chief, run_on_chief, text_from_chief
from mtl_keras.training.backups.backup_file import (
    BackupContent,
    describe_arrays,
    make_zeros,
    prepare_backup,
    read_backup,
)
from mtl_keras.training.backups.training_state import (
    compare_states,
    describe_state,
)


def read_shared_backup(path: Path, model: keras.Model) -> BackupContent | None:
    """Reads a backup on the chief and sends it to all workers.

    All workers must call this function.

    Args:
        path: Path of the file, which the chief must be able to write.
        model: The compiled model.

    Returns:
        The content, or `None` if there is no backup.

    Raises:
        BackupError: If the backup cannot be read or is not writable.
        RuntimeError: On the other workers, if the chief failed.
        ValueError: If the backup belongs to another model.
    """
    # All workers create their variables at the same point.
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


def _check_model(
    path: Path, content: BackupContent, model: keras.Model
) -> None:
    found = compare_states(content.facts["model"], describe_state(model))
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ValueError(
            f"The backup '{path}' belongs to another model: "
            f"{'; '.join(found[:3])}{more}. Build and compile the model as "
            "before, or remove the backup to train from the start."
        )


def _share(strategy, content: BackupContent | None = None) -> BackupContent:
    """Sends the content that the chief read to all workers."""
    facts = (
        None
        if content is None
        else {"facts": content.facts, "arrays": describe_arrays(content.arrays)}
    )
    shared = json.loads(text_from_chief(strategy, json.dumps(facts)))
    arrays = make_zeros(shared["arrays"]) if content is None else content.arrays
    received = from_chief(strategy, list(arrays.values()))
    return BackupContent(
        shared["facts"], dict(zip(arrays, received, strict=True))
    )
