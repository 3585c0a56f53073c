"""What levels 2 and 3 tell of besides: keepsakes, numbers, places and lists of words, in English and in Chinese."""

from lmkit.corpora.stories.words import THING
from lmkit.corpora.templates import Phrase

COUNTED = "one two three four five six seven eight nine ten".split()
DIGITS = "一 二 三 四 五 六 七 八 九 十".split()


def number(i):
    """The number i as a word that knows its sums and differences, and its two Chinese forms (两个, but 二加三)."""
    word = COUNTED[i - 1]
    sums = {f"+{COUNTED[j - 1]}": COUNTED[i + j - 1] for j in range(1, 11 - i)}
    differences = {f"-{COUNTED[j - 1]}": COUNTED[i - j - 1] for j in range(1, i)}
    spoken = {"Cap": f"{word.capitalize()}={DIGITS[i - 1]}", "low": f"{word}={DIGITS[i - 1]}"}
    return Phrase(f"{word}={'两' if i == 2 else DIGITS[i - 1]}", **sums, **differences, **spoken)


def things(text):
    """Phrases for things given as "kite 风筝 只, ball 皮球 个": with their Chinese and its measure word."""
    rows = [row.split() for row in text.split(", ")]
    return [Phrase(f"{english}={chinese}", measure=f"={measure}", **THING) for english, chinese, measure in rows]


def listed(phrases):
    """The options of a choice between phrases."""
    return "|".join(phrases)


KEEPSAKES = things(
    "ring 戒指 枚, whistle 哨子 只, key 钥匙 把, compass 指南针 个, mirror 镜子 面, necklace 项链 条, marble 弹珠 颗, "
    "watch 怀表 块, ribbon 丝带 条, locket 吊坠 个, medal 奖章 枚, comb 梳子 把"
)
GOODS = things(
    "apples 苹果 个, pears 梨子 个, plums 李子 个, cherries 樱桃 颗, shells 贝壳 枚, feathers 羽毛 根, acorns 橡果 颗, "
    "pinecones 松果 个, chestnuts 栗子 颗, berries 浆果 颗, mushrooms 蘑菇 朵, daisies 雏菊 朵"
)
REWARDS = things(
    "biscuit 饼干 块, peach 桃子 个, lollipop 棒棒糖 根, bun 小面包 个, doughnut 甜甜圈 个, waffle 华夫饼 块"
)
GIFTS = things("pencil 铅笔 支, notebook 笔记本 本, puzzle 拼图 幅, picture 图画 幅, balloon 气球 只")
THIEVES = things(
    "magpie 喜鹊 只, crow 乌鸦 只, squirrel 松鼠 只, monkey 猴子 只, raccoon 浣熊 只, fox 狐狸 只, ferret 雪貂 只"
)
PRIZES = things("crown 王冠 顶, trophy 奖杯 座, pony 小马 匹, sled 雪橇 架, globe 地球仪 个, guitar 吉他 把")
JUDGES = things("king 国王 位, queen 王后 位, mayor 市长 位, duke 公爵 位, princess 公主 位, wizard 魔法师 位")
SNOWMEN = things("Flake 雪花 个, Icicle 冰凌 个, Frost 霜霜 个, Blizzard 风雪 个, Crystal 水晶 个, Snowball 雪球 个")

PHRASES = [
    *[number(i) for i in range(1, 11)],
    *KEEPSAKES, *GOODS, *REWARDS, *GIFTS, *THIEVES, *PRIZES, *JUDGES, *SNOWMEN,
]  # fmt: skip

MORE = {
    "keepsakes": listed(KEEPSAKES),
    "goodies": listed(GOODS),
    "rewards": listed(REWARDS),
    "gifts": listed(GIFTS),
    "thieves": listed(THIEVES),
    "prizes": listed(PRIZES),
    "judges": listed(JUDGES),
    "snowmen": listed(SNOWMEN),
    "few": "two|three|four|five",
    "shades": "silver=银色|violet=紫色|pink=粉色|bronze=铜色|crimson=深红色|turquoise=青绿色",
    "weekdays": "Monday=星期一|Tuesday=星期二|Wednesday=星期三|Thursday=星期四|Friday=星期五|Saturday=星期六|"
    "Sunday=星期日",
    "goals": "church=教堂|market=市场|school=学校|castle=城堡|harbor=港口|windmill=风车|tower=高塔|station=车站",
    "chores": "swept the floor=扫 了 地板|washed the plates=洗 了 盘子|fed the rabbits=喂 了 兔子|watered the "
    "roses=浇 了 玫瑰|milked the cow=挤 了 牛奶|chopped the firewood=劈 了 柴火|mended the fence=修 了 篱笆|cleaned "
    "the windows=擦 了 窗户|picked the tomatoes=摘 了 番茄|ironed the shirts=熨 了 衬衫|polished the boots=擦亮 了 "
    "靴子|folded the towels=叠 了 毛巾",
    "tidings": "The boat leaves at noon=船 中午 出发|The bread is ready=面包 烤好 了|The cow has escaped=牛 逃走 了|"
    "The wedding is tomorrow=婚礼 明天 举行|The river is rising=河水 在 上涨|The circus is coming=马戏团 要 来 了|"
    "The ice is thin=冰 很 薄|The letter has arrived=信 寄到 了|The harvest is over=庄稼 收完 了",
    "hours": "at noon=中午|after lunch=午饭 后|before supper=晚饭 前|at sunset=日落 时|at midnight=半夜|before "
    "dawn=天亮 前|after school=放学 后",
    "cries": "cried=喊道|called=叫道|shouted=大声 喊道|screamed=尖叫 道|yelled=大叫 道|gasped=喘着 气 说",
    "laments": "said=说|whispered=低声 说|murmured=嘟囔着 说|sighed=叹着 气 说|mumbled=含糊 地 说|stammered=结结巴巴 "
    "地 说",
    "lows": "softly=轻声 地|quietly=静静 地|slowly=慢慢 地|sadly=伤心 地|bravely=勇敢 地|gravely=严肃 地",
    "seats": "under an oak=橡树 下|beside a brook=小溪 边|on a hill=山坡 上|in the meadow=草地 上|in the "
    "orchard=果园 里",
    "cities": "the city=城里|the mountains=山里|the islands=群岛 上|the desert=沙漠 里|the north=北方|the "
    "capital=首都|the jungle=丛林 里",
    "yards": "in the garden=花园 里|in the yard=院子 里|on the lawn=草坪 上|behind the school=学校 后面",
    "sports": "singing=唱歌|dancing=跳舞|swimming=游泳|juggling=杂耍|cooking=烹饪|skating=滑冰",
    "arenas": "castle=城堡|theater=剧院|palace=宫殿|park=公园|hall=大厅|barn=谷仓",
    "shelters": "shed=棚子|cellar=地窖|chapel=小教堂|cottage=小屋|lighthouse=灯塔",
    "cures": "tea=茶|broth=肉汤|lemonade=柠檬水|porridge=粥|raspberries=覆盆子|medicine=药",
    "passwords": "pumpkin=南瓜|moonlight=月光|cinnamon=肉桂|dandelion=蒲公英|octopus=章鱼|marmalade=果酱|"
    "butterfly=蝴蝶|umbrella=雨伞|snowflake=雪片|peppermint=薄荷|volcano=火山|elephant=大象|trumpet=小号|thunder=雷声",
}
