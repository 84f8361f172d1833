"""Words by which mail programs and people mark what is not the message itself, by language. Pure data.

Everything is found by form first; these words decide where the form alone would not be safe. Lower case, since that
is how lines are compared; stems where languages inflect.
"""

# Labels of a mail's header block: who it is from · when · to whom · about what.
HEADERS = {
    "en": ("from|reply-to|sender", "sent|date", "to|cc|bcc", "subject"),
    "et": ("saatja|kellelt", "saadetud|saatmisaeg|kuupäev", "saaja|kellele|adressaat|koopia", "teema"),
    "lt": ("nuo|siuntėjas", "išsiųsta|siųsta|data", "kam|gavėjas|kopija|kopijuoti", "tema"),
    "lv": ("no|sūtītājs|nosūtītājs", "nosūtīts|sūtīts|datums", "kam|adresāts|saņēmējs|līdz|kopija", "temats|tēma"),
    "fi": ("lähettäjä", "lähetetty|päivämäärä|päiväys|päivä|pvm", "vastaanottaja|kopio", "aihe"),
    "ru": ("от|от кого|отправитель", "отправлено|дата|дата отправки", "кому|копия|получатель", "тема"),
    "uk": ("від|від кого|відправник", "надіслано|відправлено|дата", "кому|копія", "тема"),
    "de": ("von", "gesendet|datum|gesendet am", "an|kopie|antwort an", "betreff"),
    "pl": ("od|nadawca", "wysłano|wysłane|data|dnia", "do|dw|adresat", "temat"),
    "sv": ("från", "skickat|datum", "till|kopia", "ämne"),
    "da": ("fra|afsender", "sendt|dato", "til|kopi", "emne"),
    "no": ("fra|avsender", "sendt|dato", "til|kopi", "emne"),
    "nl": ("van", "verzonden|datum", "aan", "onderwerp"),
    "fr": ("de|expéditeur", "envoyé|date|envoyé le", "à|a|pour|destinataire", "objet|sujet"),
    "es": ("de|remitente", "enviado|enviado el|fecha", "para|a", "asunto"),
    "it": ("da|mittente", "inviato|data", "a|per", "oggetto"),
    "pt": ("de|remetente", "enviado|enviada|enviada em|data", "para", "assunto"),
    "ro": ("de la|expeditor", "trimis|data|dată", "către|la", "subiect"),
    "cs": ("od|odesílatel", "odesláno|datum", "komu|příjemce|kopie", "předmět"),
    "sk": ("od|odosielateľ", "odoslané|dátum", "komu|kópia", "predmet"),
    "hu": ("feladó", "elküldve|dátum", "címzett|másolat", "tárgy"),
    "hr": ("od|šalje", "poslano|datum", "za|prima|kome", "predmet|naslov"),
    "tr": ("gönderen|kimden", "gönderildi|tarih|gönderme tarihi", "kime|alıcı|bilgi", "konu"),
    "el": ("από", "στάλθηκε|ημερομηνία", "προς|κοιν", "θέμα"),
    "bg": ("от", "изпратено|дата", "до|копие", "относно|тема"),
    "zh": ("发件人|寄件者|寄件人", "发送时间|日期|发送日期|寄件日期", "收件人|收件者|抄送|副本", "主题|主旨"),
    "ja": ("差出人|送信者", "送信日時|日付|日時", "宛先", "件名"),
    "ko": ("보낸 사람|보낸사람", "보낸 날짜|날짜", "받는 사람|받는사람", "제목"),
}

# "… wrote:" of an attribution line.
WROTE = {
    "en": "wrote|writes|said",
    "et": "kirjutas",
    "lt": "rašė|parašė",
    "lv": "rakstīja",
    "fi": "kirjoitti",
    "ru": "написал|написала|написал(а)|пишет|писал|писала",
    "uk": "пише|написав|написала|писав",
    "de": "schrieb|schrieben",
    "pl": "napisał|napisała|napisał(a)|pisze",
    "sv": "skrev",
    "da": "skrev|skrevet",
    "nl": "schreef|geschreven",
    "fr": "écrit",
    "es": "escribió",
    "it": "scritto|scrive",
    "pt": "escreveu|escreveram",
    "ro": "scris",
    "cs": "napsal|napsala|napsal(a)",
    "sk": "napísal|napísala",
    "hu": "írta",
    "hr": "napisao|napisala|je napisao",
    "tr": "yazdı|şunları yazdı",
    "el": "έγραψε",
    "bg": "написа",
    "zh": "写道|寫道",
    "ja": "書きました|書いた|のメッセージ",
    "ko": "작성",
    "sl": "napisal",
    "vi": "đã viết",
}

