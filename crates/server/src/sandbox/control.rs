//! The sandbox itself: clock, rates, books, requests, reset.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_core::command::Command;
use spotpay_core::config::ConfigChange;
use spotpay_core::fx::Rate;
use spotpay_core::money::Currency;
use spotpay_core::time::{CivilDate, Span, Timestamp};

use super::error::{ApiError, read, read_rows};
use super::sent::{Named, Sent};
use spotpay_wire::charset::Charset;
use spotpay_wire::form::INPUT_CHARSET;

use crate::app::App;
use crate::{jobs, notifier, seed};

type Answer = Result<Json<Value>, ApiError>;

/// `GET /openapi.json`: every call with its fields.
pub(super) async fn openapi() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("openapi.json"),
    )
}

fn clock_json(app: &App) -> Json<Value> {
    Json(json!({"now": app.clock.now().to_string()}))
}

pub(super) async fn clock(State(app): State<Arc<App>>) -> Answer {
    Ok(clock_json(&app))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockWish {
    advance: Option<String>,
    set: Option<String>,
}

/// The furthest that one call moves the clock: five years.
const ADVANCE_MAX: Span = Span::hours(24 * 366 * 5);

pub(super) async fn move_clock(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let wish: ClockWish = read(&body)?;
    let now = app.clock.now();
    let target = match (&wish.advance, &wish.set) {
        (Some(text), None) => now.plus(read_span("advance", text)?),
        (None, Some(text)) => read_instant("set", text)?,
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::bad("give either advance or set"));
        }
    };
    if target < now {
        let message = format!("the clock shows {now} and only moves forward");
        return Err(ApiError::conflict("backwards", message));
    }
    if now.plus(ADVANCE_MAX) < target {
        return Err(ApiError::rule(
            "too_far",
            "one call moves the clock by five years at most",
        ));
    }
    notifier::move_clock(&app, target).await?;
    Ok(clock_json(&app))
}

/// Reads an ISO 8601 duration.
pub(super) fn read_span(field: &str, text: &str) -> Result<Span, ApiError> {
    parse_span(text).ok_or_else(|| {
        ApiError::field(
            field,
            "an ISO 8601 duration such as PT3M or P1D, not below zero",
            text,
        )
    })
}

/// An ISO 8601 duration that is not below zero, if the text is one; a day has 24 hours.
pub fn parse_span(text: &str) -> Option<Span> {
    let span: jiff::Span = text.parse().ok()?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let length = span.to_duration(day).ok()?;
    let micros = i64::try_from(length.as_micros()).ok()?;
    (0 <= micros).then_some(Span::micros(micros))
}

/// Reads an RFC 3339 instant.
pub(super) fn read_instant(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    parse_instant(text)
        .ok_or_else(|| ApiError::field(field, "an instant such as 2026-11-23T23:00:00+08:00", text))
}

/// An RFC 3339 instant, if the text is one.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

fn rate_json(rate: &Rate) -> Value {
    json!({
        "base": rate.base.code(),
        "quote": rate.quote.code(),
        "rate": rate.rate.to_string(),
        "from": rate.from.to_string(),
        "source": rate.source,
    })
}

fn rates_json(app: &App) -> Json<Value> {
    let snapshot = app.snapshot.load();
    Json(
        snapshot
            .config
            .rates
            .rates()
            .iter()
            .map(rate_json)
            .collect(),
    )
}

