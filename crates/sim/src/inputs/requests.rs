//! A small grammar of requests to the gateway.

use std::sync::LazyLock;

use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
use spotpay_core::time::Timestamp;
use spotpay_server::seed::{self, SeedPartner};
use spotpay_wire::form::Form;
use spotpay_wire::keys::PrivateKey;
use spotpay_wire::request;
use spotpay_wire::signature::{Md5Key, SignType, Signer, Verifier};

use super::charset_of;

/// Bytes that choose service and charset, partner and key, numbers, wallet and sign type, amount.
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
    MAINTAIN,
    QUERY_STATUS,
    "notify_verify",
    COMPARE_FILE,
    LIQUIDATION_FILE,
    DAY_OVER,
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.refund",
];
const MAINTAIN: &str = "alipay.overseas.secmerchant.offline.maintain";
const QUERY_STATUS: &str = "alipay.overseas.secmerchant.maintain.queryStatus";
const COMPARE_FILE: &str = "forex_compare_file";
const LIQUIDATION_FILE: &str = "forex_liquidation_file";
/// No service: the clock moves.
const DAY_OVER: &str = "day over";

/// A partner's private keys, in the order of the partners.
static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let keys = seed::PARTNERS
        .iter()
        .map(|seeded| seeded.rsa_private_key.parse());
    keys.collect::<Result<_, _>>().expect("seeded keys")
});

static GATEWAY_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| seed::GATEWAY_KEY.parse().expect("the gateway's key"));

/// A request as it is sent.
pub(super) struct Sent {
    pub(super) query: String,
    pub(super) body: Vec<u8>,
}

/// Whether the head is no request but a day that goes by.
pub(super) fn is_day_over(head: Head) -> bool {
    service_of(head) == DAY_OVER
}

fn service_of([service, ..]: Head) -> &'static str {
    SERVICES[usize::from(service % 16)]
}

/// The usual request that the head chooses, with the parameters of the rest: in the place of the
/// usual ones, or behind the signature.
pub(super) fn request_of(head: Head, rest: &[u8], now: Timestamp) -> Sent {
    let [service, partner, ..] = head;
    let charset = charset_of(service / 16);
    let usual = usual(head, now);
    let extra = Form::read_as(charset, rest);
    // What the input names itself stands in the place of the usual.
    let kept = usual
        .iter()
        .filter(|(name, _)| extra.given(name).is_none())
        .map(|(name, value)| (*name, value.as_str()));
    let is_tail = partner & 0x40 != 0;
    let more = extra.iter().filter(|_| !is_tail);
    let signed = request::sign(charset, kept.chain(more), &signer(head));
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

fn place_of_partner([_, partner, ..]: Head) -> usize {
    usize::from(partner) % seed::PARTNERS.len()
}

/// The partner's signer, or with a key that is not its own.
fn signer(head: Head) -> Signer {
    let [_, partner, _, wallet, _] = head;
    let is_wrong = partner & 0x80 != 0;
    let place = place_of_partner(head);
    let other = (place + usize::from(is_wrong)) % seed::PARTNERS.len();
    match wallet >> 5 & 3 {
        2 => Signer::Rsa(KEYS[other].clone()),
        3 => Signer::Rsa2(KEYS[other].clone()),
        _ => {
            let mut key = seed::PARTNERS[place].md5_key.to_owned();
            if is_wrong {
                key.replace_range(..1, "X");
            }
            Signer::Md5(key.parse().expect("a seeded key"))
        }
    }
}

/// What the answer to a signed request of a seeded partner is verified with.
pub(super) fn verifier_of(form: &Form) -> Option<Verifier> {
    let partner: u64 = form.get("partner")?.strip_prefix("2088")?.parse().ok()?;
    let is_it = |seeded: &&SeedPartner| seeded.number() == partner;
    let seeded = seed::PARTNERS.iter().find(is_it)?;
    let public = GATEWAY_KEY.public_key();
    Some(match form.get("sign_type")?.parse().ok()? {
        SignType::Md5 => Verifier::Md5(seeded.md5_key.parse::<Md5Key>().ok()?),
        SignType::Rsa => Verifier::Rsa(public.clone()),
        SignType::Rsa2 => Verifier::Rsa2(public.clone()),
    })
}

/// The parameters that make a good request.
fn usual(head: Head, now: Timestamp) -> Vec<(&'static str, String)> {
    let [_, _, number, wallet, amount] = head;
    let seeded = &seed::PARTNERS[place_of_partner(head)];
    let service = service_of(head);
    let partner_id = format!("2088{}", seeded.number());
    let mut params = vec![("service", service.to_owned()), ("partner", partner_id)];
    let (id, refund) = (number % 8, number / 8 % 8);
    let mut add = |name, value: &str| params.push((name, value.to_owned()));
    if service == MAINTAIN || service == QUERY_STATUS {
        add("timestamp", &now.spaced());
        add("secondary_merchant_id", &format!("M{id}"));
        add("store_id", &format!("S{refund}"));
        add("payment_method", "INSTORE_PAYMENT");
        add("secondary_merchant_name", "Lucky Cat Limited");
        add("store_name", "Lucky Cat");
        add("store_country", "HK");
        add("store_address", "1 Queen's Road Central");
        add("store_industry", "5499");
        return params;
    }
    if service == COMPARE_FILE || service == LIQUIDATION_FILE {
        let today = now.business_date();
        let first = today.plus_days(-i32::from(id) - 1);
        add("start_date", &first.compact());
        add("end_date", &today.plus_days(-1).compact());
        return params;
    }
    let place = wallet % 6;
    let alias = Alias::from_number(100_000_000 + u32::from(place)).expect("nine digits");
    let secret = CodeSecret::new([place; CodeSecret::BYTES]);
    let code = PaymentCode::make(alias, &secret, now, CodeLength::Short);
    let money = format!("{}.{:02}", amount / 4, amount % 4);
    let (id, refund) = (format!("T{id}"), format!("R{refund}"));
    let is_usd = seeded.name == "duty-free";
    add("alipay_seller_id", &format!("2088{}", seeded.number()));
    add("trans_name", "Tea");
    add("partner_trans_id", &id);
    add("out_trade_no", &id);
    add("partner_refund_id", &refund);
    add("out_return_no", &refund);
    add("currency", if is_usd { "USD" } else { "HKD" });
    add("trans_amount", &money);
    add("refund_amount", &money);
    add("buyer_identity_code", code.as_str());
    add("identity_code_type", "barcode");
    add("trans_create_time", &now.compact());
    add("biz_product", "OVERSEAS_MBARCODE_PAY");
    add("is_sync", if wallet < 128 { "Y" } else { "N" });
    params
}