# Stems of the words between rules, or alone on a line, before a forwarded mail; and before one that is answered to.
FORWARDED = (
    "forward", "edasta", "persiųst", "persiunč", "pārsūt", "pāradres", "välitet", "välitys", "edelleenlähet",
    "пересыл", "переслан", "перенаправл", "weitergeleit", "przekaz", "przesłan", "vidarebef", "videresend",
    "doorgestuur", "transféré", "transmis", "réexpédié", "reenvia", "reenviad", "inoltrat", "encaminhad",
    "reencaminhad", "redirecționat", "přeposl", "preposl", "továbbít", "proslijeđ", "iletilen", "yönlendir", "препрат",
    "προωθ", "转发", "轉寄", "転送", "전달",
)  # fmt: skip
ORIGINAL = (
    "original", "algne", "algkiri", "algsõnum", "pirmin", "sākotnē", "alkuper", "исходн", "оригинал", "вихідн",
    "оригінал", "ursprüng", "oryginaln", "oorspronk", "oprindelig", "opprinnelig", "ursprung", "d'origine",
    "originale", "původní", "pôvodn", "eredeti", "izvorn", "orijinal", "首", "原始", "元のメッセージ", "原文",
)  # fmt: skip

# How the line begins (or, after a colon, ends) that a telephone or a program adds.
SENT_FROM = (
    "sent from", "sent via", "sent with", "sent using", "sent by", "sent through", "from my", "get outlook for",
    "saadetud", "hangi outlook", "siųsta iš", "išsiųsta iš", "gaukite", "nosūtīts no", "sūtīts no", "iegūstiet",
    "lähetetty", "hanki outlook", "отправлено из", "отправлено с", "отправлено от", "отправлено через", "надіслано з",
    "надіслано через", "відправлено з", "von meinem", "von unterwegs", "gesendet von", "gesendet mit",
    "diese nachricht wurde von", "holen sie sich outlook", "wysłane z", "wysłano z", "wysłane przy", "pobierz outlook",
    "skickat från", "skickades från", "hämta outlook", "sendt fra", "hent outlook", "verzonden met", "verzonden vanaf",
    "verstuurd vanaf", "verstuurd met", "download outlook", "envoyé depuis", "envoyé de", "envoyé à partir",
    "télécharger outlook", "obtenez outlook", "enviado desde", "enviado con", "obtener outlook", "inviato da",
    "inviato dal", "scarica outlook", "ottieni outlook", "enviado do", "enviado a partir", "enviado pelo",
    "enviado de", "obter o outlook", "trimis de pe", "trimis de la", "odesláno z", "odoslané z", "küldve", "poslano s",
    "poslano sa", "изпратено от",
)  # fmt: skip
SENT = (  # ends so
    "gesendet", "gönderildi", "傳送", "发送", "發送", "から送信", "보냄", "elküldve", "saadetud", "lähetetty",
)  # fmt: skip
DEVICES = (
    "iphone", "ipad", "ipod", "android", "blackberry", "galaxy", "samsung", "huawei", "xiaomi", "oneplus", "nokia",
    "windows phone", "outlook", "yahoo mail", "mail.ru", "mobiil", "mobile", "mobil", "smartphone", "telefon", "phone",
    "handy", "tablet", "телефон", "мобильн", "мобільн", "puhelim", "смартфон",
)  # fmt: skip
EXCUSES = (
    "excuse", "typo", "brevity", "sorry", "pardon", "entschuldig", "kürze", "vabanda", "извин", "ursäkta", "beg ",
)  # fmt: skip

