"""Chapter 7. Heads: from one vector per position to an answer.

A head takes a Config and builds its body, or is given one that has learned something already, and then shares it:
`Classifier(config, 3, body=model.body)`. Called with ids (B, T) and the keyword arguments of the body. What a head adds
is drawn by the Config's initial scheme. `bias=False` holds for the maps inside; the last map to scores of classes or
tokens keeps its bias, which says how frequent they are (but for that of LM, which never has one).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .choose import choose
from .init import INITS
from .model import Config, EncoderDecoder, Transformer
from .norms import NORMS


def soft_cap(logits: Tensor, cap: float) -> Tensor:
    """cap tanh(logits / cap): small ones as they were, none beyond ±cap. Gemma Team 2024, arXiv:2408.00118."""
    return cap * torch.tanh(logits / cap)


def mean_pool(x: Tensor, real: Tensor | None = None) -> Tensor:
    """The mean vector of the real tokens: the embedding of a sentence. Reimers & Gurevych 2019, arXiv:1908.10084.

    x (B, T, d_model), real (B, T) -> (B, d_model), zeros where nothing is real.
    """
    if real is None:
        return x.mean(dim=1)  # (B, d_model)
    total = x.masked_fill(~real[..., None], 0.0).sum(dim=1)  # (B, d_model)
    return total / real.sum(dim=1, keepdim=True).clamp(min=1)  # (B, d_model)


def summary(x: Tensor, real: Tensor | None, causal: bool) -> Tensor:
    """The vector that speaks for a text: that of its first real token, or of the last if only the last has seen all.

    x (B, T, d_model), real (B, T) -> (B, d_model).
    """
    if real is None:
        return x[:, -1] if causal else x[:, 0]  # (B, d_model)
    rank = real.cumsum(dim=1) * real  # (B, T), 1 for the first real token and most for the last
    at = rank.argmax(dim=1) if causal else (rank == 1).int().argmax(dim=1)  # (B)
    return x[torch.arange(len(x), device=x.device), at]  # (B, d_model)


class Head(nn.Module):
    """What all heads share: the body, its Config, and how a map from the stream begins."""

    def __init__(self, config: Config, body: nn.Module | None = None):
        super().__init__()
        if body is not None and body.config != config:
            raise ValueError("the body was built from another Config; give body.config")
        if body is None:
            body = EncoderDecoder(config) if config.n_encoder_layers else Transformer(config)
        self.body = body

    @property
    def config(self) -> Config:
        return self.body.config

    def linear(self, d_out: int, bias: bool) -> nn.Linear:
        if d_out < 1:
            raise ValueError(f"a head gives at least 1 number, not {d_out}")
        layer = nn.Linear(self.config.d_model, d_out, bias=bias)
        choose(self.config.init, INITS)(layer, self.config.n_layers)
        return layer


class LM(Head):
    """A language model: the scores of every next token, at every position.

    With `config.tied` the head reads with the embedding matrix itself (Press & Wolf 2016, arXiv:1608.05859). The scores
    are multiplied by `config.logit_scale`, and kept within `config.logit_soft_cap`.
    """

    def __init__(self, config: Config, body: nn.Module | None = None):
        super().__init__(config, body)
        self.head = None if config.tied else self.linear(config.vocab_size, bias=False)
        self.register_parameter("bias", None)

    @property
    def weight(self) -> Tensor:
        """The matrix (vocab_size, d_model) that the head reads with."""
        return self.body.embed.weight if self.head is None else self.head.weight

    def logits(self, x: Tensor) -> Tensor:
        """The scores from what the body gave at any positions: (..., d_model) -> (..., vocab_size)."""
        cap = self.config.logit_soft_cap
        logits = F.linear(x * self.config.logit_scale, self.weight, self.bias)
        return logits if cap is None else soft_cap(logits, cap)

    def forward(self, ids: Tensor, **how) -> Tensor:
        """ids (B, T) -> logits (B, T, vocab_size). Keyword arguments are the body's."""
        return self.logits(self.body(ids, **how))  # (B, T, vocab_size)


