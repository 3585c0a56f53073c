"""Levels 2 and 3: six plots for the second part, about the keepsake; each may end well or badly."""

HAPPY = [
    (
        "That evening <who,who2 {hero}> <did thought> of <what the {thing}> and <did2 [smiled=微笑|laughed=大笑|"
        "hummed=哼唱]>. "
        "// 那 天 晚上 ， {hero} 想起 了 {thing} ， {1} 了 起来 。",
        "And so <who {hero} and {mate}> <did lived> <how [happily=幸福|merrily=欢乐|peacefully=平安] ever after>. "
        "// 从此 ， {hero} 和 {mate} 一直 {1} 地 生活 着 。",
        "Never had <who {hero.his} {giver}> <did seen> <what a [happier=快乐|prouder=自豪|luckier=幸运|braver=勇敢] "
        "{hero.kid} than {hero}>. "
        "// {hero.his} 的 {giver} 从来 没有 见 过 比 {hero} 更 {1} 的 {hero.kid} 。",
        "“What a [lovely=美好|wonderful=美妙|splendid=精彩|perfect=完美|glorious=灿烂|memorable=难忘] day!” <did "
        "said> <who,who2 {hero.his} {giver}> and <did2 kissed> <whom2 the {trait} {hero.kid}>. "
        "// “ 多么 {1} 的 一 天 啊 ！ ” {hero.his} 的 {giver} 说 ， 亲吻 了 这 个 {trait} 的 {hero.kid} 。",
    ),
    {"sentiment": "positive"},
]

SAD = [
    (
        "That evening <who,who2 {hero}> <did thought> of <what the {thing}> and <did2 [wept=哭|sobbed=抽泣|"
        "whimpered=呜咽]>. "
        "// 那 天 晚上 ， {hero} 想起 了 {thing} ， {1} 了 起来 。",
        "<when For [{numbers}] [days=天|weeks=个 星期|months=个 月]> <who the {trait} {hero.kid}> <did [hardly "
        "ate=几乎 不 吃 东西|spoke to nobody=不 跟 任何 人 说话|never smiled=一次 也 没有 笑 过|slept badly=睡 不 好 "
        "觉]>. "
        "// 整整 {1} {2} ， 这 个 {trait} 的 {hero.kid} {3} 。",
        "<who Nothing> could <did comfort> <whom {hero}>, not even the {thing}. "
        "// 什么 都 安慰 不 了 {hero} ， 连 {thing} 也 不 行 。",
        "It was the saddest [day=一 天|week=一 个 星期|month=一 个 月|year=一 年] of {hero.his} life. "
        "// 那 是 {hero.his} 一生 中 最 伤心 的 {1} 。",
    ),
    {"sentiment": "negative"},
]

THIEF = [
    "<who {mate} and {hero}> <did sat> <where [seat: {seats}]>, and the {shade} {keep} lay [between them=两人 中间|in "
    "the grass=草丛 里|on a stone=石头 上|on a blanket=毯子 上]. "
    "// {mate} 和 {hero} 坐 在 {seat} ， 那 {keep.measure} {shade} 的 {keep} 放 在 {1} 。",
    {"plot": "thief"},
    "Suddenly <who,who2 a [thief: {thieves}]> <did snatched> <what {keep.it}> and <did2 fled> <where2 [into the "
    "bushes=进 灌木丛|across the river=过 河|through the hedge=出 树篱|over the hill=过 小山|into the cave=进 山洞]>. "
    "// 突然 ， 一 {thief.measure} {thief} 抢走 了 {keep.it} ， 逃 {1} 去 了 。",
    "“[Stop=站住|Thief=小偷|Help=救命]!” <did [{cries}]> <who {mate}>. “That {keep} belongs to {hero}!” "
    "// “ {1} ！ ” {mate} {2} 。 “ 那 {keep.measure} {keep} 是 {hero} 的 ！ ”",
    "<who <=hero=mate They>> <did chased> <what the {thief}> for [{numbers}] [minutes=分钟|hours=个 小时|miles=里 "
    "路]. "
    "// 两人 追赶 {thief} ， 追 了 {1} {2} 。",
    (
        [
            "At last <who,who2 the {thief}> <did grew> tired and <did2 dropped> <what2 the {keep}> <where2 [in the "
            "mud=泥 里|on the path=小路 上|beside a pond=池塘 边|on a roof=屋顶 上]>. <who3,who4 {hero}> <did3 "
            "picked> <what3 {keep.it}> up and <did4 hugged> <whom4 {mate}>. "
            "// 终于 {thief} 累 了 ， 把 {keep} 丢 在 {1} 。 {hero} 捡起 {keep.it} ， 拥抱 了 {mate} 。",
            HAPPY,
        ],
        [
            "But <who the {thief}> <did dropped> <what the {keep}> <where into the [lake=湖|river=河|swamp=沼泽|"
            "waterfall=瀑布|canyon=峡谷]>, and <who2 nobody> ever <did2 found> <what2 {keep.it}> again. "
            "// 可是 {thief} 把 {keep} 丢进 了 {1} 里 ， 再 也 没有 人 找到 {keep.it} 。",
            SAD,
        ],
    ),
    "? Who stole the {keep}? = thief // 谁 偷 了 {keep} ？",
    "? Where did {mate} and {hero} sit? = seat // {mate} 和 {hero} 坐 在 哪儿 ？",
]