GREETINGS = {
    "en": (
        "hi|hello|hey|dear|good morning|good afternoon|good evening|good day|greetings|hi there|hello there|"
        "to whom it may concern"
    ),
    "et": "tere|tere päevast|tere hommikust|tere õhtust|tervist|lugupeetud|hea|hei|tšau",
    "lt": "sveiki|sveikas|sveika|laba diena|labas|labas rytas|labas vakaras|gerb|gerbiamas|gerbiama|gerbiamieji",
    "lv": ("labdien|sveiki|sveicināti|sveiks|sveika|labrīt|labvakar|cienījamais|cienījamā|cienījamie|godātais|godātā"),
    "fi": "hei|moi|terve|hyvää päivää|hyvää huomenta|hyvää iltaa|hyvä|arvoisa|huomenta|päivää",
    "ru": (
        "здравствуйте|здравствуй|добрый день|доброе утро|добрый вечер|доброго дня|привет|приветствую|уважаемый|"
        "уважаемая|уважаемые"
    ),
    "uk": "вітаю|добрий день|доброго дня|добрий ранок|добрий вечір|привіт|шановний|шановна|шановні",
    "de": (
        "hallo|guten tag|guten morgen|guten abend|sehr geehrte|sehr geehrter|liebe|lieber|moin|servus|"
        "grüß gott|hallo zusammen"
    ),
    "pl": "dzień dobry|witam|cześć|dobry wieczór|szanowny|szanowna|szanowni|hej|szanowni państwo",
    "sv": "hej|hejsan|hallå|god morgon|god dag|god kväll|bästa|kära|käre|hej hej|tjena",
    "da": "hej|goddag|kære|god morgen|davs",
    "no": "hei|god dag|kjære|god morgen|heisann",
    "nl": "hallo|beste|geachte|goedemorgen|goedemiddag|goedenavond|dag|goedendag",
    "fr": "bonjour|bonsoir|salut|cher|chère|chers|madame|monsieur|madame, monsieur|coucou",
    "es": ("hola|buenos días|buenas tardes|buenas noches|buen día|buenas|estimado|estimada|estimados|querido|querida"),
    "it": "ciao|buongiorno|buonasera|salve|gentile|gentili|egregio|spettabile|spett|caro|cara",
    "pt": "olá|ola|bom dia|boa tarde|boa noite|oi|caro|cara|caros|prezado|prezada|prezados",
    "ro": "bună|bună ziua|buna|buna ziua|salut|stimate|stimată|stimați|dragă",
    "cs": "dobrý den|ahoj|vážený|vážená|vážení|zdravím|dobré ráno",
    "sk": "dobrý deň|ahoj|vážený|vážená|vážení",
    "hu": "szia|kedves|tisztelt|jó napot|üdv",
    "tr": "merhaba|sayın|selam|iyi günler",
    "el": "γεια σας|καλημέρα|αγαπητέ",
}
CLOSINGS = {
    "en": (
        "best regards|kind regards|regards|warm regards|best|best wishes|kindest regards|many thanks|thanks|"
        "thank you|thanks in advance|thank you in advance|sincerely|yours sincerely|yours faithfully|"
        "yours truly|cheers|yours|all the best|with kind regards|br|kr"
    ),
    "et": (
        "lugupidamisega|parimate soovidega|parimat|tervitades|tervitustega|heade soovidega|tänades|"
        "ette tänades|aitäh|tänan|tänud|kõike head|tervitusi"
    ),
    "lt": (
        "pagarbiai|su pagarba|geriausi linkėjimai|linkėjimai|su geriausiais linkėjimais|ačiū|dėkoju|"
        "iš anksto dėkoju|linkiu geros dienos"
    ),
    "lv": "ar cieņu|cieņā|ar sveicieniem|paldies|liels paldies|jau iepriekš paldies|visu labu|jauku dienu",
    "fi": (
        "terveisin|ystävällisin terveisin|parhain terveisin|kunnioittavasti|yt|t|terv|kiitos|kiitos etukäteen|"
        "kiitos jo etukäteen|terkuin|kiitoksin"
    ),
    "ru": (
        "с уважением|с наилучшими пожеланиями|всего доброго|всего хорошего|спасибо|заранее спасибо|"
        "большое спасибо|благодарю|с благодарностью|хорошего дня|искренне ваш"
    ),
    "uk": "з повагою|дякую|щиро дякую|всього найкращого|з найкращими побажаннями|гарного дня",
    "de": (
        "mit freundlichen grüßen|mit freundlichem gruß|freundliche grüße|viele grüße|liebe grüße|beste grüße|"
        "schöne grüße|grüße|gruß|mfg|lg|vg|hochachtungsvoll|danke|vielen dank|herzliche grüße|"
        "vielen dank im voraus|danke im voraus|mit besten grüßen"
    ),
    "pl": (
        "z poważaniem|pozdrawiam|z wyrazami szacunku|serdecznie pozdrawiam|pozdrowienia|dziękuję|"
        "z góry dziękuję|dzięki|łączę pozdrowienia"
    ),
    "sv": (
        "med vänliga hälsningar|med vänlig hälsning|vänliga hälsningar|vänligen|hälsningar|mvh|tack|"
        "tack på förhand|bästa hälsningar|vänlig hälsning"
    ),
    "da": "med venlig hilsen|venlig hilsen|hilsen|mvh|de bedste hilsner|tak|på forhånd tak|mange hilsner",
    "no": "med vennlig hilsen|vennlig hilsen|hilsen|mvh|takk|på forhånd takk|beste hilsen",
    "nl": (
        "met vriendelijke groet|met vriendelijke groeten|vriendelijke groeten|groeten|groet|mvg|bedankt|"
        "alvast bedankt|hartelijke groet"
    ),
    "fr": (
        "cordialement|bien cordialement|merci|merci d'avance|bonne journée|salutations|bien à vous|sincèrement|"
        "amicalement|cdlt"
    ),
    "es": (
        "saludos|un saludo|atentamente|saludos cordiales|gracias|muchas gracias|gracias de antemano|"
        "cordialmente|un cordial saludo"
    ),
    "it": (
        "cordiali saluti|saluti|distinti saluti|grazie|grazie mille|un saluto|buona giornata|a presto|"
        "grazie in anticipo"
    ),
    "pt": (
        "cumprimentos|atenciosamente|com os melhores cumprimentos|obrigado|obrigada|abraços|abraço|"
        "melhores cumprimentos|att"
    ),
    "ro": "cu stimă|cu respect|mulțumesc|toate cele bune|o zi bună|cu considerație",
    "cs": "s pozdravem|s přátelským pozdravem|děkuji|předem děkuji|hezký den",
    "sk": "s pozdravom|ďakujem|vopred ďakujem",
    "hu": "üdvözlettel|köszönettel|köszönöm|tisztelettel",
    "tr": "saygılarımla|teşekkürler|iyi günler",
    "el": "με εκτίμηση|ευχαριστώ",
}

