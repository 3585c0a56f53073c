"""How a text becomes tokens, step by step: plain data that chapters print and widgets draw."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Piece:
    """A stretch of the text, text[start:end] of it, and what it is called; `id` is None while it is no token yet."""

    label: str
    start: int
    end: int
    id: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A token that could stand here, with its log-probability in nats; `best` if it is on the best path."""

    label: str
    start: int
    end: int
    score: float
    best: bool


@dataclass(frozen=True)
class Step:
    """What the text is cut into after this step; `changed` are the indices of the pieces that are new in it."""

    say: str  #: one short sentence: "merge 3: l + o → lo"
    pieces: tuple[Piece, ...]
    changed: tuple[int, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Work:
    """All steps from the text to its tokens; the pieces of the last step are the tokens of `encode(text)`."""

    kind: str  #: the name in TOKENIZERS
    text: str
    steps: tuple[Step, ...] = field(default=())

    @property
    def tokens(self) -> list[str]:
        return [piece.label for piece in self.steps[-1].pieces] if self.steps else []

    def __str__(self) -> str:
        width = max((len(step.say) for step in self.steps), default=0)
        rows = ((step.say, " ".join(piece.label for piece in step.pieces)) for step in self.steps)
        return "\n".join(f"{say:{width}}   {pieces}" for say, pieces in rows)

    __repr__ = __str__