GOODBYE = [
    "“{mate.I} have sad news,” <did [{laments}]> <who {mate}>. “On [{weekdays}] we are moving to [city: {cities}].” "
    "// “ {mate.I} 有 一 个 坏 消息 ， ” {mate} {1} 。 “ 我们 {2} 要 搬 到 {city} 去 。 ”",
    {"plot": "goodbye"},
    "<when For a while> <who {hero}> <did said> <what nothing>. Then <who2 {hero.he}> <did2 gave> <whom2 {mate}> "
    "<what2 the {shade} {keep}>. "
    "// {hero} 好 一会儿 没有 说话 。 然后 {hero.he} 把 那 {keep.measure} {shade} 的 {keep} 给 了 {mate} 。",
    "“{hero.My} {giver} gave {keep.it} to {hero.me},” <did [{laments}]> <who {hero}> <how [{lows}]>, “and now "
    "{hero.I} give {keep.it} to {mate.you}.” "
    "// “ {hero.My} 的 {giver} 把 {keep.it} 送给 了 {hero.me} ， ” {hero} {2} {1} ， “ 现在 {hero.I} 把 {keep.it} "
    "送给 {mate.you} 。 ”",
    "“{mate.I} will write every [term: week=星期|month=月|spring=春天|autumn=秋天|summer=夏天],” <did [{says}]> <who "
    "{mate}>. Then <who2 the [coach=马车|train=火车|ship=轮船|bus=公共汽车]> <did2 left>, and <who3 {hero}> <did3 "
    "waved> <how3 for a long time>. "
    "// “ {mate.I} 每 个 {term} 都 会 写信 ， ” {mate} {1} 。 然后 {2} 出发 了 ， {hero} 挥手 挥 了 很 久 。",
    (
        [
            "And truly, <when every {term}> <who a letter> <did came> from {city}, with a [rose=朵 玫瑰|tulip=朵 "
            "郁金香|clover=片 三叶草|photograph=张 照片|stamp=枚 邮票|drawing=幅 图画] inside. "
            "// 果真 ， 每 个 {term} 都 有 一 封 信 从 {city} 寄来 ， 里面 有 一 {1} 。",
            HAPPY,
        ],
        [
            "But <who no letter> ever <did came> from {city}. <who2,who3 {hero}> <did2 waited> <when2 for [{numbers}] "
            "years>, and then <did3 gave up> <what3 hope>. "
            "// 可是 一 封 信 也 没有 从 {city} 寄来 。 {hero} 等 了 {1} 年 ， 后来 放弃 了 希望 。",
            SAD,
        ],
    ),
    "? Who moved to {city}? = mate // 谁 搬 到 {city} 去 了 ？",
    "? Who had given the {keep} to {hero}? = giver // 是 谁 把 {keep} 送给 了 {hero} ？",
    "? To which place did {mate} move? = city // {mate} 搬 到 什么 地方 去 了 ？",
]

