//! A small grammar of requests to the gateway.

use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
use spotpay_core::time::Timestamp;
use spotpay_server::seed::{self, SeedPartner};
use spotpay_wire::request;
use spotpay_wire::signature::{Md5Key, Signer};

use spotpay_wire::form::Form;

use super::charset_of;

/// Bytes that choose service and charset, partner and key, numbers, wallet, amount.
pub(super) type Head = [u8; 5];

/// Chosen by the lower half of a byte; the upper half chooses the charset.
const SERVICES: [&str; 16] = [
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.refund",
    "alipay.acquire.overseas.query",
    "alipay.acquire.cancel",
    "alipay.acquire.overseas.spot.reverse",
    "alipay.acquire.overseas.spot.cancel",
    "alipay.acquire.refund.query",
    "alipay.overseas.secmerchant.offline.maintain",
    "alipay.overseas.secmerchant.maintain.queryStatus",
    "notify_verify",
    "forex_compare_file",
    "forex_liquidation_file",
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.refund",
];

/// A request as it is sent.
pub(super) struct Sent {
    pub(super) query: String,
    pub(super) body: Vec<u8>,
}

/// The usual request that the head chooses, with the parameters of the rest: in the place of the
/// usual ones, or behind the signature.
pub(super) fn request_of(head: Head, rest: &[u8], now: Timestamp) -> Sent {
    let [service, partner, number, wallet, amount] = head;
    let charset = charset_of(service / 16);
    let seeded = partner_of(head);
    let service = SERVICES[usize::from(service) % SERVICES.len()];
    let place = wallet % 6;
    let alias = Alias::from_number(100_000_000 + u32::from(place)).expect("nine digits");
    let secret = CodeSecret::new([place; CodeSecret::BYTES]);
    let code = PaymentCode::make(alias, &secret, now, CodeLength::Short);
    let partner_id = format!("2088{}", seeded.number());
    let (id, refund) = (format!("T{}", number % 8), format!("R{}", number / 8 % 8));
    let money = format!("{}.{:02}", amount / 4, amount % 4);
    let currency = if seeded.name == "duty-free" {
        "USD"
    } else {
        "HKD"
    };
    let usual = [
        ("service", service),
        ("partner", &partner_id),
        ("alipay_seller_id", &partner_id),
        ("trans_name", "Tea"),
        ("partner_trans_id", &id),
        ("out_trade_no", &id),
        ("partner_refund_id", &refund),
        ("out_return_no", &refund),
        ("currency", currency),
        ("trans_amount", &money),
        ("refund_amount", &money),
        ("buyer_identity_code", code.as_str()),
        ("identity_code_type", "barcode"),
        ("trans_create_time", "20261123120000"),
        ("biz_product", "OVERSEAS_MBARCODE_PAY"),
        ("is_sync", if wallet < 128 { "Y" } else { "N" }),
    ];
    let extra = Form::read_as(charset, rest);
    // What the input names itself stands in the place of the usual.
    let kept = usual
        .into_iter()
        .filter(|(name, _)| extra.given(name).is_none());
    let is_tail = partner & 0x40 != 0;
    let more = extra.iter().filter(|_| !is_tail);
    let mut key = seeded.md5_key.to_owned();
    if partner & 0x80 != 0 {
        key.replace_range(..1, "X");
    }
    let signer = Signer::Md5(key.parse::<Md5Key>().expect("a seeded key"));
    let signed = request::sign(charset, kept.chain(more), &signer);
    let mut body = signed.body.into_bytes();
    if is_tail {
        body.push(b'&');
        body.extend_from_slice(rest);
    }
    Sent {
        query: signed.query,
        body,
    }
}

fn partner_of(head: Head) -> &'static SeedPartner {
    let [_, partner, ..] = head;
    &seed::PARTNERS[usize::from(partner) % seed::PARTNERS.len()]
}
