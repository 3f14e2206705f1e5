# Written by `make generate`.

from mtl_keras import datasets as datasets
from mtl_keras import distribution as distribution
from mtl_keras import evaluation as evaluation
from mtl_keras import layers as layers
from mtl_keras import losses as losses
from mtl_keras import metrics as metrics
from mtl_keras import models as models
from mtl_keras import sequence_trunks as sequence_trunks
from mtl_keras import surgery as surgery
from mtl_keras import tables as tables
from mtl_keras import tasks as tasks
from mtl_keras import training as training
from mtl_keras import trunks as trunks
from mtl_keras import tuning as tuning
from mtl_keras import weighting as weighting
from mtl_keras import zoo as zoo
from mtl_keras.distribution import LostWorkerError as LostWorkerError
from mtl_keras.models import with_text_input as with_text_input
from mtl_keras.models import without_text_input as without_text_input
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
from mtl_keras.pretrained import load_model as load_model
from mtl_keras.surgery import add_task as add_task
from mtl_keras.surgery import split as split
from mtl_keras.tasks import BinaryClassification as BinaryClassification
from mtl_keras.tasks import Classification as Classification
from mtl_keras.tasks import DenseRegression as DenseRegression
from mtl_keras.tasks import MultiLabelClassification as MultiLabelClassification
from mtl_keras.tasks import Regression as Regression
from mtl_keras.tasks import Segmentation as Segmentation
from mtl_keras.tasks import SequenceTagging as SequenceTagging
from mtl_keras.tasks import Task as Task
from mtl_keras.training import BackupAndRestore as BackupAndRestore
from mtl_keras.training import BackupError as BackupError
from mtl_keras.training import LossWeightSchedule as LossWeightSchedule
from mtl_keras.training import MultiTaskModel as MultiTaskModel
from mtl_keras.training import NonFiniteGradientError as NonFiniteGradientError
from mtl_keras.training import NonFiniteLossError as NonFiniteLossError
from mtl_keras.training import fit_full_batch as fit_full_batch
from mtl_keras.training import fit_in_stages as fit_in_stages
from mtl_keras.tuning import AllTrialsFailedError as AllTrialsFailedError
from mtl_keras.tuning import FolderInUseError as FolderInUseError
from mtl_keras.tuning import NoWorkersError as NoWorkersError
from mtl_keras.tuning import RepeatedFailuresError as RepeatedFailuresError
from mtl_keras.tuning import UnreachableOracleError as UnreachableOracleError
from mtl_keras.tuning import WorkerFailedError as WorkerFailedError

__version__: str
