"""What the keys of recorded runs are called in words: the one place that names them."""

import re

# What a whole key is called, as the head of a column or the claim of a chart.
MEASURES = {
    "agree": "agreement",
    "as_trained": "right in the order of training",
    "apart.model.onnx": "answers apart, ONNX",
    "apart.model.pt2": "answers apart, exported program",
    "both": "right by both tokens",
    "box, last": "bottom of the predicted box",
    "by_image": "letters right, divided by image",
    "by_missing, last": "right with all blocks but the first left out",
    "by_photo": "letters right, divided by photo",
    "class": "right by the class token",
    "copies": "held-out images among the training images",
    "counting": "right by counting",
    "distillation": "right by the distillation token",
    "ema": "right with the mean of the weights",
    "error": "mean squared error",
    "exact": "numbers right",
    "exact_in_8_bits": "numbers right, in 8 bits",
    "gained, last": "gained, upper end of the interval",
    "hidden": "hidden words right",
    "hidden_in_8_bits": "hidden words right, in 8 bits",
    "kinds.both": "letter and box right",
    "kinds.box alone": "box alone right",
    "kinds.letter alone": "letter alone right",
    "kinds.neither": "neither right",
    "letter_over_box, last": "pull of the letter over that of the box, at the end",
    "megabytes.model.onnx": "megabytes, ONNX",
    "megabytes.model.pt2": "megabytes, exported program",
    "new_orders": "right in new orders",
    "probability": "probability of the right token",
    "right.both": "both questions right",
    "right.left": "left digit right",
    "right.marked": "marked digit right",
    "share": "share of the model alone",
    "student": "student right",
    "teacher": "teacher right",
    "test": "right of the test",
    "title": "run",
    "tokens": "tokens right",
    "top3": "right letter among the first three",
    "train": "right of train",
    "true, last": "bottom of the true box",
    "valid": "right of valid",
}
# What a part of a key is called, wherever it stands.
PARTS = {
    "800": "right after 800 sentences",
    "4000": "right after 4,000 sentences",
    "auroc": "area under the ROC curve",
    "classification_divisor": "C",
    "classification_loss": "letter loss",
    "classification_pull": "letter pull",
    "constant": "less a constant",
    "dim": "width",
    "divisor": "C",
    "exported": "boxes as exported",
    "frozen": "blocks frozen",
    "giou": "GIoU",
    "held": "held-out right",
    "held_loss": "held-out loss",
    "held_out": "hold-out",
    "hf": "Hugging Face",
    "kept_bytes": "bytes kept for the backward pass",
    "largest topic": "right by the largest topic",
    "larger": "error at the larger size",
    "losses": "loss",
    "lr": "learning rate",
    "lr_adamw": "rate of AdamW",
    "lr_sgd": "rate of SGD",
    "mean_iou": "mean IoU",
    "mirrored_too": "mirror image asked too",
    "misnamed": "named wrongly",
    "named": "named rightly",
    "nsp": "pairs",
    "otherwise": "answers otherwise than float32",
    "params": "",
    "pre_norm": "pre-norm",
    "refused": "refused though known",
    "rejected": "strangers refused",
    "settings": "",
    "tight": "tight boxes",
    "to_eager": "over eager",
    "to_full": "over float32",
    "topics": "topics right",
    "valid_read": "valid was read",
    "warmup": "warm-up",
    "wrong words": "wrong words right",
}
# Words in what was set.
VALUES = {
    "-1": "none",  # blocks frozen: the embeddings are trained, too
    "adamw": "AdamW",
    "cnn": "CNN",
    "giou": "GIoU",
    "held_out_score": "score on the hold-out",
    "l1": "L1",
    "mse": "squared error",
    "resnet18": "ResNet-18",
    "sgd": "SGD",
    "timm:vit_tiny_patch16_224": "timm's ViT-Ti/16",
    "vit": "ViT",
    "vit-signs": "the course's ViT",
    "xavier": "Xavier",
    **{f"{size}/16": f"ViT-{size.title()}/16" for size in ("ti", "s", "b")},
}
LEVEL = re.compile(r"\biou(\d+)\b")
DOT = re.compile(r"(?<!\d)\.|\.(?!\d)")  # that of a number parts nothing
PREFIXED = re.compile(r"held_out_(\w+)")


def label(key: str) -> str:
    """The name of a column in words."""
    return MEASURES.get(key) or parts(key)


def parts(key: str) -> str:
    """A key in words, part by part: that of a fact of a run, or one that has no name of its own."""
    key, last, _ = key.partition(", last")
    key = PREFIXED.sub(r"held_out.\1", key)
    named = [PARTS.get(part, part if part.isupper() else part.replace("_", " ")) for part in DOT.split(key)]
    return LEVEL.sub(r"IoU@\1", ", ".join(filter(None, named))) + (", at the end" if last else "")


def in_words(text: str) -> str:
    """What was set, in words; of a large whole number the thousands stand apart."""
    if text.isdigit() and len(text) > 4:
        return f"{int(text):,}"
    return " ".join(VALUES.get(word.rstrip(","), word.rstrip(",")) + "," * word.endswith(",") for word in text.split())
