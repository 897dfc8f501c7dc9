//! A merchant program: it signs as one partner, and verifies what comes back.

use axum::Router;
use serde_json::Value;
use spotpay_core::time::Timestamp;
use spotpay_server::seed;
use spotpay_wire::charset::Charset;
use spotpay_wire::form::encode_pair;
use spotpay_wire::keys::{PrivateKey, PublicKey};
use spotpay_wire::request;
use spotpay_wire::signature::{SignType, Signer, Verifier};
use spotpay_wire::xml::AnswerDoc;

use crate::world::{Answer, World, send};

/// The three shapes of a request (`spec/12`, wire 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Everything in the query.
    Get,
    /// Everything in the body.
    Post,
    /// The charset in the query, all else in the body.
    Split,
}

/// Parameters by name; the last of a name counts.
pub(crate) type Params = Vec<(String, String)>;

/// One partner's program.
#[derive(Clone)]
pub(crate) struct Till {
    pub(crate) partner: String,
    pub(crate) currency: String,
    pub(crate) signer: Signer,
    pub(crate) verifier: Verifier,
    pub(crate) charset: Charset,
    pub(crate) shape: Shape,
}

impl World {
    /// The program of a partner, as the sandbox API gives its keys; MD5, UTF-8, split.
    pub(crate) async fn till(&self, name: &str) -> Till {
        let partners = self.does("GET", "/partners", "").await;
        let found = partners
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name);
        Till::of(found.unwrap_or_else(|| panic!("no partner {name}")))
    }
}

impl Till {
    /// From a partner as the sandbox API shows it.
    pub(crate) fn of(partner: &Value) -> Self {
        let signer = Signer::Md5(partner["md5_key"].as_str().unwrap().parse().unwrap());
        Self {
            partner: partner["partner_id"].as_str().unwrap().to_owned(),
            currency: partner["settlement_currency"].as_str().unwrap().to_owned(),
            verifier: signer.verifier(),
            signer,
            charset: Charset::Utf8,
            shape: Shape::Split,
        }
    }

    /// The same program with another key.
    pub(crate) fn with_md5(&self, key: &str) -> Self {
        let signer = Signer::Md5(key.parse().unwrap());
        Self {
            verifier: signer.verifier(),
            signer,
            ..self.clone()
        }
    }

    /// The same program with an RSA key; answers come signed by the gateway's.
    pub(crate) fn with_rsa(&self, sign_type: SignType, key: &str) -> Self {
        let key: PrivateKey = key.parse().unwrap();
        let gateway = gateway_public();
        let (signer, verifier) = match sign_type {
            SignType::Rsa => (Signer::Rsa(key), Verifier::Rsa(gateway)),
            SignType::Rsa2 => (Signer::Rsa2(key), Verifier::Rsa2(gateway)),
            SignType::Md5 => panic!("MD5 has another key"),
        };
        Self {
            signer,
            verifier,
            ..self.clone()
        }
    }

    /// What every request of a service has.
    pub(crate) fn params(&self, service: &str) -> Params {
        vec![pair("service", service), pair("partner", &self.partner)]
    }

    /// A pay request.
    pub(crate) fn pay(&self, id: &str, code: &str, amount: &str) -> Params {
        let mut params = self.params("alipay.acquire.overseas.spot.pay");
        params.extend([
            pair("alipay_seller_id", &self.partner),
            pair("trans_name", "Tea"),
            pair("partner_trans_id", id),
            pair("currency", &self.currency),
            pair("trans_amount", amount),
            pair("buyer_identity_code", code),
            pair("identity_code_type", "barcode"),
            pair("trans_create_time", "20261123120000"),
            pair("biz_product", "OVERSEAS_MBARCODE_PAY"),
        ]);
        params
    }

    /// A query by the partner's number.
    pub(crate) fn query(&self, id: &str) -> Params {
        let mut params = self.params("alipay.acquire.overseas.query");
        params.push(pair("partner_trans_id", id));
        params
    }

    /// A cancel by the partner's number.
    pub(crate) fn cancel(&self, id: &str) -> Params {
        let mut params = self.params("alipay.acquire.cancel");
        params.push(pair("out_trade_no", id));
        params
    }

    /// A refund; asynchronous, as a request is that does not say.
    pub(crate) fn refund(&self, id: &str, refund: &str, amount: &str) -> Params {
        let mut params = self.params("alipay.acquire.overseas.spot.refund");
        params.extend([
            pair("partner_trans_id", id),
            pair("partner_refund_id", refund),
            pair("refund_amount", amount),
            pair("currency", &self.currency),
        ]);
        params
    }

