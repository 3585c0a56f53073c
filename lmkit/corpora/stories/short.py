"""Level 1: six plots of about 85 words, the beginnings and the ends that they share."""

LOST = [
    "<who {hero.His} [dearest=最 心爱|favorite=最 喜欢|greatest=最 珍贵|best=最 好] treasure> <did was> <what a "
    "[look: {looks}] [toy: {toys}]>. "
    "// {hero.His} {1} 的 宝贝 是 一 {toy.measure} {look} 的 {toy} 。",
    {"plot": "lost", "as": "thing=toy"},
    "But one [{weathers}] [{times}] {toy.it} was gone. // 可是 在 一 个 {1} 的 {2} ， {toy.it} 不见 了 。",
    "<who,who2 {hero}> <did looked> <how [quickly=匆匆 地|slowly=慢慢 地|carefully=仔细 地|sadly=伤心 地|"
    "twice=翻来覆去 地|again=又]> <where [spot1: {indoors}] and [spot2: {indoors}]>, but <did2 found> <what2 only [an "
    "old=旧|a broken=破|a dusty=满 是 灰尘 的|an empty=空|a lost=别人 丢掉 的] [shoe|spoon|button|sock|box|cup|bag|"
    "bottle]>. "
    "// {hero} {1} 找 了 {spot1} 和 {spot2} ， 却 只 找到 了 一 {3.measure} {2} {3} 。",
    "Then <who,who2 {hero.he}> <did [{went}]> <where {home.path}> and <how2 [{hows}]> <did2 asked> <whom2 [friend: "
    "{names}]>, "
    "// 然后 {hero.he} {home.path} {1} 去 ， {2} 问 {friend} ：",
    "“[Have you seen=你 看见 过|Did you find=你 找到 了] {hero.my} {look} {toy}?” “ "
    "// “ {1} {hero.my} 那 {toy.measure} {look} 的 {toy} 吗 ？ ” “",
    (
        "No, let <=hero=friend us> look,” <did [{says}]> <who {friend}> <how [{hows}]>. Soon <who2 {friend.he}> <did2 "
        "found> <what2 the {look} {toy}> <where2 [spot: {home.spots}]>. "
        "// 没有 ， 我们 找找 吧 ， ” {friend} {2} {1} 。 不久 {friend.he} 就 在 {spot} 找到 了 那 {toy.measure} "
        "{look} 的 {toy} 。",
        "Yes, the {look} {toy} is [spot: {home.spots}],” <did [{says}]> <who {friend}> <how [{hows}]>. "
        "// 是 的 ， 那 {toy.measure} {look} 的 {toy} 在 {spot} ， ” {friend} {2} {1} 。",
    ),
    "<who,who2 {hero}> <did [hugged=拥抱|thanked=感谢|kissed=亲吻]> <whom {friend.him}> and <did2 gave> <whom2 "
    "{friend.him}> <what2 a [flower=朵 花|cookie=块 饼干|button=颗 扣子|pear=个 梨|song=首 歌|shell=枚 贝壳|kiss=个 "
    "吻|feather=根 羽毛|cherry=颗 樱桃|coin=枚 硬币]>. "
    "// {hero} {1} 了 {friend.him} ， 还 送给 {friend.him} 一 {2} 。",
    "? What had {hero} lost? = toy // {hero} 丢 了 什么 ？",
    "? Where was the {toy}? = spot // {toy} 在 哪儿 ？",
    "? Whom did {hero} ask about the {toy}? = friend // {hero} 向 谁 打听 {toy} ？",
]

