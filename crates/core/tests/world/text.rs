//! The words of a table.
//!
//! ```text
//! at [2026-11-23] 12:00:00[.000001]       wait SECONDS
//! partner NAME HK|STANDARD [CURRENCY] [country=FR rate=0.012 wallets=both|hk|cn grace=paid_too|unpaid_only
//!                                      payment=AMOUNT day=AMOUNT product=AMOUNT]
//! rate    BASE QUOTE RATE                 from today on
//! wallet  NAME HK|CN AMOUNT|-             [ask=yes state=frozen id=NAME alias=NUMBER]
//! amend   NAME                            [ask=yes|no state=active|frozen payment=.. day=.. month=..]
//! topup   NAME AMOUNT                     alias NAME NUMBER
//! pay     PARTNER ID AMOUNT CURRENCY CODE [list=CURRENCY shop=NAME|missing|unregistered read=TIME]
//! accept  PARTNER ID WALLET               decline PARTNER ID WALLET
//! cancel  PARTNER ID [by=spot|reverse]    close PARTNER ID
//! show    PARTNER ID                      entries PARTNER ID    timer PARTNER ID
//! balance WALLET                          turnover PARTNER      books
//! ```
//!
//! An AMOUNT may name its currency, `1.00:USD`. A CODE is a wallet's name: a fresh code of its
//! phone; `alice/c1` is one code each time it is named, `alice~7` one of her device with alias 7.
//! `bad:Forged` is what the gateway found wrong with a code; `gone` is a code of a wallet that is
//! not there. `read` is when the gateway looked at the code, before the command had its turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use spotpay_core::command::{
    AmendWallet, Buyer, BuyerAnswer, Cancel, Command, Confirm, LimitsChange, OpenWallet, Pay, TopUp,
};
use spotpay_core::config::ConfigChange;
use spotpay_core::decide::{CancelDone, Decision, Reply};
use spotpay_core::fx::Rate;
use spotpay_core::id::PartnerId;
use spotpay_core::ledger::Account;
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::partner::{
    AcceptedWallets, CancelGrace, Contract, ContractRefusal, Country, Partner, Product,
};
use spotpay_core::payment_code::{
    Alias, CodeLength, CodeRefusal, CodeSecret, CodeTag, CodeUse, PaymentCode, SLOT, slot_at,
};
use spotpay_core::shop::{Shop, ShopFound, ShopRefusal};
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::trade::{CancelName, ContentHash, Slot, Trade, TradeKey, TradeState};
use spotpay_core::wallet::{Confirmation, Device, PaymentInst, WalletLimits, WalletState};
use spotpay_core::working_set::{Changes, TurnoverKey};

use super::{World, name_of, number_of};

/// The words of one line: a verb, plain words in order, options by name.
pub(super) struct Words<'a> {
    pub(super) verb: &'a str,
    line: &'a str,
    plain: VecDeque<&'a str>,
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

    fn option(&mut self, name: &str) -> Option<&'a str> {
        self.options.remove(name)
    }

    fn amount(&mut self, name: &str, currency: Currency) -> Option<Amount> {
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

    fn end(&self) {
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

fn instant(date: &str, time: &str) -> Timestamp {
    let (time, micros) = split_second(time);
    let second = Timestamp::parse_spaced(&format!("{date} {time}")).unwrap();
    second.plus(Span::micros(micros))
}

fn amount(text: &str, currency: Currency) -> Amount {
    let (digits, currency) = match text.split_once(':') {
        Some((digits, code)) => (digits, code.parse().unwrap()),
        None => (text, currency),
    };
    Amount::new(Money::parse_major(digits, currency).unwrap()).unwrap()
}

fn fnv(text: &str, seed: u64) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, step)
}

fn content(text: &str) -> ContentHash {
    let mut hash = [0; 16];
    hash[..8].copy_from_slice(&fnv(text, 0).to_be_bytes());
    hash[8..].copy_from_slice(&fnv(text, 1).to_be_bytes());
    ContentHash(hash)
}

fn confirmation(text: &str) -> Confirmation {
    match text {
        "yes" => Confirmation::Asked,
        "no" => Confirmation::NotAsked,
        _ => panic!("ask={text}"),
    }
}

