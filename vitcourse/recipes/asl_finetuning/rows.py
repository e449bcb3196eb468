"""The rows of the results table: five models as the project's, and one chosen as the project chose.

Everything that is chosen for a row (learning rate, schedule, the constant C, the epoch) is chosen on photos held out of
train. The valid split is read once for each trained model, after its choices are made. The last row is another matter,
and says so: it trains on all of train and takes the epoch that valid likes best, as the project did.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch

from vitcourse.asl import ClassificationBBoxTransformer, SignRun, evaluate
from vitcourse.asl.parts import Parts
from vitcourse.asl.trainer import train_signs
from vitcourse.recipes import Say
from vitcourse.training import chosen_epoch

HOLD_OUT = 0.2
PLATEAU = {"schedule": "plateau", "monitor": "held_out_score"}
ON_HOLD_OUT, ON_VALID = "photos held out of train", "valid, as the project did"


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        title: what our row is called.
        published: the published row that it stands beside, a key of `asl.table.PUBLISHED`.
        run: what is trained; its settings are where the tries begin.
        tries: settings (fields of `SignRun` or `TrainingConfig`) of which one is chosen with the first seed.
        like: the title of an earlier row, whose choice is taken over before the tries.
        on_valid: choose the epoch on valid, and train on all of train.
    """

    title: str
    published: str
    run: SignRun
    tries: tuple[dict, ...] = ({},)
    like: str = ""
    on_valid: bool = False


def five_rows(
    vit: SignRun, resnet: SignRun, rates: Iterable[float], resnet_rates: Iterable[float], divisors: Iterable[float]
) -> list[Row]:
    """The project's five rows with other backbones, and the one that chooses on valid.

    Args:
        vit, resnet: the two models, with both heads and C = 1.
        rates, resnet_rates: peak learning rates that are tried with a cosine; the first is tried with a plateau, too.
        divisors: values of C that are tried.
    """
    rates, resnet_rates = (
        (*({"lr": rate} for rate in some), {"lr": some[0]} | PLATEAU) for some in (tuple(rates), tuple(resnet_rates))
    )
    divisors = tuple({"classification_divisor": divisor} for divisor in divisors)
    letters, free = replace(vit, task="letters"), replace(vit, box_sigmoid=False)
    return [
        Row("ViT, letters only", "ViT-B/16, in21k, letters only", letters, rates),
        Row("ResNet-18", "ResNet-18", resnet, resnet_rates),
        Row("ViT, without C", "ViT-B/16, in21k, without C", vit, rates),
        Row("ViT, C, sigmoid", "ViT-B/16, in21k, C, sigmoid", vit, divisors, like="ViT, without C"),
        Row("ViT, C, no sigmoid", "ViT-B/16, in21k, C, no sigmoid", free, like="ViT, C, sigmoid"),
        Row(
            "ViT, C, no sigmoid, epoch chosen on valid",
            "ViT-B/16, in21k, C, no sigmoid",
            free,
            like="ViT, C, sigmoid",
            on_valid=True,
        ),
    ]


def trained(
    title: str, run: SignRun, parts: Parts, say: Say, *, judge: bool = True
) -> tuple[ClassificationBBoxTransformer, dict]:
    """Trains one run (see `asl.trainer.train_signs`); the model, and what a record says of it, on all of train."""
    started = time.perf_counter()
    model, log = train_signs(run, parts, judge=judge)
    found = measures(model, parts, 0.0)
    seconds = round(time.perf_counter() - started, 1)
    valid = f"letters {found['valid']['accuracy']:.1%}, IoU@75 {found['valid']['iou75']:.1%}"
    say(f"{title}, seed {run.training.seed}: valid {valid}")
    about = {"title": title, "seed": run.training.seed, "epochs": run.training.epochs}
    return model, about | found | {"log": log, "seconds": seconds}


def measures(model: ClassificationBBoxTransformer, parts: Parts, share: float) -> dict:
    """What a model is: its parameters, and its measures on train without the share held out, and on valid."""
    (valid,) = parts.images(model.image_size, "valid")
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "train": evaluate(model, parts.kept(model.image_size, share)),
        "valid": evaluate(model, valid),
    }


def all_rows(rows: list[Row], parts: Parts, seeds: tuple[int, ...], say: Say) -> dict:
    """Chooses, trains and measures every row with every seed: what is held out, the choices, and the rows."""
    started, choices, recorded, chosen = time.perf_counter(), [], [], {}
    todo, done = sum(len(row.tries) + len(seeds) - 1 for row in rows), 0

    def train(row: Row, settings: dict, seed: int) -> dict:
        nonlocal done
        result = train_row(row, settings, seed, parts)
        done += 1
        left = (time.perf_counter() - started) * (todo / done - 1) / 60
        say(f"{row.title}, seed {seed}, {settings or 'as it is'}: {result['best']:.3f}; about {left:.0f} min left")
        return result

    for row in rows:
        tries = [chosen.get(row.like, {}) | settings for settings in row.tries]
        first = [train(row, settings, seeds[0]) for settings in tries]
        best = max(range(len(tries)), key=lambda i: first[i]["best"])
        chosen[row.title] = tries[best]
        choices += [
            {"title": row.title, "settings": settings, "seed": seeds[0], "score": result["best"], "chosen": i == best}
            for i, (settings, result) in enumerate(zip(tries, first, strict=True))
        ]
        for seed in seeds:
            result = first[best] if seed == seeds[0] else train(row, tries[best], seed)
            recorded.append(measured(row, tries[best], seed, result, parts))
    return {"hold_out": {"share": HOLD_OUT, **parts.counts(HOLD_OUT)}, "choices": choices, "rows": recorded}


def train_row(row: Row, settings: dict, seed: int, parts: Parts) -> dict:
    """One training; ``best`` is the number by which its epoch was chosen."""
    watched, own = "valid_score" if row.on_valid else "held_out_score", vars(row.run.training)
    training = {name: value for name, value in settings.items() if name in own} | {"seed": seed, "choose": watched}
    if "monitor" in training:
        training["monitor"] = watched
    others = {name: value for name, value in settings.items() if name not in own}
    share = 0.0 if row.on_valid else HOLD_OUT
    run = replace(row.run, **others, training=replace(row.run.training, **training), hold_out=share)
    clock, busy = time.perf_counter(), time.process_time()
    model, log = train_signs(run, parts)
    epoch = chosen_epoch(log, watched)
    seconds, busy = round(time.perf_counter() - clock, 1), round(time.process_time() - busy, 1)
    best = log[epoch - 1][watched]
    return {"model": model, "log": log, "epoch": epoch, "best": best, "seconds": seconds, "cpu_seconds": busy}


def measured(row: Row, settings: dict, seed: int, result: dict, parts: Parts) -> dict:
    """What the record says of a trained model; this is where valid is read."""
    found, epochs = measures(result["model"], parts, 0.0 if row.on_valid else HOLD_OUT), row.run.training.epochs
    if row.run.task == "letters":  # its box head was not trained
        found |= {name: {key: found[name][key] for key in ("accuracy", "loss")} for name in ("train", "valid")}
    return {
        "title": row.title,
        "published": row.published,
        "seed": seed,
        "backbone": row.run.backbone,
        "image_size": result["model"].image_size,
        "epochs": epochs,
        "epoch": result["epoch"],
        "chosen_on": ON_VALID if row.on_valid else ON_HOLD_OUT,
        "valid_read": epochs + 1 if row.on_valid else 1,
        "settings": settings,
        **found,
        **{name: result[name] for name in ("log", "seconds", "cpu_seconds")},
        "threads": torch.get_num_threads(),
    }
