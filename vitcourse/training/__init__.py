"""The training loop of the course, on Hugging Face Accelerate: CPU or GPU, one process or several, any precision.

Everything random in epoch e follows from (seed, e) alone, so a run that is stopped and resumed from its last checkpoint
continues to the same weights as one that was never stopped. A finished run can be made longer: from there on its rate
is that of a run of the new length (warm-up and schedule are shares of all its updates), so that after a schedule that
ended at 0 it rises again, and the weights are not those of a run that had the new length from the start.

Several GPUs train one model with ``accelerate launch --multi_gpu --num_processes 2 -m vitcourse train asl …``; several
processes on a CPU do with ``ACCELERATE_USE_CPU=true`` before the same line.

Sources: Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101 (AdamW) and https://arxiv.org/abs/1608.03983
(cosine schedule); Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 5.3 (warm-up).
"""

from vitcourse.training.checkpoints import (
    CHECKPOINT,
    LOG,
    WEIGHTS,
    check_run_folder,
    differences,
    restore,
    run_folder,
)
from vitcourse.training.config import LossFunction, TrainingConfig, by_device, check_precision, offered
from vitcourse.training.loop import BatchTransform, fit
from vitcourse.training.processes import first_process, own_device
from vitcourse.training.schedules import SCHEDULES, better, chosen_epoch
from vitcourse.training.small_batches import check_small_batches

__all__ = [
    "CHECKPOINT",
    "LOG",
    "SCHEDULES",
    "WEIGHTS",
    "BatchTransform",
    "LossFunction",
    "TrainingConfig",
    "better",
    "by_device",
    "check_precision",
    "check_run_folder",
    "check_small_batches",
    "chosen_epoch",
    "differences",
    "first_process",
    "fit",
    "offered",
    "own_device",
    "restore",
    "run_folder",
]
