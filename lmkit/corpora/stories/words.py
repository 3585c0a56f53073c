"""Who and what the tales are about: people, homes, animals, things and lists of words, in English and in Chinese.

`measure` is the Chinese measure word: 一只风筝 is a kite, 一顶帽子 a hat.
"""

from lmkit.corpora.templates import Phrase

GIRLS = "Anna Bella Clara Daisy Lily Mia".split()
BOYS = "Adam Ben Felix Hugo Max Tom".split()
CHINESE_NAMES = dict(
    zip([*GIRLS, *BOYS], "安娜 贝拉 克拉拉 黛西 莉莉 米娅 亚当 本恩 菲利克斯 雨果 马克斯 汤姆".split(), strict=True)
)
ANYONE = {
    "I": "I=我", "my": "my=我", "My": "My=我", "me": "me=我", "you": "you=你", "your": "your=你", "Your": "Your=你",
    "own": "=自己", "measure": "=位",
}  # fmt: skip
SHE = {"he": "she=她", "He": "She=她", "him": "her=她", "his": "her=她", "His": "Her=她", "kid": "girl=女孩", **ANYONE}
HE = {"he": "he=他", "He": "He=他", "him": "him=他", "his": "his=他", "His": "His=他", "kid": "boy=男孩", **ANYONE}
THING = {"it": "it=它", "It": "It=它", "its": "its=它", "you": "you=你"}


def names(people):
    """The options of a choice between people, with their Chinese."""
    return "|".join(f"{name}={CHINESE_NAMES[name]}" for name in people)


PEOPLE = [
    *[Phrase(f"{name}={CHINESE_NAMES[name]}", **SHE) for name in GIRLS],
    *[Phrase(f"{name}={CHINESE_NAMES[name]}", **HE) for name in BOYS],
    *[Phrase(elder, **SHE) for elder in ("mother=妈妈", "grandmother=奶奶")],
    *[Phrase(elder, **HE) for elder in ("father=爸爸", "grandfather=爷爷")],
    Phrase("girl=女孩", names=names(GIRLS), **SHE),
    Phrase("boy=男孩", names=names(BOYS), **HE),
    *[Phrase(job, **ANYONE) for job in "farmer=农夫 baker=面包师 fisherman=渔夫 shepherd=牧羊人 sailor=水手".split()],
]

# Where a child lives says which paths there are, and which places to lose things in.
HOMES = [
    Phrase(
        "by the sea=海边", path="along the beach=沿着 海滩",
        spots="behind the pier=码头 后面|under the sail=船帆 下面|"
        "beside the rocks=礁石 旁边|inside the boathouse=船屋 里面",
    ),
    Phrase(
        "near the forest=森林 附近", path="past the trees=穿过 树林",
        spots="behind the log=木头 后面|under the ferns=蕨草 下面|"
        "beside the mushrooms=蘑菇 旁边|inside the den=洞穴 里面",
    ),
    Phrase(
        "on a farm=农场 里", path="across the fields=穿过 田野",
        spots="behind the barn=谷仓 后面|under the cart=大车 下面|"
        "beside the well=水井 旁边|inside the stable=马厩 里面",
    ),
    Phrase(
        "in a little town=小镇 上", path="down the street=顺着 街道",
        spots="behind the mill=磨坊 后面|under the bridge=桥 下面|"
        "beside the fountain=喷泉 旁边|inside the inn=客栈 里面",
    ),
]  # fmt: skip

ANIMALS = [
    Phrase(animal, cried=cried, measure="=只", **THING)
    for animal, cried in [
        ("duck=鸭子", "quacked=嘎嘎 叫"), ("kitten=小猫", "mewed=喵喵 叫"), ("puppy=小狗", "barked=汪汪 叫"),
        ("mouse=老鼠", "squeaked=吱吱 叫"), ("lamb=小羊", "bleated=咩咩 叫"), ("owl=猫头鹰", "hooted=咕咕 叫"),
        ("goose=鹅", "honked=昂昂 叫"), ("hen=母鸡", "clucked=咯咯 叫"),
    ]
]  # fmt: skip