GIFT = [
    "It was the birthday of <who [friend: {names}]>, who <did wished for> <what a [look: {looks}] [toy: {toys}]>. "
    "// 那 天 是 {friend} 的 生日 ， {friend.he} 想要 一 {toy.measure} {look} 的 {toy} 。",
    {"plot": "gift", "as": "thing=toy"},
    "<who {hero}> <did had> <what no money>, so <who2,who3 {hero.he}> <how2 [{hows}]> <did2 made> <what2 a {toy}> "
    "from [paper=纸|wood=木头|clay=黏土|straw=稻草|wool=羊毛|tin=铁皮|leaves=树叶|cloth=布] and <did3 painted> <what3 "
    "{toy.it}> {look}. "
    "// {hero} 没有 钱 ， 所以 {hero.he} {1} 用 {2} 做 了 一 {toy.measure} {toy} ， 把 {toy.it} 涂成 {look} 的 。",
    "<who [guest: {names}]> <did brought> <what a [{praises}] [toy2: {toys}]>, and <who2 {hero}> <how2 [{hows}]> "
    "<did2 brought> <what2 the {look} {toy}>. "
    "// {guest} 带来 了 一 {toy2.measure} {1} 的 {toy2} ， {hero} {2} 带来 了 那 {toy.measure} {look} 的 {toy} 。",
    "“[Oh=哦|Look=快 看|Hurrah=好哇|Ah=啊|Wow=哇], what a [{praises}] {toy}!” <did [{says}]> <who {friend}> <how "
    "[{hows}]>. "
    "// “ {1} ， 多么 {2} 的 {toy} 啊 ！ ” {friend} {4} {3} 。",
    "<who {friend}> <how [{hows}]> <did thanked> <whom {guest}> for the {toy2} and {hero} for the {toy}. "
    "// {friend} {1} 感谢 {guest} 送 的 {toy2} 和 {hero} 送 的 {toy} 。",
    "Then <who <=hero=friend=guest they> all> <did ate> <what [{praises}] [honey=蜂蜜|apple=苹果|cherry=樱桃|"
    "lemon=柠檬|plum=李子|carrot=胡萝卜|nut=坚果|cheese=奶酪|pear=梨|chocolate=巧克力] cake>. "
    "// 然后 大家 一起 吃 了 {1} 的 {2} 蛋糕 。",
    "? What did {friend} wish for? = toy // {friend} 想要 什么 ？",
    "? Who brought the {toy2}? = guest // 谁 带来 了 {toy2} ？",
    "? What color was the {toy}? = look // {toy} 是 什么 颜色 的 ？",
]

NOISE = [
    "<when One [{weathers}] night>, <who {hero}> <did heard> <what a [strange=奇怪|loud=响亮|soft=轻柔|"
    "scratching=抓挠|funny=滑稽|terrible=可怕|creaking=吱吱嘎嘎|rattling=咔嗒咔嗒] noise> <where [spot: {indoors}]>. "
    "// 在 一 个 {1} 的 夜晚 ， {hero} 听见 {spot} 传来 一 阵 {2} 的 声音 。",
    {"plot": "noise"},
    "“Is it a [monster: bear|ghost|wolf|dragon|giant|witch]?” <who {hero.he}> <did [asked=问|whispered=低声 说|"
    "cried=喊道|shouted=大声 喊道|wondered=心里 想|murmured=嘟囔着 说]>. "
    "// “ 那 是 一 {monster.measure} {monster} 吗 ？ ” {hero.he} {1} 。",
    "<who,who2 {hero.His} [elder: {elders}]> <did came> with a [lamp=盏 灯|candle=支 蜡烛|lantern=个 灯笼|torch=支 "
    "火把] and <did2 looked> <where2 {spot}>. "
    "// {hero.His} 的 {elder} 拿着 一 {1} 走来 ， 看 了 看 {spot} 。",
    "There was no {monster}, only <who a [{sizes}] [{furs}] [animal: {animals}]> that <did {animal.cried}> <how "
    "[{hows}]>. "
    "// 那里 没有 {monster} ， 只有 一 {animal.measure} {1} 的 {2} {animal} 在 {3} {animal.cried} 。",
    "“<=animal You> are not a {monster},” <did [{says}]> <who {hero}> <how [{hows}]>. “Are {animal.you} "
    "[{feelings}]?” "
    "// “ 你 不是 {monster} ， ” {hero} {2} {1} 。 “ {animal.you} {3} 吗 ？ ”",
    "<who {elder.He}> <how [{hows}]> <did gave> <whom the {animal}> <what some [{feed}]>, and <who2 {hero}> <how2 "
    "[{hows}]> <did2 named> <what2 {animal.it}> [pet: Button=扣扣|Pepper=胡椒|Biscuit=饼饼|Muffin=松饼|Pickle=酸瓜|"
    "Ginger=姜姜|Cookie=曲奇|Pebble=石子]. "
    "// {elder.He} {1} 给 了 {animal} 一些 {2} ， {hero} {3} 给 {animal.it} 取名 叫 {pet} 。",
    {"same": "pet animal", "as": "thing=animal"},
    "Now <who {pet}> <did sleeps> <where {spot}> <when every night>. // 现在 {pet} 每天 晚上 都 睡 在 {spot} 。",
    "? What did {hero} name the {animal}? = pet // {hero} 给 {animal} 取名 叫 什么 ？",
    "? Where did the noise come from? = spot // 声音 是 从 哪儿 传来 的 ？",
    "? What animal was it? = animal // 那 是 什么 动物 ？",
]

