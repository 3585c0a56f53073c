"""Chapter 8. What a Config costs: parameters, arithmetic and memory, without building it.

A few layers are built on PyTorch's meta device, where tensors have a shape and no numbers, and run there; what passes
by is counted. So the counts hold for components of your own too, and 175 billion parameters take a second.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .ffn import MoE, active_parameters
from .heads import LM
from .model import Config

PARTS = {  # the parts of a model, and what the modules that belong to them are called there
    "embeddings": {"embed", "segments"},
    "positions": {"positions"},
    "attention": {"attn", "cross"},
    "feed-forward": {"ffn"},
    "norms and residuals": {"embed_norm", "final_norm", "attn_residual", "cross_residual", "ffn_residual", "residual"},
    "head": {"head"},
}


@dataclass(frozen=True, repr=False)
class Count:
    """What `count` found, for sequences of T tokens in numbers of `dtype`. Printed, it is a table."""

    T: int
    dtype: torch.dtype
    parameters: dict[str, int]  #: by part
    active_parameters: int  #: those that one token meets: in a mixture of experts not all
    flops: dict[str, int]  #: of one forward, per token, by part
    generation_flops: int | None  #: of token T, with T - 1 positions in the cache; None: the model is not causal
    activation_bytes: int  #: per sequence, in training
    cache_bytes: int | None  #: per sequence, of T - 1 positions and of a memory of T; None: the model is not causal

    @property
    def total_parameters(self) -> int:
        return sum(self.parameters.values())

    @property
    def parameter_bytes(self) -> int:
        return self.total_parameters * self.dtype.itemsize

    @property
    def forward_flops(self) -> int:
        """Per token."""
        return sum(self.flops.values())

    @property
    def training_flops(self) -> int:
        """Per token: a product of matrices costs one forward, and two backward, to its input and to its weights."""
        return 3 * self.forward_flops

    def __repr__(self) -> str:
        lines = [f"{'':<22}{'parameters':>20}{'FLOPs per token':>22}"]
        for part in self.parameters:
            lines.append(f"{part:<22}{self.parameters[part]:>20,}{self.flops.get(part, 0):>22,}")
        lines.append(f"{'total':<22}{self.total_parameters:>20,}{self.forward_flops:>22,}  forward, T = {self.T:,}")
        if self.active_parameters != self.total_parameters:
            lines.append(f"{'met by a token':<22}{self.active_parameters:>20,}")
        lines.append(f"{'training':<42}{self.training_flops:>22,}")
        if self.generation_flops is not None:
            lines.append(f"{'generating token T':<42}{self.generation_flops:>22,}")
        lines.append(f"{f'bytes in {self.dtype}'.replace('torch.', ''):<22}{self.parameter_bytes:>20,}  of parameters")
        lines.append(f"{'':<22}{self.activation_bytes:>20,}  of activations per sequence in training")
        if self.cache_bytes is not None:
            lines.append(f"{'':<22}{self.cache_bytes:>20,}  of cache per sequence at token T")
        return "\n".join(lines)


def count(config: Config, T: int | None = None, dtype: torch.dtype = torch.float32) -> Count:
    """Count parameters, FLOPs and bytes of the language model LM(config) for sequences of T tokens (max_seq_len).

    FLOPs are those of matrix products, two for each multiplication with its addition, as torch.utils.flop_counter
    counts them. Attention is taken as if every query met every key that it is handed, though a causal kernel can skip
    half of them. An encoder-decoder reads T tokens and writes T.

    Activations are what autograd keeps of one sequence between forward and backward of the cross-entropy: each tensor
    once, without the parameters, nothing recomputed. Attention is one fused kernel, which keeps q, k, v, any mask, its
    output and one number per query and head, but no weights; where PyTorch has none (a soft cap, a trained bias, values
    of another width than the keys) it keeps the weights. A mixture of experts is in balance.

    Blocks with the same window count as alike, so that a few layers are measured and the others follow.
    """
    T = config.max_seq_len if T is None else T
    if T < 1:
        raise ValueError(f"T must be at least 1, not {T}")
    period = len(config.window) if isinstance(config.window, tuple) else 1
    stacks = {field: n for field in ("n_layers", "n_encoder_layers") if (n := getattr(config, field))}
    few = {field: period + n % period for field, n in stacks.items()}
    least = measure(replace(config, **few), T, dtype)
    whole = Counter(least)
    for field, n in stacks.items():
        more = measure(replace(config, **few | {field: few[field] + period}), T, dtype)
        for what in more:
            whole[what] += (more[what] - least[what]) * ((n - few[field]) // period)
    return Count(
        T,
        dtype,
        {part: n for (kind, part), n in whole.items() if kind == "parameters"},
        whole["active", ""],
        {part: n // T for (kind, part), n in whole.items() if kind == "flops"},
        whole["generation", ""] if config.causal else None,
        whole["activations", ""],
        whole["cache", ""] if config.causal else None,
    )


def measure(config: Config, T: int, dtype: torch.dtype) -> Counter:
    """All the numbers of a Count, for one sequence, by (kind, part)."""
    with torch.device("meta"), FusedAttention():
        model = LM(config).to(dtype)
        for mixture in (module for module in model.modules() if isinstance(module, MoE)):
            balance(mixture)
        ids = torch.zeros(1, T, dtype=torch.long)
        found = training(model, ids)
        if config.causal:
            found.update(generation(model, ids))
    for name, parameter in model.named_parameters():
        found["parameters", part_of(name.split("."))] += parameter.numel()
    found["active", ""] = active_parameters(model)
    return found


def part_of(names: list[str]) -> str:
    """The part of a model, of PARTS, that a module with these names on its path belongs to; "other" if none."""
    return next((part for part, modules in PARTS.items() if modules & set(names)), "other")


def training(model: nn.Module, ids: Tensor) -> Counter:
    """The FLOPs of one forward, by part, and the bytes that it leaves for the backward."""
    from torch.utils.flop_counter import FlopCounterMode

    own = {p.untyped_storage()._cdata for p in model.parameters()}
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    source = dict(source=ids) if model.config.n_encoder_layers else {}
    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        logits = model(ids, **source)  # (1, T, vocab_size)
        F.cross_entropy(logits.flatten(0, 1), ids.flatten())
    found = Counter({(kind, part): 0 for kind in ("parameters", "flops") for part in PARTS})
    by_module = {name: sum(each.values()) for name, each in counter.get_flop_counts().items()}
    for name, flops in by_module.items():
        *_, module = name.split(".")
        if module in PARTS["attention"] | PARTS["feed-forward"]:
            found["flops", part_of([module])] += flops
    in_body = by_module["LM.body"]
    found["flops", "norms and residuals"] = in_body - found["flops", "attention"] - found["flops", "feed-forward"]
    found["flops", "head"] = counter.get_total_flops() - in_body
    found["activations", ""] = sum(t.untyped_storage().nbytes() for at, t in kept.items() if at not in own)
    return found


@torch.no_grad()
def generation(model: nn.Module, ids: Tensor) -> Counter:
    """The FLOPs of the last token, with all before it in the cache, and the bytes of that cache."""
    from torch.utils.flop_counter import FlopCounterMode

    memory = dict(memory=model.body.encode(ids)) if model.config.n_encoder_layers else {}
    caches = model.body.new_caches()
    if ids.shape[1] > 1:
        model(ids[:, :-1], caches=caches, **memory)
    held = sum(cache.nbytes + sum(part.nbytes for part in cache.cross or ()) for cache in caches)
    with FlopCounterMode(display=False) as counter:
        model(ids[:, -1:], caches=caches, **memory)
    return Counter({("generation", ""): counter.get_total_flops(), ("cache", ""): held})


class Fused(torch.autograd.Function):
    """Attention that keeps what a fused kernel keeps. It has no backward."""

    @staticmethod
    def forward(ctx, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, how: dict) -> Tensor:
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **how)  # (B, n_heads, T, d_head)
        out = torch.empty_like(q).copy_(out)  # (B, n_heads, T, d_head), in memory as the queries lie
        added = () if mask is None else (mask.to(q.dtype),)  # a boolean mask is turned into one to be added
        ctx.save_for_backward(q, k, v, out, q.new_empty(q.shape[:-1], dtype=torch.float32), *added)
        return out


class FusedAttention(TorchFunctionMode):
    """Within it, scaled_dot_product_attention is Fused: on the meta device PyTorch itself would form the weights."""

    def __torch_function__(self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None):
        fused = func is F.scaled_dot_product_attention
        return (attend if fused else func)(*args, **(kwargs or {}))


def attend(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, **how) -> Tensor:
    """What a fused kernel would compute and keep, in the place of PyTorch's `scaled_dot_product_attention`."""
    if q.shape[-1] != v.shape[-1] or (attn_mask is not None and attn_mask.requires_grad):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask, **how)
    return Fused.apply(q, k, v, attn_mask, how)


def balance(moe: MoE) -> None:
    """Let the first n_active experts serve every token, which is the work of a mixture in balance.

    Who chose whom, which the real one looks up, depends on numbers, and here are none.
    """

    def choosers(chosen: Tensor, number: int) -> tuple[Tensor, Tensor]:
        tokens = torch.arange(len(chosen) if number < moe.n_active else 0)
        return tokens, torch.zeros_like(tokens)

    moe.choosers, moe.report = choosers, lambda probs, chosen: None
