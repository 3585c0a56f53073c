"""Greedy generation of a GPT-2-124M shape, batch 1: lmkit and transformers with the same weights, in turns.

Each token needs every weight once, so the limit is set by memory: tokens/s <= bandwidth / bytes of the weights. The
bandwidth is that of summing a large tensor, measured in every round; the best run is set against the best sum.
"""

import argparse
import copy
import tempfile
from functools import partial
from statistics import median

import torch
from machine import in_turns, ratios, where
from transformers import GPT2Config, GPT2LMHeadModel

import lmkit
from lmkit.fast import FastRows, compile_blocks

STREAM = 1 << 28  # bytes, far beyond any cache


def theirs(model: GPT2LMHeadModel, ids: torch.Tensor, n: int) -> torch.Tensor:
    how = dict(max_new_tokens=n, min_new_tokens=n, do_sample=False, pad_token_id=0)
    return model.generate(ids, attention_mask=torch.ones_like(ids), **how)


def ours(model: lmkit.LM, ids: torch.Tensor, n: int) -> torch.Tensor:
    return lmkit.generate(model, ids, n, temperature=0)


def ours_fast(mode: FastRows, model: lmkit.LM, ids: torch.Tensor, n: int) -> torch.Tensor:
    with mode:
        return ours(model, ids, n)


def models(config: GPT2Config) -> tuple[GPT2LMHeadModel, lmkit.LM]:
    """One set of random weights in both."""
    torch.manual_seed(0)
    model = GPT2LMHeadModel(config).eval()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return model, lmkit.load(folder)[0]


def weight_bytes(model: lmkit.LM) -> int:
    """What a token reads: all weights, but of the position table one row only. The tied embedding is the head."""
    return sum(p.nbytes for p in model.parameters()) - model.body.positions.table.weight.nbytes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=256, help="new tokens per run (256)")
    parser.add_argument("--prompt", type=int, default=8, help="tokens of the prompt (8)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contender (5)")
    parser.add_argument("--layers", type=int, default=12, help="blocks: fewer for a quick look (12)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    big, small = models(GPT2Config(n_layer=args.layers)), models(GPT2Config(n_layer=args.layers))
    small = tuple(model.bfloat16() for model in small)
    ids, mode = torch.arange(args.prompt)[None], FastRows()
    calls = {}
    for name, (reference, model) in {"float32": big, "bfloat16": small}.items():
        calls[f"transformers {name}"] = partial(theirs, reference, ids, args.tokens)
        calls[f"lmkit {name}"] = partial(ours, model, ids, args.tokens)
        calls[f"lmkit {name}, FastRows"] = partial(ours_fast, mode, model, ids, args.tokens)
        compiled = copy.deepcopy(model)
        compile_blocks(compiled)
        calls[f"lmkit {name}, and blocks"] = partial(ours_fast, mode, compiled, ids, args.tokens)
    print(where())
    warm_up = in_turns({name: partial(call.func, *call.args[:-1], 4) for name, call in calls.items()}, 1)
    said = {name: call() for name, call in calls.items() if "float32" in name}
    same = [torch.equal(text, said["transformers float32"]) for text in said.values()]
    stream = torch.ones(STREAM // 4)
    seconds = in_turns(calls | {"stream": lambda: [stream.sum() for _ in range(4)]}, args.rounds)
    bandwidth = 4 * STREAM / min(seconds.pop("stream"))

    print(f"{args.tokens} tokens after {args.prompt}, {args.rounds} rounds, {args.layers} layers")
    print(f"float32: {'all say the same tokens' if all(same) else dict(zip(said, same))}")
    print(f"memory: {bandwidth / 1e9:.1f} GB/s, the best of {args.rounds} rounds\n")
    print(f"{'':<26}{'tokens/s':>9}{'best':>7}{'of limit':>10}{'first 4':>9}   times transformers float32")
    for name, each in seconds.items():
        speed, best = args.tokens / median(each), args.tokens / min(each)
        share = best * weight_bytes(small[1] if "bfloat16" in name else big[1]) / bandwidth
        against = ratios(each, seconds["transformers float32"])
        print(f"{name:<26}{speed:>9.1f}{best:>7.1f}{share:>10.0%}{warm_up[name][0]:>7.1f} s   {against}")


if __name__ == "__main__":
    main()
