"""The recorded run ``number_words``: lesson 03's Transformer over several seeds, with a part of it taken away in turn,
and pre-norm against post-norm with and without a warm-up.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.data.sequences import END, PAD, START, TARGET_LENGTH, VOCABULARY, NumberPairs, number_pairs
from vitcourse.recipes import Say, recipe
from vitcourse.training import TrainingConfig, fit
from vitcourse.transformer import Transformer, TransformerConfig, beam_decode, greedy_decode

TRAIN, UNSEEN, SMOOTHING = 5000, 1000, 0.1
MODEL = TransformerConfig(
    dim=64,
    num_heads=4,
    mlp_ratio=2.0,
    encoder_depth=2,
    decoder_depth=2,
    norm_first=True,
    dropout=0.0,
    source_vocab=len(VOCABULARY),
    target_vocab=len(VOCABULARY),
    max_length=16,
)
TRAINING = TrainingConfig(epochs=8, batch_size=64, lr=4e-3, weight_decay=0.01, warmup=0.1)
# The comparison of the norms: three times as deep, half as wide, and nothing that would hide a bad start.
DEEP = replace(MODEL, dim=32, encoder_depth=6, decoder_depth=6)
SHORT = TrainingConfig(epochs=1, batch_size=32, weight_decay=0.01, warmup=0.0, clip=0.0)
SHORT_STEPS = 150
RATES = (1.5e-3, 3e-3, 6e-3, 1.2e-2)
WARMUPS = (0.0, 0.3)
SEEDS = {"whole": (0, 1, 2, 3, 4), "other": (0, 1, 2)}
PARTS = ("whole", "post-norm", "no smoothing", "no positions", "no embedding scale", "no residuals", "no causal mask")
EPOCHS = {"no causal mask": 2}  # a decoder that may look at the answer learns to do so at once


def teacher_forced(model: nn.Module, source: Tensor, target: Tensor) -> Tensor:
    """Logits (B, T, V) where the decoder reads the right target, one place to the right."""
    start = torch.full_like(target[:, :1], START)
    return model(source, torch.cat([start, target[:, :-1]], dim=1))


def loss_function(smoothing: float) -> Callable[[nn.Module, dict], dict[str, Tensor]]:
    """Cross-entropy with label smoothing over all tokens that are not padding."""

    def losses(model: nn.Module, batch: dict) -> dict[str, Tensor]:
        logits = teacher_forced(model, batch["source"], batch["target"])
        flat, labels = logits.flatten(0, 1), batch["target"].flatten()
        return {"loss": F.cross_entropy(flat, labels, ignore_index=PAD, label_smoothing=smoothing)}

    return losses


def written(model: nn.Module, pairs: NumberPairs, beams: int = 1, use_cache: bool = True) -> Tensor:
    """The target that decoding writes for each number, ids (N, T): greedy, or the best of a beam search."""
    model.eval()
    source = pairs.source.to(next(model.parameters()).device)
    if beams == 1:
        ids = greedy_decode(model, source, START, END, TARGET_LENGTH, use_cache)
    else:
        ids = beam_decode(model, source, START, END, TARGET_LENGTH, beams, length_penalty=0.0)[0][:, 0]
    return F.pad(ids, (0, TARGET_LENGTH - ids.shape[1]), value=PAD)


def correct(ids: Tensor, pairs: NumberPairs) -> Tensor:
    """(N,) truth values: whether ids (N, T) are the target to the last digit."""
    return (ids == pairs.target.to(ids.device)).all(dim=1)


def exact_match(model: nn.Module, pairs: NumberPairs, use_cache: bool = True) -> float:
    """Share of numbers that greedy decoding writes without a mistake."""
    return correct(written(model, pairs, use_cache=use_cache), pairs).float().mean().item()


@torch.no_grad()
def log_probability(model: nn.Module, pairs: NumberPairs, ids: Tensor) -> Tensor:
    """(N,): the log-probability of writing ids (N, T), the end token included and padding not."""
    log_p = teacher_forced(model, pairs.source.to(ids.device), ids).log_softmax(dim=-1)
    return log_p.gather(-1, ids[..., None])[..., 0].masked_fill(ids == PAD, 0.0).sum(dim=1)


def compare_searches(model: nn.Module, pairs: NumberPairs, beams: int = 4) -> dict[str, float]:
    """Beam search against greedy: its exact match, what it mends and breaks, and how often its target is more or less
    probable than the greedy one; all as fractions of the numbers."""
    greedy, found = written(model, pairs), written(model, pairs, beams)
    right, also = correct(greedy, pairs), correct(found, pairs)
    gain = log_probability(model, pairs, found) - log_probability(model, pairs, greedy)
    shares = {
        "beam": also,
        "beam mends": also & ~right,
        "beam breaks": right & ~also,
        "beam is more probable": gain > 1e-4,
        "beam is less probable": gain < -1e-4,
    }
    return {name: share.float().mean().item() for name, share in shares.items()}


@torch.no_grad()
def certainty(model: nn.Module, pairs: NumberPairs) -> dict[str, float]:
    """Teacher-forced, over all tokens: how often the right one is first, and its mean probability."""
    model.eval()
    device = next(model.parameters()).device
    target = pairs.target.to(device)
    logits = teacher_forced(model, pairs.source.to(device), target)
    real = target != PAD
    right = logits.softmax(dim=-1).gather(-1, target[..., None])[..., 0]
    return {
        "tokens": (logits.argmax(dim=-1) == target)[real].float().mean().item(),
        "probability": right[real].mean().item(),
    }


@contextmanager
def seeing_the_future(model: Transformer):
    """Within it, the decoder's self-attention has no causal mask."""

    def look_ahead(_module: nn.Module, args: tuple, options: dict) -> tuple[tuple, dict]:
        return args, options | {"is_causal": False}

    with ExitStack() as hooks:
        for layer in model.decoder.layers:
            hooks.enter_context(layer.self_attn.register_forward_pre_hook(look_ahead, with_kwargs=True))
        yield


