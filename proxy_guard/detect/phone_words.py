"""Words that say that a number is a phone number, and words that say it is something else."""

from __future__ import annotations

import regex

_STEMS = (
    # English
    "phone telephone cell mobile mob ph call ring dial text sms mms whatsapp wapp telegram viber contact "
    "reach fax landline hotline helpline pager voicemail "
    # other languages of Latin script
    "fon fone tlf tel telf telp telefo rufnummer durchwahl anruf erreich handy mobil telemóvel téléph teleph appel "
    "joindre joignable portable numéro móvil movil celular llam ligue ligar liga cellulare chiam bellen mobiel puh "
    "puhelin zadzwo komórk numer zavol cep hubungi nomor hp gọi số"
).split()
_PHRASES = (
    "whats app", "signal:", "on signal", "hot line", "help line", "toll free", "toll-free", "voice mail", "bel me",
    "bel mij", "điện thoại",
)  # fmt: skip
_OTHER_SCRIPTS = (
    "телефон тел номер моб звон дзвон τηλ κινητ καλέσ καλεσ 电话 電話 手机 手機 号码 號碼 致电 拨打 "
    "携帯 番号 전화 번호 휴대 연락 "
    "फ़ोन फोन मोबाइल नंबर नम्बर कॉल ফোন মোবাইল নম্বর போன் எண் ఫోన్ నంబర్ ഫോൺ ಫೋನ್ هاتف جوال موبايل رقم اتصل تلفن شماره "
    "טלפון נייד מספר โทร เบอร์"
).split()
_OWNERS = "my your his her our their new old work home office whose this the same".split()

_ANY = "|".join(sorted((regex.escape(word) for word in [*_STEMS, *_PHRASES]), key=len, reverse=True))
_PHONE = (
    rf"(?:(?<![^\W\d_])(?:{_ANY}|(?:{'|'.join(_OWNERS)}) (?:numbers?|num|nos?|digits))"
    rf"|{'|'.join(_OTHER_SCRIPTS)})[^\W\d_]*"
)
SAID_BEFORE = regex.compile(
    rf"{_PHONE}(?:[^\w.!?\n]|[.](?!\s+\p{{Lu}})){{0,6}}(?:[^\W\d]+(?:[^\w.!?\n]|[.](?!\s+\p{{Lu}})){{1,4}}){{0,6}}$",
    regex.IGNORECASE,
)
"""A word for a phone, and no more than six others, right before a number."""
LINKED = regex.compile(
    r"(?:(?<![^\W\d_])(?:at|on|is|are|me|us|him|her|them|my|no|nr|num|number|ist|lautet|unter|an|est|au|es|al|en|è|é|ao|no|"
    r"nummer|numéro|numero|número|op|to|pod|på)|[^\W\d_a-zà-öø-ÿ])\W{0,3}$",
    regex.IGNORECASE,
)
"""What leads from such a word to its number; any word of another script may."""
SAID_AFTER = regex.compile(
    rf"^[\s,)'’\"-]{{0,3}}(?:[^\W\d]+[^\w.!?\n]{{1,2}}){{0,4}}(?:number\b|{_PHONE})", regex.IGNORECASE
)
"""The same right after it."""
LABEL = regex.compile(
    rf"{_PHONE}[.]?(?:\W{{0,2}}(?:no|nr|num|number|me|us|is|ist|est|es|at|on))?\W{{0,4}}$", regex.IGNORECASE
)
"""A word for a phone as the label of what follows."""

_OTHERS = (
    "order orders contract project grant file plot form coords coordinates column invoice invoices inv bill track "
    "tracking parcel package shipment consignment awb ticket ref reference case incident request sku asin isbn issn "
    "doi ean upc gtin imei imsi iccid serial sn s/n part model item product article batch lot id ids uid pid gid "
    "account acct a/c ac iban transaction txn utr rrn pnr booking reservation confirmation policy claim vin meter "
    "licence license passport ssn nhs aadhaar aadhar pan vat tax ein npi card commit hash sha md5 checksum build "
    "version rev revision release port epoch time timestamp unix ts byte bytes size offset line row page pages pp "
    "vol chapter section zip postcode pincode amount total subtotal price sum balance budget revenue population "
    "seed rs inr usd eur gbp jpy chf aud cad score point points random salt key token nonce cost costs costing for "
    "paid pay worth about around over under than nearly almost emi least most only barcode ndc pmid arxiv patent "
    "job run exit error code pin otp bestellung bestellnummer bestell rechnung rechnungsnummer sendungsnummer "
    "commande facture pedido factura ordine fattura zamówienie заказ заказа 订单 订单号 単号 单号 注文番号 "
).split()
OTHERWISE = regex.compile(
    rf"(?:(?<![^\W\d_])(?:{'|'.join(sorted(map(regex.escape, _OTHERS), key=len, reverse=True))})"
    r"(?:[ _-]?(?:no|nr|num|number|numbers|id|ids|code|ref|key|at|date|nummer))?)"
    r"(?:[^\w\n.]{0,3}(?:no|nr|number|num|id|code|is|was|are|of|n°|nº|has|shows|says|eq)\b)?[.]?[^\w\n+(.]{0,5}$"
    r"|(?<![^\W\d_])(?:sum|total|amount|balance|average|count) (?:of|for|in)\b[^\d\n.!?]{0,24}$",
    regex.IGNORECASE,
)
"""A word for another kind of number as the label of what follows."""
UNIT = regex.compile(
    r"^[ \u00a0-]?(?:%|[kmgt]?i?b(?:ytes?|it/s|ps)?|bytes|ms|sec(?:onds)?|min|rows|records|users|people|items|views|"
    r"points?|times|tokens|k[mg]|m[lm]?|cm|eur|usd|inr|gbp|jpy|chf|dollars?|euros?|rupees?|pounds|yen|kr|zł|hz|px|"
    r"steps|votes|downloads)(?![^\W_])",
    regex.IGNORECASE,
)
"""What a number that counts or measures is followed by."""