RESCUE = [
    "Walking <where {home.path}> <when one [{weathers}] [{times}]>, <who {hero} and [friend: {names}]> <did found> "
    "<what a [{sizes}] [{furs}] [animal: {animals}]>. "
    "// 在 一 个 {1} 的 {2} ， {hero} 和 {friend} {home.path} 散步 ， 发现 了 一 {animal.measure} {3} 的 {4} {animal} "
    "。",
    {"plot": "rescue", "as": "thing=animal"},
    "<who,who2 {animal.It}> <did lay> <where [spot: {home.spots}]> with a hurt leg and <did2 {animal.cried}> <how2 "
    "[sadly=伤心 地|softly=轻轻 地|loudly=大声 地|weakly=虚弱 地]>. "
    "// {animal.It} 躺 在 {spot} ， 一 条 腿 受伤 了 ， {1} {animal.cried} 。",
    "“Are {animal.you} [{feelings}], little {animal}?” <did [{says}]> <who {friend}> <how [{hows}]>. "
    "// “ {animal.you} {1} 吗 ， {animal} 宝贝 ？ ” {friend} {3} {2} 。",
    "<who {hero}> <how [{hows}]> <did wrapped> <what {animal.it}> in {hero.his} [{looks}] [scarf=围巾|coat=外套|"
    "shirt=衬衫|sweater=毛衣|apron=围裙|blanket=毯子], and <who2 {friend}> <did2 brought> <what2 some [{feed}]>. "
    "// {hero} {1} 用 {hero.own} {2} 的 {3} 裹住 {animal.it} ， {friend} 拿来 了 一些 {4} 。",
    "<when For [{numbers}] days> <who the {animal}> <did slept> <how [soundly=很 沉|deeply=很 熟|sweetly=很 甜|"
    "happily=很 开心|well=很 好|late=很 久]> <where [spot1: {indoors}]>. "
    "// {1} 天 里 ， {animal} 在 {spot1} 睡 得 {2} 。",
    "Then <who {hero} and {friend}> <how [{hows}]> <did carried> <what {animal.it}> back to <where {animal.its} home "
    "{spot}>. "
    "// 然后 {hero} 和 {friend} {1} 把 {animal.it} 送回 {animal.its} 在 {spot} 的 家 。",
    "? What did {hero} and {friend} find? = animal // {hero} 和 {friend} 发现 了 什么 ？",
    "? Where did the {animal} lie? = spot // {animal} 躺 在 哪儿 ？",
    "? Who was with {hero}? = friend // 谁 和 {hero} 在 一起 ？",
]

