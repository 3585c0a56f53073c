"""Tales: short children's stories from a causal grammar, so that the best possible loss is known exactly.

Six plots (lost, gift, noise, rescue, supper, swap) tell of a child, a friend, and things that have a colour and an
owner. Names, pronouns, objects and places come back 5, 20 or 80 words later: a model that can look back knows those
words for certain, and one that counts the last few words does not. `grammar` says how the probabilities are had.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np

from lmkit.corpora.grammar import Grammar, Phrase
from lmkit.tokenizers.words import join, split

END = "\n\n"  # the last word of every story: a blank line


GIRLS = "Anna Bella Clara Daisy Lily Mia".split()
BOYS = "Adam Ben Felix Hugo Max Tom".split()
SHE = {"he": "she", "He": "She", "him": "her", "his": "her", "His": "Her", "kid": "girl"}
HE = {"he": "he", "He": "He", "him": "him", "his": "his", "His": "His", "kid": "boy"}

# Where a child lives says which paths there are, and which places to lose things in.
HOMES = [
    Phrase(home, path=path, spots=spots)
    for home, path, spots in [
        ("by the sea", "along the beach", "behind the pier|under the sail|beside the rocks|inside the boathouse"),
        ("near the forest", "past the trees", "behind the log|under the ferns|beside the mushrooms|inside the den"),
        ("on a farm", "across the fields", "behind the barn|under the cart|beside the well|inside the stable"),
        ("in a little town", "down the street", "behind the mill|under the bridge|beside the fountain|inside the inn"),
    ]
]

ANIMALS = [
    Phrase(animal, cried=cried)
    for animal, cried in [
        ("duck", "quacked"), ("kitten", "mewed"), ("puppy", "barked"), ("mouse", "squeaked"),
        ("lamb", "bleated"), ("owl", "hooted"), ("goose", "honked"), ("hen", "clucked"),
    ]
]  # fmt: skip

PEOPLE = [
    *[Phrase(name, **SHE) for name in [*GIRLS, "mother", "grandmother"]],
    *[Phrase(name, **HE) for name in [*BOYS, "father", "grandfather"]],
    Phrase("girl", names="|".join(GIRLS), **SHE),
    Phrase("boy", names="|".join(BOYS), **HE),
]

LISTS = {
    "names": "|".join(GIRLS + BOYS),
    "homes": "|".join(HOMES),
    "animals": "|".join(ANIMALS),
    "elders": "mother|father|grandmother|grandfather",
    "jobs": "farmer|baker|fisherman|shepherd|sailor",
    "traits": "kind|brave|clever|shy|cheerful|patient",
    "feelings": "cold|hungry|thirsty|tired|lonely|sad|afraid|sleepy|sick|bored",
    "joys": "happy|glad|proud|calm|content|pleased|merry|thankful",
    "looks": "red|blue|green|yellow|golden|striped",
    "furs": "white|black|brown|gray|spotted|golden",
    "sizes": "little|tiny|small|young|round|fat|fluffy|muddy",
    "praises": "lovely|beautiful|wonderful|splendid|fine|pretty|perfect|funny|marvelous|charming|fancy|nice",
    "toys": "kite|ball|drum|boat|train|doll|puppet|hat|bell|flute",
    "foods": "flour|milk|butter|honey|rice|cheese|sugar|salt|cream|corn",
    "feed": "milk|rice|cheese|corn|bread|nuts|soup|water",
    "indoors": "under the bed|under the stairs|behind the door|behind the curtain|inside the cupboard|beside the stove",
    "weathers": "sunny|rainy|windy|foggy|snowy|cloudy|stormy|chilly|warm|cold|bright|gloomy",
    "times": "morning|afternoon|evening|day",
    "numbers": "two|three|four|five|six|seven|eight|nine",
    "went": "ran|walked|hurried|skipped|raced|marched|wandered|danced|hopped|strolled|rushed|tiptoed",
    "says": "said|cried|called|laughed|whispered|shouted|sang|declared|giggled|murmured|sighed|smiled",
    "hows": "gently|quickly|slowly|happily|sweetly|proudly|politely|bravely|shyly|warmly|kindly|calmly|eagerly|merrily",
}

LOST = [
    "{hero.His} [dearest|favorite|greatest|best] treasure was a [look: {looks}] [toy: {toys}].",
    "But one [{weathers}] [{times}] it was gone.",
    "{hero} looked [quickly|slowly|carefully|sadly|twice|again] [spot1: {indoors}] and [spot2: {indoors}],",
    "but found only [an old|a broken|a dusty|an empty|a lost] [shoe|spoon|button|sock|box|cup|bag|bottle].",
    "Then {hero.he} [{went}] {home.path} and [{hows}] asked [friend: {names}],",
    "“[Have you seen|Did you find] my {look} {toy}?” “",
    (
        "No, let us look,” [{says}] {friend} [{hows}]. Soon {friend.he} found the {look} {toy} [spot: {home.spots}].",
        "Yes, the {look} {toy} is [spot: {home.spots}],” [{says}] {friend} [{hows}].",
    ),
    "{hero} [hugged|thanked|kissed] {friend.him} and gave {friend.him} a",
    "[flower|cookie|button|pear|song|shell|kiss|feather|cherry|coin].",
]

GIFT = [
    "It was the birthday of [friend: {names}], who wished for a [look: {looks}] [toy: {toys}].",
    "{hero} had no money, so {hero.he} [{hows}] made a {toy} from",
    "[paper|wood|clay|straw|wool|tin|leaves|cloth] and painted it {look}.",
    "[guest: {names}] brought a [{praises}] [toy2: {toys}], and {hero} [{hows}] brought the {look} {toy}.",
    "“[Oh|Look|Hurrah|Ah|Wow], what a [{praises}] {toy}!” [{says}] {friend} [{hows}].",
    "{friend} [{hows}] thanked {guest} for the {toy2} and {hero} for the {toy}.",
    "Then they all ate [{praises}] [honey|apple|cherry|lemon|plum|carrot|nut|cheese|pear|chocolate] cake.",
]

NOISE = [
    "One [{weathers}] night, {hero} heard a",
    "[strange|loud|soft|scratching|funny|terrible|creaking|rattling] noise [spot: {indoors}].",
    "“Is it a [monster: bear|ghost|wolf|dragon|giant|witch]?”",
    "{hero.he} [asked|whispered|cried|shouted|wondered|murmured].",
    "{hero.His} [elder: {elders}] came with a [lamp|candle|lantern|torch] and looked {spot}.",
    "There was no {monster}, only a [{sizes}] [{furs}] [animal: {animals}] that {animal.cried} [{hows}].",
    "“You are not a {monster},” [{says}] {hero} [{hows}]. “Are you [{feelings}]?”",
    "{elder.He} [{hows}] gave the {animal} some [{feed}], and {hero} [{hows}] named it",
    "[pet: Button|Pepper|Biscuit|Muffin|Pickle|Ginger|Cookie|Pebble].",
    "Now {pet} sleeps {spot} every night.",
]

RESCUE = [
    "Walking {home.path} one [{weathers}] [{times}], {hero} and [friend: {names}] found a",
    "[{sizes}] [{furs}] [animal: {animals}].",
    "It lay [spot: {home.spots}] with a hurt leg and {animal.cried} [sadly|softly|loudly|weakly].",
    "“Are you [{feelings}], little {animal}?” [{says}] {friend} [{hows}].",
    "{hero} [{hows}] wrapped it in {hero.his} [{looks}] [scarf|coat|shirt|sweater|apron|blanket],",
    "and {friend} brought some [{feed}].",
    "For [{numbers}] days the {animal} slept [soundly|deeply|sweetly|happily|well|late] [spot1: {indoors}].",
    "Then {hero} and {friend} [{hows}] carried it back to its home {spot}.",
]

SUPPER = [
    "{hero.He} wanted to [make|cook|bake] a [{praises}] [dish: cake|pie|pudding|pancake] for",
    "{hero.his} [elder: {elders}], who was [{feelings}].",
    "But there was no [food1: {foods}], no [food2: {foods}] and no [food3: {foods}].",
    "So {hero.he} [{went}] {home.path} [{hows}].",
    "[friend: {names}] gave {hero.him} {food1}, a [{sizes}] [job: {jobs}] gave {hero.him} {food2}, and",
    "{hero.he} [{hows}] bought {food3} for [{numbers}] coins.",
    "“Now I have {food1}, {food2} and {food3},” [{says}] {hero} [{hows}].",
    "“Who gave you the",
    (
        "{food1}?” asked {hero.his} {elder} [{hows}]. “{friend} did.”",
        "{food2}?” asked {hero.his} {elder} [{hows}]. “The {job} did.”",
        "{food3}?” asked {hero.his} {elder} [{hows}]. “I bought it.”",
    ),
]

SWAP = [
    "On [Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday], {hero} [{went}] to the market",
    "with a [look: {looks}] [toy: {toys}].",
    "There {hero.he} met [friend: {names}], who had a [{praises}] [toy2: {toys}]. “Will you trade your",
    (
        "{toy} for my {toy2}?” [{says}] {friend}. “[Gladly|Yes|Certainly|Hurrah|Fine],” [{says}] {hero} [{hows}].",
        "{toy2} for my {toy}?” [{says}] {hero}. “[Gladly|Yes|Certainly|Hurrah|Fine],” [{says}] {friend} [{hows}].",
    ),
    "So {hero} [{hows}] gave {friend.him} the {look} {toy}.",
    "Next came a [job: {jobs}] with a [{praises}] [toy3: {toys}],",
    "and {hero} [{hows}] traded the {toy2} for it.",
    "{hero.His} [elder: {elders}] asked [{hows}], “Where is the",
    (
        "{toy}?” “{friend} has it.”",
        "{toy2}?” “The {job} has it.”",
        "{toy3}?” “I have it.”",
    ),
]

STORY = [
    (
        "Once there was a [trait: {traits}] [kid: girl|boy] named [hero: {kid.names}], who lived [home: {homes}].",
        "Long ago, a [trait: {traits}] [kid: girl|boy] lived [home: {homes}]. {kid.His} name was [hero: {kid.names}].",
        "This is a story about [hero: {names}], a [trait: {traits}] {hero.kid} who lived [home: {homes}].",
        "Little [hero: {names}] lived [home: {homes}] and was very [trait: {traits}].",
    ),
    (LOST, GIFT, NOISE, RESCUE, SUPPER, SWAP),
    (
        "And so {hero} felt [{joys}] [again|at last].",
        "Soon {hero} was sleeping [soundly|deeply|sweetly|happily|well].",
        "In the end, {hero} was [very|quite|rather] [{joys}].",
        "Everyone [thanked|praised|hugged|kissed] the {trait} {hero.kid}.",
    ),
]

GRAMMAR = Grammar(STORY, LISTS, [*PEOPLE, *HOMES, *ANIMALS])


@dataclass(frozen=True)
class Sample:
    """Stories, one after another, and how surprising each word is to a reader who knows the grammar."""

    words: list[str]
    logprobs: np.ndarray  # float64, nats: log-probability of each word given all words of its story before it
    entropies: np.ndarray  # float64, nats: entropy of the distribution that each word was drawn from
    starts: np.ndarray  # int64: where in `words` each story begins
    text: str


@dataclass(frozen=True)
class Floor:
    """The lowest loss that any predictor can have on a sample."""

    nats_per_word: float
    bits_per_byte: float  # bytes of the text in UTF-8
    standard_error: float  # of nats_per_word, as an estimate of the grammar's own (stories are independent)


def generate(n, seed=0):
    """Tell whole stories until there are at least `n` words.

    A longer sample of the same seed begins with a shorter one. A story has at most 120 words, punctuation marks and
    the blank line at its end (`END`) among them. Raises ValueError unless n and seed are whole numbers, n >= 1,
    seed >= 0.
    """
    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}")
    random = Random(int(seed)).random
    words, logprobs, entropies, starts = [], [], [], []
    while len(words) < n:
        story = GRAMMAR.tell(random)
        starts.append(len(words))
        words += [*story.words, END]
        logprobs += [*story.logprobs, 0.0]
        entropies += [*story.entropies, 0.0]
    return Sample(words, np.array(logprobs), np.array(entropies), np.array(starts, dtype=np.int64), join(words))


def floor(sample):
    """Return the Floor of a Sample: the mean of -logprobs, which is exact for this very text."""
    losses = -np.add.reduceat(sample.logprobs, sample.starts)  # nats, one per story
    lengths = np.diff([*sample.starts, len(sample.words)])
    nats = losses.sum() / lengths.sum()
    spread = np.sqrt(np.sum((losses - nats * lengths) ** 2)) / lengths.sum()  # of a ratio of two sums
    bits = losses.sum() / np.log(2) / len(sample.text.encode("utf-8"))
    return Floor(float(nats), float(bits), float(spread))


def oracle(prefix):
    """Return the exact distribution of the next word, {word: probability}, after a list of words (or a text).

    The prefix begins where a story begins and may hold several. Raises ValueError where it leaves the grammar.
    """
    words = split(prefix) if isinstance(prefix, str) else list(prefix)
    ends = [-1] + [i for i, word in enumerate(words) if word == END]
    for before, end in pairwise(ends):
        if GRAMMAR.following(words[before + 1 : end]) is not None:
            raise ValueError(f"word {end} ends a story that the grammar goes on with")
    following = GRAMMAR.following(words[ends[-1] + 1 :])
    return {END: 1.0} if following is None else following


VOCABULARY = sorted({END} | GRAMMAR.vocabulary())
