use proptest::prelude::*;

use super::*;
use crate::form::encode_pair;
use crate::signature::Signer;

const MD5_KEY: &str = "0123456789abcdefGHIJKLMNOPQRSTUV";
const OTHER_MD5_KEY: &str = "ponmlkjihgfedcba9876543210ZYXWVU";

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../tests/keys/", $name))
    };
}

fn md5_key() -> Md5Key {
    MD5_KEY.parse().unwrap()
}

fn private(pem: &str) -> PrivateKey {
    pem.parse().unwrap()
}

fn own_private() -> PrivateKey {
    private(file!("rsa2048.pkcs8.pem"))
}

fn signers() -> [Signer; 3] {
    let key = own_private();
    [
        Signer::Md5(md5_key()),
        Signer::Rsa(key.clone()),
        Signer::Rsa2(key),
    ]
}

/// What each test knows: one key of each kind in force, and others of each owner.
struct World {
    md5: Vec<Md5Key>,
    rsa: Vec<PublicKey>,
    others: Vec<OtherKey>,
}

impl World {
    fn new() -> Self {
        let rsa = |pem| Key::Rsa(private(pem).public_key().clone());
        let other = |name: &str, owner, key| OtherKey {
            name: name.to_owned(),
            owner,
            key,
        };
        Self {
            md5: vec![md5_key()],
            rsa: vec![own_private().public_key().clone()],
            others: vec![
                other(
                    "the gateway",
                    Owner::OtherSide,
                    rsa(file!("rsa1024.pkcs8.pem")),
                ),
                other(
                    "dim-sum",
                    Owner::OtherPartner,
                    rsa(file!("rsa3072.pkcs8.pem")),
                ),
                other(
                    "dim-sum",
                    Owner::OtherPartner,
                    Key::Md5(OTHER_MD5_KEY.parse().unwrap()),
                ),
            ],
        }
    }

    fn ring(&self) -> KeyRing<'_> {
        KeyRing {
            md5: &self.md5,
            rsa: &self.rsa,
            others: &self.others,
            ..KeyRing::default()
        }
    }

    fn examine(&self, query: &str, body: &str) -> Autopsy {
        examine(
            &Evidence::request(query.as_bytes(), body.as_bytes()),
            &self.ring(),
        )
    }
}

type Params = Vec<(&'static str, &'static str)>;

const JSON: &str = r#"{"secondary_merchant_name":"Tea & Co","store_id":"S/1","a":"茶"}"#;

/// A request in the order in which a program may send it.
fn params() -> Params {
    vec![
        ("service", "alipay.acquire.overseas.spot.pay"),
        ("partner", "2088000000000001"),
        ("_input_charset", "UTF-8"),
        ("partner_trans_id", "T1"),
        ("trans_amount", "39.30"),
        ("trans_name", "Tea 茶 + more"),
        ("extend_info", JSON),
        ("notify_url", "http://shop.example/n?a=1"),
        ("memo", ""),
        ("currency", "HKD"),
        ("transName", "x"),
    ]
}

fn with(change: impl FnOnce(&mut Params)) -> Params {
    let mut params = params();
    change(&mut params);
    params
}

fn set(name: &'static str, value: &'static str) -> Params {
    with(|params| {
        params.retain(|(known, _)| *known != name);
        params.push((name, value));
    })
}

/// Sorted and joined, without empty values.
fn join(params: &Params) -> String {
    let mut params = params.clone();
    params.sort();
    join_as_is(
        &params
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
    )
}

