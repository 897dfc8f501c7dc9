//! Keys as partners paste them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spotpay_wire::keys::{KEY_BITS, PrivateKey, PublicKey};
use spotpay_wire::signature::{Signer, Verifier};

/// Real keys of 4,096 bits have 3,300 bytes; a longer text only costs time.
const KEY_BYTES_MAX: usize = 8_192;

/// The bytes as text, and as DER under Base64: a key or a refusal, and a key that was taken signs
/// and verifies.
///
/// # Panics
/// When one of these is not so.
pub fn keys(data: &[u8]) {
    if data.len() > KEY_BYTES_MAX {
        return;
    }
    let text = String::from_utf8_lossy(data);
    one_key(&text);
    one_key(&STANDARD.encode(data));
}

fn one_key(text: &str) {
    let public = text.parse::<PublicKey>();
    let private = text.parse::<PrivateKey>();
    assert!(
        public.is_err() || private.is_err(),
        "no text is both halves"
    );
    if let Ok(key) = public {
        check_public(&key);
    }
    if let Ok(key) = private {
        check_private(&key);
    }
}

fn check_public(key: &PublicKey) {
    assert!(KEY_BITS.contains(&key.bits()));
    assert_eq!(key.to_spki_base64().parse().as_ref(), Ok(key), "read again");
    for sign in ["", "AAAA", "no Base64"] {
        assert!(!Verifier::Rsa(key.clone()).verify(b"text", sign));
        assert!(!Verifier::Rsa2(key.clone()).verify(b"text", sign));
    }
}

fn check_private(key: &PrivateKey) {
    check_public(key.public_key());
    let again: Result<PrivateKey, _> = key.to_pkcs8_base64().parse();
    assert!(again.is_ok_and(|again| again.public_key() == key.public_key()));
    for signer in [Signer::Rsa(key.clone()), Signer::Rsa2(key.clone())] {
        let sign = signer.sign(b"text");
        assert!(
            signer.verifier().verify(b"text", &sign),
            "its own signature"
        );
        assert!(!signer.verifier().verify(b"test", &sign), "another text");
    }
}
