//! Words that are not ours: the glossary has one word for one meaning.
//!
//! Only words that are wrong nearly everywhere stand here; the rest of the glossary is for readers.
//! Strings and comments are never looked at, so wire names and file columns keep their words.

/// A word that identifiers in Rust and SQL avoid.
struct Banned {
    word: &'static str,
    say: &'static str,
    /// Where the word is the name of something that others published.
    except: &'static [&'static str],
}

const fn ban(word: &'static str, say: &'static str) -> Banned {
    Banned {
        word,
        say,
        except: &[],
    }
}

const fn ban_outside_wire(word: &'static str, say: &'static str) -> Banned {
    Banned {
        word,
        say,
        except: &["crates/wire/"],
    }
}

const BANNED: &[Banned] = &[
    ban("acct", "account"),
    ban("admin", "operator"),
    ban("aggregator", "acquirer"),
    ban_outside_wire("amt", "amount"),
    ban("captured", "paid"),
    ban("ccy", "currency"),
    ban_outside_wire("charge", "commission"),
    ban("customer", "buyer"),
    ban("exception", "fault"),
    ban("payer", "buyer"),
    ban("payout", "settlement batch"),
    ban("percentage", "rate"),
    ban("posting", "entry"),
    ban("reversal", "cancel"),
    ban_outside_wire("sub_merchant", "secondary merchant"),
    ban("submerchant", "secondary merchant"),
    ban("txn", "trade, or tx for one of SQL"),
    ban("webhook", "notification"),
];

/// Constants that are named as what others published.
const PUBLISHED: &[&str] = &["REFUND_AMT_NOT_EQUAL_TOTAL"];

/// Says what is wrong with a name that stands in a file.
pub(crate) fn complaint(path: &str, name: &str) -> Option<String> {
    if PUBLISHED.contains(&name) {
        return None;
    }
    let parts = parts(name);
    let found = BANNED.iter().find(|banned| {
        !banned.except.iter().any(|place| path.starts_with(place)) && holds(&parts, banned.word)
    })?;
    Some(format!(
        "`{name}`: the glossary has no `{}`, say {}",
        found.word, found.say
    ))
}

/// Whether the parts of a name hold the word, also in the plural.
fn holds(parts: &[String], word: &str) -> bool {
    let wanted: Vec<&str> = word.split('_').collect();
    parts.windows(wanted.len()).any(|window| {
        window.iter().zip(&wanted).all(|(part, want)| {
            part == want || part.strip_suffix('s').is_some_and(|single| single == *want)
        })
    })
}

/// `PartnerTransId`, `partner_trans_id` and `PARTNER_TRANS_ID` are all partner, trans, id.
fn parts(name: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut before_is_lower = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && before_is_lower) {
            found.push(String::new());
        }
        if c != '_'
            && let Some(last) = found.last_mut()
        {
            last.extend(c.to_lowercase());
        }
        before_is_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    found.retain(|part| !part.is_empty());
    found
}

/// The names in an SQL text with their lines; strings and comments are left out.
pub(crate) fn sql_names(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if first == '\'' {
            rest.get(1..)
                .and_then(|body| body.find('\''))
                .map_or(rest.len(), |at| at + 2)
        } else if first.is_alphabetic() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (text, tail) = rest.split_at(length);
        if first.is_alphabetic() || first == '_' {
            found.push((line, text));
        }
        line += text.matches('\n').count();
        rest = tail;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, name: &str, banned: bool) {
        assert_eq!(complaint(path, name).is_some(), banned, "{path} {name}");
    }

    /// Banned words are found in every shape of a name, and only as whole words.
    #[test]
    fn words_are_found_in_names() {
        check("crates/core/src/a.rs", "LedgerPosting", true);
        check("crates/core/src/a.rs", "postings_of", true);
        check("crates/core/src/a.rs", "CAPTURED", true);
        check("crates/core/src/a.rs", "SubMerchant", true);
        check("crates/core/src/a.rs", "refund_amt", true);
        check("crates/wire/src/a.rs", "refund_amt", false);
        check("crates/wire/src/a.rs", "webhook", true);
        check("crates/core/src/a.rs", "discharge", false);
        check("crates/core/src/a.rs", "pay_out", false);
        check("crates/core/src/a.rs", "secondary_merchant", false);
    }

    /// SQL names come without strings and comments, lines counted.
    #[test]
    fn sql_is_cut_into_names() {
        let sql = "-- posting\nCREATE TABLE t (\n  a TEXT DEFAULT 'txn' /* x\n */, b_c INT)";
        let expected = [
            (2, "CREATE"),
            (2, "TABLE"),
            (2, "t"),
            (3, "a"),
            (3, "TEXT"),
            (3, "DEFAULT"),
            (4, "b_c"),
            (4, "INT"),
        ];
        assert_eq!(sql_names(sql), expected);
    }
}
