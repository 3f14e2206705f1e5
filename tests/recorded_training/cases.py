"""Short trainings whose weights are recorded, to compare two checkouts.

Each case trains a small model for three steps of a batch of 8.
"""

import dataclasses
import itertools

from factory_harness import SMALL

from mtl_keras import weighting as weightings
from mtl_keras.tasks import Classification

WEIGHTING_FACTORIES = ("build_mlp", "build_cnn_cls_seg")


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One training.

    Args:
        factory: Name of the factory.
        weighting: Name of the weighting, or `None`.
        gradients: `"parameters"` or `"features"`.
        labels: `"complete"` or `"missing"`.
        data: `"arrays"` or `"tf.data"`.
        replicas: Number of replicas.
        steps_per_execution: As in `compile`.
        optimizer: Name of the optimizer.
        policy: Dtype policy.
        arguments: Further arguments of the factory.
        compile_arguments: Further arguments of `compile`.
        class_weight: Whether classes have weights.
        sample_weight: Whether samples have weights.
        validation: Whether the data are also evaluated.
        nine_tasks: Whether there are enough equal tasks to form a group.
        method: `"fit"`, `"fit_full_batch"` or `"fit_in_stages"`.
    """

    factory: str = "build_mlp"
    weighting: str | None = None
    gradients: str = "parameters"
    labels: str = "missing"
    data: str = "arrays"
    replicas: int = 1
    steps_per_execution: int = 1
    optimizer: str = "adam"
    policy: str = "float32"
    arguments: tuple = ()
    compile_arguments: tuple = ()
    class_weight: bool = False
    sample_weight: bool = False
    validation: bool = False
    nine_tasks: bool = False
    method: str = "fit"

    @property
    def factory_arguments(self) -> dict:
        """Returns the arguments of the factory."""
        if not self.nine_tasks:
            return dict(self.arguments)
        nine = [Classification(f"task_{n}", 3) for n in range(9)]
        return {**dict(self.arguments), "tasks": nine, "num_classes": None}

    @property
    def name(self) -> str:
        """Returns the name of the case, for people and for files."""
        parts = [self.factory, self.labels, self.data]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in ("factory", "labels", "data"):
                continue
            if value is True:
                parts.append(field.name)
            elif isinstance(value, tuple):
                parts.extend(f"{key}={given}" for key, given in value)
            elif value != field.default:
                parts.append(f"{field.name}={value}")
        return " ".join(parts)


def _grid():
    return itertools.product(
        ("complete", "missing"), ("arrays", "tf.data"), (1, 2), (1, 3)
    )


def _factory_cases():
    for factory in sorted(SMALL):
        for labels, data, replicas, steps in _grid():
            yield Recorded(
                factory,
                labels=labels,
                data=data,
                replicas=replicas,
                steps_per_execution=steps,
            )


def _weighting_cases():
    for factory in WEIGHTING_FACTORIES:
        for row in weightings.table():
            for labels, data, replicas, steps in _grid():
                yield Recorded(
                    factory,
                    row.name,
                    labels=labels,
                    data=data,
                    replicas=replicas,
                    steps_per_execution=steps,
                )
        for labels, replicas in itertools.product(
            ("complete", "missing"), (1, 2)
        ):
            yield Recorded(
                factory, "pcgrad", "features", labels=labels, replicas=replicas
            )


def _setting_cases():
    for labels, replicas in itertools.product(("complete", "missing"), (1, 2)):
        common = {"labels": labels, "replicas": replicas}
        for weighting in (None, "uncertainty", "mgda"):
            settings = {**common, "weighting": weighting}
            yield Recorded(class_weight=True, **settings)
            yield Recorded(sample_weight=True, **settings)
            yield Recorded(policy="mixed_float16", **settings)
            yield Recorded(
                compile_arguments=(("non_finite", "skip"),), **settings
            )
            yield Recorded(nine_tasks=True, **settings)
            yield Recorded("build_cnn_cls_seg", sample_weight=True, **settings)
        yield Recorded(validation=True, **common)
        yield Recorded(arguments=(("l2", 0.01),), **common)
        yield Recorded("build_mlp", optimizer="sgd", **common)
        if replicas == 1:
            yield Recorded("build_mlp", method="fit_full_batch", **common)
            yield Recorded("build_cnn", method="fit_full_batch", **common)
        yield Recorded(
            "build_hierarchical_mlp", method="fit_in_stages", **common
        )
        yield Recorded("build_cnn_cls_seg", method="fit_in_stages", **common)


CASES = {
    case.name: case
    for case in (*_factory_cases(), *_weighting_cases(), *_setting_cases())
}