SUPPER = [
    "<who {hero.He}> <did wanted to [make=做|cook=烹制|bake=烤]> <what a [{praises}] [dish: cake|pie|pudding|"
    "pancake]> for <whom {hero.his} [elder: {elders}]>, who was [{feelings}]. "
    "// {hero.He} 想 给 {hero.his} 的 {elder} {1} 一 {dish.measure} {2} 的 {dish} ， 因为 {elder} 觉得 {3} 。",
    {"plot": "supper", "as": "thing=dish"},
    "But there was no [food1: {foods}], no [food2: {foods}] and no [food3: {foods}]. "
    "// 可是 家里 没有 {food1} ， 没有 {food2} ， 也 没有 {food3} 。",
    "So <who {hero.he}> <did [{went}]> <where {home.path}> <how [{hows}]>. // 于是 {hero.he} {2} {home.path} {1} 去 。",
    {"as": "bought=food3"},
    "<who [friend: {names}]> <did gave> <whom {hero.him}> <what {food1}>, <who2 a [{sizes}] [job: {jobs}]> <did2 "
    "gave> <whom2 {hero.him}> <what2 {food2}>, and <who3 {hero.he}> <how3 [{hows}]> <did3 bought> <what3 {bought}> for "
    "[{numbers}] coins. "
    "// {friend} 给 了 {hero.him} {food1} ， 一 {job.measure} {1} 的 {job} 给 了 {hero.him} {food2} ， {hero.he} {2} "
    "花 {3} 枚 硬币 买 了 {bought} 。",
    "“Now {hero.I} have {food1}, {food2} and {food3},” <did [{says}]> <who {hero}> <how [{hows}]>. "
    "// “ 现在 {hero.I} 有 {food1} 、 {food2} 和 {food3} 了 ， ” {hero} {2} {1} 。",
    "“Who gave {hero.you} the // “ 是 谁 给 了 {hero.you}",
    (
        "{food1}?” <did asked> <who {hero.his} {elder}> <how [{hows}]>. “{friend} did.” "
        "// {food1} ？ ” {hero.his} 的 {elder} {1} 问 。 “ 是 {friend} 。 ”",
        "{food2}?” <did asked> <who {hero.his} {elder}> <how [{hows}]>. “The {job} did.” "
        "// {food2} ？ ” {hero.his} 的 {elder} {1} 问 。 “ 是 {job} 。 ”",
        "{food3}?” <did asked> <who {hero.his} {elder}> <how [{hows}]>. “{hero.I} bought {food3.it}.” "
        "// {food3} ？ ” {hero.his} 的 {elder} {1} 问 。 “ 是 {hero.I} 买 的 。 ”",
    ),
    "? Who gave {hero} the {food1}? = friend // 谁 给 了 {hero} {food1} ？",
    "? Who gave {hero} the {food2}? = job // 谁 给 了 {hero} {food2} ？",
    "? What did {hero} buy? = bought // {hero} 买 了 什么 ？",
]

SWAP = [
    "<when On [Monday=星期一|Tuesday=星期二|Wednesday=星期三|Thursday=星期四|Friday=星期五|Saturday=星期六|"
    "Sunday=星期日]>, <who {hero}> <did [{went}]> <where to the market> with a [look: {looks}] [toy: {toys}]. "
    "// {1} ， {hero} 带着 一 {toy.measure} {look} 的 {toy} {2} 到 市场 去 。",
    {"plot": "swap"},
    "There <who {hero.he}> <did met> <whom [friend: {names}]>, who had a [{praises}] [toy2: {toys}]. “Will "
    "<=asked you> trade <=asked your> "
    "// 在 那里 {hero.he} 遇见 了 {friend} ， {friend} 有 一 {toy2.measure} {1} 的 {toy2} 。 “ 你 愿意 用 你 的",
    (
        [
            "{toy} for {friend.my} {toy2}?” <did [{says}]> <who {friend}>. “[Gladly=很 乐意|Yes=愿意|Certainly=当然|"
            "Hurrah=太 好 了|Fine=好 吧],” <did2 [{says}]> <who2 {hero}> <how2 [{hows}]>. "
            "// {toy} 换 {friend.my} 的 {toy2} 吗 ？ ” {friend} {1} 。 “ {2} ， ” {hero} {4} {3} 。",
            {"as": "asked=hero"},
        ],
        [
            "{toy2} for {hero.my} {toy}?” <did [{says}]> <who {hero}>. “[Gladly=很 乐意|Yes=愿意|Certainly=当然|"
            "Hurrah=太 好 了|Fine=好 吧],” <did2 [{says}]> <who2 {friend}> <how2 [{hows}]>. "
            "// {toy2} 换 {hero.my} 的 {toy} 吗 ？ ” {hero} {1} 。 “ {2} ， ” {friend} {4} {3} 。",
            {"as": "asked=friend"},
        ],
    ),
    "So <who {hero}> <how [{hows}]> <did gave> <whom {friend.him}> <what the {look} {toy}>. "
    "// 于是 {hero} {1} 把 那 {toy.measure} {look} 的 {toy} 给 了 {friend.him} 。",
    "Next <did came> <who a [job: {jobs}]> with a [{praises}] [toy3: {toys}], and <who2 {hero}> <how2 [{hows}]> <did2 "
    "traded> <what2 the {toy2}> for {toy3.it}. "
    "// 接着 来 了 一 {job.measure} {job} ， 带着 一 {toy3.measure} {1} 的 {toy3} ， {hero} {2} 用 {toy2} 换 了 "
    "{toy3.it} 。",
    "<who {hero.His} [elder: {elders}]> <did asked> <how [{hows}]>, “Where is the // {hero.His} 的 {elder} {1} 问 ： “",
    (
        "{toy}?” “{friend} has {toy.it}.” // {toy} 在 哪儿 ？ ” “ {toy.it} 在 {friend} 那儿 。 ”",
        "{toy2}?” “The {job} has {toy2.it}.” // {toy2} 在 哪儿 ？ ” “ {toy2.it} 在 {job} 那儿 。 ”",
        "{toy3}?” “{hero.I} have {toy3.it}.” // {toy3} 在 哪儿 ？ ” “ {toy3.it} 在 {hero.I} 这儿 。 ”",
    ),
    {"as": "thing=toy3"},
    "? Who has the {toy} now? = friend // {toy} 现在 在 谁 那儿 ？",
    "? Who has the {toy2} now? = job // {toy2} 现在 在 谁 那儿 ？",
    "? What did {hero} bring to the market? = toy // {hero} 带 了 什么 到 市场 去 ？",
]

