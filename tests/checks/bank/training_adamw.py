"""Answers to ``training.adamw``: the weight after every step of AdamW."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("training.adamw")


@BANK.right
def line_by_line(weight, gradients, rate, betas, eps, decay):
    m, v, out = 0, 0, []
    for t, g in enumerate(gradients, 1):
        weight = weight * (1 - rate * decay)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        weight = weight - rate * (m / (1 - betas[0] ** t)) / ((v / (1 - betas[1] ** t)).sqrt() + eps)
        out.append(weight)
    return torch.stack(out)


@BANK.right
def all_averages_at_once(weight, gradients, rate, betas, eps, decay):
    """Each average is a weighted sum of the gradients so far, its correction the sum of the weights."""
    steps = len(gradients)
    ages = torch.arange(steps)[:, None] - torch.arange(steps)
    found = []
    for beta, values in zip(betas, (gradients, gradients**2), strict=True):
        shares = (float(beta) ** ages.clamp(min=0).to(gradients)).tril()
        found.append(shares @ values / shares.sum(dim=1, keepdim=True))
    out = torch.empty_like(gradients)
    for i, change in enumerate(found[0] / (found[1].sqrt() + eps)):
        weight = weight - rate * decay * weight - rate * change
        out[i] = weight
    return out


def answer(
    gradient=lambda g, w, decay: g,
    before=lambda w, rate, decay: w * (1 - rate * decay),
    after=lambda w, rate, decay: w,
    first=lambda m, t, beta: m / (1 - beta**t),
    second=lambda v, t, beta: v / (1 - beta**t),
    step=lambda m, v, eps: m / (v.sqrt() + eps),
    squared=lambda g, m: g**2,
    full=False,
    begin=False,
    swap=False,
    sign=1,
    keep=lambda rows, start: torch.stack(rows),
):
    def written(weight, gradients, rate, betas, eps, decay):
        start, rows = weight, []
        b1, b2 = reversed(betas) if swap else betas
        m = gradients[0] if begin else torch.zeros_like(weight)
        v = gradients[0] ** 2 if begin else torch.zeros_like(weight)
        for i in range(len(gradients)):
            g = gradient(gradients[i], weight, decay)
            weight = before(weight, rate, decay)
            m = b1 * m + (g if full else (1 - b1) * g)
            v = b2 * v + (squared(g, m) if full else (1 - b2) * squared(g, m))
            weight = weight - sign * rate * step(first(m, i + 1, b1), second(v, i + 1, b2), eps)
            weight = after(weight, rate, decay)
            rows.append(weight)
        return keep(rows, start)

    return written


def plain(m, _t, _beta):
    return m


BANK.wrong("last-only")(answer(keep=lambda rows, _: rows[-1]))
BANK.wrong("with-start")(answer(keep=lambda rows, start: torch.stack([start, *rows])))
BANK.wrong("changes-only")(
    answer(keep=lambda rows, start: torch.stack([b - a for a, b in zip([start, *rows], rows, strict=False)]))
)
BANK.wrong("no-correction")(answer(first=plain, second=plain))
BANK.wrong("no-correction")(answer(first=plain))
BANK.wrong("no-correction")(answer(second=plain))
BANK.wrong("counts-from-zero")(
    answer(
        first=lambda m, t, beta: m / torch.tensor(1 - beta ** (t - 1)),
        second=lambda v, t, beta: v / torch.tensor(1 - beta ** (t - 1)),
    )
)
BANK.wrong("correction-stands-still")(
    answer(first=lambda m, _, beta: m / (1 - beta), second=lambda v, _, beta: v / (1 - beta))
)
BANK.wrong("correction-multiplied")(
    answer(first=lambda m, t, beta: m * (1 - beta**t), second=lambda v, t, beta: v * (1 - beta**t))
)
BANK.wrong("decay-in-the-moments")(answer(gradient=lambda g, w, decay: g + decay * w, before=lambda w, *_: w))
BANK.wrong("decay-without-rate")(answer(before=lambda w, _, decay: w * (1 - decay)))
BANK.wrong("no-decay")(answer(before=lambda w, *_: w))
BANK.wrong("decay-grows")(answer(before=lambda w, rate, decay: w + rate * decay * w))
BANK.wrong("decay-after-the-step")(answer(before=lambda w, *_: w, after=lambda w, rate, decay: w - rate * decay * w))
BANK.wrong("eps-inside-the-root")(answer(step=lambda m, v, eps: m / torch.sqrt(v + eps)))
BANK.wrong("eps-left-out")(answer(step=lambda m, v, eps: m / v**0.5))
BANK.wrong("no-root")(answer(step=lambda m, v, eps: m / (v + eps)))
BANK.wrong("betas-swapped")(answer(swap=True))
BANK.wrong("gradient-in-full")(answer(full=True))
BANK.wrong("squares-the-mean")(answer(squared=lambda g, m: m**2))
BANK.wrong("begins-at-the-gradient")(answer(begin=True, first=plain, second=plain))
BANK.wrong("begins-at-the-gradient")(answer(begin=True))
BANK.wrong("uphill")(answer(sign=-1))
BANK.wrong("wrong-values")(answer(step=lambda m, v, eps: (m / (v.sqrt() + eps)).sign()))
BANK.wrong("lost-precision")(lambda w, g, *rest: answer()(w.float(), g.float(), *rest).to(w.dtype))


@BANK.wrong("plain-sgd")
def no_averages(weight, gradients, rate, betas, eps, decay):
    rows = []
    for g in gradients:
        weight = weight - rate * g
        rows.append(weight)
    return torch.stack(rows)


@BANK.wrong("forbidden-call")
def with_the_optimizer(weight, gradients, rate, betas, eps, decay):
    weight, rows = torch.nn.Parameter(weight.clone()), []
    optimizer = torch.optim.AdamW([weight], rate, betas, eps, decay)
    for g in gradients:
        weight.grad = g.clone()
        optimizer.step()
        rows.append(weight.detach().clone())
    return torch.stack(rows)


@BANK.wrong("changes-inputs")
def in_place(weight, gradients, rate, betas, eps, decay):
    rows = answer()(weight, gradients, rate, betas, eps, decay)
    weight -= rate * gradients[0]
    return rows


@BANK.wrong("wrong-type")
def a_list(weight, gradients, rate, betas, eps, decay):
    return list(answer()(weight, gradients, rate, betas, eps, decay))
