//! Fault rules: what goes wrong on purpose.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_wire::code::{self, Place};
use spotpay_wire::http_file;
use spotpay_wire::service::Service;

use super::control::read_span;
use super::error::{ApiError, read};
use super::sent::{Named, Sent};
use crate::app::App;
use crate::faults::{AnswerEffect, Cut, Effect, FaultRule, NotifyEffect, Target, UnknownAs};
use spotpay_core::time::Span;

type Answer = Result<Json<Value>, ApiError>;

const NOTIFY_TRADE: &str = "notify_trade";
const NOTIFY_REFUND: &str = "notify_refund";
/// The longest that an answer is kept back: ten minutes.
const DELAY_MS_MAX: u64 = 600_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    service: String,
    partner: Option<String>,
    times: Option<u32>,
    effect: EffectWish,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EffectWish {
    answer: Option<String>,
    is_success: Option<String>,
    unknown_after: Option<String>,
    drop: Option<String>,
    delay_ms: Option<u64>,
    bad_sign: Option<bool>,
    notify: Option<String>,
    by: Option<String>,
}

const RULE: &str = "one of {\"answer\"}, {\"unknown_after\"}, {\"drop\"}, {\"delay_ms\"}, {\"bad_sign\"} for a service, \
                    or {\"notify\"} for notify_trade and notify_refund";

/// `POST /faults`.
pub(super) async fn add(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let wish: Wish = read(&body)?;
    let target = match wish.service.as_str() {
        NOTIFY_TRADE => Target::NotifyTrade,
        NOTIFY_REFUND => Target::NotifyRefund,
        name => match name.parse() {
            Ok(Service::NotifyVerify) | Err(_) => {
                let rule = "a service of the gateway, notify_trade or notify_refund";
                return Err(ApiError::field("service", rule, name));
            }
            Ok(service) => Target::Answer(service),
        },
    };
    let effect = match target {
        Target::Answer(service) => Effect::Answer(answer_effect(&wish.effect, service)?),
        Target::NotifyTrade | Target::NotifyRefund => Effect::Notify(notify_effect(&wish.effect)?),
    };
    if (target, effect)
        == (
            Target::NotifyRefund,
            Effect::Notify(NotifyEffect::BeforeAnswer),
        )
    {
        return Err(ApiError::rule(
            "no_answer",
            "a refund is notified when no answer follows: before_answer is for notify_trade",
        ));
    }
    let partner = match &wish.partner {
        None => None,
        Some(name) => {
            let snapshot = app.snapshot.load();
            let named = snapshot.partner_named(name).map(|entry| entry.partner.id);
            let numbered = || {
                name.parse()
                    .ok()
                    .filter(|id| snapshot.partner(*id).is_some())
            };
            let found = named.or_else(numbered);
            Some(found.ok_or_else(|| ApiError::not_found("partner", name))?)
        }
    };
    let times = wish.times.unwrap_or(1);
    if times == 0 {
        return Err(ApiError::field("times", "1 or more", "0"));
    }
    let rule = app.faults.add(target, partner, times, effect);
    let rule = rule.ok_or_else(|| ApiError::conflict("too_many", "delete some rules first"))?;
    Ok(Json(rule_json(&app, &rule)))
}

