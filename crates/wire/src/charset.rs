//! The charsets of the protocol: which one, and how text becomes bytes in it (`spec/01`).

use std::borrow::Cow;

/// A charset that a request may name in `_input_charset` (`spec/01`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// GBK, which is also what an absent `_input_charset` means (`spec/13`, 14).
    Gbk,
    /// GB2312: written as a subset of GBK, read as GBK, because programs say the one and send the
    /// other.
    Gb2312,
}

/// Bytes that are not text in the charset they were sent in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the bytes are not {} text", .0.label())]
pub struct Undecodable(pub Charset);

/// What becomes of a character that the charset lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lacking {
    /// `?`, as Java's `getBytes` and most iconv wrappers write it: the signed form.
    QuestionMark,
    /// `&#128512;`, which an XML parser reads back as the character.
    Reference,
}

impl Charset {
    /// The charset of an `_input_charset` value, whose case varies (`spec/12`, wire 2).
    pub fn from_label(label: &str) -> Option<Self> {
        [Self::Utf8, Self::Gbk, Self::Gb2312]
            .into_iter()
            .find(|charset| label.eq_ignore_ascii_case(charset.label()))
    }

    /// The name in `_input_charset` and in the XML declaration.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gbk => "GBK",
            Self::Gb2312 => "GB2312",
        }
    }

    /// The Content-Type of an answer; one SDK takes anything that does not begin with `text/xml;`
    /// for an opaque success (`spec/12`, answer 2).
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Utf8 => "text/xml;charset=UTF-8",
            Self::Gbk => "text/xml;charset=GBK",
            Self::Gb2312 => "text/xml;charset=GB2312",
        }
    }

    /// The Content-Type of an answer that is no XML: a file, or one word.
    pub const fn plain_content_type(self) -> &'static str {
        match self {
            Self::Utf8 => "text/plain;charset=UTF-8",
            Self::Gbk => "text/plain;charset=GBK",
            Self::Gb2312 => "text/plain;charset=GB2312",
        }
    }

    /// Bytes to text; one malformed byte is an error.
    ///
    /// GBK also takes the four-byte characters of GB18030, its superset.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, Undecodable> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Gbk | Self::Gb2312 => {
                encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(bytes)
            }
        }
        .ok_or(Undecodable(self))
    }

    /// Bytes to text with U+FFFD for what is malformed; for showing a refused request, never for
    /// acting on it.
    pub fn decode_lossy(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Gbk | Self::Gb2312 => encoding_rs::GBK.decode_without_bom_handling(bytes).0,
        }
    }

    /// Text to the bytes that are signed; a character that the charset lacks becomes `?`.
    ///
    /// Why `?` and not a reference: a verifier decodes the XML, in which the reference has turned
    /// into the character again, and signs `value.getBytes("GBK")`, which writes `?`.
    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        if self == Self::Utf8 || text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut bytes = Vec::with_capacity(text.len());
        self.push(text, Lacking::QuestionMark, &mut bytes);
        Cow::Owned(bytes)
    }

    /// Appends [`Charset::encode`].
    pub fn encode_into(self, text: &str, out: &mut Vec<u8>) {
        self.push(text, Lacking::QuestionMark, out);
    }

    /// Appends text that is XML already; a character that the charset lacks becomes a numeric
    /// reference, so that a parser reads back the same text.
    pub(crate) fn encode_xml_into(self, text: &str, out: &mut Vec<u8>) {
        self.push(text, Lacking::Reference, out);
    }

    fn push(self, text: &str, lacking: Lacking, out: &mut Vec<u8>) {
        if self == Self::Utf8 || text.is_ascii() {
            return out.extend_from_slice(text.as_bytes());
        }
        for letter in text.chars() {
            match (u8::try_from(letter), self.two_bytes(letter)) {
                (Ok(ascii), _) if ascii.is_ascii() => out.push(ascii),
                (_, Some(pair)) => out.extend_from_slice(&pair),
                (_, None) if lacking == Lacking::QuestionMark => out.push(b'?'),
                (_, None) => out.extend_from_slice(format!("&#{};", u32::from(letter)).as_bytes()),
            }
        }
    }

    /// The two bytes of a character, when Java, PHP and we agree on them.
    ///
    /// The tables differ in a hundred rare characters (compared with the GBK and GB2312 of JDK 17,
    /// all 65,536 code points). Where they differ a verifier would sign other bytes than we do, so
    /// these count as lacking. For the euro sign we write what JDK and GB18030 do, not `0x80`.
    fn two_bytes(self, letter: char) -> Option<[u8; 2]> {
        if letter == '€' {
            return (self == Self::Gbk).then_some([0xA2, 0xE3]);
        }
        // The encoder wants room for four bytes before it writes two.
        let (mut utf8, mut bytes) = ([0; 4], [0; 8]);
        let letter_utf8 = letter.encode_utf8(&mut utf8);
        let (result, _, written) = encoding_rs::GBK
            .new_encoder()
            .encode_from_utf8_without_replacement(letter_utf8, &mut bytes, true);
        if result != encoding_rs::EncoderResult::InputEmpty || written != 2 {
            return None;
        }
        let [first, second, ..] = bytes;
        let pair = [first, second];
        let agreed = !matches!(
            pair,
            [0xFE, 0x50..=0xA0]
                | [0xA6, 0xD9..=0xDF | 0xEC | 0xED | 0xF3]
                | [0xA8, 0x92 | 0xBC | 0xBF]
                | [0xA9, 0x89..=0x95]
        );
        (agreed && (self == Self::Gbk || in_gb2312(letter, pair))).then_some(pair)
    }
}

