//! What a fresh sandbox holds: the same partners, keys, wallets and rates on every start, so that
//! scripts can hard-code them (`contract.md`). All of it is public; production mode refuses it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spotpay_core::calendar::CalendarName;
use spotpay_core::command::{Command, OpenWallet};
use spotpay_core::config::ConfigChange;
use spotpay_core::fx::Rate;
use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::partner::{
    AcceptedWallets, Contract, Country, KeyKind, Partner, PartnerKey, Product,
};
use spotpay_core::payment_code::{Alias, CodeSecret};
use spotpay_core::shop::Shop;
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::wallet::{Confirmation, Device, PaymentInst, WalletState};

/// The gateway's private key, PKCS#8 in Base64.
pub const GATEWAY_KEY: &str = include_str!("../seed/gateway.key");

/// A partner that every fresh sandbox has.
#[derive(Debug)]
pub struct SeedPartner {
    /// Its name.
    pub name: &'static str,
    /// The twelve digits behind 2088.
    number: u64,
    /// The 32 characters that it shares with the gateway.
    pub md5_key: &'static str,
    /// Its private key, PKCS#8 in Base64: `sandbox.json` hands it out.
    pub rsa_private_key: &'static str,
}

impl SeedPartner {
    /// The twelve digits behind 2088.
    pub const fn number(&self) -> u64 {
        self.number
    }
}

/// The partners, in the order of `sandbox.json`.
pub const PARTNERS: [SeedPartner; 3] = [
    SeedPartner {
        name: "tea-house",
        number: 621_900_000_101,
        md5_key: "t3ahouse0key0for0the0sandbox0001",
        rsa_private_key: include_str!("../seed/tea-house.key"),
    },
    SeedPartner {
        name: "dim-sum",
        number: 621_900_000_202,
        md5_key: "d1msum00key0for0the0sandbox00002",
        rsa_private_key: include_str!("../seed/dim-sum.key"),
    },
    SeedPartner {
        name: "duty-free",
        number: 621_900_000_303,
        md5_key: "dutyfree0key0for0the0sandbox0003",
        rsa_private_key: include_str!("../seed/duty-free.key"),
    },
];

/// A wallet that every fresh sandbox has.
struct SeedWallet {
    name: &'static str,
    number: u64,
    login: &'static str,
    inst: PaymentInst,
    balance: i64,
    confirmation: Confirmation,
    state: WalletState,
}

const RICH: i64 = 10_000_000;

const WALLETS: [SeedWallet; 5] = [
    SeedWallet {
        name: "alice",
        number: 722_100_000_111,
        login: "852****0111",
        inst: PaymentInst::AlipayHk,
        balance: RICH,
        confirmation: Confirmation::NotAsked,
        state: WalletState::Active,
    },
    SeedWallet {
        name: "bob",
        number: 722_100_000_222,
        login: "138****0222",
        inst: PaymentInst::AlipayCn,
        balance: RICH,
        confirmation: Confirmation::NotAsked,
        state: WalletState::Active,
    },
    SeedWallet {
        name: "poor",
        number: 722_100_000_333,
        login: "852****0333",
        inst: PaymentInst::AlipayHk,
        balance: 0,
        confirmation: Confirmation::NotAsked,
        state: WalletState::Active,
    },
    SeedWallet {
        name: "careful",
        number: 722_100_000_444,
        login: "852****0444",
        inst: PaymentInst::AlipayHk,
        balance: RICH,
        confirmation: Confirmation::Asked,
        state: WalletState::Active,
    },
    SeedWallet {
        name: "frozen",
        number: 722_100_000_555,
        login: "852****0555",
        inst: PaymentInst::AlipayHk,
        balance: RICH,
        confirmation: Confirmation::NotAsked,
        state: WalletState::Frozen,
    },
];

/// The names of the seeded wallets, in the order of `sandbox.json`.
pub fn wallet_names() -> impl Iterator<Item = &'static str> {
    WALLETS.iter().map(|wallet| wallet.name)
}

/// The private key of a seeded partner that still has its seeded number.
pub fn private_key_of(partner: &Partner) -> Option<&'static str> {
    let seed = PARTNERS
        .iter()
        .find(|seed| seed.number == partner.id.number())?;
    Some(seed.rsa_private_key.trim())
}

/// Everything, as commands for an empty store.
pub fn commands() -> Vec<Command> {
    let partners = PARTNERS
        .iter()
        .map(|seed| ConfigChange::PutPartner(Arc::new(partner(seed))));
    let rates = [
        ("HKD to CNY", Currency::HKD, 92_000_000),
        ("USD to CNY", Currency::USD, 720_000_000),
    ];
    let rates = rates.into_iter().filter_map(|(source, base, e8)| {
        let rate = spotpay_core::money::FxRate::of_e8(e8).ok()?;
        let from = CivilDate::new(2020, 1, 1)?;
        Some(ConfigChange::PutRate(Rate {
            base,
            quote: Currency::CNY,
            from,
            rate,
            source: format!("seed: {source}").into(),
        }))
    });
    let wallets = WALLETS
        .iter()
        .zip(1..)
        .map(|(seed, place)| Command::OpenWallet(Box::new(wallet(seed, place))));
    partners
        .chain(rates)
        .chain(holidays())
        .map(Command::Configure)
        .chain(wallets)
        .collect()
}