pub(super) async fn rates(State(app): State<Arc<App>>) -> Answer {
    Ok(rates_json(&app))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRate {
    base: String,
    quote: String,
    rate: String,
    from: Option<String>,
    source: Option<String>,
}

/// JSON adds or corrects a rate, CSV many.
pub(super) async fn put_rate(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let today = app.clock.now().business_date();
    let sent = read_rows::<NewRate>(&body)?;
    let rates: Result<Vec<Rate>, ApiError> = sent
        .rows()
        .iter()
        .map(|row| read_rate(row, today))
        .collect();
    for rate in rates? {
        app.engine
            .submit(Command::Configure(ConfigChange::PutRate(rate)))
            .await?;
    }
    Ok(rates_json(&app))
}

fn read_rate(wanted: &NewRate, today: CivilDate) -> Result<Rate, ApiError> {
    let currency = |field, text: &str| -> Result<Currency, ApiError> {
        text.parse()
            .map_err(|_| ApiError::field(field, "a currency of ISO 4217", text))
    };
    let from = match &wanted.from {
        Some(text) => CivilDate::parse_dashed(text)
            .ok_or_else(|| ApiError::field("from", "a date such as 2026-11-23", text))?,
        None => today,
    };
    let rule = "a number above zero with at most eight decimals";
    let (base, quote) = (
        currency("base", &wanted.base)?,
        currency("quote", &wanted.quote)?,
    );
    if base == quote || quote != Currency::CNY {
        return Err(ApiError::rule(
            "rate",
            "rates lead from another currency to CNY, which foreign wallets hold",
        ));
    }
    let source = wanted.source.as_deref().unwrap_or("sandbox");
    Ok(Rate {
        base,
        quote,
        from,
        rate: wanted
            .rate
            .parse()
            .map_err(|_| ApiError::field("rate", rule, &wanted.rate))?,
        source: source.into(),
    })
}

pub(super) async fn trial_balance(State(app): State<Arc<App>>) -> Answer {
    let reading = Arc::clone(&app);
    // The check reads every entry: not on a thread that answers payments.
    let report = app
        .blocking(move || reading.readers.read(spotpay_store::sqlite::Reader::check))
        .await;
    let report = report.ok_or_else(ApiError::confused)??;
    let accounts: Vec<Value> = report
        .lines
        .iter()
        .map(|line| {
            let balance = line
                .credits
                .checked_sub(line.debits)
                .map(spotpay_core::money::Money::major);
            json!({
                "account": line.account.to_string(),
                "currency": line.debits.currency().code(),
                "debits": line.debits.major(),
                "credits": line.credits.major(),
                "balance": balance.unwrap_or_default(),
            })
        })
        .collect();
    let sums: serde_json::Map<String, Value> = report
        .sums
        .iter()
        .map(|sum| (sum.currency().code().to_owned(), sum.major().into()))
        .collect();
    Ok(Json(json!({
        "accounts": accounts,
        "sums": sums,
        "checked": report.is_right(),
        "problems": report.problems,
    })))
}

/// How much is stored; counting reads every trade, so it is not for a thread that answers payments.
pub(super) async fn stats(State(app): State<Arc<App>>) -> Answer {
    let reading = Arc::clone(&app);
    let count = move || {
        reading
            .readers
            .read(|reader| Ok((reader.count_trades()?, reader.size_bytes()?)))
    };
    let (trades, store_bytes) = app.blocking(count).await.ok_or_else(ApiError::confused)??;
    Ok(Json(json!({"trades": trades, "store_bytes": store_bytes})))
}

#[derive(Debug, Deserialize)]
pub(super) struct RequestPage {
    limit: Option<usize>,
    before: Option<i64>,
}

pub(super) async fn requests(
    State(app): State<Arc<App>>,
    page: Result<Query<RequestPage>, QueryRejection>,
) -> Answer {
    let Query(page) = page.map_err(ApiError::query)?;
    let limit = page.limit.unwrap_or(50).clamp(1, 1_000);
    let reading = Arc::clone(&app);
    let find = move || {
        reading
            .recorder
            .as_ref()
            .map(|recorder| recorder.recent(limit, page.before))
            .transpose()
    };
    // What was noted last may have to be written first.
    let rows = app
        .blocking(find)
        .await
        .ok_or_else(ApiError::confused)??
        .unwrap_or_default();
    Ok(Json(
        rows.iter()
            .map(|row| request_json(&app, row))
            .collect::<Result<_, _>>()?,
    ))
}

pub(super) async fn request(State(app): State<Arc<App>>, Named(id): Named) -> Answer {
    let number: i64 = id
        .parse()
        .map_err(|_| ApiError::field("id", "a number", &id))?;
    let reading = Arc::clone(&app);
    let find = move || {
        reading
            .recorder
            .as_ref()
            .map(|recorder| recorder.get(number))
            .transpose()
    };
    let found = app
        .blocking(find)
        .await
        .ok_or_else(ApiError::confused)??
        .flatten();
    let row = found.ok_or_else(|| ApiError::not_found("request", &id))?;
    Ok(Json(request_json(&app, &row)?))
}

/// The charset that an answer declares, its first line being ASCII in each of them; of a text
/// without a declaration that of its request (`spec/13`, 14).
fn answer_charset(record: &spotpay_store::request_log::RequestRecord) -> Charset {
    let answer = &record.answer;
    let line = String::from_utf8_lossy(answer.get(..80).unwrap_or(answer)).into_owned();
    let label = line
        .split("encoding=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let asked = || {
        let mut params = record.params.iter();
        let (_, label) = params.find(|(name, _)| name == INPUT_CHARSET)?;
        Charset::from_label(label)
    };
    label
        .and_then(Charset::from_label)
        .or_else(asked)
        .unwrap_or(Charset::Gbk)
}

fn request_json(
    app: &App,
    row: &spotpay_store::request_log::StoredRequest,
) -> Result<Value, ApiError> {
    let record = &row.record;
    let entries = match record.trade {
        None => Vec::new(),
        Some(trade) => app.readers.read(|reader| reader.entries(trade))?,
    };
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "at": entry.at.to_string(),
                "debit": entry.debit.to_string(),
                "credit": entry.credit.to_string(),
                "amount": entry.amount.money().major(),
                "currency": entry.amount.currency().code(),
                "cause": entry.cause.as_str(),
            })
        })
        .collect();
    let params: serde_json::Map<String, Value> = record
        .params
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    let named = record.params.iter().find(|(name, _)| name == INPUT_CHARSET);
    let charset = named
        .and_then(|(_, label)| Charset::from_label(label))
        .unwrap_or(Charset::Gbk);
    Ok(json!({
        "id": row.id,
        "at": record.at.to_string(),
        "service": record.service,
        "partner": record.partner,
        "result": record.result,
        "error": record.error,
        "reason": record.reason,
        "duration_us": record.duration_us,
        "params": params,
        "canonical": charset.decode_lossy(&record.canonical),
        "sign_ok": record.sign_ok,
        "likely_mistake": record.likely_mistake,
        "answer": answer_charset(record).decode_lossy(&record.answer),
        "entries": entries,
    }))
}

pub(super) async fn reset(State(app): State<Arc<App>>) -> Answer {
    // The clock only moves forward, in a new store as well.
    app.engine
        .reset(seed::commands(), Some(app.clock.now()))
        .await?;
    jobs::forget_files(&app.data)?;
    app.guard.clear();
    app.given.clear();
    app.faults.clear();
    if let Some(recorder) = &app.recorder {
        recorder.clear();
    }
    Ok(Json(
        json!({"reset": true, "now": app.clock.now().to_string()}),
    ))
}
