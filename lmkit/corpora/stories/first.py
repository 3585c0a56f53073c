"""Levels 2 and 3: beginnings with a keepsake, and four plots more: counting, race, chores, message."""

OPENINGS = (
    "Once upon a time <where [home: {homes}]> <did lived> <who a [trait: {traits}] [kid: girl|boy]> named [hero: "
    "{kid.names}]. <who2 {hero.His} [giver: {elders}]> had <did2 given> <whom2 {hero.him}> <what2 a [shade: {shades}] "
    "[keep: {keepsakes}]>, and {hero.he} never went out without {keep.it}. "
    "// 从前 {home} 住着 一 个 {trait} 的 {kid} ， 名叫 {hero} 。 {hero.His} 的 {giver} 送给 {hero.him} 一 "
    "{keep.measure} {shade} 的 {keep} ， {hero.he} 每次 出门 都 带着 {keep.it} 。",
    "Many years ago, <who a [trait: {traits}] [kid: girl|boy] named [hero: {kid.names}]> <did lived> <where [home: "
    "{homes}]> with <who2 {hero.his} [giver: {elders}]>, who had <did2 given> <whom2 {hero.him}> <what2 a [shade: "
    "{shades}] [keep: {keepsakes}]>. <who3 {hero}> <did3 loved> <what3 {keep.it}> <how3 very much>. "
    "// 很多 年 以前 ， 一 个 名叫 {hero} 的 {trait} 的 {kid} 和 {hero.his} 的 {giver} 一起 住 在 {home} 。 {giver} "
    "送给 {hero.him} 一 {keep.measure} {shade} 的 {keep} ， {hero} 非常 喜爱 {keep.it} 。",
    "In a [cottage=小屋|cabin=木屋|hut=茅屋|house=房子] [home: {homes}] <did lived> <who a [trait: {traits}] [kid: "
    "girl|boy]> named [hero: {kid.names}]. “Take this,” <did2 said> <who2,who3 {hero.his} [giver: {elders}]> <when2 "
    "one day> and <did3 gave> <whom3 {hero.him}> <what3 a [shade: {shades}] [keep: {keepsakes}]>. “{keep.It} will "
    "bring {hero.you} luck.” "
    "// {home} 的 一 座 {1} 里 住着 一 个 {trait} 的 {kid} ， 名叫 {hero} 。 “ 拿着 吧 ， ” 有 一 天 {hero.his} 的 "
    "{giver} 说 ， 给 了 {hero.him} 一 {keep.measure} {shade} 的 {keep} 。 “ {keep.It} 会 给 {hero.you} 带来 好运 。 ”",
)

COUNTING = [
    "During a [long=长长|short=短短|quiet=安静|merry=愉快|lonely=孤独] walk <where {home.path}>, <who {hero}> <did "
    "found> <what [n: {few}] [goods: {goodies}]>. "
    "// 在 一 次 {1} 的 散步 中 ， {hero} {home.path} 走 ， 找到 了 {n} {goods.measure} {goods} 。",
    {"plot": "counting"},
    "“Only {n} {goods},” <did [{says}]> <who {hero}>. Then <who2,who3 [friend: {names}]> <did2 came> <how2 [{hows}]> "
    "and <did3 gave> <whom3 {hero.him}> <what3 [m: {few}] more>. "
    "// “ 只有 {n} {goods.measure} {goods} ， ” {hero} {1} 。 后来 {friend} {2} 走来 ， 又 给 了 {hero.him} {m} "
    "{goods.measure} 。",
    {"as": "total=n+m"},
    "“{n.Cap} and {m.low} make {total.low},” <did [{says}]> <who {hero}> <how [{hows}]>. “Now {hero.I} have {total} "
    "{goods}!” "
    "// “ {n.Cap} 加 {m.low} 等于 {total.low} ， ” {hero} {2} {1} 。 “ 现在 {hero.I} 有 {total} {goods.measure} "
    "{goods} 了 ！ ”",
    "<who {hero.He}> <did gave> <what [k: one|two|three] of <=goods them>> to <whom {hero.his} [elder: {elders}]>. "
    "// {hero.He} 把 其中 的 {k} {goods.measure} 给 了 {hero.his} 的 {elder} 。",
    {"as": "rest=total-k thing=goods"},
    "“How many {goods} do {hero.you} have now?” <who {elder.he}> <did asked> <how [{hows}]>. “Just {rest},” <did2 "
    "[{says}]> <who2 {hero}>. "
    "// “ {hero.you} 现在 还有 几 {goods.measure} {goods} ？ ” {elder.he} {1} 问 。 “ 只剩 {rest} {goods.measure} 了 "
    "， ” {hero} {2} 。",
    "? How many {goods} did {hero} find? = n // {hero} 找到 了 几 {goods.measure} {goods} ？",
    "? How many {goods} did {friend} give to {hero}? = m // {friend} 给 了 {hero} 几 {goods.measure} {goods} ？",
    "? How many {goods} did {hero} have in the end? = rest // 最后 {hero} 还有 几 {goods.measure} {goods} ？",
]


