"""Look inside a model from outside, and reach into it, without a word about either in the model's code.

One mechanism serves all: forward hooks that live as long as a `with`, and are gone when it ends or raises. Where two
are open at once, what was opened first acts first, and what was opened later sees it.

Layers of attention are named by their place: "blocks.0.attn" and "blocks.0.cross", in an encoder-decoder
"encoder.blocks.0.attn" and "decoder.blocks.0.cross". Points of the residual stream are "embed", which the first block
reads, and then the sublayer that wrote last: "blocks.0.attn", "blocks.0.cross", "blocks.0.ffn", or "blocks.0" where
the sublayers of a block write together.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from .attention import Attend, attention_weights


def record(model: nn.Module) -> AbstractContextManager[dict[str, Tensor]]:
    """Collect the attention map of every layer run inside the `with`; no hook is left when it ends or raises.

    >>> with record(model) as maps:
    ...     model(ids)
    >>> maps["blocks.0.attn"].shape  # (B, n_heads, T, S); with a cache, S is what it holds

    A layer that runs twice inside the `with` keeps its last map. Maps are computed from the kernel's own arguments,
    so the model's outputs are bit for bit what they are without recording. ValueError for a model without attention.
    """

    def weights(attend: Attend, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        q, k, _ = args
        return attention_weights(q, k, **kwargs, scale=attend.scale, soft_cap=attend.soft_cap)

    return _recorded({name: (attend, weights) for name, (attend, _) in _layers(model).items()})


def record_heads(model: nn.Module) -> AbstractContextManager[dict[str, Tensor]]:
    """Collect what each head writes: layer -> (B, n_heads, T, d_model), its own columns of o_proj times its output.

    The sum over heads plus o_proj's bias is what the layer returned, before the residual rule norms or scales it.
    Elhage et al. 2021, "A mathematical framework for transformer circuits". ValueError as in `record`.
    """

    def written(n_heads: int, o_proj: nn.Linear, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        by_head, columns = (part.unflatten(-1, (n_heads, -1)) for part in (args[0], o_proj.weight))
        return torch.einsum("bthc, dhc -> bhtd", by_head, columns)

    return _recorded(
        {name: (layer.o_proj, partial(written, layer.n_heads)) for name, (_, layer) in _layers(model).items()}
    )


def record_stream(model: nn.Module) -> AbstractContextManager[dict[str, Tensor]]:
    """Collect the residual stream after the embedding and after each sublayer: point -> (B, T, d_model).

    What is collected is the stream itself, after the residual rule; final_norm comes later. A point that is passed
    twice inside the `with` keeps its last value. ValueError for a model without a residual stream.
    """

    def after(module: nn.Module, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        return output

    return _recorded({name: (module, after) for name, module in _points(model).items()})


def logit_lens(model: nn.Module, stream: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read each point of the stream as if it were the last: head(final_norm(x)), point -> (B, T, vocab_size).

    `stream` is what `record_stream` collected, or a part of it; points of an encoder have no logits and are left out.
    The last point gives the model's own logits. nostalgebraist 2020, "interpreting GPT: the logit lens". ValueError
    for a model without a head for tokens.
    """
    if not hasattr(model, "logits"):
        raise ValueError(f"this {type(model).__name__} has no head for tokens; the logit lens needs a language model")
    norm = deepcopy(getattr(model.body, "decoder", model.body).final_norm)  # a batch norm in training counts its calls
    return {name: model.logits(norm(x)) for name, x in stream.items() if not name.startswith("encoder.")}


