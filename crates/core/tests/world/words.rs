//! The words of a table.
//!
//! ```text
//! at [2026-11-23] 12:00:00[.000001]       wait SECONDS
//! until [2026-11-23] 12:00:00             pass SECONDS      timers [SLICE]
//! partner NAME HK|STANDARD [CURRENCY] [country=FR rate=0.012 wallets=both|hk|cn grace=paid_too|unpaid_only
//!                                      payment=AMOUNT day=AMOUNT product=AMOUNT reserve=AMOUNT
//!                                      commission_on_refund=kept|returned async_refund=batch|same_day
//!                                      refund_days=180 notify_url=URL store_review=instant|manual
//!                                      sync_refund_pause=none|after_midnight]
//! rate    BASE QUOTE RATE                 from today on
//! wallet  NAME HK|CN AMOUNT|-             [ask=yes state=frozen id=NAME alias=NUMBER]
//! amend   NAME                            [ask=yes|no state=active|frozen payment=.. day=.. month=..]
//! topup   NAME AMOUNT                     alias NAME NUMBER
//! pay     PARTNER ID AMOUNT CURRENCY CODE [list=CURRENCY shop=NAME|missing|unregistered read=TIME url=URL]
//! accept  PARTNER ID WALLET               decline PARTNER ID WALLET
//! cancel  PARTNER ID [by=spot|reverse]    close PARTNER ID
//! refund  PARTNER ID REFUND AMOUNT [CURRENCY] [sync|async] [url=URL reason=WORD trade=ID]
//! workoff PARTNER REFUND
//! register PARTNER STORE                  [merchant=M001 name=.. store_name=.. industry=5812 country=HK
//!                                          based=HK drivers=a,b address=..]
//! review  PARTNER STORE processing|verified|rejected [merchant=M001]
//! deliver PARTNER ABOUT success|lost|STATUS
//! resend  PARTNER ABOUT [at=TIME]
//! show    PARTNER ID                      entries PARTNER ID    timer PARTNER ID
//! show    refund PARTNER REFUND           show notification PARTNER ABOUT
//! show    store PARTNER STORE             show default PARTNER
//! balance WALLET                          turnover PARTNER      books
//! ```
//!
//! An AMOUNT may name its currency, `1.00:USD`. A CODE is a wallet's name: a fresh code of its
//! phone; `alice/c1` is one code each time it is named, `alice~7` one of her device with alias 7.
//! `bad:Forged` is what the gateway found wrong with a code; `gone` is a code of a wallet that is
//! not there. `read` is when the gateway looked at the code, before the command had its turn.
//!
//! A refund is synchronous unless it says `async`, in the currency of the partner's contract unless
//! it names another; `trade=T1` is our number of that trade. ABOUT is the trade or the refund that
//! a notification is about. `timers` runs what is due, in order of its time, so many at once as it
//! says (one); `until` and `pass` move the time and run on the way what becomes due.

use std::collections::{BTreeMap, VecDeque};

use spotpay_core::id::PartnerId;
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::payment_code::{Alias, CodeSecret};
use spotpay_core::shop::Shop;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::trade::ContentHash;
use spotpay_core::wallet::{Confirmation, WalletState};

/// The words of one line: a verb, plain words in order, options by name.
pub(super) struct Words<'a> {
    pub(super) verb: &'a str,
    pub(super) line: &'a str,
    pub(super) plain: VecDeque<&'a str>,
    options: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let (options, plain): (Vec<_>, Vec<_>) = words.partition(|word| word.contains('='));
        Self {
            verb,
            line,
            plain: plain.into(),
            options: options
                .into_iter()
                .filter_map(|word| word.split_once('='))
                .collect(),
        }
    }

    pub(super) fn plain(&mut self) -> &'a str {
        let Some(word) = self.plain.pop_front() else {
            panic!("a word is missing: {}", self.line)
        };
        word
    }

    pub(super) fn option(&mut self, name: &str) -> Option<&'a str> {
        self.options.remove(name)
    }

    pub(super) fn amount(&mut self, name: &str, currency: Currency) -> Option<Amount> {
        self.option(name).map(|text| amount(text, currency))
    }

    /// A time of day, with a date before it or on the day of `now`.
    pub(super) fn instant(&mut self, now: Timestamp) -> Timestamp {
        let first = self.plain();
        match self.plain.pop_front() {
            Some(time) => instant(first, time),
            None => instant(&now.business_date().to_string(), first),
        }
    }

    /// Seconds, with decimals or without.
    pub(super) fn span(&mut self) -> Span {
        let (seconds, micros) = split_second(self.plain());
        Span::micros(seconds.parse::<i64>().unwrap() * 1_000_000 + micros)
    }

    pub(super) fn end(&self) {
        let rest = (&self.plain, &self.options);
        let empty = self.plain.is_empty() && self.options.is_empty();
        assert!(empty, "words without a meaning {rest:?}: {}", self.line);
    }
}

/// What stands before the point, and the microseconds behind it.
fn split_second(text: &str) -> (&str, i64) {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    (whole, format!("{decimals:0<6}").parse().unwrap())
}

pub(super) fn instant(date: &str, time: &str) -> Timestamp {
    let (time, micros) = split_second(time);
    let second = Timestamp::parse_spaced(&format!("{date} {time}")).unwrap();
    second.plus(Span::micros(micros))
}

pub(super) fn amount(text: &str, currency: Currency) -> Amount {
    let (digits, currency) = match text.split_once(':') {
        Some((digits, code)) => (digits, code.parse().unwrap()),
        None => (text, currency),
    };
    Amount::new(Money::parse_major(digits, currency).unwrap()).unwrap()
}

pub(super) fn fnv(text: &str, seed: u64) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, step)
}

pub(super) fn content(text: &str) -> ContentHash {
    let mut hash = [0; 16];
    hash[..8].copy_from_slice(&fnv(text, 0).to_be_bytes());
    hash[8..].copy_from_slice(&fnv(text, 1).to_be_bytes());
    ContentHash(hash)
}

pub(super) fn confirmation(text: &str) -> Confirmation {
    match text {
        "yes" => Confirmation::Asked,
        "no" => Confirmation::NotAsked,
        _ => panic!("ask={text}"),
    }
}

pub(super) fn wallet_state(text: &str) -> WalletState {
    match text {
        "active" => WalletState::Active,
        "frozen" => WalletState::Frozen,
        _ => panic!("state={text}"),
    }
}

pub(super) fn shop(partner: PartnerId, store: &str) -> Shop {
    Shop {
        partner,
        secondary_merchant_id: "M001".parse().unwrap(),
        secondary_merchant_name: "Tea House".into(),
        secondary_merchant_industry: "5812".into(),
        store_id: store.parse().unwrap(),
        store_name: store.into(),
    }
}

/// The device with an alias: on every phone the secret is made from the alias.
pub(super) fn secret(alias: Alias) -> CodeSecret {
    let mut bytes = [7; CodeSecret::BYTES];
    bytes[..4].copy_from_slice(&alias.number().to_be_bytes());
    CodeSecret::new(bytes)
}
