/**
 * Emoji by name, in English and Russian: one line each, the sign, its English names, `|`, its Russian names. The first English name is
 * the one that is shown. Some 200 that people use in conversations; the keyboard of the system has the rest.
 */

export const EMOJI_TABLE = `
👍 thumbs_up yes like ok|палец_вверх да класс лайк
👎 thumbs_down no dislike|палец_вниз нет дизлайк
❤️ heart love|сердце любовь
😂 joy tears laugh|слёзы_радости смех ржу
🎉 party tada celebrate|праздник ура
😮 surprised wow|удивление вау ого
😢 cry sad|плач грусть
🙏 please thanks pray|спасибо пожалуйста
🔥 fire hot|огонь круто
👏 clap bravo|аплодисменты браво
👀 eyes look|глаза смотрю
✅ done check ok|готово галочка
😀 grinning smile|улыбка радость
😃 smiley happy|улыбка счастье
😄 smile laugh|улыбка смех
😁 grin beaming|ухмылка улыбка
😆 laughing|хохот смех
😅 sweat_smile phew|неловкий_смех уф
🤣 rofl floor|хохот_до_упаду ржу
🙂 slight_smile|лёгкая_улыбка
🙃 upside_down|вверх_ногами
😉 wink|подмигивание
😊 blush|румянец смущение
😇 angel halo innocent|ангел нимб
🥰 smiling_hearts adore|обожание сердечки
😍 heart_eyes love|влюблён сердечки
🤩 star_struck|восторг звёзды
😘 kiss|поцелуй
😋 yum tasty|вкусно
😛 tongue|язык
😜 wink_tongue crazy|язык дразнюсь
🤪 zany silly|дурашливость
🤗 hug|объятия
🤭 giggle oops|хихиканье ой
🤫 shush quiet|тихо тсс
🤔 thinking hmm|думаю хм
🤐 zipper_mouth|молчу рот_на_замке
🤨 raised_eyebrow|бровь сомнение
😐 neutral|нейтрально
😑 expressionless|без_эмоций
😶 no_mouth speechless|без_слов
😏 smirk|усмешка
😒 unamused|недовольство
🙄 eye_roll|закатываю_глаза
😬 grimace|гримаса
😌 relieved|облегчение
😔 pensive|задумчивость грусть
😪 sleepy|сонный
😴 sleeping zzz|сплю сон
😷 mask ill|маска болею
🤒 thermometer ill|температура болею
🤕 bandage hurt|повязка больно
🤢 nauseated|тошнит
🤧 sneeze|чихаю простуда
🥵 hot_face|жарко
🥶 cold_face|холодно
🥴 woozy|голова_кругом
😵 dizzy|головокружение
🤯 mind_blown|взрыв_мозга
🤠 cowboy|ковбой
🥳 party_face|праздник вечеринка
😎 cool sunglasses|круто очки
🤓 nerd|ботаник умник
🧐 monocle|монокль изучаю
😕 confused|растерянность
😟 worried|беспокойство
🙁 slight_frown|лёгкая_грусть
😯 hushed|удивление
😲 astonished|изумление
😳 flushed|смущение
🥺 pleading|умоляю пожалуйста
😨 fearful|страх
😰 anxious|тревога
😭 sob crying|рыдаю плач
😱 scream|крик ужас
😩 weary|устал
😫 tired|устал
😤 huff triumph|пыхчу
😡 angry rage|злость ярость
😠 mad|сердит
🤬 swearing|ругань
😈 devil|чёртик
💀 skull dead|череп умер
💩 poop|какашка
🤡 clown|клоун
👻 ghost|привидение
👽 alien|инопланетянин
🤖 robot bot|робот бот
😺 cat_smile|кот улыбка
🙈 see_no_evil|не_вижу обезьяна
🙉 hear_no_evil|не_слышу обезьяна
🙊 speak_no_evil|молчу обезьяна
👋 wave hello hi bye|привет пока машу
🤚 raised_hand|рука
✋ hand stop|рука стоп
🖖 vulcan|спок
👌 ok_hand perfect|окей отлично
✌️ victory peace|победа мир
🤞 fingers_crossed luck|удачи скрестил_пальцы
🤟 love_you|люблю
🤘 rock|рок
👈 left|влево
👉 right|вправо
👆 up|вверх
👇 down|вниз
☝️ point_up|палец внимание
✊ fist|кулак
👊 punch bump|кулак удар
🙌 raised_hands hooray|ура руки
👐 open_hands|открытые_руки
🤝 handshake deal|рукопожатие договорились
✍️ writing|пишу
💪 muscle strong|сила мышцы
🧠 brain|мозг
👤 person|человек
👥 people|люди
🙋 raise_hand question|вопрос поднимаю_руку
🤷 shrug|не_знаю пожимаю_плечами
🤦 facepalm|рука_лицо фейспалм
🙇 bow sorry|поклон извините
💃 dance|танец
🏃 run|бегу
🚶 walk|иду
💔 broken_heart|разбитое_сердце
💖 sparkling_heart|сердце блеск
💙 blue_heart|синее_сердце
💚 green_heart|зелёное_сердце
💛 yellow_heart|жёлтое_сердце
🧡 orange_heart|оранжевое_сердце
💜 purple_heart|фиолетовое_сердце
🖤 black_heart|чёрное_сердце
💯 hundred|сто
💥 boom|взрыв бум
💫 dizzy_star|звёздочки
💤 zzz sleep|сон
💬 speech|сообщение
💭 thought|мысль
✨ sparkles|блеск искры
⭐ star|звезда
🌟 glowing_star|звезда сияние
⚡ lightning zap|молния
☀️ sun|солнце
🌤️ partly_sunny|малооблачно
☁️ cloud|облако
🌧️ rain|дождь
❄️ snow|снег
⛄ snowman|снеговик
🌈 rainbow|радуга
🌙 moon|луна ночь
🌍 earth world|земля мир
🌱 seedling|росток
🌲 tree|ёлка дерево
🌸 blossom|цветок сакура
🌹 rose|роза
💐 bouquet|букет
🍀 clover luck|клевер удача
🐶 dog|собака
🐱 cat|кошка
🐭 mouse|мышь
🐰 rabbit|заяц кролик
🦊 fox|лиса
🐻 bear|медведь
🐼 panda|панда
🐧 penguin|пингвин
🐦 bird|птица
🦉 owl|сова
🐢 turtle slow|черепаха
🐛 bug|жук баг
🦋 butterfly|бабочка
🐝 bee|пчела
🦄 unicorn|единорог
🐟 fish|рыба
🍎 apple|яблоко
🍋 lemon|лимон
🍌 banana|банан
🍓 strawberry|клубника
🍕 pizza|пицца
🍔 burger|бургер
🍟 fries|картошка_фри
🍣 sushi|суши
🍞 bread|хлеб
🧀 cheese|сыр
🍿 popcorn|попкорн
🍰 cake|торт пирожное
🎂 birthday|день_рождения торт
🍪 cookie|печенье
🍫 chocolate|шоколад
🍦 ice_cream|мороженое
☕ coffee tea|кофе чай
🍺 beer|пиво
🍻 cheers|за_здоровье пиво
🍷 wine|вино
🥂 clinking toast|бокалы тост
⚽ football soccer|футбол мяч
🏀 basketball|баскетбол
🎮 game|игра
🎲 dice|кубик
🎯 target|цель в_точку
🏆 trophy win|кубок победа
🥇 gold first|золото первое_место
🎵 music note|музыка нота
🎸 guitar|гитара
🎤 microphone sing|микрофон
🎧 headphones|наушники
🎬 film movie|кино фильм
📷 camera photo|камера фото
🎁 gift present|подарок
🎈 balloon|шарик
🎄 christmas_tree|ёлка новый_год
🚀 rocket ship|ракета
✈️ plane|самолёт
🚗 car|машина
🚲 bike|велосипед
🚆 train|поезд
🏠 home house|дом
🏖️ beach|пляж
⏰ alarm clock|будильник время
⏳ hourglass wait|песочные_часы жду
📅 calendar date|календарь дата
📌 pin|булавка закрепить
📎 paperclip|скрепка
📝 memo note|заметка
📚 books|книги
📈 chart_up|рост график
📉 chart_down|падение график
📞 phone call|телефон звонок
💻 laptop computer|ноутбук компьютер
🖥️ desktop screen|монитор экран
📱 mobile|телефон мобильный
🔋 battery|батарея
💡 idea bulb|идея лампочка
🔧 wrench fix|ключ чинить
🔨 hammer|молоток
🔒 lock|замок
🔑 key|ключ
🔍 search magnifier|поиск лупа
🔗 link|ссылка
🗑️ bin trash|корзина
💰 money|деньги
🛒 cart|корзина покупки
📦 package box|посылка коробка
✉️ mail letter|письмо почта
❓ question|вопрос
❗ exclamation|важно восклицание
⚠️ warning|внимание осторожно
⛔ no_entry|нельзя стоп
❌ cross no|нет крестик
➕ plus|плюс
➖ minus|минус
🔔 bell|колокольчик
🔕 no_bell mute|без_звука
🟢 green|зелёный
🟡 yellow|жёлтый
🔴 red|красный
🏁 finish|финиш
🕊️ dove peace|голубь мир
`;
