use super::*;
use crate::received::tests::{folder, merchant};
use spotpay_wire::autopsy::{Evidence, Mistake, Verdict, examine};
use spotpay_wire::request::sign;
use spotpay_wire::signature::Signer;

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";
const OTHER_KEY: &str = "vutsrqponmlkjihgfedcba9876543210";

/// The finding about a request of a partner, signed with a key.
fn finding(keys: &Keys, partner: &str, key: &str) -> Option<Mistake> {
    let params = [("partner", partner), ("service", "s")];
    let signer = Signer::Md5(key.parse().unwrap());
    let request = sign(spotpay_client::Charset::Utf8, params, &signer);
    let evidence = Evidence::request(request.query.as_bytes(), request.body.as_bytes());
    match examine(&evidence, &keys.ring()).verdict {
        Verdict::Verifies(_) => None,
        Verdict::Mistake(findings) => Some(findings[0].mistake),
        Verdict::Unexplained => Some(Mistake::TextDiffers),
    }
}

// Goal: a sandbox knows the partner that the request names, and whose key was taken by mistake.
#[test]
fn of_requests() {
    let folder = folder();
    let of = |flags: &str, named| merchant(&folder, flags).request_keys(named).ok().unwrap();
    let (tea, dim) = ("2088000000000001", "2088000000000002");
    assert_eq!(finding(&of("", Some(tea)), tea, KEY), None);
    assert_eq!(finding(&of("", Some(dim)), dim, OTHER_KEY), None);
    assert_eq!(finding(&of("", None), tea, KEY), None);
    assert_eq!(
        finding(&of("", Some(dim)), dim, KEY),
        Some(Mistake::KeyOfOtherPartner)
    );
    let file = folder.path().join("none.pem");
    std::fs::write(&file, "not a key").unwrap();
    let flags = format!("--key {}", file.display());
    let keys = of(&flags, Some(tea));
    assert_eq!(finding(&keys, tea, KEY), Some(Mistake::KeyNotInForce));
    assert_eq!(keys.rsa_text.as_deref(), Some("not a key"));
}

// Goal: bad usage names the flag; and without any key there is nothing to verify with.
#[test]
fn bad_usage() {
    let folder = folder();
    let none = tempfile::tempdir().unwrap();
    let notifications = |folder, flags| merchant(folder, flags).gateway_keys().err();
    let requests = |folder, flags| merchant(folder, flags).request_keys(None).err();
    for (failure, expected) in [
        (
            notifications(
                &folder,
                "--gateway-key no-such-file --partner 2088000000000001",
            ),
            "'--gateway-key <FILE>'",
        ),
        (
            notifications(&folder, "--sign rsa2"),
            "there is no key to verify with",
        ),
        (
            notifications(&folder, "--partner coffee"),
            "the sandbox has",
        ),
        (notifications(&none, ""), "start `spotpay serve`"),
        (requests(&none, ""), "start `spotpay serve`"),
        (requests(&folder, "--key no-such-file"), "'--key <FILE>'"),
        (
            requests(&folder, "--md5-key-env SPOTPAY_NO_SUCH_VARIABLE"),
            "there is no such variable",
        ),
    ] {
        let text = format!("{failure:?}");
        assert!(text.contains(expected) && text.contains("Usage"), "{text}");
    }
}