@contextmanager
def without_residuals(model: Transformer):
    """Within it, each sub-layer's output goes on alone; what went in is not added. For pre-norm layers."""
    with ExitStack() as hooks:
        for layer in [*model.encoder.layers, *model.decoder.layers]:
            parts = ("attn", "mlp") if hasattr(layer, "attn") else ("self_attn", "cross_attn", "mlp")
            for number, name in enumerate(parts, start=1):
                entered: list[Tensor] = []

                def keep(_module: nn.Module, args: tuple, entered: list = entered) -> None:
                    entered[:] = args

                def take_away(_module: nn.Module, _args: tuple, output: Tensor, entered: list = entered) -> Tensor:
                    return output - entered[0]  # the layer adds it again

                hooks.enter_context(getattr(layer, f"norm{number}").register_forward_pre_hook(keep))
                hooks.enter_context(getattr(layer, name).register_forward_hook(take_away))
        yield


class UnscaledTransformer(Transformer):
    """Without the factor sqrt(D) on the embeddings: what enters is mostly position."""

    def embed(self, tokens: Tensor, table: nn.Embedding, start: int = 0) -> Tensor:
        positions = self.positions[start : start + tokens.shape[1]]
        return self.drop(table(tokens) + positions)


def train_part(part: str, seed: int, pairs: tuple[NumberPairs, NumberPairs]) -> dict:
    """Trains the lesson's model without one part; the numbers of unseen inputs, and the log."""
    train, unseen = pairs
    torch.manual_seed(seed)
    config = replace(MODEL, norm_first=part != "post-norm")
    model = (UnscaledTransformer if part == "no embedding scale" else Transformer)(config)
    if part == "no positions":
        model.positions.zero_()
    training = replace(TRAINING, seed=seed, epochs=EPOCHS.get(part, TRAINING.epochs))
    losses = loss_function(0.0 if part in ("no smoothing", "no causal mask") else SMOOTHING)

    def evaluate(trained: nn.Module) -> dict[str, float]:
        found = {
            "exact": exact_match(trained, unseen, use_cache=part != "no causal mask"),
            **certainty(trained, unseen),
        }
        return found | (compare_searches(trained, unseen) if part == "whole" else {})

    start = time.perf_counter()
    broken = {"no causal mask": seeing_the_future, "no residuals": without_residuals}.get(part, nullcontext)
    with broken(model):
        log = fit(model, train, losses, training, evaluate=evaluate)
    seconds = round(time.perf_counter() - start, 1)
    return {"part": part, "seed": seed, **{name: log[-1][name] for name in ("exact", "tokens", "probability")}} | {
        "log": [{name: round(value, 4) for name, value in entry.items()} for entry in log],
        "seconds": seconds,
    }


def train_norm(norm_first: bool, warmup: float, lr: float, seed: int, train: NumberPairs) -> dict:
    """A short training of the deep model: its loss, the mean over every ten steps."""
    torch.manual_seed(seed)
    model, losses = Transformer(replace(DEEP, norm_first=norm_first)), []
    config = replace(SHORT, lr=lr, warmup=warmup, seed=seed)
    fit(model, train, loss_function(0.0), config, on_step=lambda *step: losses.append(step[2]))
    means = [round(sum(losses[i : i + 10]) / 10, 4) for i in range(0, len(losses), 10)]
    return {"pre_norm": norm_first, "warmup": warmup, "lr": lr, "seed": seed, "losses": means}


@recipe("number_words")
def record(say: Say) -> dict:
    """Trains all of it on the CPU."""
    pairs = number_pairs(TRAIN, UNSEEN)
    parts = []
    for part in PARTS:
        for seed in SEEDS.get(part, SEEDS["other"]):
            parts.append(train_part(part, seed, pairs))
            say(f"{part}, seed {seed}: exact {parts[-1]['exact']:.1%} in {parts[-1]['seconds']} s")
    few, _ = number_pairs(SHORT.batch_size * SHORT_STEPS, 1)
    norms = []
    for lr in RATES:
        for norm_first in (True, False):
            for warmup in WARMUPS:
                norms += [train_norm(norm_first, warmup, lr, seed, few) for seed in SEEDS["other"]]
                last = ", ".join(f"{row['losses'][-1]:.2f}" for row in norms[-len(SEEDS["other"]) :])
                say(f"{'pre' if norm_first else 'post'}-norm, rate {lr:g}, warm-up {warmup:g}: last loss {last}")
    return {
        "model": asdict(MODEL),
        "training": asdict(TRAINING),
        "smoothing": SMOOTHING,
        "sizes": {"train": TRAIN, "unseen": UNSEEN},
        "parts": parts,
        "norms": {"model": asdict(DEEP), "training": asdict(SHORT), "runs": norms},
    }
