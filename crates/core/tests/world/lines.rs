//! Lines to commands.

use std::sync::Arc;

use spotpay_core::command::{
    AmendWallet, AskRefund, Buyer, BuyerAnswer, Cancel, Command, Confirm, LimitsChange, OpenWallet,
    Pay, StoreReview as Review, TopUp,
};
use spotpay_core::config::ConfigChange;
use spotpay_core::fx::Rate;
use spotpay_core::id::{EventId, PartnerId, TradeId};
use spotpay_core::money::{Amount, Currency};
use spotpay_core::notification::{Delivery, Tidings};
use spotpay_core::partner::{
    AcceptedWallets, AsyncRefund, CancelGrace, CommissionOnRefund, Contract, ContractRefusal,
    Country, Partner, Product, StoreReview, SyncRefundPause,
};
use spotpay_core::payment_code::{
    Alias, CodeLength, CodeRefusal, CodeTag, CodeUse, PaymentCode, SLOT, slot_at,
};
use spotpay_core::refund::{RefundKey, RefundMode};
use spotpay_core::registration::{StoreData, StoreKey, StoreState};
use spotpay_core::shop::{Shop, ShopFound, ShopRefusal};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{CancelName, Dialect, Slot, TradeKey};
use spotpay_core::wallet::{Confirmation, Device, PaymentInst, WalletLimits, WalletState};

use super::words::{
    Words, amount, confirmation, content, fnv, instant, secret, shop, wallet_state,
};
use super::{World, number_of};