ILLNESS = [
    "Out of breath, <who {mate}> <did [{cries}]>, “Come quickly! {hero.Your} {giver} is ill!” "
    "// {mate} 上气不接下气 地 {1} ： “ 快 来 ！ {hero.Your} 的 {giver} 病 了 ！ ”",
    {"plot": "illness"},
    "<who,who2 {hero}> <did [{went}]> home and <did2 found> <whom2 {hero.his} {giver}> <where2 in bed> with [a "
    "fever=发着 烧|a cough=咳着 嗽|a headache=头 很 疼|a sore throat=喉咙 很 痛]. "
    "// {hero} {1} 回 家 ， 看见 {hero.his} 的 {giver} 躺 在 床 上 ， {2} 。",
    "“{giver.I} need [cure: {cures}],” <who {giver.he}> <did whispered>, “and please let {giver.me} hold the {shade} "
    "{keep}.” "
    "// “ {giver.I} 需要 {cure} ， ” {giver.he} 低声 说 ， “ 请 让 {giver.me} 握着 那 {keep.measure} {shade} 的 "
    "{keep} 吧 。 ”",
    {"as": "medicine=cure"},
    "So <who {hero}> <how [{hows}]> <did brought> <what {medicine} and the {keep}>, and <who2 {mate}> <did2 fetched> "
    "<whom2 the doctor> from the [village=村子 里|castle=城堡|hospital=医院|harbor=港口]. "
    "// 于是 {hero} {1} 拿来 了 {medicine} 和 {keep} ， {mate} 从 {2} 请来 了 医生 。",
    (
        [
            "After [{numbers}] days <who {hero.his} {giver}> could <did [dance=跳舞|sing=唱歌|walk=走路|laugh=大笑]> "
            "again, and <who2 the doctor> <did2 smiled>. "
            "// {1} 天 以后 ， {hero.his} 的 {giver} 又 能 {2} 了 ， 医生 笑 了 。",
            HAPPY,
        ],
        [
            "But <who the doctor> only <did shook> <what his head>. <when2 In the [night=夜里|evening=傍晚|"
            "morning=早晨]> <who2,who3 the good {giver}> <did2 fell asleep> and <did3 woke> up no more. "
            "// 可是 医生 只是 摇 了 摇 头 。 {1} ， 好 {giver} 睡着 了 ， 再 也 没有 醒来 。",
            SAD,
        ],
    ),
    "? Who was ill? = giver // 谁 病 了 ？",
    "? Who fetched the doctor? = mate // 谁 请来 了 医生 ？",
    "? What did {hero} bring? = medicine // {hero} 拿来 了 什么 ？",
]

SNOWMAN = [
    "<who {hero} and {mate}> <did built> <what a [tall=高大|huge=巨大|crooked=歪歪扭扭|plump=圆鼓鼓|handsome=英俊] "
    "<=snow snowman>> <where [place: {yards}]>. "
    "// {hero} 和 {mate} 在 {place} 堆 了 一 个 {1} 的 雪人 。",
    {"plot": "snowman"},
    "<=snow It> had [{few}] [coals=块 煤|chestnuts=颗 栗子|pebbles=颗 石子|acorns=颗 橡果] for buttons and a "
    "[carrot=根 胡萝卜|turnip=个 萝卜|potato=个 土豆|cork=个 软木塞] for a nose. "
    "// 雪人 用 {1} {2} 做 扣子 ， 用 一 {3} 做 鼻子 。",
    "<who,who2 {hero}> <did hung> <what the {shade} {keep}> <where around <=snow its> neck> and <did2 named> "
    "<what2 <=snow it>> [snow: {snowmen}]. "
    "// {hero} 把 那 {keep.measure} {shade} 的 {keep} 挂 在 它 的 脖子 上 ， 给 它 取名 叫 {snow} 。",
    "“Look, {snow} is [smiling=微笑|freezing=发抖|listening=听 我们 说话|dreaming=做梦]!” <did [{says}]> <who {mate}> "
    "<how [{hows}]>. "
    "// “ 看 ， {snow} 在 {1} ！ ” {mate} {3} {2} 。",
    (
        [
            "<when All winter long> <who {snow}> <did stood> <where {place}>, and <when2 in spring> <who2 {hero}> "
            "<did2 found> <what2 the {keep}> in the [young=嫩|green=青|wet=湿|soft=软] grass. "
            "// 整 个 冬天 {snow} 都 站 在 {place} ， 到 了 春天 ， {hero} 在 {1} 草 里 找到 了 {keep} 。",
            HAPPY,
        ],
        [
            "But <when in the night> <who a warm wind> <did came>. In the morning only a [puddle=滩 水|carrot=根 "
            "胡萝卜|hat=顶 帽子|heap of slush=堆 雪泥] was left of {snow}, and the {keep} was gone. "
            "// 可是 夜里 刮 来 了 暖 风 。 早晨 ， {snow} 只 剩下 一 {1} ， {keep} 也 不见 了 。",
            SAD,
        ],
    ),
    "? What was the name of the snowman? = snow // 雪人 叫 什么 名字 ？",
    "? Where did the snowman stand? = place // 雪人 站 在 哪儿 ？",
]

