//! Mistakes that change the signed text.

use super::*;

/// What was sent and what was signed of it.
struct Case {
    mistake: Mistake,
    sent: Params,
    signed: Vec<u8>,
}

fn case(mistake: Mistake, sent: Params, signed: impl Into<Vec<u8>>) -> Case {
    Case {
        mistake,
        sent,
        signed: signed.into(),
    }
}

fn sorted_by(key: impl Fn(&str) -> String) -> String {
    let mut params: Params = params()
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    params.sort_by_key(|(name, _)| key(name));
    join_as_is(&params)
}

fn set_cases() -> Vec<Case> {
    let plus = |name, value| join(&with(|params| params.push((name, value))));
    vec![
        case(Mistake::SignTypeSigned, params(), "sign_type"),
        case(
            Mistake::SignSigned,
            params(),
            replaced("&transName", "&sign=&transName"),
        ),
        case(
            Mistake::ParameterAdded,
            params(),
            replaced("&partner_trans_id=T1", ""),
        ),
        case(
            Mistake::ParameterAdded,
            params(),
            replaced("&notify_url=http://shop.example/n?a=1", "").replace("&currency=HKD", ""),
        ),
        case(
            Mistake::CharsetNotSigned,
            params(),
            replaced("_input_charset=UTF-8&", ""),
        ),
        case(
            Mistake::CharsetLabelDiffers,
            params(),
            replaced("UTF-8", "utf-8"),
        ),
        case(
            Mistake::CharsetNotSent,
            with(|params| params.retain(|(name, _)| *name != "_input_charset")),
            join(&params()),
        ),
        case(
            Mistake::ParameterDoubled,
            with(|params| params.push(("partner_trans_id", "T2"))),
            join(&set("partner_trans_id", "T2")),
        ),
        case(
            Mistake::ParameterDoubled,
            with(|params| params.push(("partner_trans_id", "T2"))),
            plus("partner_trans_id", "T2"),
        ),
    ]
}

fn order_cases() -> Vec<Case> {
    let filled: Params = params()
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let mut descending = filled.clone();
    descending.sort();
    descending.reverse();
    vec![
        case(Mistake::OrderWrong, params(), join_as_is(&filled)),
        case(Mistake::OrderWrong, params(), join_as_is(&descending)),
        case(Mistake::OrderWrong, params(), sorted_by(str::to_lowercase)),
        case(
            Mistake::OrderWrong,
            params(),
            sorted_by(|name| name.replace('_', "~")),
        ),
        case(
            Mistake::OrderWrong,
            params(),
            sorted_by(|name| name.replace('_', "").to_lowercase()),
        ),
    ]
}

