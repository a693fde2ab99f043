"""The entities there are, and what recognizes each. Names only: nothing heavy is imported here."""

from __future__ import annotations

PATTERN_RECOGNIZERS: dict[str, str] = {
    "ABA_ROUTING_NUMBER": "AbaRoutingRecognizer",
    "AU_ABN": "AuAbnRecognizer",
    "AU_ACN": "AuAcnRecognizer",
    "AU_MEDICARE": "AuMedicareRecognizer",
    "AU_TFN": "AuTfnRecognizer",
    "CREDIT_CARD": "CreditCardRecognizer",
    "CRYPTO": "CryptoRecognizer",
    "EMAIL_ADDRESS": "EmailRecognizer",
    "ES_NIE": "EsNieRecognizer",
    "ES_NIF": "EsNifRecognizer",
    "FI_PERSONAL_IDENTITY_CODE": "FiPersonalIdentityCodeRecognizer",
    "IBAN_CODE": "IbanRecognizer",
    "IN_AADHAAR": "InAadhaarRecognizer",
    "IN_GSTIN": "InGstinRecognizer",
    "IN_PAN": "InPanRecognizer",
    "IN_PASSPORT": "InPassportRecognizer",
    "IN_VEHICLE_REGISTRATION": "InVehicleRegistrationRecognizer",
    "IN_VOTER": "InVoterRecognizer",
    "IP_ADDRESS": "IpRecognizer",
    "IT_DRIVER_LICENSE": "ItDriverLicenseRecognizer",
    "IT_FISCAL_CODE": "ItFiscalCodeRecognizer",
    "IT_IDENTITY_CARD": "ItIdentityCardRecognizer",
    "IT_PASSPORT": "ItPassportRecognizer",
    "IT_VAT_CODE": "ItVatCodeRecognizer",
    "KR_BRN": "KrBrnRecognizer",
    "KR_DRIVER_LICENSE": "KrDriverLicenseRecognizer",
    "KR_FRN": "KrFrnRecognizer",
    "KR_PASSPORT": "KrPassportRecognizer",
    "KR_RRN": "KrRrnRecognizer",
    "MAC_ADDRESS": "MacAddressRecognizer",
    "MEDICAL_LICENSE": "MedicalLicenseRecognizer",
    "NG_NIN": "NgNinRecognizer",
    "NG_VEHICLE_REGISTRATION": "NgVehicleRegistrationRecognizer",
    "PL_PESEL": "PlPeselRecognizer",
    "SG_NRIC_FIN": "SgFinRecognizer",
    "SG_UEN": "SgUenRecognizer",
    "TH_TNIN": "ThTninRecognizer",
    "UK_NHS": "NhsRecognizer",
    "UK_NINO": "UkNinoRecognizer",
    "UK_PASSPORT": "UkPassportRecognizer",
    "UK_POSTCODE": "UkPostcodeRecognizer",
    "UK_VEHICLE_REGISTRATION": "UkVehicleRegistrationRecognizer",
    "URL": "UrlRecognizer",
    "US_BANK_NUMBER": "UsBankRecognizer",
    "US_DRIVER_LICENSE": "UsLicenseRecognizer",
    "US_ITIN": "UsItinRecognizer",
    "US_MBI": "UsMbiRecognizer",
    "US_NPI": "UsNpiRecognizer",
    "US_PASSPORT": "UsPassportRecognizer",
    "US_SSN": "UsSsnRecognizer",
}
"""Entities that Presidio's pattern recognizers find, and the class of each."""

OWN_RECOGNIZERS: dict[str, str] = {"DOMAIN_NAME": "DomainRecognizer"}
"""Entities that Presidio has no recognizer for, and the class in `detect.custom` of each."""

PROFILE_RECOGNIZERS: frozenset[str] = frozenset(
    {
        "API_KEY",
        "CARD_TRACK_DATA",
        "CARD_VERIFICATION_CODE",
        "CREDIT_CARD",
        "EMAIL_REFERENCE",
        "IDENTITY_DOCUMENT",
        "IN_AADHAAR",
        "IN_BANK_ACCOUNT",
        "IN_IFSC",
        "IN_PAN",
        "IN_UPI_ID",
        "IP_ADDRESS",
        "JWT",
        "OTP",
        "PASSPORT_MRZ",
        "PHONE_REFERENCE",
        "PRIVATE_KEY",
        "UK_NHS",
    }
)
"""Entities that the profile `proxy-guard` finds in its own way (`detect.own`), some of which Presidio finds too."""

PHONE = "PHONE_NUMBER"

NER_LABELS: dict[str, frozenset[str]] = {
    "PERSON": frozenset({"PER", "PERSON"}),
    "LOCATION": frozenset({"LOC", "GPE", "FAC", "LOCATION"}),
    "NRP": frozenset({"NORP"}),
    "DATE_TIME": frozenset({"DATE", "TIME"}),
}
"""Entities that need a language model, and its labels for them (as Presidio maps them)."""

ENTITIES: frozenset[str] = frozenset({*PATTERN_RECOGNIZERS, *OWN_RECOGNIZERS, *PROFILE_RECOGNIZERS, PHONE, *NER_LABELS})

OTHER_COUNTRIES: frozenset[str] = frozenset({"AU", "ES", "FI", "IT", "KR", "NG", "PL", "SG", "TH"})
"""Countries other than those whose phone numbers are read without a country code (India, UK, US)."""

REFERENCES: frozenset[str] = frozenset({"EMAIL_REFERENCE", "PHONE_REFERENCE"})
"""What `pseudonymize` puts in place of an address and a number: no data of a person's, but what `resolve` looks for."""

DOCUMENTS: frozenset[str] = frozenset({"IDENTITY_DOCUMENT"})
"""Said of a whole document: the finding is all of its text; in a stream, all that has not passed when it is told."""

DEFAULT_ENTITIES: frozenset[str] = frozenset(
    each for each in ENTITIES - REFERENCES - DOCUMENTS if each.partition("_")[0] not in OTHER_COUNTRIES
)
"""What is looked for where nothing is named. The numbers of other countries are taken for each other and for orders'
and dates', so each is looked for where it is named only, as are DOCUMENTS."""
