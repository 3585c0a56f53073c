"""Replaced-token detection: a small model replaces tokens, a larger one says of each whether it was replaced."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..heads import MaskedLM, Tagger
from .losses import cross_entropy
from .text import NOT_ASKED

WEIGHT = 50.0  # of the detection beside the masked loss


class Detector(nn.Module):
    """A generator with a quarter of the layers, and the discriminator, which is what is kept; they share the embedding.

    Clark et al. 2020, "ELECTRA", arXiv:2003.10555, where the generator is smaller in width instead.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.discriminator = Tagger(config, 1)
        self.generator = MaskedLM(replace(config, n_layers=max(1, config.n_layers // 4)))
        self.generator.body.embed = self.discriminator.body.embed

    @property
    def body(self) -> nn.Module:
        return self.discriminator.body

    @property
    def config(self) -> Config:
        return self.discriminator.config


def replaced_loss(model: Detector, batch: dict[str, Tensor]) -> Tensor:
    """The generator's masked loss + 50 times the mean of -log p(replaced or not) over all positions, in nats.

    The generator's guesses are drawn from its probabilities; a guess that is right counts as not replaced. No gradient
    goes through the draw. Clark et al. 2020, arXiv:2003.10555.
    """
    asked = batch["targets"] != NOT_ASKED
    logits = model.generator(batch["ids"])
    with torch.no_grad():
        guesses = torch.multinomial(logits[asked].float().softmax(dim=-1), 1)[:, 0]
        true = torch.where(asked, batch["targets"], batch["ids"])
        seen = true.masked_scatter(asked, guesses)
    scores = model.discriminator(seen)[..., 0]
    detection = F.binary_cross_entropy_with_logits(scores.float(), (seen != true).float())
    return cross_entropy(logits, batch["targets"]) + WEIGHT * detection
