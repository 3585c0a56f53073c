"""Steps that change a text before it is cut, as a tokenizer.json names them, and where each character came from."""


class Normalizer:
    """The steps of a tokenizer.json's normalizer: a list of dicts, each with its "type".

    Called with a text it gives the new text and, for each of its characters, the span of the old text that it came
    from: two lists, starts and ends, or ranges where nothing has moved.
    """

    def __init__(self, steps=()):
        self.steps = list(steps)
        if self.steps:
            raise ValueError(f"normalizer {self.steps[0].get('type')!r} is not one that lmkit has")

    def __call__(self, text):
        return text, range(len(text)), range(1, len(text) + 1)