/// Public holidays: mainland China's by the State Council's yearly notice, Hong Kong's by the general
/// holidays in its gazette. Later years come with the sandbox API.
fn holidays() -> impl Iterator<Item = ConfigChange> {
    let rows = include_str!("../seed/holidays.csv").lines().skip(1);
    let mut calendars: BTreeMap<CalendarName, BTreeSet<CivilDate>> = BTreeMap::new();
    for row in rows {
        let mut columns = row.split(',');
        let calendar = columns.next().and_then(|name| name.parse().ok());
        let date = columns.next().and_then(CivilDate::parse_dashed);
        if let (Some(calendar), Some(date)) = (calendar, date) {
            calendars.entry(calendar).or_default().insert(date);
        }
    }
    let calendars = calendars.into_iter();
    calendars.map(|(calendar, dates)| ConfigChange::SetHolidays(calendar, dates))
}

fn partner(seed: &SeedPartner) -> Partner {
    let id = PartnerId::from_number(seed.number)
        .unwrap_or_else(|| unreachable!("seeded numbers have twelve digits"));
    let standard = seed.name == "duty-free";
    let usual = if standard {
        Contract::usual(Product::Standard, country_abroad(), Currency::USD)
    } else {
        Contract::usual(Product::Hk, Country::HK, Currency::HKD)
    };
    let hk_only = seed.name == "dim-sum";
    let reserve = if hk_only { 0 } else { 1_000_000 };
    let wallets = if hk_only {
        AcceptedWallets::HkOnly
    } else {
        usual.wallets
    };
    let contract = Contract {
        wallets,
        reserve: Money::of_minor(reserve, usual.settlement_currency),
        ..usual
    };
    let public = public_key(seed);
    let key = |kind, text: &str| PartnerKey {
        kind,
        text: text.into(),
        from: Timestamp::from_micros(0),
        until: None,
    };
    let shop = default_shop(id, seed.name);
    Partner {
        id,
        name: seed.name.into(),
        contract,
        default_shop: shop,
        keys: vec![
            key(KeyKind::Md5, seed.md5_key),
            key(KeyKind::PartnerRsa, &public),
        ],
    }
}

/// Where a partner's entity is when it is not in Hong Kong and nobody says where.
pub fn country_abroad() -> Country {
    Country::parse("FR").unwrap_or_else(|| unreachable!("FR is a country"))
}

fn public_key(seed: &SeedPartner) -> String {
    let private: Result<spotpay_wire::keys::PrivateKey, _> = seed.rsa_private_key.parse();
    private.map_or_else(|_| String::new(), |key| key.public_key().to_spki_base64())
}

/// The one registered store of a new partner: `M001`, `S001`.
pub fn default_shop(partner: PartnerId, name: &str) -> Shop {
    let id = |result: Result<_, spotpay_core::id::IdError>| {
        result.unwrap_or_else(|_| unreachable!("M001 is an id"))
    };
    Shop {
        partner,
        secondary_merchant_id: id("M001".parse()),
        secondary_merchant_name: name.into(),
        secondary_merchant_industry: "5812".into(),
        store_id: "S001"
            .parse()
            .unwrap_or_else(|_| unreachable!("S001 is an id")),
        store_name: format!("{name} Central").into(),
    }
}

fn wallet(seed: &SeedWallet, place: u8) -> OpenWallet {
    let id = WalletId::from_number(seed.number)
        .unwrap_or_else(|| unreachable!("seeded numbers have twelve digits"));
    let alias = Alias::from_number(100_000_000 + u32::from(place))
        .unwrap_or_else(|| unreachable!("nine digits"));
    OpenWallet {
        id,
        name: seed.name.into(),
        login: seed.login.into(),
        inst: seed.inst,
        balance: Amount::new(Money::of_minor(seed.balance, seed.inst.currency())).ok(),
        confirmation: seed.confirmation,
        state: seed.state,
        device: Device {
            alias,
            wallet: id,
            secret: CodeSecret::new([place; CodeSecret::BYTES]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_keys_are_keys() {
        for seed in &PARTNERS {
            assert!(
                seed.md5_key
                    .parse::<spotpay_wire::signature::Md5Key>()
                    .is_ok(),
                "{}",
                seed.name
            );
            assert!(!public_key(seed).is_empty(), "{}", seed.name);
        }
        assert!(
            GATEWAY_KEY
                .parse::<spotpay_wire::keys::PrivateKey>()
                .is_ok()
        );
        assert_eq!(commands().len(), 3 + 2 + 2 + 5);
    }
}
