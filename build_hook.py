"""Puts the zoo's recipes and results into the wheel."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("recipe.toml", "metrics.json", "*.weights.h5")


class ZooFiles(BuildHookInterface):
    """Copies what a user needs of `models/` to `mtl_keras/zoo_entries/`."""

    def initialize(self, version, build_data):
        if version == "editable":  # there the clone's own folder is read
            return
        models = Path(self.root) / "models"
        for pattern in SHIPPED:
            for path in models.glob(f"*/{pattern}"):
                inside = Path("mtl_keras/zoo_entries") / path.relative_to(
                    models
                )
                build_data["force_include"][str(path)] = str(inside)
