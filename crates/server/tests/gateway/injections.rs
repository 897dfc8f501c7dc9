//! Values that would be something else where they are shown: they come back as the text they are.

use spotpay_wire::charset::Charset;

use crate::till::{Till, pair, set};
use crate::world::World;

/// Texts that mean something to XML, HTML, SQL, a log or a terminal.
const TEXTS: [&str; 14] = [
    "<script>alert(1)</script>",
    "</param><param name='sign'>x",
    "</request><response><alipay><result_code>SUCCESS</result_code>",
    "]]><!-- & -->",
    "<![CDATA[x]]>",
    "&lt;&amp;&#60;&#x3c;&quot;&nbsp;&unknown;",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
    "<?xml version='1.0'?>",
    "'; DROP TABLE trades; --",
    "%3Cb%3E%00",
    "{\"a\":\"b\\u0000\"}",
    "\u{202e}txet\u{200b}\u{feff}",
    "\u{7f}\u{80}\u{9f}\u{2028}",
    "a\tb\r\nc\rd",
];

/// Those that an id may be.
fn is_id(text: &str) -> bool {
    text.chars()
        .all(|letter| !letter.is_control() && letter != '"')
}

// Goal: echoed values parse back to the same text, and no markup of theirs stands in the answer;
// the same holds for names of parameters.
#[tokio::test]
async fn markup_comes_back_as_text() {
    let world = World::start().await;
    for partner in ["tea-house", "duty-free"] {
        for charset in [Charset::Utf8, Charset::Gbk] {
            let till = Till {
                charset,
                ..world.till(partner).await
            };
            for text in TEXTS {
                let mut params = till.query("I1");
                params.extend([pair("memo", text), pair("trans_name", text)]);
                params.push(pair(&format!("name {text}"), "x"));
                let answer = till.ask(&world, &params).await;
                assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST", "{text}");
                let raw = charset.decode(&answer.bytes).unwrap();
                for markup in ["<script", "<![", "<!", "<param name='", "<?xml version='"] {
                    assert!(!raw.contains(markup), "{markup}: {raw}");
                }
                assert_eq!(raw.matches("<response>").count(), 1, "{raw}");
                assert_eq!(raw.matches("<sign>").count(), 1, "{raw}");
            }
        }
    }
}

// Goal: an id that is markup is one trade's id like any other, in every field that carries it.
#[tokio::test]
async fn an_id_may_be_markup() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for text in TEXTS.into_iter().filter(|text| is_id(text)) {
        let code = world.code("alice").await;
        let mut params = till.pay(text, &code, "1.00");
        set(&mut params, "trans_name", text);
        let paid = till.ask(&world, &params).await;
        assert_eq!(paid.outcome(), "SUCCESS", "{text}");
        assert_eq!(paid.field("partner_trans_id"), text);
        let found = till.ask(&world, &till.query(text)).await;
        assert_eq!(found.field("out_trade_no"), text);
        assert_eq!(found.field("partner_trans_id"), text);
        let cancelled = till.ask(&world, &till.cancel(text)).await;
        assert_eq!(cancelled.field("out_trade_no"), text);
        assert_eq!(cancelled.field("action"), "refund");
        // The phone and the inspector show the same text.
        let alice = world.does("GET", "/wallets/alice", "").await;
        let trades = alice["trades"].as_array().unwrap();
        assert!(
            trades
                .iter()
                .any(|trade| trade["partner_trans_id"] == text && trade["title"] == text),
            "{text}"
        );
        let requests = world.does("GET", "/requests?limit=3", "").await;
        assert_eq!(requests[2]["params"]["trans_name"], text);
    }
    world.books().await;
}

// Goal: characters that XML cannot carry are refused once the signature is right, in values and in
// names, in each charset; those it can are taken.
#[tokio::test]
async fn control_characters() {
    let world = World::start().await;
    for charset in [Charset::Utf8, Charset::Gbk] {
        let till = Till {
            charset,
            ..world.till("tea-house").await
        };
        for letter in ('\0'..' ').chain(['\u{fffe}', '\u{ffff}']) {
            if charset == Charset::Gbk && !letter.is_ascii() {
                // It has no such character.
                continue;
            }
            let carried = ['\t', '\n', '\r'].contains(&letter);
            let expected = if carried {
                "FAIL:TRADE_NOT_EXIST"
            } else {
                "F:ILLEGAL_ARGUMENT"
            };
            for (name, value) in [
                ("memo".to_owned(), format!("a{letter}b")),
                ("sign_note".to_owned(), letter.to_string()),
                (format!("me{letter}mo"), "x".to_owned()),
            ] {
                let mut params = till.query("K1");
                params.push((name.clone(), value));
                let said = till.ask(&world, &params).await.outcome();
                assert_eq!(said, expected, "{charset:?} {name:?} {letter:?}");
            }
            // Unsigned it is a wrong signature first.
            let (query, body) = till.signed(&till.query("K1"), "");
            let tail = format!("&memo=%{:02X}", u32::from(letter));
            if letter.is_ascii() {
                let said = world.send(&query, body + &tail).await.outcome();
                assert_eq!(said, "F:ILLEGAL_SIGN", "{letter:?}");
            }
        }
    }
    // In a pay too, which then leaves nothing.
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let mut params = till.pay("K2", &code, "1.00");
    set(&mut params, "trans_name", "Tea\0");
    assert_eq!(
        till.ask(&world, &params).await.outcome(),
        "F:ILLEGAL_ARGUMENT"
    );
    // A line break in a title becomes a blank on the phone.
    set(&mut params, "trans_name", "Tea\r\nand\tcake");
    assert_eq!(till.ask(&world, &params).await.outcome(), "SUCCESS");
    let alice = world.does("GET", "/wallets/alice", "").await;
    assert_eq!(alice["trades"][0]["title"], "Tea  and cake");
    assert_eq!(alice["balance"], "99999.00");
}