class MaskedLM(LM):
    """The scores of the token that a position hides: norm(bend(dense(x))), read with the embedding, plus a bias (BERT).

    Devlin et al. 2018, arXiv:1810.04805. It bends as the body's feed-forward network does; with the exact GELU where
    that has no `activation` of its own, as a mixture of experts.
    """

    def __init__(self, config: Config, body: nn.Module | None = None):
        super().__init__(config, body)
        self.dense = self.linear(config.d_model, config.bias)
        self.norm = choose(config.norm, NORMS)(config.d_model, eps=config.eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def logits(self, x: Tensor) -> Tensor:
        bend = getattr(self.body.blocks[0].ffn, "activation", F.gelu)
        return super().logits(self.norm(bend(self.dense(x))))


class Classifier(Head):
    """The scores of n_classes for a text: head(tanh(pooler(x))), x being the text's summary (BERT, RoBERTa).

    Devlin et al. 2018, arXiv:1810.04805, where it is the first token's; there padding stands on the right.
    """

    def __init__(self, config: Config, n_classes: int, body: nn.Module | None = None):
        super().__init__(config, body)
        self.pooler = self.linear(config.d_model, config.bias)
        self.head = self.linear(n_classes, bias=True)

    def forward(self, ids: Tensor, *, real: Tensor | None = None, **how) -> Tensor:
        """ids (B, T) -> logits (B, n_classes)."""
        x = self.body(ids, real=real, **how)  # (B, T, d_model)
        return self.head(torch.tanh(self.pooler(summary(x, real, self.config.causal))))


class NextSentence(Classifier):
    """Two scores for a pair of sentences: that the second followed the first, and that it came from elsewhere (BERT).

    Devlin et al. 2018, arXiv:1810.04805. `segments` tells the two apart.
    """

    def __init__(self, config: Config, body: nn.Module | None = None):
        super().__init__(config, 2, body)


class Pretraining(MaskedLM):
    """MaskedLM and NextSentence over one body (BERT). Devlin et al. 2018, arXiv:1810.04805."""

    def __init__(self, config: Config, body: nn.Module | None = None):
        super().__init__(config, body)
        self.pooler = self.linear(config.d_model, config.bias)
        self.next_sentence = self.linear(2, bias=True)

    def forward(self, ids: Tensor, *, real: Tensor | None = None, **how) -> tuple[Tensor, Tensor]:
        """ids (B, T) -> logits of tokens (B, T, vocab_size), logits of the next sentence (B, 2)."""
        x = self.body(ids, real=real, **how)  # (B, T, d_model)
        pooled = torch.tanh(self.pooler(summary(x, real, self.config.causal)))  # (B, d_model)
        return self.logits(x), self.next_sentence(pooled)


class SpanFinder(Head):
    """The scores of each position to be the first, and the last, of the answer within a text (BERT on SQuAD).

    Devlin et al. 2018, arXiv:1810.04805. Padding has the score -inf, so that it is never the answer.
    """

    def __init__(self, config: Config, body: nn.Module | None = None):
        super().__init__(config, body)
        self.head = self.linear(2, bias=True)

    def forward(self, ids: Tensor, *, real: Tensor | None = None, **how) -> tuple[Tensor, Tensor]:
        """ids (B, T) -> start logits (B, T), end logits (B, T)."""
        logits = self.head(self.body(ids, real=real, **how))  # (B, T, 2)
        if real is not None:
            logits = logits.masked_fill(~real[..., None], -torch.inf)  # (B, T, 2)
        return logits[..., 0], logits[..., 1]


class Tagger(Head):
    """The scores of n_tags for each token: names, parts of speech, semantic roles (BERT on CoNLL-2003).

    Devlin et al. 2018, arXiv:1810.04805.
    """

    def __init__(self, config: Config, n_tags: int, body: nn.Module | None = None):
        super().__init__(config, body)
        self.head = self.linear(n_tags, bias=True)

    def forward(self, ids: Tensor, **how) -> Tensor:
        """ids (B, T) -> logits (B, T, n_tags)."""
        return self.head(self.body(ids, **how))