# Stems of a disclaimer: that something is secret · for whom it was meant. Both must be there.
SECRET = (
    "confidential", "privileged", "konfidents", "konfidenc", "конфиденциал", "конфіденц", "vertraulich", "poufn",
    "luottamuksel", "konfidentiell", "sekretess", "fortrolig", "vertrouwelijk", "confidentiel", "confidencial",
    "riservat", "confidențial", "důvěrn", "dôvern", "bizalmas", "gizli",
)  # fmt: skip
INTENDED = (
    "recipient", "addressee", "addressed to", "adressaa", "saaja", "gavėj", "adresat", "adresāt", "saņēmēj",
    "vastaanottaj", "адресат", "получател", "одержувач", "empfänger", "adressat", "odbiorc", "mottagare", "modtager",
    "mottaker", "ontvanger", "geadresseerde", "destinatai", "destinatari", "destinatár", "destinatar", "příjem",
    "adresát", "címzett", "alıcı",
)  # fmt: skip
ENVIRONMENT = (  # "think before you print"
    "before printing", "before you print", "enne printi", "enne väljatrüki", "prieš spausdin", "pirms druk",
    "pirms izdruk", "ennen tulost", "прежде чем печат", "перед печат", "bevor sie diese e-mail ausdruck",
    "vor dem ausdruck", "przed wydruk", "innan du skriver ut", "avant d'imprimer", "antes de imprimir",
    "prima di stampare", "voordat u deze e-mail print",
)  # fmt: skip
