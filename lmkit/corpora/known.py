"""Known corpora: where each may be had, its licence, size and source. The book's page of corpora is made from this."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hub:
    """A dataset that Hugging Face `datasets` reads, pinned to one revision, so that it is the same text next year."""

    path: str  #: its name on the hub, or a format of files ("parquet") with options=dict(data_files=...)
    config: str | None = None
    revision: str | None = None
    splits: tuple[str, ...] = ("train",)
    text: str = "text"  #: the column
    articles: bool = False  #: rows are lines, and a document is an article of them
    options: dict = field(default_factory=dict)  #: further arguments of `load_dataset`


@dataclass(frozen=True)
class Corpus:
    """A published corpus: one text, with `mirrors` and a checksum, or a corpus of documents, with `hub`."""

    title: str
    language: str
    licence: str
    source: str
    address: str  #: where its description stands
    citation: str
    work: str  #: the address of the work cited
    size: int  #: bytes to download: of the text, or of compressed parquet files
    documents: int = 1  #: in all splits
    mirrors: tuple[str, ...] = ()  #: tried in this order
    sha256: str = ""
    hub: Hub | None = None


HUB = "https://huggingface.co/datasets/"
ARXIV = "https://arxiv.org/abs/"
WIKITEXT_REVISION = "b08601e04326c79dfdd32d625aee71d232d685c3"
WIKITEXT_SPLITS = ("train", "validation", "test")

#: What is known of each corpus, by name.
CORPORA = {
    "tinyshakespeare": Corpus(
        title="Tiny Shakespeare",
        language="English",
        licence="public domain",
        source="40,000 lines from the plays of William Shakespeare, collected for char-rnn",
        address="https://github.com/karpathy/char-rnn",
        citation="Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks, 2015",
        work="https://karpathy.github.io/2015/05/21/rnn-effectiveness/",
        size=1_115_394,
        mirrors=(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
            "https://raw.githubusercontent.com/dmlc/web-data/master/mxnet/tinyshakespeare/input.txt",
        ),
        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
    "tinystories": Corpus(
        title="TinyStories",
        language="English",
        licence="CDLA-Sharing-1.0",
        source="short stories in the words of a small child, written by GPT-3.5 and GPT-4",
        address=HUB + "roneneldan/TinyStories",
        citation="Eldan and Li, TinyStories: How Small Can Language Models Be and Still Speak Coherent English?, 2023",
        work=ARXIV + "2305.07759",
        size=1_000_775_442,
        documents=2_141_709,
        hub=Hub(
            "roneneldan/TinyStories",
            revision="f54c09fd23315a6f9c86f9dc80f725de7d8f9c64",
            splits=("train", "validation"),
        ),
    ),
    "wikitext-2": Corpus(
        title="WikiText-2",
        language="English",
        licence="CC BY-SA 3.0 and GFDL",
        source="720 good or featured articles of Wikipedia, unprocessed (“raw”)",
        address=HUB + "Salesforce/wikitext",
        citation="Merity et al., Pointer Sentinel Mixture Models, 2016",
        work=ARXIV + "1609.07843",
        size=7_747_362,
        documents=720,
        hub=Hub("Salesforce/wikitext", "wikitext-2-raw-v1", WIKITEXT_REVISION, WIKITEXT_SPLITS, articles=True),
    ),
    "wikitext-103": Corpus(
        title="WikiText-103",
        language="English",
        licence="CC BY-SA 3.0 and GFDL",
        source="28,595 good or featured articles of Wikipedia, unprocessed (“raw”)",
        address=HUB + "Salesforce/wikitext",
        citation="Merity et al., Pointer Sentinel Mixture Models, 2016",
        work=ARXIV + "1609.07843",
        size=315_466_397,
        documents=28_595,
        hub=Hub("Salesforce/wikitext", "wikitext-103-raw-v1", WIKITEXT_REVISION, WIKITEXT_SPLITS, articles=True),
    ),
    "openwebtext": Corpus(
        title="OpenWebText",
        language="English",
        licence="CC0-1.0 on the collection; the pages remain their authors’",
        source="web pages linked from Reddit: a public replica of WebText, which GPT-2 learnt from, unpublished",
        address=HUB + "Skylion007/openwebtext",
        citation="Gokaslan et al., OpenWebText Corpus, 2019",
        work="https://skylion007.github.io/OpenWebTextCorpus/",
        size=24_193_092_408,
        documents=8_013_769,
        hub=Hub("Skylion007/openwebtext", "plain_text", "79d93d786212f7344586290adb811d4ae6a1762c"),
    ),
    "fineweb-edu": Corpus(
        title="FineWeb-Edu (sample-10BT)",
        language="English",
        licence="ODC-By 1.0, under Common Crawl’s terms of use",
        source="web pages that a classifier takes for educational: the published sample of 10 billion GPT-2 tokens",
        address=HUB + "HuggingFaceFW/fineweb-edu",
        citation="Penedo et al., The FineWeb Datasets: Decanting the Web for the Finest Text Data at Scale, 2024",
        work=ARXIV + "2406.17557",
        size=28_518_193_415,
        documents=9_672_101,
        hub=Hub("HuggingFaceFW/fineweb-edu", "sample-10BT", "87f09149ef4734204d70ed1d046ddc9ca3f2b8f9"),
    ),
    "fineweb-2-chinese": Corpus(
        title="FineWeb2, Mandarin Chinese (cmn_Hani)",
        language="Chinese",
        licence="ODC-By 1.0, under Common Crawl’s terms of use",
        source="Chinese web pages of 96 crawls, filtered and deduplicated by a published pipeline",
        address=HUB + "HuggingFaceFW/fineweb-2",
        citation="Penedo et al., FineWeb2: One Pipeline to Scale Them All, 2025",
        work=ARXIV + "2506.20920",
        size=1_480_000_000_000,
        documents=636_058_984,
        hub=Hub(
            "HuggingFaceFW/fineweb-2", "cmn_Hani", "af9c13333eb981300149d5ca60a8e9d659b276b9", splits=("train", "test")
        ),
    ),
}


def bytes_in_words(size: int) -> str:
    """7747362 -> "7.7 MB": three digits at most."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            return f"{size:.3g} {unit}"
        size /= 1000


def table() -> str:
    """CORPORA as a table in Markdown, for the book."""
    rows = [["name", "what it is, and what to cite", "how much", "licence"], ["---"] * 4]  # more would not fit a page
    for name, c in CORPORA.items():
        splits = ", ".join(c.hub.splits) if c.hub else "train, validation"
        what = f"[{c.title}]({c.address}), {c.language}: {c.source}. [{c.citation}]({c.work})"
        documents = f"{c.documents:,} document{'s' * (c.documents > 1)}"
        rows.append([f"`{name}`", what, f"{documents}; {bytes_in_words(c.size)} to download; {splits}", c.licence])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(table())
