"""Speed beside timm, Hugging Face and torchvision: one model, one set of weights, outputs shown equal before timing."""