/// Whether a character of GBK is one of GB2312: its rows, without what GBK added inside them.
fn in_gb2312(letter: char, pair: [u8; 2]) -> bool {
    let private_use = matches!(letter, '\u{E000}'..='\u{F8FF}');
    let added = matches!(
        pair,
        [0xA2, 0xA1..=0xAA] | [0xA6, 0xD9..=0xF5] | [0xA8, 0xBB..=0xC0]
    );
    matches!(pair, [0xA1..=0xF7, 0xA1..=0xFE]) && !private_use && !added
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Goal: the labels that merchant programs send, and nothing else.
    #[test]
    fn labels() {
        for (label, charset) in [
            ("UTF-8", Some(Charset::Utf8)),
            ("utf-8", Some(Charset::Utf8)),
            ("GBK", Some(Charset::Gbk)),
            ("gbk", Some(Charset::Gbk)),
            ("gb2312", Some(Charset::Gb2312)),
            ("GB2312", Some(Charset::Gb2312)),
            ("utf8", None),
            ("", None),
            (" utf-8", None),
            ("latin1", None),
        ] {
            assert_eq!(Charset::from_label(label), charset, "{label:?}");
        }
        assert!(Charset::Gbk.content_type().starts_with("text/xml;"));
    }

    // Goal: the bytes that JDK 17 signs for the same text (`getBytes`), including what it lacks.
    #[test]
    fn signed_bytes_are_those_of_java() {
        for (charset, text, bytes) in [
            (Charset::Utf8, "茶€😀", "茶€😀".as_bytes()),
            (Charset::Gbk, "茶 A", b"\xb2\xe8 A".as_slice()),
            (Charset::Gbk, "檯", b"\x99\x85"),
            (Charset::Gbk, "€", b"\xa2\xe3"),
            (Charset::Gb2312, "€", b"?"),
            (Charset::Gbk, "😀", b"?"),
            (Charset::Gbk, "\u{2E81}", b"?"),
            (Charset::Gb2312, "茶·—", b"\xb2\xe8\xa1\xa4\xa1\xaa"),
            (Charset::Gb2312, "檯ⅰ︵", b"???"),
        ] {
            assert_eq!(charset.encode(text).as_ref(), bytes, "{charset:?} {text}");
        }
    }

    #[test]
    fn lacking_characters_are_references_in_xml() {
        let mut out = Vec::new();
        Charset::Gbk.encode_xml_into("茶😀", &mut out);
        assert_eq!(out, b"\xb2\xe8&#128512;");
    }

    #[test]
    fn malformed_bytes_are_refused() {
        for (charset, bytes) in [
            (Charset::Utf8, b"\xff".as_slice()),
            (Charset::Utf8, b"\xb2\xe8"),
            (Charset::Gbk, b"\xff"),
            (Charset::Gbk, b"a\xb2"),
            (Charset::Gb2312, b"\xb2&"),
        ] {
            assert_eq!(charset.decode(bytes), Err(Undecodable(charset)));
            assert!(charset.decode_lossy(bytes).contains('\u{FFFD}'));
        }
    }

    proptest! {
        // Goal: what is not lacking comes back as it was.
        #[test]
        fn round_trip(text in "\\PC{0,20}") {
            let bytes = Charset::Utf8.encode(&text);
            prop_assert_eq!(Charset::Utf8.decode(&bytes).unwrap(), text.as_str());
            for charset in [Charset::Gbk, Charset::Gb2312] {
                let bytes = charset.encode(&text);
                let back = charset.decode(&bytes).unwrap();
                prop_assert_eq!(back.chars().count(), text.chars().count());
                prop_assert!(back.chars().zip(text.chars()).all(|(got, sent)| got == sent || got == '?'));
            }
        }

        #[test]
        fn any_bytes_can_be_shown(bytes: Vec<u8>) {
            for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
                charset.decode_lossy(&bytes);
            }
        }
    }
}