fn join_as_is(params: &Params) -> String {
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn join_mapped(map: impl Fn(&str) -> String) -> String {
    let mut params = params();
    params.sort();
    let pairs = params.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={}", map(value)))
        .collect();
    pairs.join("&")
}

fn send(charset: Charset, params: &Params, sign: &str, sign_type: &str) -> String {
    let mut body = String::new();
    for (name, value) in params {
        encode_pair(charset, name, value, &mut body);
    }
    encode_pair(charset, "sign", sign, &mut body);
    encode_pair(charset, "sign_type", sign_type, &mut body);
    body
}

#[track_caller]
fn first(autopsy: &Autopsy) -> &Finding {
    match &autopsy.verdict {
        Verdict::Mistake(findings) => &findings[0],
        Verdict::Verifies(_) | Verdict::Unexplained => panic!("{}", autopsy.report()),
    }
}

#[track_caller]
fn mistakes(autopsy: &Autopsy) -> Vec<Mistake> {
    match &autopsy.verdict {
        Verdict::Mistake(findings) => findings.iter().map(|finding| finding.mistake).collect(),
        Verdict::Verifies(_) | Verdict::Unexplained => panic!("{}", autopsy.report()),
    }
}

fn percent(value: &str, kept: &str, plus: bool, upper: bool) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        let letter = char::from(byte);
        match byte {
            b' ' if plus => out.push('+'),
            _ if letter.is_ascii_alphanumeric() || (byte.is_ascii() && kept.contains(letter)) => {
                out.push(letter)
            }
            _ if upper => out.push_str(&format!("%{byte:02X}")),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

fn replaced(from: &str, to: &str) -> String {
    let text = join(&params());
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

// The mistakes of the text have a file of their own.
#[path = "autopsy/text_tests.rs"]
mod text;

// Goal: ways to use the MD5 key wrongly; none of them shows the key.
#[test]
fn md5_key_mistakes() {
    let world = World::new();
    let text = join(&params());
    let md5 = |text: &str| seal::to_hex(&seal::Hash::Md5.digest(text.as_bytes()));
    for (mistake, hashed) in [
        (Mistake::KeyMissing, text.clone()),
        (Mistake::KeySeparator, format!("{text}&key={MD5_KEY}")),
        (Mistake::KeySeparator, format!("{text}&{MD5_KEY}")),
        (Mistake::KeyFirst, format!("{MD5_KEY}{text}")),
        (Mistake::KeyBlank, format!("{text}{MD5_KEY} ")),
        (Mistake::KeyBlank, format!("{text}{MD5_KEY}\n")),
        (Mistake::KeyBlank, format!("{text}{MD5_KEY}\r\n")),
        (Mistake::KeyBlank, format!("{text}\u{FEFF}{MD5_KEY}")),
        (
            Mistake::KeyCase,
            format!("{text}{}", MD5_KEY.to_lowercase()),
        ),
        (
            Mistake::KeyCase,
            format!("{text}{}", MD5_KEY.to_uppercase()),
        ),
        (Mistake::KeyOfOtherPartner, format!("{text}{OTHER_MD5_KEY}")),
    ] {
        let body = send(Charset::Utf8, &params(), &md5(&hashed), "MD5");
        let autopsy = world.examine("", &body);
        assert_eq!(mistakes(&autopsy), [mistake], "{}", autopsy.report());
        let finding = first(&autopsy);
        assert_eq!(
            (finding.certainty, &finding.theirs),
            (Certainty::Proven, &None)
        );
        let shown = format!("{} {:?} {autopsy:?}", autopsy.report(), autopsy.summary());
        assert!(
            !shown.contains(MD5_KEY) && !shown.contains(OTHER_MD5_KEY),
            "{shown}"
        );
    }
    for (configured, mistake) in [
        (format!("{MD5_KEY}  \n"), Mistake::KeyBlank),
        (format!("\t{MD5_KEY}"), Mistake::KeyBlank),
        ("x".repeat(32), Mistake::KeyNotInForce),
        (format!("{}\n", "x".repeat(32)), Mistake::KeyNotInForce),
        (MD5_KEY[..31].to_owned(), Mistake::KeyNotInForce),
    ] {
        let body = send(
            Charset::Utf8,
            &params(),
            &md5(&format!("{text}{configured}")),
            "MD5",
        );
        let ring = KeyRing {
            md5_key_text: Some(&configured),
            ..world.ring()
        };
        let autopsy = examine(&Evidence::request(b"", body.as_bytes()), &ring);
        assert_eq!(mistakes(&autopsy), [mistake], "{configured:?}");
        assert_eq!(first(&autopsy).certainty, Certainty::Proven);
        assert!(!autopsy.report().contains(configured.trim()));
    }
}

// Goal: spellings of a right signature that the verifier does not read.
#[test]
fn spellings_of_the_sign() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let world = World::new();
    let text = join(&params());
    let [md5, rsa, rsa2] = signers().map(|signer| signer.sign(text.as_bytes()));
    let raw = STANDARD.decode(&rsa2).unwrap();
    let hex = |bytes: &[u8]| seal::to_hex(bytes);
    let encoded = percent(&rsa, "", false, true);
    assert!(encoded.contains('%'));
    for (sign_type, sign, mistake) in [
        ("MD5", md5.to_uppercase(), Mistake::HexUpperCase),
        ("MD5", hex(md5.as_bytes()), Mistake::HexTwice),
        (
            "MD5",
            STANDARD.encode(seal::Hash::Md5.digest(format!("{text}{MD5_KEY}").as_bytes())),
            Mistake::DigestInBase64,
        ),
        ("MD5", STANDARD.encode(&md5), Mistake::DigestInBase64),
        ("MD5", format!("{md5}\n"), Mistake::SignBlanks),
        ("RSA", encoded, Mistake::SignEncoded),
        (
            "RSA2",
            percent(&rsa2, "", false, false),
            Mistake::SignEncoded,
        ),
        ("RSA2", hex(&raw), Mistake::SignatureInHex),
        ("RSA2", STANDARD.encode(&rsa2), Mistake::Base64Twice),
        (
            "RSA2",
            rsa2.replace('+', "-").replace('/', "_"),
            Mistake::Base64UrlSafe,
        ),
        ("RSA2", rsa.clone(), Mistake::HashDiffers),
        ("RSA", rsa2.clone(), Mistake::HashDiffers),
        ("RSA", md5.clone(), Mistake::SignTypeDiffers),
        ("RSA2", md5.clone(), Mistake::SignTypeDiffers),
        ("MD5", rsa2.clone(), Mistake::SignTypeDiffers),
        ("rsa2", rsa2.clone(), Mistake::SignTypeIllegal),
        ("md5", md5.clone(), Mistake::SignTypeIllegal),
        ("", md5.clone(), Mistake::SignTypeIllegal),
        ("DSA", rsa.clone(), Mistake::SignTypeIllegal),
        ("MD5", String::new(), Mistake::SignMissing),
    ] {
        let body = send(Charset::Utf8, &params(), &sign, sign_type);
        let autopsy = world.examine("", &body);
        let finding = first(&autopsy);
        assert_eq!(
            (finding.mistake, finding.certainty),
            (mistake, Certainty::Proven),
            "{sign_type} {sign}\n{}",
            autopsy.report()
        );
        let alone = mistakes(&autopsy).len() == 1;
        assert!(
            alone || mistake == Mistake::SignTypeIllegal,
            "{}",
            autopsy.report()
        );
    }
    // What the verifier forgives is no mistake.
    for sign in [
        rsa2.replace('+', " "),
        rsa2.trim_end_matches('=').to_owned(),
        format!("{rsa2}\n"),
    ] {
        let body = send(Charset::Utf8, &params(), &sign, "RSA2");
        assert_eq!(
            world.examine("", &body).verdict,
            Verdict::Verifies(Spelling::Usual)
        );
    }
}

// Goal: a signature by another known key is proven, whatever its text.
#[test]
fn rsa_key_mistakes() {
    let world = World::new();
    for text in [join(&params()), "no text that anybody sent".to_owned()] {
        for (pem, mistake) in [
            (file!("rsa1024.pkcs8.pem"), Mistake::KeyOfOtherSide),
            (file!("rsa3072.pkcs8.pem"), Mistake::KeyOfOtherPartner),
            (file!("rsa4096.pkcs8.pem"), Mistake::KeyNotInForce),
        ] {
            for signer in [Signer::Rsa(private(pem)), Signer::Rsa2(private(pem))] {
                let sign_type = signer.sign_type().as_str();
                let body = send(
                    Charset::Utf8,
                    &params(),
                    &signer.sign(text.as_bytes()),
                    sign_type,
                );
                let ring = KeyRing {
                    rsa_key_text: Some(file!("rsa4096.pkcs8.pem")),
                    ..world.ring()
                };
                let autopsy = examine(&Evidence::request(b"", body.as_bytes()), &ring);
                let finding = first(&autopsy);
                assert_eq!(
                    (finding.mistake, finding.certainty),
                    (mistake, Certainty::Proven),
                    "{}",
                    autopsy.report()
                );
            }
        }
        for signer in signers().into_iter().skip(1) {
            let sign_type = signer.sign_type().as_str();
            let body = send(
                Charset::Utf8,
                &params(),
                &signer.sign(text.as_bytes()),
                sign_type,
            );
            let autopsy = world.examine("", &body);
            if text == join(&params()) {
                assert_eq!(autopsy.verdict, Verdict::Verifies(Spelling::Usual));
            } else {
                assert_eq!(
                    mistakes(&autopsy),
                    [Mistake::TextDiffers],
                    "{}",
                    autopsy.report()
                );
            }
        }
    }
}

// Goal: a digest that was encrypted and not signed is told from a signature.
#[test]
fn raw_digests() {
    use base64::Engine as _;
    use rsa::pkcs8::DecodePrivateKey as _;
    let world = World::new();
    let key = rsa::PrivateKey::from_pkcs8_pem(file!("rsa2048.pkcs8.pem")).unwrap();
    let scheme = rsa::Pkcs1v15Sign {
        hash_len: Some(32),
        prefix: [].into(),
    };
    let digest = seal::Hash::Sha256.digest(join(&params()).as_bytes());
    let signature = key.sign(scheme, &digest).unwrap();
    let sign = base64::engine::general_purpose::STANDARD.encode(signature);
    let autopsy = world.examine("", &send(Charset::Utf8, &params(), &sign, "RSA2"));
    assert_eq!(
        mistakes(&autopsy),
        [Mistake::RawDigest],
        "{}",
        autopsy.report()
    );
}

// Goal: what only the shape of signature and keys tells is likely, and not proven.
#[test]
fn shapes() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let world = World::new();
    let of_size = |size: usize| STANDARD.encode(vec![0x85; size]);
    let pkcs1 = file!("rsa2048.pkcs1.pem");
    let relabelled = pkcs1.replace("RSA PRIVATE", "PRIVATE");
    for (sign_type, sign, key_text, wanted) in [
        (
            "MD5",
            "nonsense".to_owned(),
            None,
            Some(Mistake::SignMalformed),
        ),
        (
            "RSA2",
            "nonsense!".to_owned(),
            None,
            Some(Mistake::SignMalformed),
        ),
        ("RSA2", "a".repeat(32), None, Some(Mistake::SignTypeDiffers)),
        ("MD5", of_size(256), None, Some(Mistake::SignTypeDiffers)),
        ("RSA2", of_size(255), None, Some(Mistake::SignLength)),
        ("RSA2", of_size(128), None, Some(Mistake::SignLength)),
        ("RSA2", of_size(256), None, None),
        (
            "RSA2",
            of_size(256),
            Some(file!("certificate.pem")),
            Some(Mistake::KeyFormat),
        ),
        (
            "RSA2",
            of_size(256),
            Some("not a key"),
            Some(Mistake::KeyFormat),
        ),
        (
            "RSA2",
            of_size(256),
            Some(relabelled.as_str()),
            Some(Mistake::KeyFormat),
        ),
        ("RSA2", of_size(256), Some(pkcs1), None),
        ("RSA2", of_size(256), Some(file!("rsa2048.pkcs8.pem")), None),
        (
            "RSA2",
            of_size(256),
            Some(file!("rsa4096.pkcs8.pem")),
            Some(Mistake::KeyNotInForce),
        ),
        (
            "RSA2",
            of_size(256),
            Some(file!("rsa1024.spki.pem")),
            Some(Mistake::KeyOfOtherSide),
        ),
        (
            "RSA2",
            of_size(256),
            Some(file!("rsa3072.pkcs8.pem")),
            Some(Mistake::KeyOfOtherPartner),
        ),
        (
            "MD5",
            "0".repeat(32),
            Some("0123"),
            Some(Mistake::KeyFormat),
        ),
        (
            "MD5",
            "0".repeat(32),
            Some("0123456789abcdefGHIJKLMNOPQRSTUV "),
            Some(Mistake::KeyBlank),
        ),
        (
            "MD5",
            "0".repeat(32),
            Some("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
            Some(Mistake::KeyNotInForce),
        ),
        ("MD5", "0".repeat(32), None, None),
    ] {
        let body = send(Charset::Utf8, &params(), &sign, sign_type);
        let ring = KeyRing {
            md5_key_text: key_text.filter(|_| sign_type == "MD5"),
            rsa_key_text: key_text.filter(|_| sign_type != "MD5"),
            ..world.ring()
        };
        let autopsy = examine(&Evidence::request(b"", body.as_bytes()), &ring);
        match wanted {
            None => {
                assert_eq!(
                    autopsy.verdict,
                    Verdict::Unexplained,
                    "{}",
                    autopsy.report()
                );
                assert_eq!(autopsy.summary(), None);
            }
            Some(wanted) => {
                let finding = first(&autopsy);
                assert_eq!(
                    (finding.mistake, finding.certainty),
                    (wanted, Certainty::Likely),
                    "{}",
                    autopsy.report()
                );
            }
        }
    }
}

// Goal: two mistakes at once are both named.
#[test]
fn pairs_of_mistakes() {
    let world = World::new();
    let kept = {
        let mut params = params();
        params.sort();
        join_as_is(&params)
    };
    let gbk = |text: &str| Charset::Gbk.encode(text).into_owned();
    let filled: Params = params()
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    for (signed, wanted) in [
        (
            join_as_is(&params()).into_bytes(),
            vec![Mistake::EmptiesKept, Mistake::OrderWrong],
        ),
        (
            gbk(&kept),
            vec![Mistake::CharsetDiffers, Mistake::EmptiesKept],
        ),
        (
            gbk(&join_as_is(&filled)),
            vec![Mistake::CharsetDiffers, Mistake::OrderWrong],
        ),
        (
            gbk(&join_as_is(&params())),
            vec![
                Mistake::CharsetDiffers,
                Mistake::EmptiesKept,
                Mistake::OrderWrong,
            ],
        ),
        (
            replaced("39.30", "39.3")
                .replace("&currency=HKD", "")
                .into_bytes(),
            vec![Mistake::DecimalChanged, Mistake::ParameterAdded],
        ),
        (
            join(&params())
                .replace("_input_charset=UTF-8&", "")
                .replace('茶', "?")
                .into_bytes(),
            vec![Mistake::CharsetDiffers, Mistake::CharsetNotSigned],
        ),
    ] {
        for signer in signers() {
            let body = send(
                Charset::Utf8,
                &params(),
                &signer.sign(&signed),
                signer.sign_type().as_str(),
            );
            let autopsy = world.examine("", &body);
            let mut found = mistakes(&autopsy);
            found.sort_by_key(|mistake| mistake.as_str());
            assert_eq!(found, wanted, "{}", autopsy.report());
        }
    }
    // A mistake of the key besides one of the text.
    let text = replaced("&transName", "&sign_type=MD5&transName");
    let sign = seal::to_hex(&seal::Hash::Md5.digest(format!("{text}&key={MD5_KEY}").as_bytes()))
        .to_uppercase();
    let autopsy = world.examine("", &send(Charset::Utf8, &params(), &sign, "MD5"));
    assert_eq!(
        mistakes(&autopsy),
        [
            Mistake::HexUpperCase,
            Mistake::KeySeparator,
            Mistake::SignTypeSigned
        ]
    );
}

// Goal: empty values are taken in a request and not in a notification.
#[test]
fn empties_kept() {
    let world = World::new();
    let mut sorted = params();
    sorted.sort();
    for signer in signers() {
        let body = send(
            Charset::Utf8,
            &params(),
            &signer.sign(join_as_is(&sorted).as_bytes()),
            signer.sign_type().as_str(),
        );
        assert_eq!(
            world.examine("", &body).verdict,
            Verdict::Verifies(Spelling::EmptiesKept)
        );
        let autopsy = examine(
            &Evidence::notification(Charset::Utf8, body.as_bytes()),
            &world.ring(),
        );
        assert_eq!(mistakes(&autopsy), [Mistake::EmptiesKept]);
    }
}

// Goal: the report shows both texts and marks where they part.
#[test]
fn report() {
    let world = World::new();
    let sent: Params = vec![("_input_charset", "UTF-8"), ("name", "茶"), ("z", "1")];
    let text = "_input_charset=UTF-8&name=茶&sign_type=MD5&z=1";
    let sign = Signer::Md5(md5_key()).sign(text.as_bytes());
    let autopsy = world.examine("", &send(Charset::Utf8, &sent, &sign, "MD5"));
    assert_eq!(
        autopsy.report(),
        r"Signed by the rule, 33 bytes:
  _input_charset=UTF-8&name=\xE8\x8C\xB6&z=1
sign_type: MD5
What was signed, 47 bytes:
  _input_charset=UTF-8&name=\xE8\x8C\xB6&sign_type=MD5&z=1
First difference at byte 30: 7A by the rule, 73 in what was signed
  rule   ..._charset=UTF-8&name=\xE8\x8C\xB6&z=1
  signed ..._charset=UTF-8&name=\xE8\x8C\xB6&sign_type=MD5&z=1
                                             ^
Verdict: the signature is wrong.
  sign_type_signed (proven): `sign_type` is in the signed text: leave `sign` and `sign_type` out before signing.
    `sign_type=` stands in the signed text
"
    );
    assert_eq!(
        autopsy.summary().unwrap(),
        "`sign_type` is in the signed text: leave `sign` and `sign_type` out before signing. (proven; `sign_type=` stands in the signed text)"
    );
}

// Goal: a key that stands in the form is masked too.
#[test]
fn a_key_in_the_form_is_masked() {
    let world = World::new();
    let text = format!("a=1&key={MD5_KEY}&sign_type=MD5");
    let sign = Signer::Md5(md5_key()).sign(text.as_bytes());
    let body = format!("a=1&key={MD5_KEY}&sign={sign}&sign_type=MD5");
    let autopsy = world.examine("", &body);
    assert_eq!(mistakes(&autopsy), [Mistake::SignTypeSigned]);
    assert!(
        !autopsy.report().contains(&MD5_KEY[..8]),
        "{}",
        autopsy.report()
    );
    assert!(autopsy.report().contains("key=********"));
}

// Goal: ids are stable names without doubles, sentences are one line.
#[test]
fn names() {
    let ids: BTreeSet<&str> = Mistake::ALL
        .iter()
        .map(|mistake| mistake.as_str())
        .collect();
    assert_eq!(ids.len(), Mistake::ALL.len());
    for mistake in Mistake::ALL {
        let id = mistake.as_str();
        assert!(
            id.bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{id}"
        );
        let sentence = mistake.sentence();
        assert!(
            sentence.ends_with('.') && !sentence.contains('\n'),
            "{sentence}"
        );
    }
    let world = World::new();
    let large = "a=".to_owned() + &"x".repeat(FORM_BYTES_MAX);
    assert_eq!(world.examine("", &large).verdict, Verdict::Unexplained);
    assert!(matches!(world.examine("", "").verdict, Verdict::Mistake(_)));
}

// Goal: a hostile form costs little.
#[test]
fn many_pieces() {
    let world = World::new();
    let sign = "&sign=00000000000000000000000000000000&sign_type=MD5";
    for piece in ["a&", "a=%2B&a=&", "a={\"b\":[]}&amp;"] {
        let count = (FORM_BYTES_MAX - sign.len()) / piece.len();
        let body = format!("{}{sign}", piece.repeat(count));
        assert_eq!(world.examine("", &body).verdict, Verdict::Unexplained);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    // Goal: nothing is made up for a signature that has the right shape and fits nothing.
    #[test]
    fn garbage_is_unexplained(digest: [u8; 16], half: [u8; 32], values in prop::collection::vec("\\PC{0,12}", 1..6)) {
        use base64::Engine as _;
        let world = World::new();
        let mut body = String::new();
        for (index, value) in values.iter().enumerate() {
            encode_pair(Charset::Utf8, &format!("p{index}"), value, &mut body);
        }
        let signature = base64::engine::general_purpose::STANDARD.encode(half.repeat(8));
        for (sign, sign_type) in [(seal::to_hex(&digest), "MD5"), (signature.clone(), "RSA"), (signature, "RSA2")] {
            let mut body = body.clone();
            encode_pair(Charset::Utf8, "sign", &sign, &mut body);
            encode_pair(Charset::Utf8, "sign_type", sign_type, &mut body);
            let autopsy = world.examine("_input_charset=UTF-8", &body);
            prop_assert_eq!(&autopsy.verdict, &Verdict::Unexplained);
            prop_assert!(!autopsy.report().contains(MD5_KEY));
        }
    }

    // Goal: what is signed rightly verifies, whatever it holds.
    #[test]
    fn good_requests_verify(values in prop::collection::vec("\\PC{0,12}", 1..6), which in 0_usize..3, gbk: bool) {
        let world = World::new();
        let signer = &signers()[which];
        let charset = if gbk { Charset::Gbk } else { Charset::Utf8 };
        let names: Vec<String> = (0..values.len()).map(|index| format!("p{index}")).collect();
        let request = crate::request::sign(charset, names.iter().zip(&values), signer);
        let autopsy = world.examine(&request.query, &request.body);
        prop_assert_eq!(autopsy.verdict, Verdict::Verifies(Spelling::Usual));
    }

    // Goal: no bytes are too strange, and both roads to the signed text agree (an assertion inside).
    #[test]
    fn any_bytes_are_examined(query in "[a&=%+ _;2C]{0,20}", body: Vec<u8>) {
        let world = World::new();
        let mut body = body;
        body.extend_from_slice(b"&sign=00000000000000000000000000000000&sign_type=MD5");
        let autopsy = examine(&Evidence::request(query.as_bytes(), &body), &world.ring());
        prop_assert!(!autopsy.report().is_empty());
    }
}
