"""What others have measured at sizes that no laptop reaches: one line each, with its source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    authors: str
    arxiv: str
    found: str

    @property
    def link(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}"

    def __repr__(self) -> str:
        return f"{self.authors}: {self.found} ({self.link})"

    def _repr_markdown_(self) -> str:
        return f"[{self.authors}]({self.link}): {self.found}"


PAPERS = {
    "kaplan": Paper("Kaplan et al. 2020", "2001.08361", "loss follows parameters and data; the shape matters little"),
    "chinchilla": Paper("Hoffmann et al. 2022", "2203.15556", "about 20 tokens per parameter for the least loss"),
    "repeated": Paper("Muennighoff et al. 2023", "2305.16264", "up to four epochs are nearly as good as new text"),
    "transfer": Paper("Narang et al. 2021", "2102.11972", "most changes of the Transformer gain nothing elsewhere; "
                      "gated networks and RMSNorm do"),
    "ranks": Paper("Tay et al. 2022", "2207.10551", "the best architecture can change with the scale"),
    "mup": Paper("Yang et al. 2022", "2203.03466", "the best learning rate falls with the width unless all is scaled"),
    "proxies": Paper("Wortsman et al. 2023", "2309.14322", "small models show large ones' instabilities at high rates; "
                     "norms on queries and keys cure one"),
    "rope": Paper("Su et al. 2021", "2104.09864", "rotating queries and keys tells relative positions"),
    "alibi": Paper("Press et al. 2021", "2108.12409", "slopes on distances read longer texts than were trained on"),
    "lengths": Paper("Kazemnejad et al. 2023", "2305.19466", "a scheme's loss at the trained length says little of "
                     "longer ones; none at all extrapolates well in small decoders"),
    "long": Paper("Xiong et al. 2023", "2309.16039", "a larger rotary base carries to tens of thousands of tokens"),
    "rmsnorm": Paper("Zhang & Sennrich 2019", "1910.07467", "the mean need not be removed, and time is saved"),
    "pre": Paper("Xiong et al. 2020", "2002.04745", "with the norm before the sublayer, deep stacks train without a "
                 "careful warm-up"),
    "glu": Paper("Shazeer 2020", "2002.05202", "gated networks beat plain ones at equal parameters"),
    "mqa": Paper("Shazeer 2019", "1911.02150", "one head of keys and values makes generation fast, at a small loss"),
    "gqa": Paper("Ainslie et al. 2023", "2305.13245", "groups of heads keep the quality and most of the speed"),
    "tied": Paper("Press & Wolf 2016", "1608.05859", "one matrix for embedding and head is enough for small models"),
    "vocabulary": Paper("Tao et al. 2024", "2407.13623", "larger models deserve larger vocabularies"),
    "adamw": Paper("Loshchilov & Hutter 2017", "1711.05101", "decay apart from the gradient"),
    "muon": Paper("Liu et al. 2025", "2502.16982", "Muon needs about half of AdamW's arithmetic at scale"),
    "optimizers": Paper("Wen et al. 2025", "2509.02046", "well tuned, the gain over AdamW shrinks as models grow"),
    "linear": Paper("Bergsma et al. 2025", "2502.15938", "down in a line to zero beats a cosine to a tenth"),
    "wsd": Paper("Hu et al. 2024", "2404.06395", "a stable rate with a late decay need not know its end"),
    "bert": Paper("Devlin et al. 2018", "1810.04805", "masked models that look both ways are best at understanding"),
    "t5": Paper("Raffel et al. 2019", "1910.10683", "an encoder-decoder with span corruption is best for text to text"),
    "zero_shot": Paper("Wang et al. 2022", "2204.05832", "for generation from a prompt, causal decoders are best"),
}  # fmt: skip
