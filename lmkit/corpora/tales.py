"""Tales: short children's stories from a causal grammar, so that the best possible loss is known exactly.

Six plots (lost, gift, noise, rescue, supper, swap) tell of a child, a friend, and things that have a colour and an owner.
Names, pronouns, objects and places come back 5, 20 or 80 words later: a model that can look back knows those words for
certain, and one that counts the last few words does not. See `grammar` for how the probabilities are had.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np

from lmkit.corpora.grammar import Grammar, Phrase
from lmkit.tokenizers.words import join, split

END = "\n\n"  # the last word of every story: a blank line


def table(rows, *columns):
    """Rows of "phrase: fact, fact, ..." -> phrases that carry the facts, named by `columns`."""
    pairs = [row.strip().split(": ") for row in rows.strip().splitlines()]
    return [Phrase(phrase, **dict(zip(columns, facts.split(", "), strict=True))) for phrase, facts in pairs]


GIRLS = "Anna Bella Clara Daisy Ella Flora Lily Mia".split()
BOYS = "Adam Ben Carl Felix Hugo Leo Max Tom".split()
SHE = {"he": "she", "He": "She", "him": "her", "his": "her", "His": "Her", "kid": "girl"}
HE = {"he": "he", "He": "He", "him": "him", "his": "his", "His": "His", "kid": "boy"}

HOMES = table(
    """
    by the sea: along the beach, behind the pier|under the old boat|inside a big shell|beside the rocks|between the nets
    by a river: along the water, behind the mill|under the willow|inside the canoe|beside the stones|between the reeds
    near the forest: past the trees, behind the log|under the ferns|inside the den|beside the mushrooms|between the roots
    on a farm: across the fields, behind the barn|under the cart|inside the stable|beside the well|between the haystacks
    in a little town: down the street, behind the bakery|under the bridge|inside the church|beside the fountain|between the houses
    on a green hill: over the hill, behind the windmill|under the oak|inside the cave|beside the wall|between the bushes
    """,
    "path", "spots",
)  # fmt: skip

ANIMALS = table(
    """
    duck: quacked
    kitten: mewed
    puppy: barked
    mouse: squeaked
    lamb: bleated
    frog: croaked
    owl: hooted
    goose: honked
    pony: neighed
    hen: clucked
    """,
    "cried",
)

PEOPLE = [
    *[Phrase(name, **SHE) for name in [*GIRLS, "mother", "grandmother", "aunt"]],
    *[Phrase(name, **HE) for name in [*BOYS, "father", "grandfather", "uncle"]],
    Phrase("girl", names="|".join(GIRLS), **SHE),
    Phrase("boy", names="|".join(BOYS), **HE),
]

LISTS = {
    "names": "|".join(GIRLS + BOYS),
    "homes": "|".join(HOMES),
    "animals": "|".join(ANIMALS),
    "elders": "mother|father|grandmother|grandfather|aunt|uncle",
    "jobs": "farmer|baker|fisherman|shepherd|gardener|sailor",
    "traits": "kind|brave|clever|shy|cheerful|gentle|merry|patient",
    "feelings": "cold|hungry|thirsty|tired|lonely|sad|afraid|sleepy",
    "looks": "red|blue|green|yellow|white|black|golden|striped",
    "furs": "white|black|golden|brown|gray|spotted",
    "sizes": "little|tiny|small|young|round|fat",
    "praises": "lovely|beautiful|wonderful|splendid|fine|pretty|perfect|funny",
    "toys": "kite|ball|drum|boat|train|doll|puppet|wagon|hat|bell|flute|crown",
    "foods": "flour|milk|butter|honey|eggs|apples|carrots|onions|beans|nuts|cheese|rice",
    "feed": "milk|apples|carrots|nuts|cheese|rice|bread|corn",
    "indoors": "under the bed|under the stairs|behind the door|behind the curtain|inside the cupboard|inside the chest"
    "|beside the stove|beside the window",
    "weathers": "sunny|rainy|windy|foggy|snowy|cloudy|stormy|chilly",
    "times": "morning|afternoon|evening|day",
    "numbers": "two|three|four|five|six|seven|eight|nine",
    "went": "ran|walked|hurried|skipped|raced|marched|wandered|danced",
    "says": "said|cried|called|laughed|whispered|shouted|sang",
    "hows": "softly|loudly|sadly|happily|slowly|quickly|sweetly|proudly",
}

LOST = [
    "{hero.His} [dearest|favorite|greatest|best] treasure was a [look: {looks}] [toy: {toys}].",
    "But one [{weathers}] [{times}] it was gone.",
    "{hero} looked [spot1: {indoors}] and [spot2: {indoors}], but found only [a shoe|a spoon|a button|a spider|a sock|dust].",
    "Then {hero.he} [{went}] {home.path} and met [friend: {names}].",
    "“[Have you seen|Did you find] my {look} {toy}?” {hero.he} asked [{hows}]. “",
    (
        "No, let us look,” [{says}] {friend}. Soon {friend.he} found it [spot: {home.spots}].",
        "Yes, it is [spot: {home.spots}],” [{says}] {friend} and led {hero.him} there.",
    ),
    "{hero} [hugged|thanked|kissed] {friend.him} and gave {friend.him} [a flower|a cookie|a button|an orange|an apple|a song].",
    (
        "From that day on, {hero} and {friend} were [good|best|dear|great] friends.",
        "That night, {hero} kept the {look} {toy} in {hero.his} arms.",
        "“What a {trait} {hero.kid},” [said|thought] {friend}.",
    ),
]

GIFT = [
    "It was the birthday of [friend: {names}], who wished for a [look: {looks}] [toy: {toys}].",
    "{hero} had no money, so {hero.he} made a {toy} from [paper|wood|clay|straw|wool|tin|leaves|cloth] and painted it {look}.",
    "[guest: {names}] brought a [{praises}] [toy2: {toys}], and {hero} brought the {toy}.",
    "“[Oh|Look|Hurrah|Ah], what a [{praises}] {toy}!” [{says}] {friend} [{hows}].",
    "{friend} thanked {guest} for the {toy2} and {hero} for the {toy}.",
    "Then they ate [honey|apple|cherry|lemon|plum|carrot|nut|cheese] cake.",
    (
        "{friend} liked the {toy2}, but {friend.he} loved the {look} {toy}.",
        "“You are a {trait} {hero.kid},” [{says}] {friend}.",
        "Even {guest} thought that the {toy} was [{praises}].",
    ),
]

NOISE = [
    "One [{weathers}] night, {hero} heard a [strange|loud|soft|scratching|funny|terrible] noise [spot: {indoors}].",
    "“Is it a [monster: bear|ghost|wolf|dragon|giant|witch|robber|lion]?” {hero.he} [{says}].",
    "{hero.His} [elder: {elders}] came with a [light: lamp|candle|lantern|torch] and looked {spot}.",
    "There was no {monster}, only a [{sizes}] [look: {furs}] [animal: {animals}] that {animal.cried} [{hows}].",
    "“You are not a {monster},” [{says}] {hero}. “Are you [{feelings}]?”",
    "{elder.He} gave the {animal} some [{feed}], and {hero} named it",
    "[pet: Button|Pepper|Biscuit|Muffin|Pickle|Ginger|Cookie|Pebble].",
    (
        "Now {pet} the {animal} sleeps {spot} every night.",
        "And {hero} was never afraid of a {monster} again.",
        "“Good night, {pet},” [{says}] {hero} and put out the {light}.",
    ),
]

RESCUE = [
    "Walking {home.path} one [{weathers}] [{times}], {hero} and [friend: {names}] found a",
    "[{sizes}] [look: {furs}] [animal: {animals}].",
    "It lay [spot: {home.spots}] with a hurt leg and {animal.cried} [{hows}].",
    "“Are you [{feelings}], little {animal}?” [asked|{says}] {friend}.",
    "{hero} wrapped it in {hero.his} [color: {looks}] [cloth: scarf|coat|shirt|sweater|apron|blanket],",
    "and {friend} brought some [{feed}].",
    "For [{numbers}] days the {animal} slept [spot1: {indoors}].",
    "Then {hero} and {friend} carried it back to its home {spot}.",
    (
        "“Goodbye, {animal}!” [{says}] {friend} [{hows}].",
        "The {color} {cloth} was full of hair, but {hero} only [laughed|smiled|sang].",
        "Every [spring|summer|winter] the {animal} came to see the {trait} {hero.kid}.",
    ),
]

SUPPER = [
    "{hero.He} wanted to [make|cook|bake] a [{praises}] [dish: cake|pie|pudding|pancake] for",
    "{hero.his} [elder: {elders}], who was [{feelings}].",
    "But there was no [food1: {foods}], no [food2: {foods}] and no [food3: {foods}].",
    "So {hero.he} [{went}] {home.path} [{hows}].",
    "[friend: {names}] gave {hero.him} {food1}, a [job: {jobs}] gave {hero.him} {food2}, and",
    "{hero.he} bought {food3}.",
    "“Now I have {food1}, {food2} and {food3},” [{says}] {hero} [{hows}].",
    "“Who gave you the",
    (
        "{food1}?” asked the {elder}. “{friend} did.”",
        "{food2}?” asked the {elder}. “The {job} did.”",
        "{food3}?” asked the {elder}. “I bought it.”",
    ),
    (
        "They saved some {dish} for {friend} and the {job}.",
        "“You are a {trait} {hero.kid},” [{says}] the {elder}.",
        "Then they ate it all.",
    ),
]

SWAP = [
    "On [Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday], {hero} took a [look: {looks}] [toy: {toys}] to the market.",
    "There {hero.he} met [friend: {names}], who had a [{praises}] [toy2: {toys}]. “Will you trade your",
    (
        "{toy} for my {toy2}?” asked {friend}. “[Gladly|Yes|Certainly|Hurrah],” [{says}] {hero}.",
        "{toy2} for my {toy}?” asked {hero}. “[Gladly|Yes|Certainly|Hurrah],” [{says}] {friend}.",
    ),
    "So {hero} gave {friend.him} the {look} {toy}.",
    "Next came a [job: {jobs}] with a [toy3: {toys}], and {hero} traded the {toy2} for it.",
    "{hero.His} [elder: {elders}] asked [{hows}], “Where is the",
    (
        "{toy}?” “{friend} has it,”",
        "{toy2}?” “The {job} has it,”",
        "{toy3}?” “I have it,”",
    ),
    "[{says}] {hero} [{hows}].",
    (
        "“You are a {trait} {hero.kid},” [{says}] the {elder}.",
        "And {hero} [played|slept|danced] with the {toy3} all [day|night|week].",
        "But {hero.he} never forgot the {look} {toy}.",
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
    """Tell whole stories until there are at least `n` words; a longer sample of the same seed begins with a shorter one.

    A story has at most 120 words, punctuation marks and the blank line at its end (`END`) among them. Raises ValueError
    unless n and seed are whole numbers, n >= 1, seed >= 0.
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