fn wallet_state(text: &str) -> WalletState {
    match text {
        "active" => WalletState::Active,
        "frozen" => WalletState::Frozen,
        _ => panic!("state={text}"),
    }
}

fn shop(partner: PartnerId, store: &str) -> Shop {
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
fn secret(alias: Alias) -> CodeSecret {
    let mut bytes = [7; CodeSecret::BYTES];
    bytes[..4].copy_from_slice(&alias.number().to_be_bytes());
    CodeSecret::new(bytes)
}

// Lines to commands.
impl World {
    /// What a line asks to be decided.
    pub(super) fn command(&mut self, words: &mut Words<'_>) -> Result<Command, ContractRefusal> {
        let command = match words.verb {
            "partner" => {
                let change = ConfigChange::PutPartner(Arc::new(self.partner(words)?));
                Command::Configure(change)
            }
            "rate" => Command::Configure(ConfigChange::PutRate(Rate {
                base: words.plain().parse().unwrap(),
                quote: words.plain().parse().unwrap(),
                rate: words.plain().parse().unwrap(),
                from: self.now.business_date(),
                source: "table".into(),
            })),
            "wallet" => Command::OpenWallet(Box::new(self.open(words))),
            "amend" => self.amend(words),
            "topup" => {
                let wallet = self.wallet_id(words.plain());
                let amount = amount(words.plain(), self.currency_of(wallet));
                Command::TopUp(TopUp { wallet, amount })
            }
            "alias" => {
                let wallet = self.wallet_id(words.plain());
                let alias = Alias::from_number(words.plain().parse().unwrap()).unwrap();
                let secret = secret(alias);
                Command::IssueAlias(Device {
                    alias,
                    wallet,
                    secret,
                })
            }
            "pay" => Command::Pay(Box::new(self.pay(words))),
            "accept" | "decline" => Command::Confirm(Confirm {
                key: self.key(words),
                wallet: self.wallet_id(words.plain()),
                answer: match words.verb {
                    "accept" => BuyerAnswer::Accept,
                    _ => BuyerAnswer::Decline,
                },
            }),
            "cancel" => Command::Cancel(Cancel {
                key: self.key(words),
                name: match words.option("by") {
                    None => CancelName::Cancel,
                    Some("spot") => CancelName::SpotCancel,
                    Some("reverse") => CancelName::Reverse,
                    Some(other) => panic!("by={other}"),
                },
            }),
            "close" => Command::Close(self.key(words)),
            _ => panic!("no such verb: {}", words.line),
        };
        words.end();
        Ok(command)
    }

    fn key(&mut self, words: &mut Words<'_>) -> TradeKey {
        TradeKey {
            partner: self.partner_id(words.plain()),
            id: words.plain().parse().unwrap(),
        }
    }

    fn currency_of(&self, wallet: spotpay_core::id::WalletId) -> Currency {
        let wallet = self.rows.wallets.get(&wallet);
        wallet.map_or(Currency::HKD, |wallet| wallet.inst.currency())
    }

    fn partner(&mut self, words: &mut Words<'_>) -> Result<Partner, ContractRefusal> {
        let name = words.plain();
        let id = self.partner_id(name);
        let (product, home) = match words.plain() {
            "HK" => (Product::Hk, "HK"),
            "STANDARD" => (Product::Standard, "FR"),
            other => panic!("no such product: {other}"),
        };
        let country = Country::parse(words.option("country").unwrap_or(home)).unwrap();
        let currency = words.plain.pop_front().unwrap_or("HKD").parse().unwrap();
        let usual = Contract::usual(product, country, currency);
        let contract = Contract {
            commission: match words.option("rate") {
                Some(rate) => rate.parse().unwrap(),
                None => usual.commission,
            },
            wallets: match words.option("wallets") {
                None => usual.wallets,
                Some("both") => AcceptedWallets::Both,
                Some("hk") => AcceptedWallets::HkOnly,
                Some("cn") => AcceptedWallets::CnOnly,
                Some(other) => panic!("wallets={other}"),
            },
            cancel_grace: match words.option("grace") {
                None => usual.cancel_grace,
                Some("paid_too") => CancelGrace::PaidToo,
                Some("unpaid_only") => CancelGrace::UnpaidOnly,
                Some(other) => panic!("grace={other}"),
            },
            limit_per_payment: words.amount("payment", currency),
            limit_per_day: words.amount("day", currency),
            limit_product: words.amount("product", currency),
            ..usual
        };
        words.end();
        Ok(Partner {
            id,
            name: name.into(),
            contract: contract.checked()?,
            default_shop: shop(id, "main"),
            keys: Vec::new(),
        })
    }

    fn open(&mut self, words: &mut Words<'_>) -> OpenWallet {
        let name = words.plain();
        let inst = match words.plain() {
            "HK" => PaymentInst::AlipayHk,
            "CN" => PaymentInst::AlipayCn,
            other => panic!("no such wallet type: {other}"),
        };
        let balance = match words.plain() {
            "-" => None,
            text => Some(amount(text, inst.currency())),
        };
        let id = self.wallet_id(words.option("id").unwrap_or(name));
        let alias = match words.option("alias") {
            Some(number) => Alias::from_number(number.parse().unwrap()).unwrap(),
            None => self.alias_of(words.option("id").unwrap_or(name)),
        };
        OpenWallet {
            id,
            name: name.into(),
            login: format!("852****{:04}", id.number()).into(),
            inst,
            balance,
            confirmation: words
                .option("ask")
                .map_or(Confirmation::NotAsked, confirmation),
            state: words
                .option("state")
                .map_or(WalletState::Active, wallet_state),
            device: Device {
                alias,
                wallet: id,
                secret: secret(alias),
            },
        }
    }

    fn amend(&mut self, words: &mut Words<'_>) -> Command {
        let wallet = self.wallet_id(words.plain());
        let own = self.currency_of(wallet);
        let limits = WalletLimits {
            per_payment: words.amount("payment", own),
            per_day: words.amount("day", own),
            per_month: words.amount("month", own),
        };
        Command::AmendWallet(AmendWallet {
            wallet,
            state: words.option("state").map(wallet_state),
            confirmation: words.option("ask").map(confirmation),
            limits: if limits == WalletLimits::default() {
                LimitsChange::default()
            } else {
                // A line that names a limit names all of them.
                LimitsChange {
                    per_payment: Some(limits.per_payment),
                    per_day: Some(limits.per_day),
                    per_month: Some(limits.per_month),
                }
            },
        })
    }

    fn pay(&mut self, words: &mut Words<'_>) -> Pay {
        let key = self.key(words);
        let (digits, currency) = (words.plain(), words.plain().parse().unwrap());
        let amount = amount(digits, currency);
        let code = words.plain();
        let read = match words.option("read") {
            Some(time) => instant(&self.now.business_date().to_string(), time),
            None => self.now,
        };
        let (buyer, code) = self.scan(code, read);
        let list = words.option("list");
        let place = words.option("shop").unwrap_or("main");
        Pay {
            content: content(&format!("{digits} {currency} {list:?} {place}")),
            shop: self.shop(key.partner, place),
            key,
            amount,
            list_currency: list.map(|code| code.parse().unwrap()),
            buyer,
            code,
            terminal: None,
            title: "Tea".into(),
            memo: None,
            notify_url: None,
        }
    }

    /// As the gateway finds it: known already, or named by the request.
    fn shop(&self, partner: PartnerId, place: &str) -> Result<ShopFound, ShopRefusal> {
        match place {
            "missing" => Err(ShopRefusal::StoreDataRequired),
            "unregistered" => Err(ShopRefusal::NotRegistered),
            _ => {
                let shop = shop(partner, place);
                Ok(match self.rows.shops.contains(&shop.key()) {
                    true => ShopFound::Stored(shop.key()),
                    false => ShopFound::New(Arc::new(shop)),
                })
            }
        }
    }

    /// As the gateway reads a code, before the command has its turn.
    fn scan(&mut self, word: &str, read: Timestamp) -> (Result<Buyer, CodeRefusal>, CodeTag) {
        let tag = CodeTag(i64::from_be_bytes(fnv(word, 2).to_be_bytes()));
        let refused = match word {
            "bad:Malformed" => CodeRefusal::Malformed,
            "bad:UnknownAlias" => CodeRefusal::UnknownAlias,
            "bad:OutOfTime" => CodeRefusal::OutOfTime,
            "bad:Forged" => CodeRefusal::Forged,
            "bad:TooManyTries" => CodeRefusal::TooManyTries,
            "gone" => {
                let wallet = self.wallet_id("gone");
                let (alias, slot) = (self.alias_of("gone"), slot_at(read));
                let code = CodeUse { alias, slot };
                return (Ok(Buyer { wallet, code }), tag);
            }
            _ => {
                let code = self.code(word);
                return (self.read(&code, read), code.tag());
            }
        };
        (Err(refused), tag)
    }

    fn read(&self, code: &PaymentCode, read: Timestamp) -> Result<Buyer, CodeRefusal> {
        let alias = code.alias().ok_or(CodeRefusal::Malformed)?;
        let device = self.rows.devices.get(&alias);
        let device = device.ok_or(CodeRefusal::UnknownAlias)?;
        let code = code.check(&device.secret, read)?;
        let wallet = device.wallet;
        Ok(Buyer { wallet, code })
    }

    /// The code that a word names: one drawn before, or the youngest that was not.
    fn code(&mut self, word: &str) -> PaymentCode {
        if let Some(code) = self.codes.get(word) {
            return code.clone();
        }
        let (device, label) = match word.split_once('/') {
            Some((device, label)) => (device, Some(label)),
            None => (word, None),
        };
        let alias = match device.split_once('~') {
            Some((_, number)) => Alias::from_number(number.parse().unwrap()).unwrap(),
            None => self.alias_of(device),
        };
        let youngest = slot_at(self.now);
        let slot = (youngest - 20..=youngest)
            .rev()
            .find(|slot| self.drawn.insert(CodeUse { alias, slot: *slot }));
        let slot = slot.expect("a phone has few codes in two minutes; wait a little");
        let made = Timestamp::from_micros(slot * SLOT.as_micros());
        let code = PaymentCode::make(alias, &secret(alias), made, CodeLength::Short);
        if label.is_some() {
            self.codes.insert(word.to_owned(), code.clone());
        }
        code
    }

    /// The alias of a wallet's first device.
    fn alias_of(&mut self, wallet: &str) -> Alias {
        let number = 1_000 + number_of(&mut self.wallets, wallet);
        Alias::from_number(u32::try_from(number).unwrap()).unwrap()
    }
}

// Decisions and rows to text.
impl World {
    /// A decision as a table says it.
    pub(super) fn told(&self, command: &Command, decision: &Decision) -> String {
        let repeat = match (command, decision.changes == Changes::default()) {
            (Command::Pay(_) | Command::Confirm(_) | Command::Cancel(_), true) => "repeat, ",
            _ => "",
        };
        match &decision.reply {
            Reply::Pay(Ok(done)) => format!("{repeat}{}", describe(&done.trade, done.trade.state)),
            Reply::Confirm(Ok(trade)) => format!("{repeat}{}", describe(trade, trade.state)),
            Reply::Cancel(Ok(CancelDone::Nothing)) => format!("{repeat}nothing"),
            Reply::Cancel(Ok(CancelDone::Closed { trade, action })) => {
                format!("{repeat}{}, {action:?}", describe(trade, trade.state))
            }
            Reply::Timer(outcome) => format!("{outcome:?}"),
            Reply::Refund(answer) => format!("{repeat}{answer:?}"),
            Reply::Store(answer) => format!("{answer:?}"),
            Reply::Notification(answer) => format!("{answer:?}"),
            Reply::Wallet(Ok(wallet)) => wallet.balance.to_string(),
            Reply::Configured => "configured".to_owned(),
            Reply::Pay(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Confirm(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Cancel(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Wallet(Err(refusal)) => format!("refused {refusal:?}"),
        }
    }

    /// What the rows say to a question.
    pub(super) fn answer(&mut self, words: &mut Words<'_>) -> String {
        let answer = match words.verb {
            "show" => {
                let key = self.key(words);
                match self.rows.slots.get(&key) {
                    None => "nothing".to_owned(),
                    Some(Slot::Mark(mark)) => format!("mark at {}", time(mark.at)),
                    Some(Slot::Trade(trade)) => show(trade, self.now),
                }
            }
            "entries" => {
                let key = self.key(words);
                let entries = self.rows.trade_entries(&key);
                let told = entries.iter().map(|entry| {
                    let sides = (self.place(entry.debit), self.place(entry.credit));
                    let money = entry.amount.money();
                    format!("{} > {} {money} {}", sides.0, sides.1, entry.cause.as_str())
                });
                told.collect::<Vec<_>>().join("; ")
            }
            "timer" => {
                let key = self.key(words);
                match self.rows.slots.get(&key) {
                    Some(Slot::Trade(trade)) => {
                        let due = self.rows.timers.get(&trade.id);
                        due.map_or("none".to_owned(), |due| time(*due))
                    }
                    Some(Slot::Mark(_)) | None => "none".to_owned(),
                }
            }
            "balance" => {
                let id = self.wallet_id(words.plain());
                let wallet = &self.rows.wallets[&id];
                let (day, month) = (wallet.spent.day.major(), wallet.spent.month.major());
                let date = wallet.spent.date;
                format!(
                    "{} spent {day} on {date}, {month} in its month",
                    wallet.balance
                )
            }
            "turnover" => {
                let (partner, date) = (self.partner_id(words.plain()), self.now.business_date());
                let taken = self.rows.turnovers.get(&TurnoverKey { partner, date });
                taken.map_or("none".to_owned(), Money::to_string)
            }
            _ => self.books(),
        };
        words.end();
        answer
    }

    fn books(&self) -> String {
        let mut nets: BTreeMap<(Currency, Account), i64> = BTreeMap::new();
        for entry in &self.rows.entries {
            let minor = entry.amount.money().minor();
            *nets.entry((entry.currency(), entry.debit)).or_default() -= minor;
            *nets.entry((entry.currency(), entry.credit)).or_default() += minor;
        }
        nets.retain(|_, net| *net != 0);
        let told = nets.iter().map(|((currency, account), net)| {
            format!(
                "{} {}",
                self.place(*account),
                Money::of_minor(*net, *currency)
            )
        });
        told.collect::<Vec<_>>().join(", ")
    }

    fn place(&self, account: Account) -> String {
        match account {
            Account::Wallet(id) => name_of(&self.wallets, id.number()).to_owned(),
            Account::PartnerPayable(id) => name_of(&self.partners, id.number()).to_owned(),
            Account::CommissionIncome => "commission".to_owned(),
            Account::FxClearing => "fx".to_owned(),
            Account::BankClearing => "bank".to_owned(),
            Account::TopUpClearing => "topups".to_owned(),
        }
    }
}

fn describe(trade: &Trade, state: TradeState) -> String {
    let converted = trade.conversion.map_or(String::new(), |conversion| {
        format!(
            " {} at {}",
            conversion.buyer_amount.money(),
            conversion.rate
        )
    });
    match state {
        TradeState::Waiting => format!("waiting{converted} until {}", time(trade.waits_until())),
        TradeState::Paid(payment) => {
            format!("paid{converted} commission {}", payment.commission.major())
        }
        TradeState::Closed { cause, .. } => format!("closed {cause:?}"),
    }
}

fn show(trade: &Trade, now: Timestamp) -> String {
    let state = trade.state_at(now);
    let told = describe(trade, state);
    match state {
        TradeState::Waiting => told,
        TradeState::Paid(payment) => format!("{told} at {}", time(payment.at)),
        TradeState::Closed { at, payment, .. } => {
            let money = if payment.is_some() {
                "after payment"
            } else {
                "unpaid"
            };
            format!("{told} {money} at {}", time(at))
        }
    }
}

/// The time of day in GMT+8.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let (_, time) = text.split_once('T').unwrap();
    time.trim_end_matches("+08:00").to_owned()
}
