//! Who is in a world: buyers with their phones, shops with their tills.

use spotpay_client::{Currency, Gateway, Settings};
use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
use spotpay_core::time::Timestamp;
use spotpay_server::seed;

use super::house::digits;

/// A phone of a seeded wallet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phone {
    place: u32,
    number: u64,
    /// Whether its owner is asked to confirm.
    pub(super) confirms: bool,
}

const ALICE: u64 = 722_100_000_111;
const BOB: u64 = 722_100_000_222;
const POOR: u64 = 722_100_000_333;
const CAREFUL: u64 = 722_100_000_444;
const FROZEN: u64 = 722_100_000_555;

const fn phone(place: u32, number: u64) -> Phone {
    Phone {
        place,
        number,
        confirms: number == CAREFUL,
    }
}

/// All phones.
pub(super) const PHONES: [Phone; 12] = [
    phone(0, ALICE),
    phone(1, ALICE),
    phone(2, ALICE),
    phone(3, ALICE),
    phone(4, BOB),
    phone(5, BOB),
    phone(6, BOB),
    phone(7, CAREFUL),
    phone(8, CAREFUL),
    phone(9, CAREFUL),
    phone(10, POOR),
    phone(11, FROZEN),
];

impl Phone {
    pub(super) fn alias(self) -> Alias {
        digits(self.place).0
    }

    pub(super) fn secret(self) -> CodeSecret {
        digits(self.place).1
    }

    pub(super) fn wallet(self) -> WalletId {
        WalletId::from_number(self.number).unwrap_or_else(|| unreachable!("a seeded number"))
    }

    /// The code that it shows at an instant.
    pub(super) fn code(self, at: Timestamp) -> PaymentCode {
        PaymentCode::make(self.alias(), &self.secret(), at, CodeLength::Short)
    }
}

/// The gateway, as shops know it.
const GATEWAY: &str = "http://gateway.test/gateway.do";

/// Tills: the place of their partner among the seeded ones.
pub(super) const TILLS: [usize; 4] = [0, 0, 1, 2];

/// How a till of a seeded partner calls the gateway.
pub(super) fn settings(partner: usize) -> Settings {
    let seeded = seed::PARTNERS.get(partner);
    let seeded = seeded.unwrap_or_else(|| unreachable!("a seeded partner"));
    let gateway: Gateway = GATEWAY
        .parse()
        .unwrap_or_else(|_| unreachable!("a gateway's address"));
    let id = PartnerId::from_number(seeded.number());
    let id = id.unwrap_or_else(|| unreachable!("a seeded number"));
    Settings::md5(gateway, id, seeded.md5_key).unwrap_or_else(|_| unreachable!("a seeded key"))
}

/// What a seeded partner's shops price in.
pub(super) const fn currency(partner: usize) -> Currency {
    if partner == 2 {
        Currency::USD
    } else {
        Currency::HKD
    }
}