fn answer_effect(wish: &EffectWish, service: Service) -> Result<AnswerEffect, ApiError> {
    let is_success = wish.is_success.as_deref();
    let plain = is_success.is_none() && wish.notify.is_none() && wish.by.is_none();
    match wish {
        EffectWish {
            answer: Some(code),
            unknown_after: None,
            drop: None,
            delay_ms: None,
            bad_sign: None,
            notify: None,
            by: None,
            ..
        } => answer_code(code, is_success, service),
        EffectWish {
            answer: None,
            unknown_after: Some(told),
            drop: None,
            delay_ms: None,
            bad_sign: None,
            ..
        } if plain => match told.as_str() {
            "UNKNOWN" | "UNKNOW" => Ok(AnswerEffect::UnknownAfter(UnknownAs::Unknown)),
            "SYSTEM_ERROR" => Ok(AnswerEffect::UnknownAfter(UnknownAs::SystemError)),
            other => Err(ApiError::field(
                "effect.unknown_after",
                "UNKNOWN or SYSTEM_ERROR",
                other,
            )),
        },
        EffectWish {
            answer: None,
            unknown_after: None,
            drop: Some(when),
            delay_ms: None,
            bad_sign: None,
            ..
        } if plain => match when.as_str() {
            "before" => Ok(AnswerEffect::Cut(Cut::Before)),
            "after" => Ok(AnswerEffect::Cut(Cut::After)),
            other => Err(ApiError::field("effect.drop", "before or after", other)),
        },
        EffectWish {
            answer: None,
            unknown_after: None,
            drop: None,
            delay_ms: Some(delay),
            bad_sign: None,
            ..
        } if plain => delay_effect(*delay),
        EffectWish {
            answer: None,
            unknown_after: None,
            drop: None,
            delay_ms: None,
            bad_sign: Some(true),
            ..
        } if plain => match http_file::kind_of(service) {
            None => Ok(AnswerEffect::BadSign),
            Some(_) => Err(ApiError::field(
                "effect.bad_sign",
                "for a service whose answer is signed",
                service.as_str(),
            )),
        },
        EffectWish { .. } => Err(ApiError::bad(format!("effect is {RULE}"))),
    }
}

fn delay_effect(delay: u64) -> Result<AnswerEffect, ApiError> {
    match i64::try_from(delay) {
        Ok(millis) if delay <= DELAY_MS_MAX => Ok(AnswerEffect::Delay(Span::millis(millis))),
        Ok(_) | Err(_) => Err(ApiError::field(
            "effect.delay_ms",
            "at most 600000",
            &delay.to_string(),
        )),
    }
}

/// A code of the published table; without `is_success` it goes where the table puts it.
fn answer_code(
    text: &str,
    is_success: Option<&str>,
    service: Service,
) -> Result<AnswerEffect, ApiError> {
    let known = code::find(text).filter(|known| known.code == text);
    let code = *known
        .ok_or_else(|| ApiError::field("effect.answer", "a code of docs/error-codes.md", text))?;
    let own = match service {
        Service::Pay => Place::Pay,
        Service::Query => Place::Query,
        Service::Cancel | Service::Reverse | Service::SpotCancel => Place::Cancel,
        Service::Refund => Place::Refund,
        Service::RefundQuery => Place::RefundQuery,
        Service::StoreMaintain | Service::StoreQuery => Place::Store,
        Service::CompareFile | Service::LiquidationFile | Service::NotifyVerify => Place::Gateway,
    };
    let is_gateway = match is_success {
        Some("F") => true,
        Some("T") => false,
        Some(other) => return Err(ApiError::field("effect.is_success", "T or F", other)),
        None => own == Place::Gateway || !code.places.contains(&own),
    };
    Ok(AnswerEffect::Answer { code, is_gateway })
}

fn notify_effect(wish: &EffectWish) -> Result<NotifyEffect, ApiError> {
    let answers = wish.answer.is_some()
        || wish.is_success.is_some()
        || wish.unknown_after.is_some()
        || wish.drop.is_some()
        || wish.delay_ms.is_some()
        || wish.bad_sign.is_some();
    let Some(word) = wish.notify.as_deref().filter(|_| !answers) else {
        return Err(ApiError::bad(format!("effect is {RULE}")));
    };
    if word == "late" {
        let by = wish.by.as_deref();
        let by = by.ok_or_else(|| ApiError::bad("effect.by is missing: how late, such as PT5M"))?;
        return Ok(NotifyEffect::Late(read_span("effect.by", by)?));
    }
    if wish.by.is_some() {
        return Err(ApiError::bad("effect.by goes with \"late\" only"));
    }
    match word {
        "lose" => Ok(NotifyEffect::Lose),
        "double" => Ok(NotifyEffect::Double),
        "forge" => Ok(NotifyEffect::Forge),
        "wrong_amount" => Ok(NotifyEffect::WrongAmount),
        "before_answer" => Ok(NotifyEffect::BeforeAnswer),
        other => Err(ApiError::field(
            "effect.notify",
            "lose, double, forge, wrong_amount, before_answer or late",
            other,
        )),
    }
}