def ablate(model: nn.Module, heads: dict[int | str, int | Iterable[int]]) -> AbstractContextManager[None]:
    """Inside the `with`, these heads write nothing: as if their columns of o_proj were zero.

    >>> with ablate(model, {0: [1, 3], "blocks.1.cross": 0}):
    ...     model(ids)

    A layer is named as in `record`, or by its number, for "blocks.0.attn" and so on; heads are counted from 0.
    Michel et al. 2019, "Are sixteen heads really better than one?", arXiv:1905.10650. ValueError for a layer or a
    head that there is not.
    """

    def silence(off: list[int], attend: Attend, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        return output.index_fill(1, torch.tensor(off, dtype=torch.long, device=output.device), 0)

    layers, hooks = _layers(model), []
    for key, off in heads.items():
        name = _known(key if isinstance(key, str) else f"blocks.{key}.attn", layers, "layer", model)
        (attend, layer), off = layers[name], [off] if isinstance(off, int) else list(off)
        for head in off:
            if head not in range(layer.n_heads):
                raise ValueError(f"there is no head {head} in {name}, which has {layer.n_heads}, counted from 0")
        hooks.append((attend, partial(silence, off)))
    return _hooked(hooks)


def patch(model: nn.Module, stream: dict[str, Tensor]) -> AbstractContextManager[None]:
    """Inside the `with`, the residual stream at these points is replaced by these tensors (B, T, d_model).

    To restore one position of another run, copy the stream of this run and change that position:

    >>> mixed = corrupted["blocks.1.ffn"].clone()
    >>> mixed[:, 3] = clean["blocks.1.ffn"][:, 3]
    >>> with patch(model, {"blocks.1.ffn": mixed}):
    ...     model(corrupted_ids)

    Activation patching: Meng et al. 2022, arXiv:2202.05262. ValueError for a point that there is not, and, when the
    model runs, for a tensor of another shape than the stream has there.
    """

    def put(name: str, x: Tensor, module: nn.Module, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        if x.shape != output.shape:
            raise ValueError(f"the stream at {name} has the shape {tuple(output.shape)}, not {tuple(x.shape)}")
        return x.to(output)

    points, hooks = _points(model), []
    for name, x in stream.items():
        hooks.append((points[_known(name, points, "point", model)], partial(put, name, x)))
    return _hooked(hooks)


def _layers(model: nn.Module) -> dict[str, tuple[Attend, nn.Module]]:
    """Each layer of attention by name: its kernel, and the module that the kernel serves."""
    paths = [path for path, module in model.named_modules() if isinstance(module, Attend)]
    if not paths:
        raise ValueError(f"there is no lmkit.attention.Attend in this {type(model).__name__}, and so no attention")
    layers = {}
    for path in paths:
        name = path.removeprefix("body.").removesuffix("attend").removesuffix(".") or "attn"
        layers[name] = model.get_submodule(path), model.get_submodule(path.rpartition(".")[0])
    return layers


def _points(model: nn.Module) -> dict[str, nn.Module]:
    """Each point of the residual stream by name, and the module that puts the stream out there."""
    points = {}
    for path, module in model.named_modules():
        name = re.sub(r"(?<=\bembed)_norm$|(^|[._])residual$", "", path)
        if name != path:
            points[name.removeprefix("body.") or "block"] = module
    if not points:
        raise ValueError(f"there is no residual stream in this {type(model).__name__}: no embed_norm and no residual")
    return points


def _known(name: str, known: Iterable[str], kind: str, model: nn.Module) -> str:
    if name not in known:
        here = f"this {type(model).__name__}; its {kind}s are: {', '.join(known)}"
        raise ValueError(f"there is no {kind} {name!r} in {here}")
    return name


def _recorded(looks: dict[str, tuple[nn.Module, Callable]]) -> AbstractContextManager[dict[str, Tensor]]:
    """Collect look(module, args, kwargs, output) each time that its module runs; later runs replace earlier ones."""
    seen: dict[str, Tensor] = {}

    def save(name: str, look: Callable, *call) -> None:
        seen[name] = look(*call).detach()

    return _hooked([(module, partial(save, name, look)) for name, (module, look) in looks.items()], seen)


@contextmanager
def _hooked(hooks: list[tuple[nn.Module, Callable]], seen: dict | None = None) -> Iterator[dict | None]:
    """Call hook(module, args, kwargs, output) after its module has run; what it returns, if not None, is put out."""
    ran, handles = [], []

    def run(hook: Callable, *call) -> Tensor | None:
        ran.append(True)
        return hook(*call)

    try:
        for module, hook in hooks:
            handles.append(module.register_forward_hook(partial(run, hook), with_kwargs=True))
        yield seen
    finally:
        for handle in handles:
            handle.remove()
    if hooks and not ran:
        warnings.warn(
            "nothing that is hooked ran inside the `with`, so nothing was recorded or changed; code that "
            "torch.compile made earlier calls no hook: run the model that it was made from",
            stacklevel=3,
        )
