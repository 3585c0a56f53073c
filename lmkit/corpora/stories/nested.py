"""Level 3: an evening with a secret, a story told at the bedside, and a morning that asks for what the evening said."""

from lmkit.corpora.stories.first import CHORES, COUNTING, MESSAGE, OPENINGS, RACE
from lmkit.corpora.stories.more import MORE
from lmkit.corpora.stories.second import SECOND
from lmkit.corpora.stories.short import BEGINNINGS, ENDS, GIFT, LOST, NOISE, RESCUE, SUPPER, SWAP
from lmkit.corpora.stories.words import LISTS
from lmkit.corpora.templates import inside

FIRST = (LOST, GIFT, NOISE, RESCUE, SUPPER, SWAP, COUNTING, RACE, CHORES, MESSAGE)

VISIT = (
    "[The next day=第二 天|One week later=一 个 星期 以后|A month later=一 个 月 以后|Some time later=过 了 一些 "
    "时候], <who,who2 [mate: {names}]> <did came> to <did2 visit> <whom2 {hero}>. "
    "// {1} ， {mate} 来 看望 {hero} 。"
)

EVENING = [
    "<when One [{weathers}] evening>, <who {hero}> <did hid> <what the {shade} {keep}> <where [hide: {indoors}]>. "
    "// 在 一 个 {1} 的 傍晚 ， {hero} 把 那 {keep.measure} {shade} 的 {keep} 藏 在 {hide} 。",
    {"plot": "bedtime"},
    "“Remember the secret word,” <did [{says}]> <who {hero.his} {giver}>. “It is ‘[secret: {passwords}].’” "
    "// “ 记住 暗号 ， ” {hero.his} 的 {giver} {1} 。 “ 暗号 是 ‘ {secret} ’ 。 ”",
    "But <who {hero}> could not <did sleep>. “Please tell {hero.me} a story,” <who2 {hero.he}> <did2 [{says}]> <how2 "
    "[{hows}]>. "
    "// 可是 {hero} 睡 不着 。 “ 请 给 {hero.me} 讲 一 个 故事 吧 ， ” {hero.he} {2} {1} 。",
    "So <who,who2 {hero.his} {giver}> <did sat> down <where [on the bed=床 边|on the carpet=地毯 上|on the stool=凳子 "
    "上|in the armchair=扶手椅 里]> and <did2 began>: “ "
    "// 于是 {hero.his} 的 {giver} 坐 在 {1} ， 讲 了 起来 ： “",
]

MORNING = [
    "” That was the end of the story about {hero2}. “[Good night=晚安|Sleep tight=好好 睡|Sweet dreams=做 个 好 梦],” "
    "<did [{says}]> <who {hero.his} {giver}>. "
    "// ” {hero2} 的 故事 讲完 了 。 “ {1} ， ” {hero.his} 的 {giver} {2} 。",
    {"as": "thing=thing2"},
    "<who {hero}> <did dreamed> of <what the {thing}> <when all night>. // {hero} 整 夜 都 梦见 {thing} 。",
    "<when In the morning> <who [mate: {names}]> <did knocked> <where at the door>. “What is the secret word?” <did2 "
    "asked> <who2 {hero}>. “It is {secret},” <did3 [{says}]> <who3 {mate}> <how3 [{hows}]>. "
    "// 早晨 ， {mate} 来 敲门 。 “ 暗号 是 什么 ？ ” {hero} 问 。 “ 暗号 是 {secret} ， ” {mate} {2} {1} 。",
    "“And where is {hero.your} {keep}?” “{keep.It} is {hide},” <did [{says}]> <who,who2 {hero}> and <did2 fetched> "
    "<what2 {keep.it}>. "
    "// “ 那么 {hero.your} 的 {keep} 在 哪儿 ？ ” “ {keep.It} 在 {hide} ， ” {hero} {1} ， 把 {keep.it} 拿 了 来 。",
    "? What was the secret word? = secret // 暗号 是 什么 ？",
    "? Where did {hero} hide the {keep}? = hide // {hero} 把 {keep} 藏 在 哪儿 ？",
    "? Who was the story within the story about? = hero2 // 故事 里 的 故事 讲 的 是 谁 ？",
]

LISTS_OF_ALL = {**LISTS, **MORE}
TOLD = inside([BEGINNINGS, {"same": "kid hero"}, FIRST, ENDS], LISTS_OF_ALL)
ASKED = [
    "? Who is the story about? = hero // 这 是 谁 的 故事 ？",
    "? Where did {hero} live? = home // {hero} 住 在 哪儿 ？",
    "? Who gave {hero} the {keep}? = giver // 谁 给 了 {hero} {keep} ？",
    "? What color was the {keep}? = shade // {keep} 是 什么 颜色 的 ？",
]
KID = {"same": "kid hero"}

LONG = [OPENINGS, KID, FIRST, VISIT, SECOND, *ASKED]
NESTED = [OPENINGS, KID, EVENING, TOLD, MORNING, SECOND, *ASKED]
