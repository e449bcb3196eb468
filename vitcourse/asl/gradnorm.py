"""Weights of losses that keep their gradients at shared weights of like size (GradNorm).

Source: Chen, Badrinarayanan, Lee and Rabinovich 2018, https://arxiv.org/abs/1711.02257, section 3, equations 1 and 2.
"""

import torch
from torch import Tensor, nn


def last_shared(backbone: nn.Module) -> nn.Parameter:
    """The last weight of a backbone that is trained: a matrix where there is one.

    Raises:
        ValueError: none is trained, so there is nothing that two losses could share.
    """
    trained = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
    if not trained:
        raise ValueError("balance 'gradnorm' needs weights that both losses train, and the whole backbone is frozen")
    return ([parameter for parameter in trained if parameter.ndim > 1] or trained)[-1]


class GradNorm(nn.Module):
    """T losses and shared weights to one loss, with weights w that sum to T and are learned along with the model.

    The pull of a loss is G_i = w_i |gradient of loss i at the shared weights|. Its target is the mean of all pulls
    times r_i ** alpha, where r_i says how far loss i has fallen, relative to the others: a loss that lags pulls harder.
    The distance of pulls and targets moves the w alone, the weighed losses move the model alone. Here w is T times a
    softmax of the parameters, which keeps it positive and its sum, in place of the paper's division after each step.

    Args:
        tasks: T. alpha: how strongly a loss that lags is helped; 0 asks for equal pulls.

    ``forward`` takes the losses (T,) and a shared parameter, and returns what is minimised and the weights (T,).
    Without a gradient (evaluation) nothing but the weighing is done.
    """

    def __init__(self, tasks: int = 2, alpha: float = 1.5):
        super().__init__()
        self.scores, self.alpha = nn.Parameter(torch.zeros(tasks)), alpha
        self.register_buffer("first", torch.zeros(tasks))  # the losses of the first batch; 0 before it

    def forward(self, losses: Tensor, shared: nn.Parameter) -> tuple[Tensor, Tensor]:
        weights = len(losses) * self.scores.softmax(0)
        weighed = (weights.detach() * losses).sum()
        if not torch.is_grad_enabled():
            return weighed, weights.detach()
        if not self.first.any():
            self.first.copy_(losses.detach())
        pulls = weights * torch.stack([self._norm(loss, shared) for loss in losses])
        fallen = losses.detach() / self.first
        target = pulls.detach().mean() * (fallen / fallen.mean()) ** self.alpha
        # The distance is relative, so that its size, and what clipping makes of it, is not that of the gradients.
        distance = (pulls - target).abs().sum() / pulls.detach().mean()
        return weighed + distance - distance.detach(), weights.detach()

    @staticmethod
    def _norm(loss: Tensor, shared: nn.Parameter) -> Tensor:
        return torch.autograd.grad(loss, shared, retain_graph=True)[0].norm()
