"""Search for trunk widths, task weights and all else. Imports KerasTuner."""

from mtl_keras.tuning.chief_link import UnreachableOracleError
from mtl_keras.tuning.folder_lock import FolderInUseError
from mtl_keras.tuning.keras_tuner_objective import keras_tuner_objective
from mtl_keras.tuning.multi_task_hyper_model import MultiTaskHyperModel
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.published_space import space_of
from mtl_keras.tuning.read_study import change_study, load_study_recipe
from mtl_keras.tuning.remote_workers import NoWorkersError
from mtl_keras.tuning.repeated_failures import RepeatedFailuresError
from mtl_keras.tuning.run_study import join_study, run_study, study_folder
from mtl_keras.tuning.search import search
from mtl_keras.tuning.study import AllTrialsFailedError, Study
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.tuning.trial_record import TrialRecord
from mtl_keras.tuning.trial_workers import WorkerFailedError

__all__ = [
    "AllTrialsFailedError",
    "FolderInUseError",
    "MultiTaskHyperModel",
    "NoWorkersError",
    "Objective",
    "RepeatedFailuresError",
    "Study",
    "StudyRecipe",
    "TrialRecord",
    "UnreachableOracleError",
    "WorkerFailedError",
    "change_study",
    "join_study",
    "keras_tuner_objective",
    "load_study_recipe",
    "run_study",
    "search",
    "space_of",
    "study_folder",
]
