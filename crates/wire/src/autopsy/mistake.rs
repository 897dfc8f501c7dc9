//! The mistakes that can be named, each with how to mend it.

use std::fmt;

macro_rules! mistakes {
    ($($name:ident $id:literal $sentence:literal;)*) => {
        /// A known way to sign wrongly.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Mistake {
            $(#[doc = $sentence] $name,)*
        }

        impl Mistake {
            /// Every mistake, those of the signature first, then those of the key, then those of
            /// the text.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// A short name that stays the same for ever.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// What is wrong and how to mend it, in one line.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                }
            }
        }
    };
}

mistakes! {
    SignMissing "sign_missing"
        "There is no `sign`: sign the request and send the signature in `sign`.";
    SignTypeIllegal "sign_type_illegal"
        "`sign_type` is not MD5, RSA or RSA2: write one of these, in upper case.";
    SignTypeDiffers "sign_type_differs"
        "The signature is of another kind than `sign_type` says: name the kind that you sign with.";
    HashDiffers "hash_differs"
        "The hash inside the signature is not that of `sign_type`: RSA is SHA1withRSA, RSA2 is SHA256withRSA.";
    RawDigest "raw_digest"
        "The private key encrypted a bare digest: use the signing function of the library (PKCS#1 v1.5), which names the hash inside.";
    SignMalformed "sign_malformed"
        "The signature does not look like one of its kind: MD5 is 32 lower-case hex digits, RSA and RSA2 are Base64.";
    SignLength "sign_length"
        "The signature has another length than the registered key makes: it was cut short, or the key in use is not the registered one.";
    SignEncoded "sign_encoded"
        "The signature is URL-encoded once too often, so that `%2B` and the like are left in it: encode it once.";
    SignBlanks "sign_blanks"
        "The signature has blanks around it: trim it.";
    HexUpperCase "hex_upper_case"
        "The MD5 signature is in upper-case hex: write it in lower case.";
    HexTwice "hex_twice"
        "The MD5 signature was turned into hex twice: send the 32 digits as they are.";
    DigestInBase64 "digest_in_base64"
        "The MD5 signature is in Base64: send it as 32 lower-case hex digits.";
    SignatureInHex "signature_in_hex"
        "The RSA signature is in hex: send it in Base64.";
    Base64Twice "base64_twice"
        "The RSA signature was turned into Base64 twice: do it once.";
    Base64UrlSafe "base64_url_safe"
        "The RSA signature is in the URL-safe Base64 with `-` and `_`: use the standard one with `+` and `/`, then URL-encode it.";
    KeyMissing "key_missing"
        "The MD5 is over the text alone: append the key to the text before hashing.";
    KeySeparator "key_separator"
        "Something stands between the text and the MD5 key: append the key directly, without `&` or `key=`.";
    KeyFirst "key_first"
        "The MD5 key stands before the text: append it at the end.";
    KeyBlank "key_blank"
        "The MD5 key has a blank or a line break at an end: trim the key where it is configured.";
    KeyCase "key_case"
        "The MD5 key was used in another case: use it exactly as it was issued.";
    KeyOfOtherSide "key_of_other_side"
        "The signature belongs to the key of the other side: sign with your own private key, and verify with the gateway's public key.";
    KeyOfOtherPartner "key_of_other_partner"
        "The signature belongs to the key of another partner: use the key of the partner id that is sent, of the same environment.";
    KeyNotInForce "key_not_in_force"
        "The key is not one that is in force for this partner: register it, or use the registered one.";
    KeyFormat "key_format"
        "The key is not in a form that can be used: check what it is (PKCS#1, PKCS#8, certificate, public or private) and convert it.";
    CharsetNotSent "charset_not_sent"
        "No `_input_charset` arrived: put it into the query of the URL, also when the rest is in the body.";
    CharsetNotSigned "charset_not_signed"
        "`_input_charset` was sent but not signed: it belongs to the signed text, also when it stands in the URL.";
    CharsetLabelDiffers "charset_label_differs"
        "`_input_charset` was signed with another value than was sent: sign the very letters that are sent.";
    CharsetDiffers "charset_differs"
        "The text was signed in another charset than it was sent in: sign the bytes of the charset that `_input_charset` names.";
    SignTypeSigned "sign_type_signed"
        "`sign_type` is in the signed text: leave `sign` and `sign_type` out before signing.";
    SignSigned "sign_signed"
        "An empty `sign` is in the signed text: leave `sign` and `sign_type` out before signing.";
    OrderWrong "order_wrong"
        "The parameters are in another order: sort them by the bytes of their names, ascending, so that `_` stands before small letters.";
    ValuesEncoded "values_encoded"
        "The values were URL-encoded before signing: sign the raw values and encode afterwards.";
    EncodedTwice "encoded_twice"
        "The values were URL-encoded twice on the way: encode them once.";
    NotEncoded "not_encoded"
        "A value was sent without URL-encoding, so that its `&` or `+` was taken for syntax: encode every value.";
    ValuesQuoted "values_quoted"
        "The values were signed in double quotes: sign them bare.";
    EntityDamage "entity_damage"
        "HTML entities damaged the text (`&notify_url` turns into `\u{AC}ify_url`, `&` into `&amp;`): do not pass the text through HTML.";
    ParameterDoubled "parameter_doubled"
        "A parameter was sent twice with different values: send each parameter once.";
    ParameterAdded "parameter_added"
        "A parameter was sent that was not signed: sign after the last parameter is in place.";
    DecimalChanged "decimal_changed"
        "A decimal was written differently when it was sent: format it once, as text, before signing.";
    JsonChanged "json_changed"
        "A JSON value was written differently when it was sent: serialise it once and use that text for both.";
    BlanksChanged "blanks_changed"
        "Blanks or line breaks of a value were trimmed, added or changed after signing: clean values before signing.";
    EmptiesKept "empties_kept"
        "Empty values are in the signed text: drop parameters without a value before signing.";
    TextDiffers "text_differs"
        "The signature is sound, but it covers another text: compare the text that you sign with the one shown, byte by byte.";
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Certainty {
    /// The signature itself shows it: with the mistake repeated, it verifies.
    Proven,
    /// The signature or the key has a shape that hardly anything else explains.
    Likely,
    /// It would explain what is seen, and so would other things.
    Possible,
}

impl Certainty {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mistake and where it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cause {
    pub(super) mistake: Mistake,
    pub(super) detail: String,
}

impl Cause {
    pub(super) fn new(mistake: Mistake, detail: impl Into<String>) -> Self {
        Self {
            mistake,
            detail: detail.into(),
        }
    }
}