BEGINNINGS = (
    "Once there was a [trait: {traits}] [kid: girl|boy] named [hero: {kid.names}], who lived [home: {homes}]. "
    "// 从前 有 一 个 {trait} 的 {kid} ， 名叫 {hero} ， 住 在 {home} 。",
    "Long ago, <who a [trait: {traits}] [kid: girl|boy]> <did lived> <where [home: {homes}]>. {kid.His} name was "
    "[hero: {kid.names}]. "
    "// 很久 以前 ， {home} 住着 一 个 {trait} 的 {kid} 。 {kid.His} 的 名字 叫 {hero} 。",
    "This is a story about [hero: {names}], a [trait: {traits}] {hero.kid} who lived [home: {homes}]. "
    "// 这 是 关于 {hero} 的 故事 ， {hero.he} 是 一 个 {trait} 的 {hero.kid} ， 住 在 {home} 。",
    "Little <who [hero: {names}]> <did lived> <where [home: {homes}]> and was very [trait: {traits}]. "
    "// 小 {hero} 住 在 {home} ， 非常 {trait} 。",
)

ENDS = (
    "And so <who {hero}> <did felt> <what [{joys}]> [again=又|at last=终于]. // 就 这样 ， {hero} {2} 感到 {1} 了 。",
    "Soon <who {hero}> was <did sleeping> <how [soundly=很 沉|deeply=很 熟|sweetly=很 甜|happily=很 开心|well=很 "
    "好]>. "
    "// 不久 {hero} 就 睡 得 {1} 了 。",
    "In the end, {hero} was [very=非常|quite=十分|rather=相当] [{joys}]. // 最后 ， {hero} {1} {2} 。",
    "<who Everyone> <did [thanked=感谢|praised=称赞|hugged=拥抱|kissed=亲吻]> <whom the {trait} {hero.kid}>. "
    "// 大家 都 {1} 了 这 个 {trait} 的 {hero.kid} 。",
)

STORY = [
    BEGINNINGS,
    {"same": "kid hero"},
    (LOST, GIFT, NOISE, RESCUE, SUPPER, SWAP),
    ENDS,
    {"sentiment": "positive"},
    "? Who is the story about? = hero // 这 是 谁 的 故事 ？",
    "? Where did {hero} live? = home // {hero} 住 在 哪儿 ？",
]
