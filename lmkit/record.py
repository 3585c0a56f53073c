"""Look inside a model from outside: attention maps, without a word about them in the model's code."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn

from .attention import Attend, attention_weights


@contextmanager
def record(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Collect the attention map of every layer run inside the `with`; no hook is left when it ends or raises.

    >>> with record(model) as maps:
    ...     model(ids)
    >>> maps["blocks.0.attn"].shape  # (B, n_heads, T, S)

    A layer that runs twice inside the `with` keeps its last map. Maps are computed from the kernel's own arguments,
    so the model's outputs are bit for bit what they are without recording.
    """
    maps: dict[str, Tensor] = {}

    def save(name, module, args, kwargs, output):
        q, k, _ = args
        maps[name] = attention_weights(q, k, **kwargs, scale=module.scale, soft_cap=module.soft_cap).detach()

    layers = {
        name.removesuffix("attend").removesuffix("."): m for name, m in model.named_modules() if isinstance(m, Attend)
    }
    if not layers:
        raise ValueError(f"there is no lmkit.attention.Attend in this {type(model).__name__}, so nothing to record")
    names = {name: name.removeprefix("body.") or "attn" for name in layers}
    handles = [m.register_forward_hook(partial(save, names[name]), with_kwargs=True) for name, m in layers.items()]
    try:
        yield maps
    finally:
        for handle in handles:
            handle.remove()
