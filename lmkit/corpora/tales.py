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


GIRLS = "Anna Bella Clara Daisy Ella Flora Grace Hanna Ivy Lily Mia Nora".split()
BOYS = "Adam Ben Carl David Emil Felix Hugo Jack Leo Max Oscar Tom".split()
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
    *[Phrase(name, **SHE) for name in [*GIRLS, "mother", "grandmother", "sister", "aunt"]],
    *[Phrase(name, **HE) for name in [*BOYS, "father", "grandfather", "brother", "uncle"]],
    Phrase("girl", names="|".join(GIRLS), **SHE),
    Phrase("boy", names="|".join(BOYS), **HE),
]

LISTS = {
    "names": "|".join(GIRLS + BOYS),
    "elders": "mother|father|grandmother|grandfather|sister|brother|aunt|uncle",
    "homes": "|".join(HOMES),
    "animals": "|".join(ANIMALS),
    "traits": "kind|brave|clever|shy|cheerful|curious|gentle|quiet|merry|proud|patient|sleepy",
    "looks": "red|blue|green|yellow|purple|white|black|brown|pink|silver|golden|striped",
    "furs": "black|white|brown|gray|spotted|golden",
    "toys": "kite|ball|drum|boat|train|doll|puppet|whistle|wagon|hat|bell|book|flute|mask|crown|ring",
    "jobs": "farmer|baker|miller|fisherman|shepherd|gardener|sailor|teacher",
    "foods": "flour|milk|butter|honey|eggs|apples|carrots|onions|salt|sugar|beans|nuts|plums|cheese|potatoes|rice",
    "indoors": "under the bed|under the stairs|behind the door|behind the curtain|inside the cupboard|inside the chest"
    "|on the shelf|on the roof|beside the stove|beside the window",
    "weathers": "sunny|rainy|windy|foggy|snowy|cloudy",
    "times": "morning|afternoon|evening",
    "numbers": "two|three|four|five|six|seven|eight|nine",
    "went": "ran|walked|hurried|skipped",
}

LOST = [
    "{hero.His} [dearest|favorite|greatest] treasure was a [look: {looks}] [toy: {toys}].",
    "But one [weather: {weathers}] [time: {times}] it was gone.",
    "{hero} looked [spot1: {indoors}] and [spot2: {indoors}], but found only [an old shoe|an old spoon|a button|a spider|a sock|dust].",
    "Then {hero.he} [{went}] {home.path} and met [friend: {names}].",
    "“[Have you seen|Did you find] my {look} {toy}?” asked {hero}. “",
    (
        "No, but I will help you look,” said {friend}. They searched until {friend.he} [cried|shouted|called], "
        "“It is [spot: {home.spots}]!”",
        "Yes, it is [spot: {home.spots}],” said {friend} and [showed|led] {hero.him} the way.",
    ),
    "{friend} gave {hero.him} the {toy}, and {hero} gave {friend.him} [a hug|a kiss|a flower|an orange|half a cookie].",
    (
        "From that day on, {hero} and {friend} were [good|best] friends.",
        "That night, {hero} [kept|held] the {look} {toy} in {hero.his} arms.",
        "“What a {trait} {hero.kid},” [said|thought] {friend}.",
    ),
]

GIFT = [
    "It was the birthday of [friend: {names}], who wished for a [look: {looks}] [toy: {toys}].",
    "{hero} had no money, so {hero.he} made a {toy} from [stuff: paper|wood|clay|straw|wool|tin|leaves|cloth],",
    "painted it {look} and hid it [spot1: {indoors}].",
    "At the party, [guest: {names}] gave {friend.him} a [look2: {looks}] [toy2: {toys}]. Then {hero} brought the {toy}.",
    "“[Oh|Look|Hurrah], a {look} {toy}!” [cried|shouted|called] {friend}. “Who made it?”",
    "“I did,” said {hero}, “from {stuff}.”",
    "{friend} thanked {guest} for the {toy2} and {hero} for the {toy}, and they [all|both] ate [apple|cherry|lemon|plum|carrot] cake.",
    (
        "{friend} loved the {toy2}, but {friend.he} loved the {toy} more.",
        "“You are a {trait} {hero.kid},” said {friend}.",
        "Even {guest} [said|thought] that the {toy} was [lovely|beautiful|wonderful].",
    ),
]