/// How payments are asked for here, and refunds: told apart, so that notifications are.
pub(super) const PAY_DIALECT: Dialect = Dialect(3);
pub(super) const REFUND_DIALECT: Dialect = Dialect(4);

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
            _ => self.of_trade(words),
        };
        words.end();
        Ok(command)
    }

    /// What is about a trade, a refund, a store or a notification.
    fn of_trade(&mut self, words: &mut Words<'_>) -> Command {
        match words.verb {
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
            "refund" => Command::Refund(Box::new(self.refund(words))),
            "workoff" => Command::WorkOff(self.refund_key(words)),
            "register" => Command::RegisterStore(Box::new(self.register(words))),
            "review" => Command::ReviewStore(Box::new(self.review(words))),
            "deliver" => Command::NoteDelivery(self.delivery(words)),
            "resend" => {
                let notification = self.notification(words);
                let at = words.option("at");
                let today = self.now.business_date().to_string();
                let at = at.map_or(self.now, |time| instant(&today, time));
                Command::Reschedule { notification, at }
            }
            _ => panic!("no such verb: {}", words.line),
        }
    }

    pub(super) fn key(&mut self, words: &mut Words<'_>) -> TradeKey {
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
        let reserve = words.amount("reserve", currency);
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
            reserve: reserve.map_or(usual.reserve, Amount::money),
            notify_url: words.option("notify_url").map(Into::into),
            ..refund_terms(usual, words)
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
            notify_url: words.option("url").map(Into::into),
            dialect: PAY_DIALECT,
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

// Refunds, stores and notifications.
impl World {
    pub(super) fn refund_key(&mut self, words: &mut Words<'_>) -> RefundKey {
        RefundKey {
            partner: self.partner_id(words.plain()),
            id: words.plain().parse().unwrap(),
        }
    }

    fn refund(&mut self, words: &mut Words<'_>) -> AskRefund {
        let trade = self.key(words);
        let key = RefundKey {
            partner: trade.partner,
            id: words.plain().parse().unwrap(),
        };
        let digits = words.plain();
        let partner = self.config.partner(key.partner);
        let mut currency = partner.map_or(Currency::HKD, |it| it.contract.settlement_currency);
        let mut mode = RefundMode::Sync;
        while let Some(word) = words.plain.pop_front() {
            match word {
                "sync" => mode = RefundMode::Sync,
                "async" => mode = RefundMode::Async,
                _ => currency = word.parse().unwrap(),
            }
        }
        let named = words.option("trade").map(|id| TradeKey {
            partner: key.partner,
            id: id.parse().unwrap(),
        });
        AskRefund {
            key,
            trade,
            trade_id: named.map(|key| self.trade_id(&key)),
            amount: amount(digits, currency),
            mode,
            reason: words.option("reason").map(Into::into),
            notify_url: words.option("url").map(Into::into),
            dialect: REFUND_DIALECT,
        }
    }

    /// Our number of a trade; that of none where there is no such trade.
    fn trade_id(&self, key: &TradeKey) -> TradeId {
        match self.rows.slots.get(key) {
            Some(Slot::Trade(trade)) => trade.id,
            Some(Slot::Mark(_)) | None => TradeId::from_i64(0),
        }
    }

    pub(super) fn store_key(&mut self, words: &mut Words<'_>) -> StoreKey {
        StoreKey {
            partner: self.partner_id(words.plain()),
            store_id: words.plain().parse().unwrap(),
            secondary_merchant_id: words.option("merchant").unwrap_or("M001").parse().unwrap(),
        }
    }

    fn register(&mut self, words: &mut Words<'_>) -> StoreData {
        let key = self.store_key(words);
        let usual = shop(key.partner, key.store_id.as_str());
        let country = |code: &str| Country::parse(code).unwrap();
        let drivers = words.option("drivers").unwrap_or_default();
        StoreData {
            shop: Shop {
                secondary_merchant_id: key.secondary_merchant_id,
                secondary_merchant_name: words
                    .option("name")
                    .map_or(usual.secondary_merchant_name, Into::into),
                secondary_merchant_industry: words
                    .option("industry")
                    .map_or(usual.secondary_merchant_industry, Into::into),
                store_name: words
                    .option("store_name")
                    .map_or(usual.store_name, Into::into),
                ..usual
            },
            store_country: country(words.option("country").unwrap_or("HK")),
            register_country: words.option("based").map(country),
            drivers: drivers
                .split(',')
                .filter(|driver| !driver.is_empty())
                .map(Into::into)
                .collect(),
            details: words
                .option("address")
                .map(|address| ("store_address".into(), address.into()))
                .into_iter()
                .collect(),
        }
    }

    fn review(&mut self, words: &mut Words<'_>) -> Review {
        Review {
            key: self.store_key(words),
            state: match words.plain() {
                "processing" => StoreState::Processing,
                "verified" => StoreState::Verified,
                "rejected" => StoreState::Rejected {
                    reason: "high-risk".into(),
                },
                other => panic!("no such state of a store: {other}"),
            },
        }
    }

    fn delivery(&mut self, words: &mut Words<'_>) -> Delivery {
        let notification = self.notification(words);
        let (status, body) = match words.plain() {
            "success" => (Some(200), "success"),
            "lost" => (None, "no connection"),
            status => (Some(status.parse().unwrap()), "no"),
        };
        Delivery {
            notification,
            at: self.now,
            status,
            body: body.into(),
            acknowledged: body == "success",
        }
    }

    /// The notification about a trade or a refund; the number of none where there is none.
    pub(super) fn notification(&mut self, words: &mut Words<'_>) -> EventId {
        let (partner, name) = (self.partner_id(words.plain()), words.plain());
        let refund = RefundKey {
            partner,
            id: name.parse().unwrap(),
        };
        let trade = TradeKey {
            partner,
            id: name.parse().unwrap(),
        };
        let trade = self.trade_id(&trade);
        let refund = self.rows.refunds.get(&refund).map(|refund| refund.id);
        let about = |tidings| match tidings {
            Tidings::TradePaid | Tidings::TradeClosed => None,
            Tidings::RefundDone(refund) => Some(refund),
        };
        let mut rows = self.rows.notifications.values();
        let row = rows.find(|row| match refund {
            Some(_) => about(row.tidings) == refund,
            None => row.trade == trade && about(row.tidings).is_none(),
        });
        row.map_or(EventId::from_i64(0), |row| row.id)
    }
}

/// The terms of a contract that refunds and stores follow.
fn refund_terms(usual: Contract, words: &mut Words<'_>) -> Contract {
    Contract {
        commission_on_refund: match words.option("commission_on_refund") {
            None => usual.commission_on_refund,
            Some("kept") => CommissionOnRefund::Kept,
            Some("returned") => CommissionOnRefund::Returned,
            Some(other) => panic!("commission_on_refund={other}"),
        },
        async_refund: match words.option("async_refund") {
            None => usual.async_refund,
            Some("batch") => AsyncRefund::Batch,
            Some("same_day") => AsyncRefund::SameDay,
            Some(other) => panic!("async_refund={other}"),
        },
        refund_days: match words.option("refund_days") {
            None => usual.refund_days,
            Some(days) => days.parse().unwrap(),
        },
        store_review: match words.option("store_review") {
            None => usual.store_review,
            Some("instant") => StoreReview::Instant,
            Some("manual") => StoreReview::Manual,
            Some(other) => panic!("store_review={other}"),
        },
        sync_refund_pause: match words.option("sync_refund_pause") {
            None => usual.sync_refund_pause,
            Some("none") => SyncRefundPause::None,
            Some("after_midnight") => SyncRefundPause::AfterMidnight,
            Some(other) => panic!("sync_refund_pause={other}"),
        },
        ..usual
    }
}
