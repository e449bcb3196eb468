"""Answers to ``training.resume``: a training that goes on from its checkpoint."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.bank.entries import Bank

BANK = Bank("training.resume", seeds=4)


def fresh(saved):
    """What the notebook gives."""
    classes, pixels = saved["weight"].shape
    torch.manual_seed(0)
    model = nn.Linear(pixels, classes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)
    return model, optimizer, schedule, torch.Generator().manual_seed(0)


def unpack(saved):
    """What the notebook gives."""
    _, optimizer, schedule, _ = fresh(saved)
    state, done = optimizer.state_dict(), saved["step"]
    state["param_groups"][0]["lr"] = 0.1 * 0.9**done
    for place, name in enumerate(("weight", "bias")):
        state["state"][place] = {
            "step": torch.tensor(float(done)),
            "exp_avg": saved[f"{name}_mean"].clone(),
            "exp_avg_sq": saved[f"{name}_square"].clone(),
        }
    return {
        "model": {name: saved[name] for name in ("weight", "bias")},
        "optimizer": state,
        "schedule": schedule.state_dict() | {"last_epoch": done},
        "random": saved["random"],
        "epoch": saved["epoch"],
    }


def answer(*lost, start=lambda done: done, keep=lambda losses: losses, least=lambda _: 1):
    def written(checkpoint, images, labels, epochs, size):
        saved = unpack(checkpoint)
        model, optimizer, schedule, generator = fresh(checkpoint)
        for name, part in (("model", model), ("optimizer", optimizer), ("schedule", schedule)):
            if name not in lost:
                part.load_state_dict(saved[name])
        if "random" not in lost:
            generator.set_state(saved["random"])
        losses = []
        for _ in range(start(saved["epoch"]), epochs):
            for index in torch.randperm(len(images), generator=generator).split(size):
                if len(index) < least(size):
                    continue
                loss = F.cross_entropy(model(images[index]), labels[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
        return keep(losses)

    return written


BANK.right(answer())


@BANK.right
def without_the_parts(checkpoint, images, labels, epochs, size):
    """AdamW and the rate by hand, from the plain tensors."""
    kinds = [("weight", checkpoint["weight"]), ("bias", checkpoint["bias"])]
    values = {name: value.clone().requires_grad_() for name, value in kinds}
    mean = {name: checkpoint[f"{name}_mean"] for name in values}
    square = {name: checkpoint[f"{name}_square"] for name in values}
    order, step, losses = torch.Generator(), checkpoint["step"], []
    order.set_state(checkpoint["random"])
    for _ in range(epochs - checkpoint["epoch"]):
        for index in torch.randperm(len(images), generator=order).split(size):
            logits = images[index] @ values["weight"].T + values["bias"]
            loss = F.cross_entropy(logits, labels[index])
            losses.append(float(loss.detach()))
            rate, step = 0.1 * 0.9**step, step + 1
            for name, gradient in zip(values, torch.autograd.grad(loss, list(values.values())), strict=True):
                mean[name] = 0.9 * mean[name] + 0.1 * gradient
                square[name] = 0.999 * square[name] + 0.001 * gradient**2
                change = mean[name] / (1 - 0.9**step) / ((square[name] / (1 - 0.999**step)).sqrt() + 1e-8)
                values[name] = (values[name] * (1 - rate * 0.01) - rate * change).detach().requires_grad_()
    return torch.tensor(losses)


BANK.wrong("epochs-begin-anew")(answer(start=lambda _: 0))
BANK.wrong("one-epoch-off")(answer(start=lambda done: done + 1))
BANK.wrong("one-epoch-off")(answer(start=lambda done: done - 1))
BANK.wrong("drops-the-small-batch")(answer(least=lambda size: size))
BANK.wrong("all-anew")(answer("model", "optimizer", "schedule", "random", start=lambda _: 0))
BANK.wrong("all-anew")(answer("model", "optimizer", "schedule", "random"))
BANK.wrong("weights-not-restored")(answer("model"))
BANK.wrong("optimizer-not-restored")(answer("optimizer"))
BANK.wrong("optimizer-not-restored")(answer("optimizer", "schedule"))
BANK.wrong("schedule-not-restored")(answer("schedule"))
BANK.wrong("order-not-restored")(answer("random"))
BANK.wrong("only-weights")(answer("optimizer", "schedule", "random"))
BANK.wrong("optimizer-and-order-not-restored")(answer("optimizer", "random"))
BANK.wrong("wrong-type")(answer(keep=lambda losses: None))
BANK.wrong("wrong-shape")(answer(keep=lambda losses: losses[-1:]))
BANK.wrong("wrong-values")(answer(keep=lambda losses: [loss / 2 for loss in losses]))