NOISE = [
    "One [dark|stormy|cold|{weathers}] night, {hero} heard a [strange|loud|soft|scratching|funny] noise [spot: {indoors}].",
    "“Is it a [monster: bear|ghost|wolf|dragon|giant|witch]?” {hero.he} [whispered|asked|wondered].",
    "{hero.His} [elder: {elders}] came with a [light: lamp|candle|lantern|torch] and [took|held] {hero.his} hand.",
    "Together they looked {spot}. There was no {monster}, only a [tiny|small|young] [look: {furs}] [animal: {animals}]",
    "that {animal.cried} [how: sadly|softly|loudly|happily].",
    "“You are not a {monster} at all!” [laughed|cried] {hero}.",
    "{elder.He} gave the {animal} some [food: milk|bread|water|corn|cheese], and {hero} named it",
    "[pet: Button|Pepper|Biscuit|Muffin|Pickle|Ginger|Cookie|Pebble].",
    (
        "Now {pet} the {animal} sleeps {spot} every night.",
        "And {hero} was never afraid of a {monster} again.",
        "“Good night, {pet},” said {hero} and put out the {light}.",
    ),
]

RESCUE = [
    "Walking {home.path} one [weather: {weathers}] [time: {times}], {hero} and [friend: {names}] found a",
    "[look: {furs}] [animal: {animals}].",
    "It lay [spot: {home.spots}] with a hurt leg and {animal.cried} [how: sadly|softly|loudly].",
    "“Poor little {animal}, are you [cold|hungry|thirsty|lost|afraid]?” asked {friend}.",
    "{hero} [gently|carefully|quickly] wrapped it in {hero.his} [color: {looks}] [cloth: scarf|coat|shirt|sweater|apron],",
    "and {friend} [{went}] home to fetch some [food: milk|bread|water|corn|cheese].",
    "For [number: {numbers}] days the {animal} slept in a [basket|box|drawer] [spot1: {indoors}].",
    "Then it could [walk|run|jump|hop] again, and {hero} and {friend} carried it back to its home {spot}.",
    (
        "“Goodbye, little {animal}!” [called|cried|shouted] {friend}.",
        "The {color} {cloth} was full of hair, but {hero} only [laughed|smiled].",
        "Every [spring|summer|winter] the {animal} came to see the {trait} {hero.kid}.",
    ),
]

SUPPER = [
    "{hero.He} wanted to [make|cook] a [taste: sweet|big|hot|tasty] [dish: soup|stew|pie|cake|pudding|pancake] for",
    "{hero.his} [elder: {elders}], who was [ill|sad|tired|hungry|lonely].",
    "But there was no [food1: {foods}], no [food2: {foods}] and no [food3: {foods}].",
    "{hero} took a [look: {looks}] [bag: basket|bag|bucket|box|pot] and [{went}] {home.path}.",
    "[friend: {names}] gave {hero.him} the {food1}, a [job: {jobs}] gave {hero.him} the {food2}, and",
    "{hero.he} bought the {food3} for [{numbers}] coins.",
    "“Now I have {food1}, {food2} and {food3},” [sang|said|thought] {hero} and carried the {bag} home.",
    "“What a {taste} {dish}!” said {hero.his} {elder}. “Who gave you the",
    (
        "{food1}?” “{friend} did,” said {hero}.",
        "{food2}?” “The {job} did,” said {hero}.",
        "{food3}?” “I bought it,” said {hero}.",
    ),
    (
        "They saved some {dish} for {friend} and the {job}.",
        "“I am [happy|proud|glad] to have such a {trait} {hero.kid},” said the {elder}.",
        "Then they ate the whole {dish} together.",
    ),
]

SWAP = [
    "On [Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday], {hero} took a [look: {looks}] [toy: {toys}] to the market.",
    "There {hero.he} met [friend: {names}], who had a [look2: {looks}] [toy2: {toys}]. “Will you trade your",
    (
        "{toy} for my {toy2}?” asked {friend}. “[Gladly|Yes|Certainly],” said {hero}.",
        "{toy2} for my {toy}?” asked {hero}. “[Gladly|Yes|Certainly],” said {friend}.",
    ),
    "So {hero} gave {friend.him} the {look} {toy} and got the {look2} {toy2}.",
    "Next came a [job: {jobs}] with a [look3: {looks}] [toy3: {toys}], and {hero} traded the {toy2} for the {toy3}.",
    "At home, {hero.his} [elder: {elders}] asked, “Where is the",
    (
        "{toy}?” “{friend} has it,”",
        "{toy2}?” “The {job} has it,”",
        "{toy3}?” “I have it,”",
    ),
    "said {hero}.",
    (
        "“You are a {trait} {hero.kid},” [laughed|said] the {elder}.",
        "And {hero} [played|slept] with the {look3} {toy3} all [day|night|week].",
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
