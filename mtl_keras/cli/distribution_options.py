"""The options of distributed training."""

from __future__ import annotations

from typing import Annotated

import typer

Distribution = Annotated[
    str,
    typer.Option(
        metavar="KIND",
        help="'none', 'mirrored' (the GPUs of this machine; without GPUs, "
        "logical CPU devices), 'multi_worker' (the hosts of TF_CONFIG or of "
        "SLURM), or 'auto', which picks one of them. The batch size is that of "
        "all replicas together.",
    ),
]
Replicas = Annotated[
    int | None,
    typer.Option(
        min=1, help="Devices of each host. Default: all GPUs, or one CPU."
    ),
]
