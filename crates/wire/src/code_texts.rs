//! What each code means and what to do about it, for people: at a till, in a portal, in documents.
//!
//! The words of [`crate::code`] go onto the wire and are short; these are sentences in the three
//! languages of the shops. Technical names stay as they are on the wire.
//!
//! ```
//! let text = spotpay_wire::code_texts::find("SOUNDWAVE_PARSER_FAIL").unwrap();
//! assert_eq!(text.action.zh_hant, "請顧客更新付款碼，然後重新掃描。");
//! ```

use crate::code;

/// One sentence in three languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Texts {
    /// English.
    pub en: &'static str,
    /// Chinese in traditional characters, in the words of Hong Kong.
    pub zh_hant: &'static str,
    /// Chinese in simplified characters, in the words of the mainland.
    pub zh_hans: &'static str,
}

/// A code for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeText {
    /// As it stands on the wire.
    pub code: &'static str,
    /// What happened.
    pub meaning: Texts,
    /// What the caller, or the person at the till, should do.
    pub action: Texts,
}

/// `CODE means en hant hans do en hant hans;` for each code, ascending.
macro_rules! texts {
    ($($code:ident
        means $means_en:literal $means_hant:literal $means_hans:literal
        do $do_en:literal $do_hant:literal $do_hans:literal;)*) => {
        pub(super) const TEXTS: &[CodeText] = &[$(
            CodeText {
                code: stringify!($code),
                meaning: Texts {
                    en: $means_en,
                    zh_hant: $means_hant,
                    zh_hans: $means_hans,
                },
                action: Texts {
                    en: $do_en,
                    zh_hant: $do_hant,
                    zh_hans: $do_hans,
                },
            },
        )*];
    };
}

mod first;
mod second;

/// Every code's text, ascending by code.
pub fn all() -> impl Iterator<Item = &'static CodeText> {
    first::TEXTS.iter().chain(second::TEXTS)
}

/// The text of a code, with the prefix of the open-platform generation taken off (`spec/10`).
pub fn find(code: &str) -> Option<&'static CodeText> {
    let code = code::without_prefix(code);
    [first::TEXTS, second::TEXTS].into_iter().find_map(|texts| {
        let index = texts.binary_search_by_key(&code, |text| text.code).ok()?;
        texts.get(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters that only traditional, or only simplified writing has, in pairs.
    const TRADITIONAL: &str = "請錢碼額簽編號與過時發單餘項為選顧個戶應內買賣實動來資貨幣開關記錄認證級權無換樣參並網詢處確補檔驗屬環頁類裝設業後現於僅還則際規試務體結員態掃說繼續視風將須門質層讀儲語敗詞這對從長較";
    const SIMPLIFIED: &str = "请钱码额签编号与过时发单余项为选顾个户应内买卖实动来资货币开关记录认证级权无换样参并网询处确补档验属环页类装设业后现于仅还则际规试务体结员态扫说继续视风将须门质层读储语败词这对从长较";

    fn sentences(texts: Texts) -> [&'static str; 3] {
        [texts.en, texts.zh_hant, texts.zh_hans]
    }

    // Goal: no code of the table is without a text, and each is found.
    #[test]
    fn every_code_has_a_text() {
        for known in code::ALL {
            let found = find(known.code).map(|text| text.code);
            assert_eq!(found, Some(known.code));
        }
        assert_eq!(
            find("DATA_NOT_EXIST").unwrap().meaning.en,
            "There is no such store."
        );
        assert_eq!(find("aop.ACQ.TRADE_NOT_EXIST"), find("TRADE_NOT_EXIST"));
        assert_eq!(find("NO_SUCH_CODE"), None);
        let codes: Vec<&str> = all().map(|text| text.code).collect();
        assert!(codes.is_sorted_by(|left, right| left < right));
    }

    // Goal: whole sentences, each in its own writing.
    #[test]
    fn sentences_are_whole() {
        assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
        for text in all() {
            for texts in [text.meaning, text.action] {
                let [en, hant, hans] = sentences(texts);
                assert!(en.is_ascii() && en.ends_with('.') && en.len() > 10, "{en}");
                assert!(en.starts_with(char::is_uppercase), "{en}");
                for chinese in [hant, hans] {
                    assert!(
                        chinese.ends_with('。') && chinese.chars().count() > 5,
                        "{chinese}"
                    );
                }
                assert!(
                    !hant.contains(|letter| SIMPLIFIED.contains(letter)),
                    "{hant}"
                );
                assert!(
                    !hans.contains(|letter| TRADITIONAL.contains(letter)),
                    "{hans}"
                );
            }
        }
    }
}