    /// A query of a refund.
    pub(crate) fn refund_query(&self, id: &str, refund: &str) -> Params {
        let mut params = self.params("alipay.acquire.refund.query");
        params.extend([pair("out_trade_no", id), pair("out_return_no", refund)]);
        params
    }

    /// The registration of a store, as an integrator says it: without the acquirers' half.
    pub(crate) fn register(&self, merchant: &str, store: &str, now: Timestamp) -> Params {
        let mut params = self.params("alipay.overseas.secmerchant.offline.maintain");
        params.extend([
            pair("timestamp", &now.spaced()),
            pair("secondary_merchant_name", "Lucky Cat Limited"),
            pair("secondary_merchant_id", merchant),
            pair("store_id", store),
            pair("store_name", "Lucky Cat"),
            pair("store_country", "HK"),
            pair("store_address", "1 Queen's Road Central"),
            pair("store_industry", "5499"),
        ]);
        params
    }

    /// What became of a registration.
    pub(crate) fn store_status(&self, merchant: &str, store: &str, now: Timestamp) -> Params {
        let mut params = self.params("alipay.overseas.secmerchant.maintain.queryStatus");
        params.extend([
            pair("timestamp", &now.spaced()),
            pair("secondary_merchant_id", merchant),
            pair("store_id", store),
            pair("payment_method", "INSTORE_PAYMENT"),
        ]);
        params
    }

    /// The query and the body of a signed request; `tail` is appended unsigned.
    pub(crate) fn signed(&self, params: &Params, tail: &str) -> (String, String) {
        let signed = request::sign(self.charset, params.iter().cloned(), &self.signer);
        match self.shape {
            Shape::Get => (signed.into_query() + tail, String::new()),
            Shape::Post => (String::new(), signed.into_query() + tail),
            Shape::Split => (signed.query, signed.body + tail),
        }
    }

    /// Sends, and checks the answer's charset, echo and signature.
    pub(crate) async fn ask(&self, world: &World, params: &Params) -> Answer {
        self.ask_with(world.router.clone(), params.clone(), "")
            .await
    }

    /// The same with an unsigned tail such as `&memo=`.
    pub(crate) async fn ask_tailed(&self, world: &World, params: &Params, tail: &str) -> Answer {
        self.ask_with(world.router.clone(), params.clone(), tail)
            .await
    }

    /// The same for tasks, which own what they use.
    pub(crate) async fn ask_with(&self, router: Router, params: Params, tail: &str) -> Answer {
        let (query, body) = self.signed(&params, tail);
        let answer = send(router, query, body.into()).await;
        let label = self.charset.label();
        assert_eq!(answer.content_type, format!("text/xml;charset={label}"));
        if let AnswerDoc::Accepted(accepted) = &answer.said {
            assert!(accepted.verify(&self.verifier), "{accepted:?}");
            self.check_echo(&params, &answer);
        }
        answer
    }

    /// The echo has every parameter as it was sent, once.
    fn check_echo(&self, params: &Params, answer: &Answer) {
        let in_charset = |text: &str| {
            let bytes = self.charset.encode(text);
            self.charset.decode(&bytes).unwrap().into_owned()
        };
        for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
            let echoed = answer.param(&in_charset(name));
            assert_eq!(echoed, Some(&*in_charset(value)), "{name}");
        }
        for name in ["_input_charset", "sign", "sign_type"] {
            assert!(answer.param(name).is_some(), "{name}");
        }
        let mut names: Vec<&str> = answer
            .accepted()
            .params
            .iter()
            .map(|(name, _)| &**name)
            .collect();
        names.sort_unstable();
        assert!(
            names.is_sorted_by(|left, right| left < right),
            "once: {names:?}"
        );
    }
}

/// The key that RSA answers verify with.
pub(crate) fn gateway_public() -> PublicKey {
    let key: PrivateKey = seed::GATEWAY_KEY.parse().unwrap();
    key.public_key().clone()
}

pub(crate) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Sets a parameter, or adds it.
pub(crate) fn set(params: &mut Params, name: &str, value: &str) {
    match params.iter_mut().find(|(given, _)| given == name) {
        Some((_, old)) => value.clone_into(old),
        None => params.push(pair(name, value)),
    }
}

/// Takes a parameter away.
pub(crate) fn unset(params: &mut Params, name: &str) {
    params.retain(|(given, _)| given != name);
}

/// `&name=value`, encoded.
pub(crate) fn tail(charset: Charset, name: &str, value: &str) -> String {
    let mut out = String::new();
    encode_pair(charset, name, value, &mut out);
    format!("&{out}")
}
