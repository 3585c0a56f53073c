"""Random tiny models of transformers, which the exchange is held against."""

import torch
from torch import nn


def randomized(model, seed=0):
    """Every parameter drawn anew, norms and biases too: what is one or zero at first could be lost unseen."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        around = float(name.endswith("weight") and ("norm" in name.lower() or ".ln_" in name))
        parameter.data = (around + 0.3 * torch.randn(parameter.shape, generator=generator)).to(parameter.dtype)
    model.tie_weights()
    return model.eval()


def build(cls, config, seed=0, **how):
    """A random transformers model of `config`, whose texts have no end that a draw could hit."""
    for special in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, special, None)
    config._attn_implementation = "eager"
    with torch.random.fork_rng():
        return randomized(cls(config), seed)


def padded(vocab_size, side, rows=3, T=9, seed=0):
    """ids (rows, T), and where they are real: a full row, one with 3 padded places, one with a single token."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocab_size, (rows, T), generator=generator)
    real = torch.ones(rows, T, dtype=torch.bool)
    if side is not None:
        for row, pads in enumerate([0, 3, T - 1][:rows]):
            places = slice(0, pads) if side == "left" else slice(T - pads, T)
            real[row, places] = False
    return ids, real


def outputs_of(model, blocks, ids, **how):
    """(output, what goes into the first block, what comes out of each) by hooks."""
    seen = []
    handles = [blocks[0].register_forward_pre_hook(lambda module, args: seen.append(args[0]))]
    handles += [block.register_forward_hook(lambda module, args, out: seen.append(out)) for block in blocks]
    try:
        with torch.no_grad():
            return model(ids, **how), seen
    finally:
        for handle in handles:
            handle.remove()


def same(ours: nn.Module, theirs: nn.Module) -> bool:
    a, b = ours.state_dict(), theirs.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def close(ours, theirs):
    """To 1e-5 of their size; where that is below 1, to 1e-5."""
    assert ours.shape == theirs.shape
    ours, theirs = ours.detach(), theirs.detach()
    assert float((ours - theirs).abs().max()) <= 1e-5 * max(1.0, float(theirs.abs().max()))
