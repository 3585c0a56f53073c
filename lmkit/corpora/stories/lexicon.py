"""Which English and Chinese words mean the same: for the words of templates and phrases that are no choice themselves.

"english=中文/汉语" gives the meanings that a word has in the tales, the first choice first.
"""

WORDS = """
about=关于 across=穿过/过 after=后/以后 again=又/再 ago=以前 all=整/一起/都/大家 along=沿着 around=上 arrived=寄到
as=像/一样 asked=问 asleep=睡着 ate=吃 back=送回 badly=不 barn=谷仓 beach=海滩 bed=床 before=前 began=讲/起来
behind=后面 belongs=是 beside=旁边/边 between=中间 birthday=生日 blanket=毯子 blew=吹倒 boat=船 boathouse=船屋
boots=靴子 bought=买 bread=面包 breath=上气不接下气 bridge=桥 bring=带来/带 brook=小溪 brought=带来/拿来 built=堆
bushes=灌木丛 but=可是/却 buttons=扣子 cake=蛋糕 came=来/到/回到/走来/寄来/刮/出来 carried=送回 cart=大车 cave=山洞
chased=追赶/追 chopped=劈 circus=马戏团 clapped=鼓掌 cleaned=擦 coins=硬币 come=来 comfort=安慰 coming=来/要
contest=比赛 cough=嗽 could=能 cow=牛奶/牛 cupboard=橱柜 curtain=窗帘 dawn=天亮 day=天 days=天/日子 den=洞穴 did=是
distant=遥远 do=做/要 doctor=医生 done=干得 door=敲门/门 down=吹倒/坐 dreamed=梦见 dreams=梦 dropped=丢/丢进 during=在
dusty=灰尘 early=清早 end=最后/讲完 escaped=逃走 even=连 evening=傍晚/晚上 ever=从此/一直/再 every=每 everyone=大家
farm=农场 fast=快 fed=喂 fell=睡着 felt=感到 fence=篱笆 ferns=蕨草 fetched=请来/拿 fever=烧 fields=田野 find=找到
firewood=柴火 first=首先/第一 fled=逃 floor=地板 folded=叠 forest=森林 found=找到/发现/看见/找 fountain=喷泉
garden=花园 gave=给/送给/放弃 give=送给 go=跑 gone=不见 good=好 grass=草 grew=累 hardly=几乎 harvest=庄稼 has=在/有
have=还有/有 head=头 headache=头 heap=堆 heard=听见 hedge=树篱 hid=藏/躲 hill=山坡/小山 his=头 hold=握着 home=家
hope=希望 hours=小时 how=几 hugged=拥抱 hung=挂 hurt=受伤 ice=冰 ill=病 inn=客栈 inside=里面/里 into=进 ironed=熨
island=岛 it=它 its=它 just=只剩 kissed=亲吻 knocked=敲门 last=终于/最后/上 later=以后/过 laughed=笑 lawn=草坪
lay=躺/放 leaves=出发 left=剩下/出发 leg=腿 let=让/吧 letter=信 life=一生 little=宝贝/小/小镇 lived=生活/住着/住
log=木头 long=很久/久 look=看/找找 looked=看/找 lost=丢掉 loved=喜爱 luck=好运 lunch=午饭 made=做 make=等于
many=几/多/很多 market=市场 me=我 meadow=草地 mended=修 met=遇见 midnight=半夜 milked=挤 mill=磨坊 money=钱 month=月
more=又/再 morning=早晨/清早 moving=搬 much=非常 mud=泥 mushrooms=蘑菇 name=名字 named=名叫/取名/叫 near=附近
neck=脖子 need=需要 never=从来/每次/没有 news=消息 next=第二/接着 night=夜里/夜晚/夜/晚上 no=没有/再 nobody=没有/谁/人
noise=声音 noon=中午 nose=鼻子 not=不/没有/不是 nothing=没有/什么 now=现在 oak=橡树 old=老 once=从前 one=一/个
only=只/只有 orchard=果园 others=别人 out=出门/上气不接下气/出来 over=上空/过去 painted=涂成 part=参加 past=穿过
path=小路 picked=捡起/摘 pier=码头 planted=种下 plates=盘子 please=请 pocket=口袋 polished=擦亮 pond=池塘
practiced=练习 prize=奖/奖品 promised=答应 quickly=快 rabbits=兔子 race=赛跑 rainbow=彩虹 ran=跑/赛跑 ready=烤好
remember=记住 rising=上涨 river=河水/河 rocks=礁石 roof=屋顶 roses=玫瑰 run=快 sad=坏 saddest=伤心 said=说/说话
sail=船帆 sat=坐 save=救 say=告诉 says=说 school=放学/学校 sea=海边 second=第二 secret=暗号 see=看见 seen=见/看见
shirts=衬衫 shook=摇 sleep=睡 sleeping=睡 sleeps=睡 slept=睡 slush=雪泥 smiled=笑 snatched=抢走 snowman=雪人
so=于是/这样/如此/从此/所以 soon=不久 sore=痛 spoke=说话 spring=春天 stable=马厩 stairs=楼梯 stone=石头 stood=站/挂着
storm=暴风雨 story=故事 stove=炉子 street=街道 suddenly=突然 sun=太阳 sunset=日落 supper=晚饭 sweet=好 swept=扫
take=拿着/参加 tell=讲/告诉 than=比 thank=谢谢 thanked=感谢 them=两人/其中 then=然后/后来/接着/这时
there=那里/家里/有/从前 they=大家/三人/两人 thin=薄 things=事 third=第三 this=这 thought=想起 three=三 throat=喉咙
through=出 tight=好好 time=时候/从前/久 tired=累 told=告诉 tomatoes=番茄 tomorrow=明天 tore=撕扯 towels=毛巾 town=小镇
trade=换/用 traded=换 treasure=宝贝 trees=树林 truly=果真 two=二 under=下面/下 up=捡起/放弃/醒来 upon=从前 us=我们
very=非常 village=村庄 visit=看望 waited=等 walk=散步 walking=散步 wanted=想 warm=暖 washed=洗 watched=看着 watered=浇
waved=挥手/挥 we=我们 wedding=婚礼 week=星期 well=水井 went=归/出门 what=什么/多么 where=哪儿 while=好/一会儿/只要
whispered=低声 who=谁 will=会/愿意 wind=风/大风 windows=窗户 winner=赢家 wins=赢得 winter=冬天 wished=想要
without=带着 woke=醒来 won=赢得 word=暗号 wrapped=裹住 write=写信 yard=院子 years=年 you=你 your=你
"""

LEXICON = {english: chinese.split("/") for english, chinese in (pair.split("=") for pair in WORDS.split())}
