"""A search over settings of the sign model that gives up early on what falls behind: optuna, behind one function.

Source: Akiba et al. 2019, https://arxiv.org/abs/1907.10902. A trial is one training with one seed, without augmentation
(`asl.experiments`), judged on a hold-out of train after every epoch. Valid is not read.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vitcourse.asl.experiments import Ground, Heads
from vitcourse.asl.losses import BALANCES, BOX_LOSSES
from vitcourse.asl.runs import SignRun
from vitcourse.errors import InputError, one_line
from vitcourse.training import TrainingConfig
from vitcourse.training.config import OPTIMIZERS

NAME = "signs"
LAYERS = (0, 2, 4, 6)
WARM_UP = 8  # trials drawn at random before the sampler looks back, and before anything is pruned
GOOD, LEAST = "score on the hold-out", 1e-4


def settings_of(trial: object, epochs: int, seed: int) -> tuple[SignRun, Heads]:
    """What an optuna trial asks for; a `FrozenTrial` gives what it had."""
    optimizer = trial.suggest_categorical("optimizer", list(OPTIMIZERS))
    # SGD does not divide a gradient by its own size, so that its rates are others.
    lr = trial.suggest_float(f"lr_{optimizer}", *((LEAST, 1e-2) if optimizer == "adamw" else (1e-3, 1.0)), log=True)
    box_head = trial.suggest_categorical("box_head", ["mean", "sides"])
    frozen = trial.suggest_categorical("frozen_layers", list(LAYERS))
    # The map of "sides" leaves the last layer: where that is frozen, no trained weight hears both losses.
    shared = box_head == "mean" or frozen < LAYERS[-1]
    balance = trial.suggest_categorical("balance", list(BALANCES)) if shared else "constant"
    divisor = trial.suggest_float("C", 1.0, 1000.0, log=True) if balance == "constant" else 1.0
    run = SignRun(
        classification_divisor=divisor,
        balance=balance,
        box_loss=trial.suggest_categorical("box_loss", [name for name in BOX_LOSSES if name != "l1"]),
        box_head=box_head,
        box_sigmoid=box_head != "mean" or trial.suggest_categorical("box_sigmoid", [True, False]),
        frozen_layers=frozen,
        augment=False,
        training=TrainingConfig(epochs=epochs, lr=lr, optimizer=optimizer, seed=seed),
    )
    depth = trial.suggest_int("head_depth", 0, 2)
    width = trial.suggest_int("head_width", 32, 1024, log=True) if depth else 512
    dropout = trial.suggest_float("dropout", 0.0, 0.5) if depth else 0.0
    return run, Heads(width, depth, dropout)


def storage_of(where: str) -> object:
    """A journal file, or a database by its address (``postgresql://…``).

    Raises:
        InputError: the folder of the file is missing, or the server does not answer.
    """
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        if "://" in where:
            return RDBStorage(where)
        if not Path(where).parent.is_dir():
            raise InputError(f"{where}: there is no such folder to keep the study in")
        return JournalStorage(JournalFileBackend(where))
    except InputError:
        raise
    except Exception as error:  # every driver has errors of its own
        raise InputError(f"{where.rpartition('@')[2]}: no study can be kept there ({one_line(error)})") from error


def study_of(where: str, about: dict, seed: int = 0) -> object:
    """The study kept in a storage, new or taken up again.

    Args:
        about: what it searches on; a study of something else is not continued.

    Raises:
        InputError: naming what differs.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = storage_of(where)
    study = optuna.create_study(storage=storage, study_name=NAME, direction="maximize", load_if_exists=True)
    about = json.loads(json.dumps(about))
    known = study.user_attrs
    if other := [name for name, value in about.items() if name in known and known[name] != value]:
        name = other[0]
        raise InputError(f"the study in it has another {name}: {known[name]} in the study, {about[name]} now")
    for name in about.keys() - known.keys():
        study.set_user_attr(name, about[name])
    # Each process, and each new start, draws its own; trials that still run count as poor, so none is tried twice.
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=WARM_UP, seed=seed + 1000 * len(study.trials), constant_liar=True
    )
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=WARM_UP, n_warmup_steps=2)
    return study


def search(study: object, ground: Ground, trials: int, epochs: int, say: Callable[[str], None]) -> None:
    """Runs trials until the study has so many, whoever ran them; each uses the seed of its number."""
    import optuna
    from optuna.study import MaxTrialsCallback
    from optuna.trial import TrialState

    ended = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

    def one(trial: optuna.Trial) -> float:
        run, heads = settings_of(trial, epochs, trial.number)
        busy, reached = time.process_time(), 0.0

        def on_epoch(epoch: int, found: dict[str, float]) -> None:
            nonlocal reached
            reached = found["score"]
            trial.report(reached, epoch)
            trial.set_user_attr("found", {name: round(value, 4) for name, value in found.items()})
            trial.set_user_attr("cpu_seconds", round(time.process_time() - busy, 1))
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            ground.fit(run, heads, on_epoch)
        except FloatingPointError as error:  # a rate that is too high: no training, and so no score
            raise optuna.TrialPruned from error
        return reached

    def tell(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        value = "given up" if trial.state is TrialState.PRUNED else f"{trial.value:.3f}"
        best = max((t.value for t in study.trials if t.state is TrialState.COMPLETE), default=0.0)
        say(f"trial {trial.number}: {value}; best {best:.3f}")

    if sum(trial.state in ended for trial in study.trials) < trials:
        study.optimize(one, callbacks=[tell, MaxTrialsCallback(trials, states=ended)], gc_after_trial=True)


def ranked(study: object) -> list[dict]:
    """The trials that came to their end, the best first: number, score, settings, what was found, seconds."""
    from optuna.trial import TrialState

    whole = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    return [
        {"number": t.number, "score": round(t.value, 4), "params": t.params, **t.user_attrs}
        for t in sorted(whole, key=lambda trial: -trial.value)
    ]


def hours(ground: Ground, trials: int, epochs: int) -> float:
    """Processor hours of so many trials if none is given up, from one epoch with half of the layers frozen."""
    run = SignRun(frozen_layers=LAYERS[2], augment=False, training=TrainingConfig(epochs=1))
    ground.fit(run)  # what is stored is computed here
    busy = time.process_time()
    ground.fit(run, on_epoch=lambda *_: None)
    return trials * epochs * (time.process_time() - busy) / 3600


def again(best: dict, epochs: int, seed: int) -> tuple[SignRun, Heads]:
    """The settings of a ranked trial with another seed."""
    import optuna

    run, heads = settings_of(optuna.trial.FixedTrial(best["params"]), epochs, seed)
    return replace(run, training=replace(run.training, seed=seed)), heads
