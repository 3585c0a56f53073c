"""Chapter 7. Heads: from one vector per position to an answer."""

import torch.nn.functional as F
from torch import Tensor, nn

from .model import Config, Transformer


class LM(nn.Module):
    """A language model: the scores of every next token, at every position.

    With `config.tied` the head reads with the embedding matrix itself (Press & Wolf 2016, arXiv:1608.05859).
    """

    def __init__(self, config: Config):
        super().__init__()
        self.body = Transformer(config)
        self.head = None if config.tied else nn.Linear(config.d_model, config.vocab_size, bias=False)
        if self.head is not None:
            nn.init.normal_(
                self.head.weight, std=self.body.embed.weight.detach().std().item()
            )  # as the scheme draws it

    @property
    def config(self) -> Config:
        return self.body.config

    def forward(self, ids: Tensor, **how) -> Tensor:
        """ids (B, T) -> logits (B, T, vocab_size). Keyword arguments are the Transformer's."""
        x = self.body(ids, **how)
        weight = self.body.embed.weight if self.head is None else self.head.weight
        return F.linear(x, weight)  # (B, T, vocab_size)
