"""What customers say around a matter, by language. Pure data, to be read and added to by whoever knows a language.

Whole phrases as people write them, since they are compared by their letters, so that typing errors and inflections
still agree. Kinds: `frame` is politeness around what is said (left out of comparisons), `closing` ends a dealing,
`followup` asks on without explaining, `smalltalk` is neither, `told` says that it was explained before, `thanks` are
beginnings of words that thank or part, `filler` is what speech is strewn with, `common` are words that say nothing of a
matter.
"""

CUES: dict[str, dict[str, str]] = {
    "en": {
        "thanks": "thank|bye|goodbye",
        "frame": "hai|hallo|very good morning|very good evening|goodmorning|hello team|hi team|hi there|good morning|"
        "good afternoon|good evening|good day|"
        "dear customer service|dear sir or madam|dear support|to whom it may concern|i hope you can help me|"
        "i hope you are well|yeah hi so|i am writing to you because of the following|i am writing to you because|"
        "i am writing about|hello|hi|hey|please let me know as soon as possible|please let me know|"
        "looking forward to your reply|dear all|looking forward to hearing from you|could you look into this|"
        "can you help me|please help|can you look into it|thank you in advance|thanks in advance|best regards|"
        "kind regards|many thanks|sincerely|sent from my iphone",
        "closing": "thankful|grateful|sounds good|not sure|maybe|no idea|true|false|correct|not correct|i agree|"
        "done|of course|yup|nope|definitely|confirm it|enough|amazing|wonderful day|farewell|"
        "take care|catch you later|ok|okay|ok thanks|ok thank you bye|thank you so much|thank you for your help|"
        "thanks a lot|got it thanks|thanks that solved it|great thank you so much for your help|"
        "perfect all good now|that is all thank you|yes|no|no that is all have a nice day|yes that is right|"
        "yes that's right|nothing else|it works now thank you|goodbye|problem solved|never mind|no thanks|"
        "all good|have a good day|that was all|cheers|bye|you too|alright|sure|it is resolved now|"
        "everything is fine now|that helped thank you|appreciate it|understood|noted",
        "followup": "i have had no answer|nobody has come back to me|following up on my earlier message|"
        "i have been waiting for days|who is dealing with my request|who is responsible for my case now|"
        "it worked for a while and then stopped again|it broke again|there is still no solution|"
        "have you forgotten me|your answer did not help|i am still having this issue|it came back|any news|"
        "any update on this|any updates|is there any progress|when will this be fixed|what is the status|"
        "when will i get an answer|i am still waiting|still waiting for a reply|still no answer|"
        "nobody has answered me|it is still not working|it's still not working|same problem as before|"
        "the same problem again|nothing has changed|it still does not work|"
        "i tried what you suggested and it did not help|i did the steps no change|"
        "i sent the documents you asked for please check|please escalate this i am losing patience|"
        "just following up|can somebody please call me back about my case|please call me back|"
        "how long does it take|hurry up|why has nobody contacted me|as i told your colleague this is not solved|"
        "this is not solved|any news on my case|i have not heard back from you|did you get my message|"
        "please reply|i want to speak to a manager|where are we on this|it happened again|it did not help|"
        "what is going on with my request|you promised to get back to me",
        "smalltalk": "sorry|wait|i do not know|i have no answer for that|i am not certain|that is wrong|"
        "that is not true|"
        "it was a pleasure talking to you|i enjoyed our talk|great talk|i am glad we talked|signing off|"
        "i am leaving now|i have got to run|that is all i wanted|that is all for today|no more questions|"
        "no other concern|"
        "my pleasure|same to you|i owe you one|i am grateful for your help|your help is appreciated|"
        "all my questions are answered|i will get back to you|"
        "yes i will do that|roger that|that would be yes|"
        "i am saying no|the answer is no|the answer is yes|i must say no|i do not think so|no way|not happening|"
        "that is incorrect|that is not right|that is not the case|that is invalid|that is false|that is a negative|"
        "that is an affirmative|what you said is true|what you said is wrong|i agree with what you said|"
        "i am not sure|i am not sure which one|i am unsure|i can not decide|i can not answer that|i am unable to say|"
        "i have no idea|i don't have any idea|i don't know anything about that|no clue|hard to say|it depends|"
        "it could be either|either one would work|it could go either way|i would rather not say|"
        "how have you been|how is life treating you|how are you feeling|what are you up to|long time no see|"
        "tell me a fun fact|what is the meaning of life|say that again|what did you say|who do you work for|"
        "where do you live|what languages do you speak|what can i ask you|can you talk slower|happy birthday|"
        "what are you|what is your job|do you like me|are you smart|you are cool|you are kind|"
        "i can not say|nice talking to you|good to see you|"
        "nice to see you again|it was nice chatting with you|how are things|how is it going|what can you do|"
        "what do you do for fun|you are the best|great work|are you real|who made you|what are your hobbies|"
        "do you have pets|how are you|how are you doing|are you a robot|are you human|who are you|"
        "what is your name|nice to meet you|what's up|you are funny|tell me a joke|good job|are you there|"
        "see you later|i have to go|good night|i love you|how old are you|where are you from|are you a bot|"
        "am i talking to a person|welcome|how is your day|lol|wow",
        "told": "as i told your colleague|as i already told you|as i said before|as i already explained|"
        "like i said|i already explained this|i have explained this|i told you last time|as i wrote before|"
        "as mentioned before|i already told|as i mentioned in my email|as i said on the phone|"
        "i have told this to|once again i explain",
        "filler": "um|uh|well|you know|i mean|basically|like|so|yeah|erm|please",
        "common": "very much all been am than then too really again let the a an and or but if of to in on at "
        "for with from by about is are was were be been am do does did have has had i me my mine you your it its "
        "this that these those he she we they them there here what which who how when where why can could would "
        "will should may not no yes please need want get got just some any help as also sir madam mam s t m re ve ll d",
    },
    "et": {
        "thanks": "aitäh|tänan|tänud",
        "frame": "tere|tere päevast|tere hommikust|tere õhtust|lugupeetud klienditeenindaja|"
        "kirjutan teile seoses|aitäh ette|palun aidake|palun andke teada|ootan vastust|jään vastust ootama|"
        "ette tänades|lugupidamisega|parimate soovidega",
        "closing": "palju tänu|aitähh|sobib|sobib hästi|jah sobib|ei ole|hetkel mitte|vist ei|sain abi|"
        "sain vastuse|kena päeva|ilusat õhtu jätku|suurepärane|super|tore|väga hea|olid abiks|selge|"
        "ilusaid unenägusid|aitäh|tänan|suur tänu|suur aitäh|selge aitäh|okei aitäh|korras|kõik korras|head aega|"
        "nägemist|ilusat päeva|probleem lahenes|rohkem küsimusi ei ole|see on kõik|jah|ei|just nii|sain aru|"
        "aitäh abi eest|nüüd töötab|tšau|hästi",
        "followup": "kas on uudiseid|kas on midagi uut|mis seis on|millal see korda saab|ootan ikka veel|"
        "ootan endiselt teie vastust|ikka ei tööta|endiselt ei tööta|sama mure mis enne|ma ei ole vastust saanud|"
        "keegi pole vastanud|kui kaua läheb|proovisin aga ei aidanud|palun helistage mulle tagasi|saatsin dokumendid|"
        "miks keegi ei vasta|see ei ole lahendatud",
        "smalltalk": "mis sa teha oskad|kes su lõi|kes sind tegi|millal sind loodi|mis soost sa oled|"
        "kui vana sa oled|oled sa noor või vana|mida sa teed|mis keeles sa räägid|sa oled väga tubli|"
        "sa oled lahe|kuidas elad|mis su nimi tähendab|millega sa aidata oskad|kust sa pärit oled|"
        "kuidas käsi käib|kuidas läheb|kuidas sul läheb|kes sa oled|kas sa oled robot|kas oled inimene|"
        "mis su nimi on|head ööd|mis teed|mis toimub|kui vana sa oled|meeldiv tutvuda|räägi nalja|tsau|"
        "tere kuidas läheb|sa oled tore|kas keegi on seal",
        "told": "nagu ma juba selgitasin|nagu ma juba ütlesin|nagu ma ütlesin|ma juba selgitasin|"
        "ma juba rääkisin|nagu rääkisin teie kolleegile|nagu kirjutasin|nagu eelmises kirjas|"
        "ütlesin juba teie kolleegile|nagu telefonis ütlesin",
        "filler": "noh|ee|nagu|tead|ühesõnaga|palun",
        "common": "ja või aga kui et ei on oli olen oled ole see seda selle ma mina mul mulle minu sa sul te "
        "teie meie ta nad kas mis kes kus kuidas millal miks mida ka veel juba siis nii palun saab saan soovin "
        "tahan võib olla",
    },
    "lt": {
        "thanks": "ačiū|dėko",
        "frame": "labas|sveiki|laba diena|labas rytas|labas vakaras|gerbiamieji|rašau jums dėl|lauksiu atsakymo|"
        "iš anksto dėkoju|pagarbiai|prašau padėti|padėkite",
        "closing": "ačiū|labai ačiū|dėkoju|supratau ačiū|gerai ačiū|viskas gerai|viso gero|iki|geros dienos|"
        "problema išspręsta|daugiau klausimų neturiu|tai viskas|taip|ne|jau veikia ačiū|gerai|aišku|"
        "ačiū už pagalbą",
        "followup": "ar yra naujienų|ar yra kas naujo|kada tai bus sutvarkyta|vis dar laukiu|vis dar neveikia|"
        "ta pati problema|niekas neatsakė|negavau atsakymo|kiek dar laukti|bandžiau bet nepadėjo|"
        "prašau man perskambinti|išsiunčiau dokumentus|kokia būsena|problema neišspręsta|niekas nepasikeitė",
        "smalltalk": "kaip sekasi|kas tu|ar tu robotas|ar tu žmogus|koks tavo vardas|labanakt|malonu susipažinti",
        "told": "kaip jau sakiau|kaip jau minėjau|kaip jau aiškinau|aš jau aiškinau|jau sakiau jūsų kolegai|"
        "kaip rašiau|kaip sakiau telefonu|jau pasakojau",
        "filler": "na|nu|žinot|tipo|prašau",
        "common": "ir ar bet kad jei ne yra buvo aš man mano jūs jūsų tai ši šis kas kur kaip kada kodėl nuo iki "
        "į su dėl už per galiu noriu reikia gali prašau dar jau",
    },
    "lv": {
        "thanks": "paldies|pateic",
        "frame": "labdien|sveiki|labrīt|labvakar|cienījamie|rakstu jums par|gaidīšu atbildi|"
        "jau iepriekš pateicos|ar cieņu|lūdzu palīdziet",
        "closing": "paldies|liels paldies|sapratu paldies|labi paldies|viss kārtībā|uz redzēšanos|jauku dienu|"
        "problēma atrisināta|vairāk jautājumu nav|tas ir viss|jā|nē|tagad strādā paldies|labi|skaidrs|"
        "paldies par palīdzību|atā",
        "followup": "vai ir jaunumi|vai ir kas jauns|kad tas tiks salabots|joprojām gaidu|joprojām nestrādā|"
        "tā pati problēma|neviens nav atbildējis|neesmu saņēmis atbildi|cik ilgi vēl jāgaida|"
        "mēģināju bet nepalīdzēja|lūdzu piezvaniet man|nosūtīju dokumentus|kāds ir statuss|"
        "problēma nav atrisināta|nekas nav mainījies",
        "smalltalk": "kā iet|kā tev iet|kas tu esi|vai tu esi robots|vai tu esi cilvēks|kā tevi sauc|ar labunakti",
        "told": "kā jau teicu|kā jau minēju|kā jau paskaidroju|es jau paskaidroju|jau teicu jūsu kolēģim|"
        "kā rakstīju|kā teicu pa telefonu|jau stāstīju",
        "filler": "nu|zini|teiksim|lūdzu",
        "common": "un vai bet ka ja ne ir bija es man mans mana jūs jūsu tas tā šis kas kur kā kad kāpēc no līdz "
        "uz ar par pie varu gribu vajag var lūdzu vēl jau",
    },
    "ru": {
        "thanks": "спасибо|благодар",
        "frame": "здравствуйте|привет|добрый день|доброе утро|добрый вечер|уважаемые|пишу вам по поводу|"
        "жду ответа|заранее спасибо|с уважением|помогите пожалуйста|прошу помочь",
        "closing": "спасибо|большое спасибо|понятно спасибо|хорошо спасибо|всё в порядке|до свидания|"
        "хорошего дня|проблема решена|больше вопросов нет|это всё|да|нет|теперь работает спасибо|хорошо|ясно|"
        "спасибо за помощь|пока|ок",
        "followup": "есть новости|есть ли новости|когда это исправят|я всё ещё жду|всё ещё не работает|"
        "та же проблема|никто не ответил|я не получил ответа|сколько ещё ждать|попробовал но не помогло|"
        "перезвоните мне пожалуйста|я отправил документы|какой статус|проблема не решена|ничего не изменилось|"
        "почему никто не отвечает",
        "smalltalk": "как дела|кто ты|ты робот|ты человек|как тебя зовут|спокойной ночи|приятно познакомиться",
        "told": "как я уже говорил|как я уже говорила|как я уже объяснял|как я уже объясняла|я уже объяснял|"
        "я уже объясняла|как я писал|как я сказал вашему коллеге|я уже рассказывал|я уже говорил вашему коллеге|"
        "как я говорил по телефону",
        "filler": "ну|э|значит|короче|типа|пожалуйста",
        "common": "и или но что если не в на с по от до за из к у о об я мне мой моя моё вы ваш это этот эта как "
        "где когда почему кто бы ли же могу хочу нужно можно есть был была было ещё уже",
    },
    "fi": {
        "thanks": "kiito|kiitt",
        "frame": "hei|moi|terve|hyvää päivää|huomenta|hyvä asiakaspalvelu|kirjoitan teille koska|"
        "odotan vastausta|kiitos jo etukäteen|ystävällisin terveisin|terveisin|voitteko auttaa",
        "closing": "kiitos|kiitti|paljon kiitoksia|selvä kiitos|okei kiitos|kaikki kunnossa|näkemiin|"
        "hyvää päivänjatkoa|ongelma ratkesi|ei muuta|siinä kaikki|joo|kyllä|ei|nyt toimii kiitos|selvä|hienoa|"
        "kiitos avusta|hei hei",
        "followup": "onko uutta tietoa|onko mitään uutta|milloin tämä korjataan|odotan edelleen|"
        "ei vieläkään toimi|sama ongelma kuin ennen|kukaan ei ole vastannut|en ole saanut vastausta|"
        "kuinka kauan kestää|kokeilin mutta ei auttanut|soittakaa minulle takaisin|lähetin asiakirjat|"
        "mikä on tilanne|asia ei ole ratkennut|mikään ei ole muuttunut",
        "smalltalk": "mitä kuuluu|kuka olet|oletko robotti|oletko ihminen|mikä sinun nimesi on|hyvää yötä|"
        "hauska tavata",
        "told": "kuten jo kerroin|kuten jo sanoin|kuten jo selitin|selitin jo|kerroin jo kollegallenne|"
        "kuten kirjoitin|niin kuin sanoin puhelimessa|olen jo kertonut",
        "filler": "no|niinku|tota|öö|siis",
        "common": "ja tai mutta että jos ei on oli olen olet se sen tämä tämän minä minun mulla te teidän me "
        "kuka mitä mikä missä miten milloin miksi voi voin haluan pitää myös vielä jo niin kun",
    },
    "de": {
        "thanks": "dank",
        "frame": "hallo|guten tag|guten morgen|guten abend|sehr geehrte damen und herren|"
        "ich schreibe ihnen wegen|ich freue mich auf ihre antwort|vielen dank im voraus|mit freundlichen grüßen|"
        "viele grüße|bitte helfen sie mir",
        "closing": "danke|vielen dank|danke schön|verstanden danke|okay danke|alles in ordnung|auf wiedersehen|"
        "schönen tag|problem gelöst|keine weiteren fragen|das ist alles|ja|nein|jetzt funktioniert es danke|gut|"
        "alles klar|tschüss",
        "followup": "gibt es neuigkeiten|gibt es etwas neues|wann wird das behoben|ich warte immer noch|"
        "es geht immer noch nicht|dasselbe problem wie vorher|niemand hat geantwortet|"
        "ich habe keine antwort bekommen|wie lange dauert es noch|"
        "ich habe es versucht aber es hat nicht geholfen|bitte rufen sie mich zurück|"
        "ich habe die unterlagen geschickt|wie ist der stand|das ist nicht gelöst|nichts hat sich geändert",
        "smalltalk": "wie geht es dir|wie geht es ihnen|wer bist du|bist du ein roboter|bist du ein mensch|"
        "wie heißt du|gute nacht",
        "told": "wie ich schon sagte|wie ich bereits sagte|wie bereits erklärt|ich habe das schon erklärt|"
        "wie ich ihrem kollegen gesagt habe|wie ich geschrieben habe|wie am telefon gesagt|ich habe schon erzählt",
        "filler": "äh|ähm|also|halt|bitte",
        "common": "und oder aber wenn dass nicht ist war bin sind der die das den dem ein eine einen ich mir "
        "mich mein meine sie ihr ihre es wir was wer wo wie wann warum von zu in auf mit für bei kann will "
        "möchte muss auch noch schon",
    },
}  # fmt: skip
