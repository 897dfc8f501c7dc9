use super::*;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../tests/keys/", $name))
    };
}

/// The content of PEM in one line, as partners paste it.
fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

fn one_line(pem: &str) -> String {
    pem.replace('\n', "")
}

// Goal: every spelling of a public key is the same key; everything else says what it is.
#[test]
fn public_keys() {
    let key: PublicKey = file!("rsa2048.spki.pem").parse().unwrap();
    for text in [
        bare(file!("rsa2048.spki.pem")),
        one_line(file!("rsa2048.spki.pem")),
        file!("rsa2048.spki.pem").replace('\n', "\r\n  "),
        file!("rsa2048.pkcs1pub.pem").to_owned(),
        bare(file!("rsa2048.pkcs1pub.pem")),
        key.to_spki_base64(),
    ] {
        assert_eq!(text.parse::<PublicKey>(), Ok(key.clone()), "{text}");
    }
    assert_eq!(key.to_spki_base64(), bare(file!("rsa2048.spki.pem")));
    for (text, error) in [
        ("", KeyError::Empty),
        (" \n", KeyError::Empty),
        (
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            KeyError::Empty,
        ),
        ("ключ", KeyError::NotBase64),
        ("a!b", KeyError::NotBase64),
        ("AAAA", KeyError::Malformed),
        (file!("rsa2048.pkcs8.pem"), KeyError::IsPrivate),
        (&bare(file!("rsa2048.pkcs1.pem")), KeyError::IsPrivate),
        (file!("certificate.pem"), KeyError::IsCertificate),
        (&bare(file!("certificate.pem")), KeyError::IsCertificate),
        (file!("ec.spki.pem"), KeyError::NotRsa),
        (file!("rsa512.spki.pem"), KeyError::TooShort { bits: 512 }),
        (file!("rsa4352.spki.pem"), KeyError::TooLong { bits: 4_352 }),
        (&bare(file!("rsa2048.spki.pem"))[..200], KeyError::Malformed),
    ] {
        assert_eq!(text.parse::<PublicKey>(), Err(error), "{text}");
    }
}

// Goal: every spelling of a private key is the same key, and none is ever printed.
#[test]
fn private_keys() {
    let public: PublicKey = file!("rsa2048.spki.pem").parse().unwrap();
    for text in [
        file!("rsa2048.pkcs8.pem").to_owned(),
        bare(file!("rsa2048.pkcs8.pem")),
        one_line(file!("rsa2048.pkcs8.pem")),
        file!("rsa2048.pkcs1.pem").to_owned(),
        bare(file!("rsa2048.pkcs1.pem")),
    ] {
        let key: PrivateKey = text.parse().unwrap();
        assert_eq!(key.public_key(), &public);
        assert_eq!(*key.to_pkcs8_base64(), bare(file!("rsa2048.pkcs8.pem")));
        assert_eq!(format!("{key:?}"), "PrivateKey(2048 bits, ..)");
    }
    for (text, error) in [
        ("", KeyError::Empty),
        (file!("rsa2048.spki.pem"), KeyError::IsPublic),
        (file!("rsa2048.pkcs1pub.pem"), KeyError::IsPublic),
        (file!("encrypted.pem"), KeyError::IsEncrypted),
        (file!("encrypted.pkcs8.pem"), KeyError::IsEncrypted),
        (file!("certificate.pem"), KeyError::IsCertificate),
        (file!("ec.pkcs8.pem"), KeyError::NotRsa),
        (
            &bare(file!("rsa1024.pkcs8.pem"))[..100],
            KeyError::Malformed,
        ),
    ] {
        assert_eq!(text.parse::<PrivateKey>().err(), Some(error), "{text}");
    }
}

// Goal: only what takes about a millisecond or more leaves the request's own thread.
#[test]
fn slow_signatures() {
    for (pem, rsa2_is_slow) in [
        (file!("rsa1024.pkcs8.pem"), true),
        (file!("rsa2048.pkcs8.pem"), false),
        (file!("rsa4096.pkcs8.pem"), true),
    ] {
        let key: PrivateKey = pem.parse().unwrap();
        assert_eq!(key.is_slow(SignType::Rsa2), rsa2_is_slow);
        assert!(key.is_slow(SignType::Rsa) && !key.is_slow(SignType::Md5));
    }
}