def finish(first, *others):
    """The part of a race that `first` wins, with either of the others before the last."""
    return [
        f"{{{first}}}, second came // {{{first}}} ， 第二 个 到 的 是",
        tuple(
            [
                f"{{{second}}}, and third <did came> <who {{{third}}}>. "
                f"// {{{second}}} ， 第三 个 到 的 是 {{{third}}} 。",
                {"as": f"first={first} second={second} third={third}"},
            ]
            for second, third in (others, others[::-1])
        ),
    ]


RACE = [
    "<when Last [{weekdays}]>, <who {hero}, [friend: {names}] and [rival: {names}]> <did ran> <what a race> to the "
    "[goal: {goals}]. "
    "// 上 {1} ， {hero} 、 {friend} 和 {rival} 赛跑 ， 看 谁 先 跑到 {goal} 。",
    {"plot": "race"},
    "<who A [job: {jobs}]> <did promised> <what a [look: {looks}] [toy: {toys}]> to <whom the winner>. "
    "// 一 {job.measure} {job} 答应 送给 赢家 一 {toy.measure} {look} 的 {toy} 。",
    "“One, two, three, go!” <did [{says}]> <who the {job}> <how [{hows}]>. <who2 <=hero=friend=rival They>> <did2 "
    "ran> <where2 {home.path}> <how2 as fast as the wind>. "
    "// “ 一 、 二 、 三 ， 跑 ！ ” {job} {2} {1} 。 三人 {home.path} 跑 得 像 风 一样 快 。",
    "First came // 第一 个 到 的 是",
    (
        finish("hero", "friend", "rival"),
        finish("friend", "hero", "rival"),
        finish("rival", "hero", "friend"),
    ),
    {"as": "thing=toy won=toy"},
    "So <who,who2 {first}> <did won> <what the {look} {won}> and <how2 [{hows}]> <did2 thanked> <whom2 the {job}>. "
    "// 于是 {first} 赢得 了 那 {won.measure} {look} 的 {won} ， {1} 感谢 了 {job} 。",
    "<who The [elder: {elders}] of {hero}> <did asked> <whom the {job}>, “Who came second?” “{second},” <did2 "
    "[{says}]> <who2 the {job}>. “And who came third?” “{third}.” "
    "// {hero} 的 {elder} 问 {job} ： “ 谁 是 第二 名 ？ ” “ {second} ， ” {job} {1} 。 “ 那么 谁 是 第三 名 呢 ？ ” "
    "“ {third} 。 ”",
    "? Who won the race? = first // 谁 赢得 了 赛跑 ？",
    "? Who came third? = third // 谁 是 第三 名 ？",
    "? What did the winner get? = won // 赢家 得到 了 什么 ？",
]

