"""Answers to ``faces.answer``: shares of the names that are asked for, (B, N)."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("faces.answer")


@BANK.right
def written_out(tensors, description, images, names):
    own, weight = description["preprocessing"], tensors["weight"]
    mean = torch.tensor(own["mean"], dtype=weight.dtype)[:, None, None]
    deviation = torch.tensor(own["deviation"], dtype=weight.dtype)[:, None, None]
    x = (images.to(weight.dtype) / 255 - mean) / deviation
    shares = (x.reshape(len(x), -1) @ weight.T + tensors["bias"]).softmax(-1)
    return torch.stack([shares[:, description["labels"].index(name)] for name in names], dim=1)


@BANK.right
def channel_by_channel(tensors, description, images, names):
    own, dtype = description["preprocessing"], tensors["weight"].dtype
    x = images.to(dtype) / 255
    for channel in range(3):
        x[:, channel] = (x[:, channel] - own["mean"][channel]) / own["deviation"][channel]
    place = {label: i for i, label in enumerate(description["labels"])}
    exps = F.linear(x.flatten(1), tensors["weight"], tensors["bias"]).exp()
    return (exps / exps.sum(1, keepdim=True))[:, [place[name] for name in names]]


def answered(prepare=None, shares=lambda logits: logits.softmax(1), labels=lambda labels: labels, bias=1):
    """The right answer, or one with a part replaced."""

    def answer(tensors, description, images, names):
        own, weight = description["preprocessing"], tensors["weight"]
        m, d = (torch.tensor(own[name], dtype=weight.dtype).view(3, 1, 1) for name in ("mean", "deviation"))
        raw = images.to(weight.dtype)
        x = prepare(raw, m, d) if prepare else (raw / 255 - m) / d
        found = shares(F.linear(x.flatten(1), weight, bias * tensors["bias"]))
        order = labels(description["labels"])
        return found[:, [order.index(name) for name in names]]

    return answer


BANK.wrong("labels-sorted")(answered(labels=sorted))
BANK.wrong("not-prepared")(answered(lambda raw, m, d: raw))
BANK.wrong("not-normalised")(answered(lambda raw, m, d: raw / 255))
BANK.wrong("not-normalised")(answered(lambda raw, m, d: (raw / 255 - 0.5) / 0.5))
BANK.wrong("not-scaled")(answered(lambda raw, m, d: (raw - m) / d))
BANK.wrong("places-changed")(answered(lambda raw, m, d: (raw / 255 - d) / m))
BANK.wrong("times-deviation")(answered(lambda raw, m, d: (raw / 255 - m) * d))
BANK.wrong("one-channel")(answered(lambda raw, m, d: (raw / 255 - m[0]) / d[0]))
BANK.wrong("bias-missing")(answered(bias=0))
BANK.wrong("logits")(answered(shares=lambda logits: logits))
BANK.wrong("sigmoid")(answered(shares=lambda logits: logits.sigmoid()))
BANK.wrong("softmax-over-images")(answered(shares=lambda logits: logits.softmax(0)))
BANK.wrong("colours-last")(answered(lambda raw, m, d: ((raw / 255 - m) / d).permute(0, 2, 3, 1)))
BANK.wrong("wrong-values")(answered(lambda raw, m, d: (raw / 255 - m) / d**2))
BANK.wrong("wrong-type")(lambda *inputs: written_out(*inputs).tolist())
BANK.wrong("raises")(lambda tensors, description, images, names: images @ tensors["weight"].T)


@BANK.wrong("order-of-the-model")
def as_they_come(tensors, description, images, names):
    return written_out(tensors, description, images, description["labels"])[:, : len(names)]


@BANK.wrong("asked-names-only")
def among_the_asked(tensors, description, images, names):
    shares = written_out(tensors, description, images, names)
    return shares / shares.sum(1, keepdim=True)


@BANK.wrong("lost-precision")
def in_float32(tensors, description, images, names):
    tensors = {name: tensor.float() for name, tensor in tensors.items()}
    return written_out(tensors, description, images, names).double()
