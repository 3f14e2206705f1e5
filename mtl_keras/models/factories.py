"""The registry: one line for each factory."""

from mtl_keras.models.cgc import build_cgc as build_cgc
from mtl_keras.models.cnn import build_cnn as build_cnn
from mtl_keras.models.cnn_cls_seg import build_cnn_cls_seg as build_cnn_cls_seg
from mtl_keras.models.cnn_multi_task import (
    build_cnn_multi_task as build_cnn_multi_task,
)
from mtl_keras.models.cross_stitch_cnn import (
    build_cross_stitch_cnn as build_cross_stitch_cnn,
)
from mtl_keras.models.cross_stitch_mlp import (
    build_cross_stitch_mlp as build_cross_stitch_mlp,
)
from mtl_keras.models.dselect_k import build_dselect_k as build_dselect_k
from mtl_keras.models.esmm import build_esmm as build_esmm
from mtl_keras.models.from_backbone import (
    build_from_backbone as build_from_backbone,
)
from mtl_keras.models.hierarchical_cnn import (
    build_hierarchical_cnn as build_hierarchical_cnn,
)
from mtl_keras.models.hierarchical_mlp import (
    build_hierarchical_mlp as build_hierarchical_mlp,
)
from mtl_keras.models.low_rank import build_low_rank_mlp as build_low_rank_mlp
from mtl_keras.models.mlp import build_mlp as build_mlp
from mtl_keras.models.mmoe import build_mmoe as build_mmoe
from mtl_keras.models.mtan import build_mtan as build_mtan
from mtl_keras.models.ple import build_ple as build_ple
from mtl_keras.models.sequence_multi_task import (
    build_sequence_multi_task as build_sequence_multi_task,
)
from mtl_keras.models.soft_sharing import (
    build_soft_sharing_mlp as build_soft_sharing_mlp,
)
from mtl_keras.models.task_relation_mlp import (
    build_task_relation_mlp as build_task_relation_mlp,
)
from mtl_keras.models.text_cls_tag import (
    build_text_cls_tag as build_text_cls_tag,
)
