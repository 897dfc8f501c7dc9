//! Registered stores: what partners said of them, and the operator's decision.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_core::command::{Command, StoreReview};
use spotpay_core::decide::{Reply, StoreRefusal};
use spotpay_core::id::PartnerId;
use spotpay_core::registration::{Registration, StoreKey, StoreState};
use spotpay_wire::store_query;

use super::error::{ApiError, read};
use super::sent::{Named, Sent};
use crate::app::App;

type Answer = Result<Json<Value>, ApiError>;

fn partner_id(app: &App, name: &str) -> Result<PartnerId, ApiError> {
    let snapshot = app.snapshot.load();
    let entry = snapshot.partner_named(name);
    entry
        .map(|entry| entry.partner.id)
        .ok_or_else(|| ApiError::not_found("partner", name))
}

/// `GET /partners/{name}/stores`.
pub(super) async fn list(State(app): State<Arc<App>>, Named(name): Named) -> Answer {
    let partner = partner_id(&app, &name)?;
    let found = app.readers.read(|reader| reader.registrations(partner))?;
    Ok(Json(found.iter().map(store_json).collect()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    status: String,
    reject_reason: Option<String>,
}

const REASON_RULE: &str = "1 to 200 characters, with FAILED only";

/// `PATCH /partners/{name}/stores/{merchant}/{store}`: what the operator of a scheme decides.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Named((name, merchant, store)): Named<(String, String, String)>,
    Sent(body): Sent,
) -> Answer {
    let decision: Decision = read(&body)?;
    let partner = partner_id(&app, &name)?;
    let unknown = || ApiError::not_found("store", &format!("{merchant}/{store}"));
    let reason = decision.reject_reason.as_deref();
    let state = match (decision.status.as_str(), reason) {
        (store_query::PROCESSING, None) => StoreState::Processing,
        (store_query::SUCCESS, None) => StoreState::Verified,
        (store_query::FAILED, None) => StoreState::Rejected {
            reason: "refused for security reasons".into(),
        },
        (store_query::FAILED, Some(text))
            if (1..=200).contains(&text.chars().count())
                && !text.contains(|letter: char| letter.is_control() || letter == '"') =>
        {
            StoreState::Rejected {
                reason: text.into(),
            }
        }
        (store_query::PROCESSING | store_query::SUCCESS | store_query::FAILED, Some(text)) => {
            return Err(ApiError::field("reject_reason", REASON_RULE, text));
        }
        (other, _) => {
            let rule = "PROCESSING, SUCCESS or FAILED";
            return Err(ApiError::field("status", rule, other));
        }
    };
    let key = StoreKey {
        partner,
        secondary_merchant_id: merchant.parse().map_err(|_| unknown())?,
        store_id: store.parse().map_err(|_| unknown())?,
    };
    let review = Box::new(StoreReview { key, state });
    let reply = app.engine.submit(Command::ReviewStore(review)).await?;
    let Reply::Store(decided) = reply else {
        return Err(ApiError::confused());
    };
    match decided {
        Ok(registration) => Ok(Json(store_json(&registration))),
        Err(StoreRefusal::IsDefault) => Err(ApiError::rule(
            "default_store",
            "the store that a contract is signed with stays verified",
        )),
        Err(
            StoreRefusal::StoreUnknown
            | StoreRefusal::PartnerUnknown
            | StoreRefusal::NotInHongKong
            | StoreRefusal::DriversDiffer,
        ) => Err(unknown()),
    }
}

fn store_json(registration: &Registration) -> Value {
    let (data, shop) = (&registration.data, &registration.data.shop);
    let details: serde_json::Map<String, Value> = data
        .details
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string().into()))
        .collect();
    let reason = match &registration.state {
        StoreState::Rejected { reason } => Some(reason),
        StoreState::Processing | StoreState::Verified => None,
    };
    json!({
        "secondary_merchant_id": shop.secondary_merchant_id.as_str(),
        "secondary_merchant_name": shop.secondary_merchant_name,
        "store_id": shop.store_id.as_str(),
        "store_name": shop.store_name,
        "store_industry": shop.secondary_merchant_industry,
        "store_country": data.store_country.as_str(),
        "register_country": data.register_country.as_ref().map(|country| country.as_str()),
        "drivers": data.drivers,
        "details": details,
        "status": store_query::status(&registration.state),
        "reject_reason": reason,
        "at": registration.at.to_string(),
    })
}