fn value_cases() -> Vec<Case> {
    let html = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
    let latin1 = |text: &str| text.replace('茶', "?");
    let mut cases = vec![
        case(
            Mistake::CharsetDiffers,
            params(),
            Charset::Gbk.encode(&join(&params())).into_owned(),
        ),
        case(Mistake::CharsetDiffers, params(), latin1(&join(&params()))),
        case(Mistake::EntityDamage, params(), join_mapped(html)),
        case(Mistake::EntityDamage, params(), html(&join(&params()))),
        case(
            Mistake::EntityDamage,
            params(),
            replaced("&notify_url", "\u{AC}ify_url").replace("&currency", "\u{A4}cy"),
        ),
        case(
            Mistake::EntityDamage,
            set("trans_name", "&lt;tea&gt; &amp; &#39;cake&#39;"),
            join(&set("trans_name", "<tea> & 'cake'")),
        ),
        case(
            Mistake::ValuesQuoted,
            params(),
            join_mapped(|value| format!("\"{value}\"")),
        ),
        case(
            Mistake::EncodedTwice,
            set("trans_name", "Tea%20%E8%8C%B6"),
            join(&set("trans_name", "Tea 茶")),
        ),
        case(
            Mistake::BlanksChanged,
            params(),
            join(&set("partner_trans_id", "T1 ")),
        ),
        case(
            Mistake::BlanksChanged,
            params(),
            join(&set("partner_trans_id", "T1\n")),
        ),
        case(
            Mistake::BlanksChanged,
            set("trans_name", " Tea "),
            join(&set("trans_name", "Tea")),
        ),
        case(
            Mistake::BlanksChanged,
            set("trans_name", "a\r\nb"),
            join(&set("trans_name", "a\nb")),
        ),
        case(
            Mistake::BlanksChanged,
            set("trans_name", "a  b"),
            join(&set("trans_name", "a b")),
        ),
    ];
    for (signed, sent) in [
        ("39.3", "39.30"),
        ("39.30", "39.3"),
        ("39", "39.00"),
        ("39.00", "39"),
        ("39.0", "39"),
    ] {
        cases.push(case(
            Mistake::DecimalChanged,
            set("trans_amount", sent),
            join(&set("trans_amount", signed)),
        ));
    }
    for signed in [
        r#"{"secondary_merchant_name": "Tea & Co", "store_id": "S/1", "a": "茶"}"#,
        r#"{"a":"茶","secondary_merchant_name":"Tea & Co","store_id":"S/1"}"#,
        r#"{"secondary_merchant_name":"Tea & Co","store_id":"S\/1","a":"茶"}"#,
        r#"{"secondary_merchant_name":"Tea & Co","store_id":"S/1","a":"\u8336"}"#,
        r#"{"secondary_merchant_name":"Tea \u0026 Co","store_id":"S/1","a":"茶"}"#,
        r#"{"a": "\u8336", "secondary_merchant_name": "Tea & Co", "store_id": "S/1"}"#,
    ] {
        cases.push(case(
            Mistake::JsonChanged,
            params(),
            join(&set("extend_info", signed)),
        ));
        let sent = with(|params| {
            params.retain(|(name, _)| *name != "extend_info");
            params.push(("extend_info", signed));
        });
        cases.push(case(Mistake::JsonChanged, sent, join(&params())));
    }
    for (kept, plus, upper) in [
        ("-_.*", true, true),
        ("-_.~", false, true),
        ("-_.", true, false),
        ("-_.!~*'()", false, true),
        ("-_.!*()", true, false),
    ] {
        cases.push(case(
            Mistake::ValuesEncoded,
            params(),
            join_mapped(|value| percent(value, kept, plus, upper)),
        ));
    }
    cases.push(case(
        Mistake::ValuesEncoded,
        params(),
        percent(&join(&params()), "-_.*", true, true),
    ));
    cases
}

// Goal: each mistake of the text, made under each sign_type, is named first and proven, and the
// text that was signed is shown.
#[test]
fn text_mistakes_are_proven() {
    let world = World::new();
    for case in set_cases()
        .into_iter()
        .chain(order_cases())
        .chain(value_cases())
    {
        for signer in signers() {
            let name = signer.sign_type().as_str();
            let signed = if case.mistake == Mistake::SignTypeSigned {
                replaced("&transName", &format!("&sign_type={name}&transName")).into_bytes()
            } else {
                case.signed.clone()
            };
            let body = send(Charset::Utf8, &case.sent, &signer.sign(&signed), name);
            let autopsy = world.examine("", &body);
            let context = format!(
                "{} {name} {}",
                case.mistake,
                String::from_utf8_lossy(&signed)
            );
            let finding = first(&autopsy);
            assert_eq!(
                finding.mistake,
                case.mistake,
                "{context}\n{}",
                autopsy.report()
            );
            assert_eq!(
                mistakes(&autopsy).len(),
                1,
                "{context}\n{}",
                autopsy.report()
            );
            assert_eq!(finding.certainty, Certainty::Proven, "{context}");
            assert_eq!(
                finding.theirs.as_deref(),
                Some(signed.as_slice()),
                "{context}"
            );
            let at = finding.first_difference.unwrap();
            assert_eq!(signed[..at], autopsy.signed[..at], "{context}");
            assert_ne!(signed.get(at), autopsy.signed.get(at), "{context}");
            assert!(
                autopsy
                    .summary()
                    .unwrap()
                    .starts_with(case.mistake.sentence())
            );
        }
    }
}