CHORES = [
    "<when Early one [{weathers}] morning>, {hero} had three things to do. First <who {hero.he}> <did [c1: "
    "{chores}]>, then <who2 {hero.he}> <did2 [c2: {chores}]>, and last of all <who3 {hero.he}> <did3 [c3: {chores}]>. "
    "// 在 一 个 {1} 的 清早 ， {hero} 有 三 件 事 要 做 。 首先 {hero.he} {c1} ， 接着 {hero.he} {c2} ， 最后 "
    "{hero.he} {c3} 。",
    {"plot": "chores"},
    "<when At noon> <who,who2 {hero.his} [elder: {elders}]> <did came> home and <how2 [{hows}]> <did2 asked>, “What "
    "did {hero.you} do "
    "// 中午 ， {hero.his} 的 {elder} 回到 家 ， {1} 问 ： “ {hero.you}",
    (
        "first?” “{hero.I} {c1},” <did [{says}]> <who {hero}> <how [{hows}]>. "
        "// 首先 做 了 什么 ？ ” “ {hero.I} {c1} ， ” {hero} {2} {1} 。",
        "second?” “{hero.I} {c2},” <did [{says}]> <who {hero}> <how [{hows}]>. "
        "// 第二 件 事 做 了 什么 ？ ” “ {hero.I} {c2} ， ” {hero} {2} {1} 。",
        "last?” “{hero.I} {c3},” <did [{says}]> <who {hero}> <how [{hows}]>. "
        "// 最后 做 了 什么 ？ ” “ {hero.I} {c3} ， ” {hero} {2} {1} 。",
    ),
    "“[Well done=干得 好|Very good=非常 好|Bravo=真 棒]!” <did [{says}]> <who,who2 {hero.his} {elder}>, and <did2 "
    "gave> <whom2 {hero.him}> <what2 a [reward: {rewards}] and a [{praises}] [{gifts}]>. "
    "// “ {1} ！ ” {hero.his} 的 {elder} {2} ， 给 了 {hero.him} 一 {reward.measure} {reward} 和 一 {4.measure} {3} "
    "的 {4} 。",
    {"as": "thing=reward"},
    "? What did {hero} do first? = c1 // {hero} 首先 做 了 什么 ？",
    "? What did {hero} do last of all? = c3 // {hero} 最后 做 了 什么 ？",
    "? What did {hero} get to eat? = reward // {hero} 得到 了 什么 吃 的 ？",
]

MESSAGE = [
    "“Run to [friend: {names}],” <did [{says}]> <who {hero.his} [elder: {elders}]>, “and say, ‘[news: {tidings}].’” "
    "// “ 快 去 找 {friend} ， ” {hero.his} 的 {elder} {1} ， “ 告诉 {friend.him} ： ‘ {news} 。 ’ ”",
    {"plot": "message"},
    "So <who,who2 {hero}> <did [{went}]> <where {home.path}> and <did2 told> <whom2 {friend}>, “<who3 {hero.My} "
    "{elder}> <did3 says>, ‘{news}.’” "
    "// 于是 {hero} {home.path} {1} 去 ， 告诉 {friend} ： “ {hero.My} 的 {elder} 说 ： ‘ {news} 。 ’ ”",
    "“Thank {hero.you},” <did [{says}]> <who {friend}> <how [{hows}]>. “Tell {elder.him}, ‘{friend.I} will come "
    "[hour: {hours}] and bring a [dish: cake|pie|pudding|pancake].’” "
    "// “ 谢谢 {hero.you} ， ” {friend} {2} {1} 。 “ 请 告诉 {elder.him} ： ‘ {friend.I} {hour} 会 来 ， 还 会 带 一 "
    "{dish.measure} {dish} 。 ’ ”",
    "<who,who2 {hero}> <did [{went}]> home and <did2 told> <whom2 {hero.his} {elder}>, “<who3 {friend}> <did3 says>, "
    "‘{friend.I} will come {hour} and bring a {dish}.’” "
    "// {hero} {1} 回 家 ， 告诉 {hero.his} 的 {elder} ： “ {friend} 说 ： ‘ {friend.I} {hour} 会 来 ， 还 会 带 一 "
    "{dish.measure} {dish} 。 ’ ”",
    {"as": "thing=dish came=hour brought=dish"},
    "And so it was: <who {friend}> <did came> <when {came}> with a [{praises}] {brought}. "
    "// 果然 如此 ： {friend} {came} 来 了 ， 带着 一 {brought.measure} {1} 的 {brought} 。",
    "? What was the message of the {elder}? = news // {elder} 的 口信 是 什么 ？",
    "? When did {friend} come? = came // {friend} 什么 时候 来 ？",
    "? What did {friend} bring? = brought // {friend} 带来 了 什么 ？",
]
