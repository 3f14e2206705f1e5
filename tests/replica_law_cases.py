"""The cases of the law: N replicas equal one. `replica_law.py` trains them.

There is a case for each factory, weighting, setting and kind of added loss, but
not for every combination of them. All cases are trained on two replicas. Cases
whose batches the replicas do not divide are also trained on four replicas. One
weighting of each hook is also trained on four, and on one under a strategy.
"""

import dataclasses

from factory_harness import GRAPH_REPRESENTATIVES, REPRESENTATIVE, SMALL

from mtl_keras import weighting as weightings
from mtl_keras.tasks import Classification

# Tolerance, relative to the largest value of a tensor.
EXACT = 1e-5
NORMALIZED = {"sgd": 1e-4, "adam": 1e-3}
# Half a step of the last of 8 (float16: 11) bits of the mantissa.
TOLERANCE_BY_POLICY = {"mixed_bfloat16": 2e-2, "mixed_float16": 4e-3}
# Both learn from differences of almost equal losses, which amplify rounding.
TOLERANCE_BY_WEIGHTING = dict.fromkeys(("auto_lambda", "famo"), 1e-4)

# Other data for cases in which a ReLU behind batch normalization receives 1e-7
# to 7e-6 in the step in which replicas diverge: rounding decides on which side
# of 0 this lies, and so the gradient.
SEEDS_WITHOUT_KINKS = {
    "build_mtan-missing-adam": 6,
    "build_mtan-pcgrad-parameters": 6,
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One training.

    Args:
        factory: Name of the factory.
        weighting: Name of the weighting, or `None`.
        gradients: `"parameters"` or `"features"`.
        labels: `"complete"`, or `"missing"`: some at random, all of one task in
            the first batch, all of one task on the first replica, and all but
            one on the last replica.
        optimizer: `"sgd"` or `"adam"`.
        samples: Samples per epoch, in batches of 8.
        policy: Dtype policy.
        arguments: Further arguments of the factory.
        optimizer_arguments: Further arguments of the optimizer.
        compile_arguments: Further arguments of `compile`.
        class_weight: Whether classes have weights.
        validation: Whether the data are also evaluated after each epoch.
        seed: Seed of the data.
        replicas: Numbers of replicas that are compared with one.
    """

    factory: str = "build_mlp"
    weighting: str | None = None
    gradients: str = "parameters"
    labels: str = "missing"
    optimizer: str = "sgd"
    samples: int = 40
    policy: str = "float32"
    arguments: tuple = ()
    optimizer_arguments: tuple = ()
    compile_arguments: tuple = ()
    class_weight: bool = False
    validation: bool = False
    seed: int = 5
    replicas: tuple = (2,)

    @property
    def tolerance(self) -> float:
        """Returns the tolerance, relative to the largest value of a tensor."""
        if self.policy in TOLERANCE_BY_POLICY:
            return TOLERANCE_BY_POLICY[self.policy]
        if "normalization" in dict(self.arguments):
            return NORMALIZED[self.optimizer]
        return TOLERANCE_BY_WEIGHTING.get(self.weighting, EXACT)


_BATCH = (("normalization", "batch"),)
_MONITOR = (("monitor", True),)
_NINE = tuple(Classification(f"task_{n}", 3) for n in range(9))
# The last batch of 8 has fewer samples than replicas, or the parts of a batch
# differ in size.
_SHORT = {"short-batch": 37, "three-samples": 35, "one-sample": 33}
_FOUR_TOO = (2, 4)
_ONE_TOO = (1, 2, 4)
# One weighting of each hook: on losses, with trainable variables, at the end of
# an epoch, after a step, on a Gramian, with a state, on the gradients, and
# ahead of a step.
HOOK_REPRESENTATIVES = (
    "uncertainty",
    "dwa",
    "famo",
    "mgda",
    "gradvac",
    "db_mtl",
    "auto_lambda",
)


def _factory_cases():
    for factory in sorted(SMALL):
        often = factory in REPRESENTATIVE
        replicas = _FOUR_TOO if often else Case.replicas
        kinds = [("missing", "adam")]
        if often:
            kinds += [("complete", "sgd")]
        for labels, optimizer in kinds:
            name = f"{factory}-{labels}-{optimizer}"
            seed = SEEDS_WITHOUT_KINKS.get(name, Case.seed)
            yield (
                name,
                Case(
                    factory,
                    labels=labels,
                    optimizer=optimizer,
                    seed=seed,
                    replicas=replicas,
                ),
            )
        yield (
            f"{factory}-missing-sgd-normalized",
            Case(factory, arguments=_BATCH, replicas=replicas),
        )
    yield (
        "build_mlp-complete-adam-normalized",
        Case(labels="complete", optimizer="adam", arguments=_BATCH),
    )
    for gradients, factories in (
        ("parameters", GRAPH_REPRESENTATIVES),
        ("features", ("build_mlp", "build_mtan", "build_text_cls_tag")),
    ):
        for factory in factories:
            name = f"{factory}-pcgrad-{gradients}"
            seed = SEEDS_WITHOUT_KINKS.get(name, Case.seed)
            yield name, Case(factory, "pcgrad", gradients, seed=seed)


def _weighting_cases():
    for row in weightings.table():
        replicas = (
            _ONE_TOO if row.name in HOOK_REPRESENTATIVES else Case.replicas
        )
        modes = ["parameters"]
        if row.requires == "gramian":
            modes.append("features")
        for gradients in modes:
            yield (
                f"{row.name}-{gradients}-missing",
                Case("build_mlp", row.name, gradients, replicas=replicas),
            )
            replicas = Case.replicas
        if row.name in HOOK_REPRESENTATIVES:
            yield (
                f"{row.name}-parameters-complete",
                Case("build_mlp", row.name, labels="complete"),
            )
    for gradients in ("parameters", "features"):
        name = f"mgda-{gradients}"
        yield (
            f"{name}-normalized",
            Case("build_cnn_cls_seg", "mgda", gradients, arguments=_BATCH),
        )
        yield (
            f"{name}-adam",
            Case("build_mlp", "mgda", gradients, optimizer="adam"),
        )
        yield (
            f"{name}-monitored",
            Case("build_mlp", "mgda", gradients, compile_arguments=_MONITOR),
        )


def _setting_cases():
    """Yields each setting with Keras's sum of the losses and with a Gramian.

    Settings of the loss also come with a weighting of losses.
    """
    with_loss_method = (
        "class-weights",
        "executions",
        "skip",
        "float16",
        "one-sample",
    )
    for weighting in (None, "uncertainty", "mgda"):
        name = weighting or "plain"
        case = Case(weighting=weighting)
        for setting, changes in _settings():
            if weighting == "uncertainty" and setting not in with_loss_method:
                continue
            if weighting == "mgda" and setting.endswith("-complete"):
                continue
            yield f"{name}-{setting}", dataclasses.replace(case, **changes)


def _settings():
    """Yields the names of settings, and their changes to a case."""
    weights = {"class_weight": True}
    yield "class-weights", weights
    yield "class-weights-complete", {**weights, "labels": "complete"}
    for argument, value in (
        ("clipnorm", 0.1),
        ("clipvalue", 0.01),
        ("global_clipnorm", 0.1),
    ):
        name = argument.replace("_", "-")
        yield name, {"optimizer_arguments": ((argument, value),)}
    yield "averaged", {"optimizer_arguments": (("use_ema", True),)}
    for name, samples in _SHORT.items():
        short = {"samples": samples, "validation": True, "replicas": _FOUR_TOO}
        yield name, short
        yield f"{name}-complete", {**short, "labels": "complete"}
    yield "executions", {"compile_arguments": (("steps_per_execution", 3),)}
    yield "skip", {"compile_arguments": (("non_finite", "skip"),)}
    for dtype in ("bfloat16", "float16"):
        yield dtype, {"policy": f"mixed_{dtype}"}


def _added_loss_cases():
    """Yields losses that layers add: penalties and means over samples."""
    per_sample_losses = (("per_sample", True), ("entropy", 0.1))
    unreached = (*per_sample_losses, ("num_experts", 3))
    for factory, name, arguments, sizes in (
        ("build_mlp", "l2", (("l2", 0.01),), (37,)),
        ("build_task_relation_mlp", "penalty", (("penalty", 0.1),), (37,)),
        ("build_dselect_k", "entropy", (("entropy", 0.1),), (33,)),
        ("build_dselect_k", "entropy-of-samples", per_sample_losses, (37, 33)),
        # With a single sample, 1 / reach rises to 1e6, and rounding with it.
        ("build_dselect_k", "unreached-expert", unreached, (37,)),
    ):
        replicas = (
            _FOUR_TOO if arguments == per_sample_losses else Case.replicas
        )
        for weighting in (None, "pcgrad"):
            for samples in sizes:
                case_name = f"{factory}-{name}-{weighting or 'plain'}-{samples}"
                case = Case(
                    factory,
                    weighting,
                    samples=samples,
                    arguments=arguments,
                    validation=weighting is None,
                    replicas=replicas,
                )
                yield case_name, case


def _short_batch_cases():
    """Yields short batches where batch normalization sees them."""
    for name, samples in _SHORT.items():
        yield (
            f"build_cnn_cls_seg-{name}-normalized",
            Case(
                "build_cnn_cls_seg",
                samples=samples,
                arguments=_BATCH,
                replicas=_FOUR_TOO,
            ),
        )
    yield (
        "build_cnn-one-sample-normalized",
        Case("build_cnn", samples=33, arguments=_BATCH, replicas=_FOUR_TOO),
    )


def _group_cases():
    """Yields equal tasks, as many as are computed together."""
    for factory, weighting, labels in (
        ("build_mlp", None, "complete"),
        ("build_mlp", None, "missing"),
        ("build_mlp", "dwa", "missing"),
        ("build_mlp", "uncertainty", "missing"),
        ("build_mlp", "pcgrad", "missing"),
        ("build_mmoe", None, "missing"),
        ("build_mmoe", "pcgrad", "missing"),
    ):
        name = f"{factory}-nine-tasks-{weighting or 'plain'}-{labels}"
        yield (
            name,
            Case(
                factory,
                weighting,
                labels=labels,
                samples=37,
                arguments=(("tasks", _NINE), ("num_classes", None)),
                validation=True,
            ),
        )


def _together():
    """Yields several of these in one case, for the quick tests."""
    yield (
        "plain-weights-of-classes-one-sample-adam",
        Case(class_weight=True, samples=33, validation=True, optimizer="adam"),
    )
    yield (
        "mgda-monitored-global-clipnorm",
        Case(
            weighting="mgda",
            compile_arguments=_MONITOR,
            optimizer_arguments=(("global_clipnorm", 0.1),),
        ),
    )


CASES = {
    **dict(_factory_cases()),
    **dict(_weighting_cases()),
    **dict(_setting_cases()),
    **dict(_added_loss_cases()),
    **dict(_short_batch_cases()),
    **dict(_group_cases()),
    **dict(_together()),
}
