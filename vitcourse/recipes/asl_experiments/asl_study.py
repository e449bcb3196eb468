"""The recorded run ``asl_study``: a search over settings, and what its winner is worth on pictures that chose nothing.

The same search as ``vitcourse study asl`` on rendered signs. Its best trial is then trained again with new seeds,
beside the project's own settings, and both are read on valid.

It is small: 16 trials of 6 epochs on 416 pictures, 8 of them drawn at random, and three new seeds; some 10 minutes of
one processor. It shows how a search is read. It does not find the best setting of so many.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vitcourse import results
from vitcourse.asl.experiments import Ground
from vitcourse.asl.parts import Parts, subset
from vitcourse.asl.study import again, hours, ranked, search, study_of
from vitcourse.data.asl import synthesise
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import PICTURES, RUN, rounded

TRIALS, EPOCHS, HOLD_OUT = 16, 6, 0.2
SEEDS = (0, 1, 2)
JOURNAL = "asl_study.journal"  # beside the records; it is what the search is taken up from


@recipe("asl_study")
def record(say: Say) -> Iterator[dict]:
    """Searches, and trains the winner and the project's settings again."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        synthesise(Path(place) / "signs", **PICTURES)
        parts = Parts(Path(place) / "signs")
        whole, valid = parts.images(PICTURES["size"], "train", "valid")
        train, held = (subset(whole, some) for some in parts.places(HOLD_OUT))
        digest = parts.digest(parts.places(HOLD_OUT)[0])
    journal = results.FOLDER / JOURNAL
    journal.parent.mkdir(parents=True, exist_ok=True)
    study = study_of(str(journal), {"data": digest, "epochs": EPOCHS})
    ground = Ground(train, held)
    say(f"{TRIALS} trials: about {hours(ground, TRIALS, EPOCHS):.2f} processor hours, less what is given up early")
    search(study, ground, TRIALS, EPOCHS, say)
    import optuna

    best, states = ranked(study), [trial.state.name for trial in study.trials]
    given_up = [
        {"number": t.number, "epochs": len(t.intermediate_values), **t.user_attrs}
        for t in study.trials
        if t.state.name == "PRUNED"
    ]
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    # Where all scores are equal, no setting can be said to matter.
    differ = len({trial.value for trial in study.trials if trial.state.name == "COMPLETE"}) > 1
    weights = optuna.importance.get_param_importances(study, evaluator=evaluator) if differ else {}
    content = {"data": PICTURES, "epochs": EPOCHS, "trials": best, "given_up": given_up, "rows": []}
    content |= {"counts": {name: states.count(name) for name in sorted(set(states))}}
    content |= {"importance": rounded(weights)}
    on_valid = Ground(train, valid)
    for seed in SEEDS:
        runs = {"best of the study": again(best[0], EPOCHS, 1000 + seed)}
        own = replace(RUN, frozen_layers=6 // 2, classification_divisor=100.0)
        runs["the project's"] = replace(own, training=replace(RUN.training, epochs=EPOCHS, seed=1000 + seed)), None
        for title, (run, heads) in runs.items():
            model, _ = on_valid.fit(run, heads)
            found = rounded(on_valid.measure(model, on_valid.features(model, run)[1]))
            held_out = rounded(ground.measure(model, ground.features(model, run)[1]))
            content["rows"].append({"title": title, "seed": seed, "valid": found, "held_out": held_out})
            say(f"{title}, seed {seed}: score {found['score']:.3f}, on the hold-out {held_out['score']:.3f}")
        yield content | {"seconds": time.perf_counter() - started}
    journal.unlink()