// Goal: what is damaged on the way is mended: a raw `&`, entities in the request, GBK.
#[test]
fn damage_on_the_way_is_proven() {
    let world = World::new();
    let plain =
        "_input_charset=UTF-8&a=Tea & Co&b=1+1 = 2&notify_url=http://x/n?b=1&c=2&partner=1&times=3";
    let sent = "_input_charset=UTF-8&a=Tea%20%26%20Co&b=1%2B1%20%3D%202&notify_url=http%3A%2F%2Fx%2Fn%3Fb%3D1%26c%3D2&partner=1&times=3";
    for signer in signers() {
        let name = signer.sign_type().as_str();
        let mut sign = String::new();
        encode_pair(
            Charset::Utf8,
            "sign",
            &signer.sign(plain.as_bytes()),
            &mut sign,
        );
        let rest = format!("{sign}&sign_type={name}");
        for (mistake, sent) in [
            (None, sent.to_owned()),
            (
                Some(Mistake::NotEncoded),
                sent.replace("Tea%20%26%20Co", "Tea & Co"),
            ),
            (
                Some(Mistake::NotEncoded),
                sent.replace("b%3D1%26c%3D2", "b=1&c=2"),
            ),
            (Some(Mistake::NotEncoded), sent.replace("1%2B1", "1+1")),
            (
                Some(Mistake::NotEncoded),
                sent.replace("1%2B1", "1+1").replace("Tea%20", "Tea+"),
            ),
            (Some(Mistake::EntityDamage), sent.replace('&', "&amp;")),
            (
                Some(Mistake::EntityDamage),
                sent.replace("&not", "%C2%AC").replace("&times", "%c3%97"),
            ),
            (Some(Mistake::EntityDamage), sent.replace("&not", "\u{AC}")),
        ] {
            let escaped = sent.contains("&amp;");
            let body = format!("{sent}&{rest}");
            let body = if escaped {
                body.replace("&sign", "&amp;sign")
            } else {
                body
            };
            let autopsy = world.examine("", &body);
            match mistake {
                None => assert_eq!(autopsy.verdict, Verdict::Verifies(Spelling::Usual)),
                Some(mistake) => {
                    let finding = first(&autopsy);
                    assert_eq!(
                        (finding.mistake, finding.certainty),
                        (mistake, Certainty::Proven),
                        "{body}\n{}",
                        autopsy.report()
                    );
                    assert_eq!(finding.theirs.as_deref(), Some(plain.as_bytes()));
                }
            }
        }
    }
}

// Goal: text that was sent in GBK and signed in UTF-8, and bytes that no charset was named for.
#[test]
fn charsets_of_the_bytes() {
    let world = World::new();
    let (charset, label) = (Charset::Gbk, "GBK");
    for signer in signers() {
        let name = signer.sign_type().as_str();
        let sent: Params = vec![("_input_charset", label), ("trans_name", "茶")];
        let body = send(charset, &sent, &signer.sign(join(&sent).as_bytes()), name);
        let autopsy = world.examine("", &body);
        assert_eq!(
            mistakes(&autopsy),
            [Mistake::CharsetDiffers],
            "{}",
            autopsy.report()
        );
        let sent: Params = vec![("trans_name", "茶")];
        let body = send(
            Charset::Utf8,
            &sent,
            &signer.sign(join(&sent).as_bytes()),
            name,
        );
        let autopsy = world.examine("", &body);
        assert_eq!(
            mistakes(&autopsy),
            [Mistake::CharsetNotSent],
            "{}",
            autopsy.report()
        );
        let autopsy = world.examine("_input_charset=gbk", &body);
        assert_eq!(
            mistakes(&autopsy),
            [Mistake::CharsetNotSigned],
            "{}",
            autopsy.report()
        );
    }
}
