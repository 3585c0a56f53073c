"""Prepare a corpus as token shards: `python -m lmkit.corpora.shards CORPUS TOKENIZER FOLDER`."""

import argparse
import sys

from ... import tokenizers
from .. import CORPORA, OFFLINE, documents
from .preparing import prepare


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lmkit.corpora.shards",
        description="Prepare a corpus as token shards. After a kill, the same command goes on where it stopped.",
    )
    add = parser.add_argument
    add("corpus", help=f"{', '.join([*OFFLINE, *CORPORA])}, or the path of a folder, .jsonl, .parquet or text file")
    add("tokenizer", help="a tokenizer.json, a folder with one, or gpt2")
    add("folder", help="where the shards go")
    add("--split", help="of the corpus (default: train)")
    add("--tokens", type=int, metavar="N", help="stop after N token ids (default: the whole split)")
    add("--tokens-per-shard", type=int, default=50_000_000, metavar="N", help="(default: %(default)s)")
    add("--column", default="text", help="what the text is called in files of your own (default: %(default)s)")
    add("--streaming", action=argparse.BooleanOptionalAction, help="read over the network, or download first")
    return parser.parse_args(argv)


def fastest(path: str):
    """The tokenizer, run in Rust where that can be had: the ids are the same."""
    tokenizer = tokenizers.load(path)
    try:
        return tokenizers.fast(tokenizer)
    except (ImportError, ValueError):
        return tokenizer


def main(argv=None) -> None:
    o = arguments(argv)
    try:
        tokenizer = fastest(o.tokenizer)
        corpus = documents(o.corpus, o.split, streaming=o.streaming, column=o.column)
        shards = prepare(corpus, tokenizer, o.folder, tokens_per_shard=o.tokens_per_shard, limit=o.tokens)
        print(f"{len(shards):,} tokens in {len(shards.parts)} shards: {o.folder}")
    except (ValueError, OSError, ImportError) as problem:  # a sentence for the reader, who has nothing to debug here
        sys.exit(f"lmkit.corpora.shards: {problem}")
    except KeyboardInterrupt:
        sys.exit(f"lmkit.corpora.shards: stopped; the same command goes on with {o.folder}")


if __name__ == "__main__":
    main()
