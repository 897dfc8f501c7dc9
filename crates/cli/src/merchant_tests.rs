use super::*;
use clap::Parser;

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    merchant: Merchant,
}

fn merchant(flags: &str) -> Merchant {
    let words = std::iter::once("test").chain(flags.split_whitespace());
    Line::try_parse_from(words)
        .unwrap_or_else(|error| panic!("{error}"))
        .merchant
}

fn failure(till: Result<Till, Failure>) -> String {
    till.err()
        .map(|failure| format!("{failure:?}"))
        .unwrap_or_default()
}

/// A folder as `spotpay serve` leaves it.
fn folder(md5_key: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"{{"gateway_url": "http://127.0.0.1:1/gateway.do", "sandbox_url": "http://127.0.0.1:1/sandbox/v1",
        "partners": [{{"name": "tea-house", "partner_id": "2088000000000001", "md5_key": "{md5_key}"}},
        {{"name": "duty-free", "partner_id": "2088000000000003", "settlement_currency": "USD", "md5_key": "{md5_key}"}}]}}"#
    );
    std::fs::write(folder.path().join("sandbox.json"), text).unwrap();
    folder
}

// Goal: everything comes from sandbox.json, and the partner by either name.
#[test]
fn from_the_folder() {
    let folder = folder(KEY);
    let data = format!("--sign md5 --data {}", folder.path().display());
    let till = merchant(&data).till().ok().unwrap();
    assert_eq!(
        till.client.settings().gateway.url(),
        "http://127.0.0.1:1/gateway.do"
    );
    assert_eq!(
        till.client.settings().partner.to_string(),
        "2088000000000001"
    );
    assert_eq!(till.currency, Currency::HKD);
    for partner in ["duty-free", "2088000000000003"] {
        let till = merchant(&format!("{data} --partner {partner}"))
            .till()
            .ok()
            .unwrap();
        assert_eq!(till.currency, Currency::USD);
    }
}

// Goal: outside a sandbox the flags say everything, and nobody is asked.
#[test]
fn from_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, "not a key").unwrap();
    let flags = format!(
        "--gateway https://intlmapi.alipay.com/gateway.do --partner 2088000000000001 --key {0} --gateway-key {0}",
        file.display()
    );
    let wrong = failure(merchant(&flags).till());
    assert!(
        wrong.contains("--key <FILE>") && wrong.contains("Usage"),
        "{wrong}"
    );
}

// Goal: bad usage names the flag, the value and the rule, in one line.
#[test]
fn bad_usage() {
    let good = folder(KEY);
    let bad = folder("short");
    let at = |folder: &tempfile::TempDir, rest: &str| {
        let flags = format!("--data {} {rest}", folder.path().display());
        failure(merchant(&flags).till())
    };
    for (text, expected) in [
        (
            at(&good, "--partner coffee"),
            "invalid value 'coffee' for '--partner <NAME|ID>': the sandbox has tea-house, duty-free",
        ),
        (
            at(&good, "--sign rsa2"),
            "--sign rsa and rsa2 need '--key <FILE>' outside a sandbox",
        ),
        (
            at(&good, "--sign md5 --md5-key-env SPOTPAY_NO_SUCH_VARIABLE"),
            "there is no such variable",
        ),
        (
            at(&good, "--sign rsa --md5-key-env SPOTPAY_NO_SUCH_VARIABLE"),
            "an MD5 key goes with --sign md5 only",
        ),
        (
            at(&good, "--key no-such-file"),
            "invalid value 'no-such-file' for '--key <FILE>'",
        ),
        (
            at(&bad, "--sign md5"),
            "invalid value 'sandbox.json' for '--md5-key-env <VAR>': the MD5 key",
        ),
        (
            failure(merchant("--data no-such-folder").till()),
            "start `spotpay serve`",
        ),
    ] {
        assert!(
            text.contains(expected) && text.contains("exit: Usage"),
            "{text}"
        );
        assert!(!text.contains("short") && !text.contains(KEY), "{text}");
    }
}

// Goal: a gateway that nobody answers for is unknown, not bad usage.
#[test]
fn unreachable() {
    let text = failure(merchant("--gateway http://127.0.0.1:1/gateway.do").till());
    assert!(
        text.contains("exit: Unknown") && text.contains("not_sent"),
        "{text}"
    );
}
