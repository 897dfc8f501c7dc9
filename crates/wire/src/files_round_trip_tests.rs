use proptest::prelude::*;
use spotpay_core::money::Currency;

use super::tests::{partner, read_all};
use super::*;

/// A text of a field, with what could break a row.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{0,12}",
        "[ |\r\n\t\"',:;a茶😀\u{2028}\u{85}]{0,8}",
        "\\PC{0,8}"
    ]
}

fn any_minor() -> impl Strategy<Value = i64> {
    prop_oneof![0..10_000_000_i64, 0..i64::MAX]
}

#[derive(Debug)]
struct AnyRow {
    texts: Vec<String>,
    minor: [i64; 6],
    currency: Currency,
    seconds: [i64; 2],
    kind: usize,
    wallet: Option<PaymentInst>,
    rate: u64,
}

fn any_row() -> impl Strategy<Value = AnyRow> {
    let wallet = prop_oneof![
        Just(None),
        Just(Some(PaymentInst::AlipayHk)),
        Just(Some(PaymentInst::AlipayCn))
    ];
    (
        proptest::collection::vec(field(), 8),
        proptest::array::uniform6(any_minor()),
        0..Currency::ALL.len(),
        proptest::array::uniform2(0..250_000_000_000_i64),
        0..4_usize,
        wallet,
        1..=10_000_000_000_u64,
    )
        .prop_map(
            |(texts, minor, currency, seconds, kind, wallet, rate)| AnyRow {
                texts,
                minor,
                currency: Currency::ALL[currency],
                seconds,
                kind,
                wallet,
                rate,
            },
        )
}

impl AnyRow {
    fn transaction(&self) -> TransactionRow<'_> {
        let money = |at: usize| Money::of_minor(self.minor[at], self.currency);
        let cny = |at: usize| Money::of_minor(self.minor[at], Currency::CNY);
        let kinds = [
            TransactionType::Payment,
            TransactionType::Refund,
            TransactionType::Cancel,
            TransactionType::Reverse,
        ];
        TransactionRow {
            partner_transaction_id: &self.texts[0],
            transaction_id: "2026112322001443200000100042",
            amount: money(0),
            fee: money(1),
            payment_time: Timestamp::from_seconds(self.seconds[0]),
            kind: kinds[self.kind],
            remark: &self.texts[2],
            store: StoreColumns {
                industry: &self.texts[3],
                merchant_name: &self.texts[4],
                merchant_id: &self.texts[5],
                operator_name: &self.texts[6],
            },
            order_scene: &self.texts[7],
            pricing: Some(Pricing {
                amount: money(2),
                forex_rate: FxRate::of_e8(self.rate).ok(),
            }),
            wallet: self.wallet,
            rmb: Some(Rmb {
                rate: FxRate::of_e8(self.rate).unwrap(),
                amount: cny(3),
                settlement: cny(4),
            }),
        }
    }

    fn settlement(&self) -> SettlementRow<'_> {
        let row = self.transaction();
        SettlementRow {
            partner_transaction_id: row.partner_transaction_id,
            transaction_id: row.transaction_id,
            amount: row.amount,
            fee: row.fee,
            settlement: Money::of_minor(self.minor[5], self.currency),
            payment_time: row.payment_time,
            settlement_time: Timestamp::from_seconds(self.seconds[1]),
            kind: [SettlementType::P, SettlementType::R][self.kind % 2],
            remark: row.remark,
            store: row.store,
            order_scene: row.order_scene,
            pricing: row.pricing,
            wallet: row.wallet,
            rmb: row.rmb,
        }
    }

    /// What a reader must make of the row.
    fn expected<'a>(&'a self, style: Style, settled: bool, texts: &'a [String]) -> FileRow<'a> {
        let (row, settlement) = (self.transaction(), self.settlement());
        let hk = matches!(style, Style::Hk(_));
        let rmb = match style {
            Style::Hk(_) => None,
            Style::Standard(RmbColumns::Hidden) if !settled => None,
            Style::Standard(_) => row.rmb,
        };
        let kinds = if settled {
            [RowKind::Payment, RowKind::Refund].repeat(2)
        } else {
            vec![
                RowKind::Payment,
                RowKind::Refund,
                RowKind::Cancel,
                RowKind::Reverse,
            ]
        };
        FileRow {
            line: 2 + u64::from(!settled),
            kind: kinds[self.kind],
            partner_transaction_id: &texts[0],
            transaction_id: row.transaction_id,
            amount: row.amount,
            fee: Some(row.fee),
            settlement: settled.then_some(settlement.settlement),
            payment_time: Some(row.payment_time),
            settlement_time: settled.then_some(settlement.settlement_time),
            status: settled.then_some(Status::Settled),
            wallet: self.wallet.filter(|_| hk),
            remark: &texts[2],
            store: StoreColumns {
                industry: &texts[3],
                merchant_name: &texts[4],
                merchant_id: if hk { &texts[5] } else { "" },
                operator_name: &texts[6],
            },
            order_scene: &texts[7],
            pricing: row.pricing,
            rate: rmb.map(|rmb| rmb.rate),
            rmb_amount: rmb.map(|rmb| rmb.amount),
            rmb_settlement: rmb.map(|rmb| rmb.settlement),
            original_id: "",
        }
    }
}

proptest! {
    // Goal: what is written comes back, in every style, whatever the texts hold.
    #[test]
    fn round_trip(row in any_row()) {
        let texts: Vec<String> = row.texts.iter().map(|text| plain(text).into_owned()).collect();
        for style in [
            Style::Hk(WalletColumn::PaymentInst),
            Style::Hk(WalletColumn::Issue),
            Style::Standard(RmbColumns::Shown),
            Style::Standard(RmbColumns::Hidden),
        ] {
            let mut file = String::new();
            style.transaction_head(partner(), CivilDate::from_days(20_000), 1, &mut file);
            style.transaction(&row.transaction(), &mut file);
            let mut reader = Reader::new(file.as_bytes()).unwrap();
            let expected = row.expected(style, false, &texts);
            prop_assert_eq!(reader.read().unwrap(), Some(Record::Row(expected)));
            prop_assert_eq!(reader.read().unwrap(), None);

            let mut file = String::new();
            style.settlement_head(&mut file);
            style.settlement(&row.settlement(), &mut file);
            let mut reader = Reader::new(file.as_bytes()).unwrap();
            let expected = row.expected(style, true, &texts);
            prop_assert_eq!(reader.read().unwrap(), Some(Record::Row(expected)));
            prop_assert_eq!(reader.read().unwrap(), None);
        }
    }

    // Goal: no bytes at all bring a reader down.
    #[test]
    fn any_bytes(bytes: Vec<u8>, cut in 0..2_000_usize, flips in proptest::collection::vec((0..2_000_usize, any::<u8>()), 0..6)) {
        read_all(&bytes);
        let samples: [&[u8]; 3] = [
            include_bytes!("../tests/files/hk-transaction-gbk.txt"),
            include_bytes!("../tests/files/fptrade.csv"),
            include_bytes!("../tests/files/http-compare.txt"),
        ];
        for sample in samples {
            let mut bytes = sample.to_vec();
            bytes.truncate(cut);
            for (place, value) in &flips {
                if let Some(byte) = bytes.get_mut(*place) {
                    *byte = *value;
                }
            }
            read_all(&bytes);
        }
    }
}