THINGS = [
    *[
        Phrase(thing, measure=f"={measure}", **THING)
        for thing, measure in [
            ("kite=风筝", "只"), ("ball=皮球", "个"), ("drum=小鼓", "面"), ("boat=小船", "条"), ("train=小火车", "列"),
            ("doll=布娃娃", "个"), ("puppet=木偶", "个"), ("hat=帽子", "顶"), ("bell=铃铛", "个"), ("flute=笛子", "支"),
        ]
    ],
    *[
        Phrase(thing, measure=f"={measure}", **THING)
        for thing, measure in [
            ("bear=熊", "头"), ("ghost=鬼", "个"), ("wolf=狼", "只"), ("dragon=龙", "条"), ("giant=巨人", "个"),
            ("witch=女巫", "个"), ("shoe=鞋子", "只"), ("spoon=勺子", "把"), ("button=扣子", "颗"), ("sock=袜子", "只"),
            ("box=盒子", "个"), ("cup=杯子", "个"), ("bag=袋子", "个"), ("bottle=瓶子", "个"),
        ]
    ],
    *[
        Phrase(dish, measure=f"={measure}", **THING)
        for dish, measure in [("cake=蛋糕", "个"), ("pie=馅饼", "个"), ("pudding=布丁", "份"), ("pancake=煎饼", "张")]
    ],
    *[
        Phrase(food, measure="=些", **THING)
        for food in "flour=面粉 milk=牛奶 butter=黄油 honey=蜂蜜 rice=大米".split()
        + "cheese=奶酪 sugar=糖 salt=盐 cream=奶油 corn=玉米".split()
    ],
]  # fmt: skip

LISTS = {
    "names": names(GIRLS + BOYS),
    "homes": "|".join(HOMES),
    "animals": "|".join(ANIMALS),
    "elders": "mother|father|grandmother|grandfather",
    "jobs": "farmer|baker|fisherman|shepherd|sailor",
    "traits": "kind=善良|brave=勇敢|clever=聪明|shy=害羞|cheerful=开朗|patient=有 耐心",
    "feelings": "cold=冷|hungry=饿|thirsty=渴|tired=累|lonely=孤单|sad=难过|afraid=害怕|sleepy=困|sick=不 舒服|"
    "bored=无聊",
    "joys": "happy=快乐|glad=高兴|proud=自豪|calm=平静|content=知足|pleased=开心|merry=欢喜|thankful=感激",
    "looks": "red=红色|blue=蓝色|green=绿色|yellow=黄色|golden=金色|striped=带 条纹",
    "furs": "white=白色|black=黑色|brown=棕色|gray=灰色|spotted=花斑|golden=金色",
    "sizes": "little=小小|tiny=十分 小巧|small=个子 不 大|young=年纪 很 小|round=圆滚滚|fat=胖乎乎|fluffy=毛茸茸|"
    "muddy=浑身 是 泥",
    "praises": "lovely=可爱|beautiful=精美|wonderful=奇妙|splendid=出色|fine=精致|pretty=漂亮|perfect=完美|"
    "funny=有趣|marvelous=神奇|charming=迷人|fancy=别致|nice=不错",
    "toys": "kite|ball|drum|boat|train|doll|puppet|hat|bell|flute",
    "foods": "flour|milk|butter|honey|rice|cheese|sugar|salt|cream|corn",
    "feed": "milk=牛奶|rice=米饭|cheese=奶酪|corn=玉米|bread=面包|nuts=坚果|soup=汤|water=水",
    "indoors": "under the bed=床 下面|under the stairs=楼梯 下面|behind the door=门 后面|behind the curtain=窗帘 "
    "后面|inside the cupboard=橱柜 里面|beside the stove=炉子 旁边",
    "weathers": "sunny=晴朗|rainy=下雨|windy=刮风|foggy=起雾|snowy=下雪|cloudy=多云|stormy=暴风雨|chilly=微凉|"
    "warm=暖和|cold=寒冷|bright=明亮|gloomy=昏暗",
    "times": "morning=早晨|afternoon=下午|evening=傍晚|day=日子",
    "numbers": "two=两|three=三|four=四|five=五|six=六|seven=七|eight=八|nine=九",
    "went": "ran=跑|walked=走|hurried=匆匆 赶|skipped=蹦蹦跳跳 地 走|raced=飞快 地 跑|marched=大步 走|"
    "wandered=慢悠悠 地 走|danced=跳着 舞 走|hopped=一蹦一跳 地 走|strolled=散着 步 走|rushed=急忙 冲|tiptoed=踮着 "
    "脚 走",
    "says": "said=说|cried=喊道|called=叫道|laughed=笑着 说|whispered=低声 说|shouted=大声 喊道|sang=唱着 说|"
    "declared=宣布|giggled=咯咯 笑着 说|murmured=嘟囔着 说|sighed=叹着 气 说|smiled=微笑着 说",
    "hows": "gently=轻轻 地|quickly=飞快 地|slowly=慢慢 地|happily=快乐 地|sweetly=甜甜 地|proudly=自豪 地|"
    "politely=有礼貌 地|bravely=勇敢 地|shyly=害羞 地|warmly=热情 地|kindly=和气 地|calmly=平静 地|eagerly=急切 地|"
    "merrily=欢快 地",
}