fn effect_json(effect: Effect) -> Value {
    match effect {
        Effect::Answer(AnswerEffect::Answer { code, is_gateway }) => {
            json!({"answer": code.code, "is_success": if is_gateway { "F" } else { "T" }})
        }
        Effect::Answer(AnswerEffect::UnknownAfter(UnknownAs::Unknown)) => {
            json!({"unknown_after": "UNKNOWN"})
        }
        Effect::Answer(AnswerEffect::UnknownAfter(UnknownAs::SystemError)) => {
            json!({"unknown_after": "SYSTEM_ERROR"})
        }
        Effect::Answer(AnswerEffect::Cut(Cut::Before)) => json!({"drop": "before"}),
        Effect::Answer(AnswerEffect::Cut(Cut::After)) => json!({"drop": "after"}),
        Effect::Answer(AnswerEffect::Delay(by)) => json!({"delay_ms": by.as_micros() / 1_000}),
        Effect::Answer(AnswerEffect::BadSign) => json!({"bad_sign": true}),
        Effect::Notify(NotifyEffect::Late(by)) => {
            let seconds = by.as_micros() / 1_000_000;
            json!({"notify": "late", "by": format!("PT{seconds}S")})
        }
        Effect::Notify(NotifyEffect::Lose) => json!({"notify": "lose"}),
        Effect::Notify(NotifyEffect::Double) => json!({"notify": "double"}),
        Effect::Notify(NotifyEffect::Forge) => json!({"notify": "forge"}),
        Effect::Notify(NotifyEffect::WrongAmount) => json!({"notify": "wrong_amount"}),
        Effect::Notify(NotifyEffect::BeforeAnswer) => json!({"notify": "before_answer"}),
    }
}

fn rule_json(app: &App, rule: &FaultRule) -> Value {
    let service = match rule.target {
        Target::Answer(service) => service.as_str(),
        Target::NotifyTrade => NOTIFY_TRADE,
        Target::NotifyRefund => NOTIFY_REFUND,
    };
    let snapshot = app.snapshot.load();
    let partner = rule.partner.map(|id| {
        let entry = snapshot.partner(id);
        entry.map_or_else(|| id.to_string(), |entry| entry.partner.name.to_string())
    });
    json!({
        "id": rule.id,
        "service": service,
        "partner": partner,
        "times": rule.times_left.saturating_add(rule.fired),
        "times_left": rule.times_left,
        "fired": rule.fired,
        "effect": effect_json(rule.effect),
    })
}

/// `GET /faults`.
pub(super) async fn list(State(app): State<Arc<App>>) -> Answer {
    let rules = app.faults.list();
    Ok(Json(
        rules.iter().map(|rule| rule_json(&app, rule)).collect(),
    ))
}

/// `DELETE /faults`.
pub(super) async fn clear(State(app): State<Arc<App>>) -> Answer {
    app.faults.clear();
    Ok(Json(json!([])))
}

/// `DELETE /faults/{id}`.
pub(super) async fn remove(State(app): State<Arc<App>>, Named(id): Named) -> Answer {
    let number = id
        .parse()
        .map_err(|_| ApiError::field("id", "a number", &id))?;
    if app.faults.remove(number) {
        Ok(Json(json!({"id": number, "deleted": true})))
    } else {
        Err(ApiError::not_found("fault rule", &id))
    }
}
