"""What each choice of the speedrun bought: change one, find the best learning rate again, train from fresh seeds.

    LMKIT_DATA=../shared/data python benchmarks/ablation.py --workers 2     # about 25 minutes on two cores
    python benchmarks/ablation.py --quick

Every variant is the recipe "speedrun" with one thing changed, trained for the same number of tokens. Its rate is the
best of half, once and twice the recipe's (or its own usual rate), and further out while the best stands at the edge,
for a seed of its own. Losses are those of the last tenth of tiny Shakespeare in windows of 64 characters, in bits per
byte; seconds are of a run with its evaluation, among as many others as there were workers. Rows go to a ledger, and
what stands there is not run again.
"""

import argparse
import os
import tempfile
import time

from machine import where

from lmkit.lab.compare import Comparison, Study
from lmkit.lab.ledger import FOLDER
from lmkit.recipes import RECIPES

SPEEDRUN = RECIPES["speedrun"]
ANCHOR = RECIPES["nanogpt"]
UNSAID = dict(qk_norm=None, tied=True, embed_scale=1.0)  # of nanoGPT's model: as a Config has them unless told


def tokens_alike(batch_size: int) -> dict:
    """Another batch, and as many steps as read the same number of tokens."""
    return dict(batch_size=batch_size, steps=round(SPEEDRUN["steps"] * SPEEDRUN["batch_size"] / batch_size))


VARIANTS = {
    "speedrun": {},
    "AdamW, not Muon": dict(optimizer={"name": "adamw", "beta2": 0.95}, lr=4e-3),
    "momentum 0.95": dict(optimizer={"name": "muon", "momentum": 0.95}),
    "learned positions": dict(positions="learned"),
    "learned positions, tokens as small": dict(positions="learned", embed_scale=1.0),
    "RMSNorm": dict(norm="rmsnorm"),
    "no QK-norm": dict(qk_norm=None),
    "GELU": dict(ffn="gelu"),
    "squared ReLU": dict(ffn="relu2"),
    "init fan_in": dict(init="fan_in"),
    "embeddings not scaled": dict(embed_scale=1.0),
    "init gpt2": dict(init="gpt2"),
    "tied head": dict(tied=True),
    "4 heads": dict(n_heads=4),
    "cosine to a tenth": dict(schedule={"name": "cosine", "floor": 0.1}),
    "warm-up, stable, decay": dict(schedule="wsd"),
    "no warm-up": dict(warmup=0),
    "clipped at 1": dict(clip=1.0),
    "weight decay 0.1": dict(weight_decay=0.1),
    "batch of 8": tokens_alike(8),
    "batch of 32": tokens_alike(32),
    "float32": dict(precision="float32"),
    "all of nanoGPT's": dict(
        model=UNSAID | ANCHOR["model"],
        optimizer=ANCHOR["optimizer"],
        schedule=ANCHOR["schedule"],
        weight_decay=0.1,
        clip=1.0,
        warmup=SPEEDRUN["warmup"],
        precision="float32",
        lr=2e-3,
    ),
}


def study(names: list[str], seeds: int, quick: bool) -> Study:
    base = {"objective": "causal", **SPEEDRUN}
    variants, rates = {name: VARIANTS[name] for name in ("speedrun", *names)}, (0.5, 1.0, 2.0)
    if quick:
        base, rates, seeds = base | dict(steps=4, warmup=1), (1.0,), 1
    return Study("ablation", "", variants, base, {SPEEDRUN["corpus"]: {}}, {"S": {}}, (), (1,), rates, seeds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("variants", nargs="*", metavar="VARIANT", help=f"of: {'; '.join(VARIANTS)} (default: all)")
    add("--seeds", type=int, default=3, help="beside the one that chooses the rate (default: %(default)s)")
    add("--workers", type=int, default=os.cpu_count(), help="processes of one thread (default: %(default)s)")
    add("--device", default="cpu")
    add("--minutes", type=float, default=float("inf"), help="begin no run after so many")
    add("--quick", action="store_true", help="four steps, of one variant unless others are named, to see that it runs")
    add("--ledger", nargs="?", const=str(FOLDER), help="keep the rows here (default: the ledger of the library)")
    o = parser.parse_args()
    if unknown := set(o.variants) - set(VARIANTS):
        parser.error(f"there is no variant {sorted(unknown)}; expected some of {list(VARIANTS)}")
    names = o.variants or (["GELU"] if o.quick else list(VARIANTS))
    print(where(), flush=True)
    with tempfile.TemporaryDirectory() as passing:
        until = time.time() + 60 * o.minutes
        rows = study(names, o.seeds, o.quick).run(o.ledger or passing, device=o.device, workers=o.workers, until=until)
    print(Comparison(rows, "ablation", "speedrun"))


if __name__ == "__main__":
    main()
