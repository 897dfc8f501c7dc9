use proptest::prelude::*;

use super::*;

macro_rules! keys {
    ($($bits:literal),*) => {
        [$((
            include_str!(concat!("../tests/keys/rsa", $bits, ".pkcs8.pem")),
            include_str!(concat!("../tests/keys/rsa", $bits, ".spki.pem")),
            include_str!(concat!("../tests/keys/rsa", $bits, ".sha1.sign")),
            include_str!(concat!("../tests/keys/rsa", $bits, ".sha256.sign")),
        ),)*]
    };
}

const TEXT: &[u8] = include_bytes!("../tests/keys/text.txt");

fn md5_key() -> Md5Key {
    "0123456789abcdefghijklmnopqrstuv".parse().unwrap()
}

#[test]
fn sign_types_are_upper_case() {
    for sign_type in [SignType::Md5, SignType::Rsa, SignType::Rsa2] {
        assert_eq!(sign_type.as_str().parse(), Ok(sign_type));
    }
    for text in ["md5", "Rsa", "rsa2", "DSA", "", " MD5"] {
        assert_eq!(text.parse::<SignType>(), Err(IllegalSignType), "{text:?}");
    }
}

#[test]
fn md5_keys() {
    assert_eq!(md5_key().expose(), "0123456789abcdefghijklmnopqrstuv");
    assert_eq!(format!("{:?}", Signer::Md5(md5_key())), "Md5(Md5Key(..))");
    for text in [
        "",
        "short",
        &"x".repeat(33),
        "0123456789abcdefghijklmnopqrstu ",
        "ключключключключ",
    ] {
        assert!(text.parse::<Md5Key>().is_err(), "{text:?}");
    }
}

// Goal: lower-case hex of md5(text + key), and nothing that only looks like it.
#[test]
fn md5_table() {
    let verifier = Verifier::Md5(md5_key());
    let sign = Signer::Md5(md5_key()).sign(TEXT);
    assert!(verifier.verify(TEXT, &sign));
    for wrong in [
        sign.to_uppercase(),
        sign[..31].to_owned(),
        format!("{sign} "),
        String::new(),
    ] {
        assert!(!verifier.verify(TEXT, &wrong), "{wrong:?}");
    }
    assert!(!verifier.verify(b"other", &sign));
}

// Goal: with keys of each size, our RSA and RSA2 signatures are those of openssl to the byte, and
// verify in each spelling of Base64 that arrives.
#[test]
fn openssl_agrees() {
    for (private, public, sha1, sha256) in keys!("1024", "2048", "3072", "4096") {
        let private: PrivateKey = private.parse().unwrap();
        let public: PublicKey = public.parse().unwrap();
        for (signer, other, sign) in [
            (
                Signer::Rsa(private.clone()),
                Verifier::Rsa2(public.clone()),
                sha1,
            ),
            (
                Signer::Rsa2(private.clone()),
                Verifier::Rsa(public.clone()),
                sha256,
            ),
        ] {
            let verifier = signer.verifier();
            assert_eq!(signer.sign(TEXT), sign);
            let broken_lines = format!("{}\r\n{}\n", &sign[..76], &sign[76..]);
            for sign in [
                sign,
                &sign.replace('+', " "),
                sign.trim_end_matches('='),
                &broken_lines,
            ] {
                assert!(verifier.verify(TEXT, sign), "{sign}");
            }
            for sign in ["", "!", "AAAA", &sign[4..]] {
                assert!(!verifier.verify(TEXT, sign), "{sign}");
            }
            assert!(!verifier.verify(b"other", sign) && !other.verify(TEXT, sign));
        }
    }
}

proptest! {
    #[test]
    fn any_sign_is_refused_quietly(sign: String) {
        let public: PublicKey = include_str!("../tests/keys/rsa1024.spki.pem").parse().unwrap();
        for verifier in [Verifier::Md5(md5_key()), Verifier::Rsa(public.clone()), Verifier::Rsa2(public)] {
            prop_assert!(!verifier.verify(b"text", &sign));
        }
    }
}