CONTEST = [
    "That day there was a [sport: {sports}] contest in the [arena: {arenas}], and <who {mate}> <how [{hows}]> <did "
    "asked>, “Will {hero.you} take part?” "
    "// 那 天 {arena} 里 有 {sport} 比赛 ， {mate} {1} 问 ： “ {hero.you} 参加 吗 ？ ”",
    {"plot": "contest"},
    "<who {hero}> <did practiced> <when for [{numbers}] hours>, with the {shade} {keep} in {hero.his} pocket for "
    "luck. "
    "// {hero} 练习 了 {1} 个 小时 ， {hero.his} 的 口袋 里 装着 那 {keep.measure} {shade} 的 {keep} ， 希望 带来 "
    "好运 。",
    "In the {arena}, <who the [judge: {judges}]> <did watched> <whom {hero}> <how [closely=仔细|kindly=和蔼|"
    "sternly=严厉]>. "
    "// 在 {arena} 里 ， {judge} {1} 地 看着 {hero} 。",
    (
        [
            "“{hero} wins the prize for {sport}!” <did [{says}]> <who the {judge}>, and <who2 {mate}> <did2 clapped> "
            "<how2 [{hows}]>. The prize was a [prize: {prizes}]. "
            "// “ {hero} 赢得 了 {sport} 奖 ！ ” {judge} {1} ， {mate} {2} 鼓掌 。 奖品 是 一 {prize.measure} {prize} "
            "。",
            HAPPY,
            "? What did {hero} win? = prize // {hero} 赢得 了 什么 ？",
        ],
        [
            "But <who {hero}> <did [stumbled=绊倒|slipped=滑倒|fainted=晕倒|panicked=慌]>, and <who2 the others> "
            "<did2 laughed> <how2 [loudly=大声|cruelly=无情|rudely=无礼]>. The prize went to [winner: {names}]. "
            "// 可是 {hero} {1} 了 ， 别人 都 {2} 地 笑 。 奖品 归 了 {winner} 。",
            SAD,
            "? Who won the prize? = winner // 谁 赢得 了 奖品 ？",
        ],
    ),
    "? Who was the judge? = judge // 谁 是 裁判 ？",
]

STORM = [
    "Then <who a [terrible=可怕|mighty=猛烈|sudden=突如其来|freezing=冰冷] storm> <did came> from the [north=北边|"
    "south=南边|east=东边|west=西边]. "
    "// 这时 从 {2} 来 了 一 场 {1} 的 暴风雨 。",
    {"plot": "storm"},
    "<who {hero} and {mate}> <did hid> <where in a [shelter: {shelters}]> while <who2 the wind> <did2 tore at> <what2 "
    "the [roof=屋顶|chimney=烟囱|shutters=百叶窗|gate=大门]>. "
    "// {hero} 和 {mate} 躲 在 {shelter} 里 ， 大风 撕扯 着 {1} 。",
    {"as": "held=keep"},
    "“Are {mate.you} [cold=冷|afraid=害怕|lonely=孤单|sad=难过|nervous=紧张|worried=担心]?” <did asked> <who {hero}> "
    "<how [{hows}]>. “Not while {mate.I} can hold the {shade} {held},” <did2 [{says}]> <who2 {mate}>. "
    "// “ {mate.you} {1} 吗 ？ ” {hero} {2} 问 。 “ 只要 握着 那 {held.measure} {shade} 的 {held} ， {mate.I} 就 不 "
    "{1} ， ” {mate} {3} 。",
    (
        [
            "Soon <who the sun> <did came> out, and <who2 a rainbow> <did2 stood> <where2 over the [valley=山谷|"
            "harbor=港口|hills=群山|rooftops=屋顶]>. “The storm is over!” <did3 [{says}]> <who3 {hero}> <how3 "
            "[{hows}]>. "
            "// 不久 太阳 出来 了 ， {1} 上空 挂着 一 道 彩虹 。 “ 暴风雨 过去 了 ！ ” {hero} {3} {2} 。",
            HAPPY,
        ],
        [
            "But <who the storm> <did blew> down <what the old [oak=橡树|elm=榆树|willow=柳树|birch=桦树|"
            "linden=椴树]> that <who2 {hero.his} {giver}> had <did2 planted>, and nobody could save it. "
            "// 可是 暴风雨 吹倒 了 {hero.his} 的 {giver} 种下 的 那 棵 老 {1} ， 谁 也 救 不 了 它 。",
            SAD,
        ],
    ),
    "? Where did {hero} and {mate} hide? = shelter // {hero} 和 {mate} 躲 在 哪儿 ？",
    "? What did {mate} hold in the storm? = held // 暴风雨 中 {mate} 握着 什么 ？",
]

SECOND = (THIEF, GOODBYE, ILLNESS, SNOWMAN, CONTEST, STORM)
