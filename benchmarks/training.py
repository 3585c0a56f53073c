"""Chapter 3's live run: how close 800 steps come to the tales' exact floor, and in how many seconds."""

import time

import torch

from lmkit import LM, Config, batches, next_token_loss, train
from lmkit.pretrain import BODY, SIZES, tales_task
from lmkit.train import evaluate

STEPS, SEQ_LEN = 800, 120


def main():
    task = tales_task(SEQ_LEN, 2_000_000)
    torch.manual_seed(0)
    model = LM(Config(len(task.tokenizer), max_seq_len=256, **SIZES["tales"], **BODY))
    stream, began = batches(task.ids, 16, SEQ_LEN, task.starts), time.perf_counter()
    for _ in train(model, stream, next_token_loss, steps=STEPS, lr=1.3e-2, optimizer="muon", weight_decay=0.0):
        pass
    seconds = time.perf_counter() - began
    ratio = evaluate(model, task.rows, next_token_loss) / task.baseline
    print(f"{STEPS} steps in {seconds:.0f} s on {torch.get_num_threads()} threads: {ratio:.3f} x the exact floor")


if __name__ == "__main__":
    main()
