//! Notifications: what was sent, what was answered, and once more by hand.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_core::command::Command;
use spotpay_core::decide::Reply;
use spotpay_core::id::EventId;
use spotpay_core::notification::{Notification, NotificationState, Tidings};
use spotpay_store::sqlite::DeliveryRow;

use super::error::ApiError;
use super::sent::Named;
use crate::app::App;
use crate::notifier;

type Answer = Result<Json<Value>, ApiError>;

#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<usize>,
    before: Option<String>,
}

fn read_id(text: &str) -> Result<EventId, ApiError> {
    let number = text.parse().map(EventId::from_i64);
    number.map_err(|_| ApiError::field("id", "a number", text))
}

/// `GET /notifications`, the newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer {
    let Query(page) = page.map_err(ApiError::query)?;
    let limit = page.limit.unwrap_or(50).clamp(1, 1_000);
    let before = page.before.as_deref().map(read_id).transpose()?;
    let found = app
        .readers
        .read(|reader| reader.notifications(before, limit))?;
    let shown: Result<Vec<Value>, ApiError> = found
        .iter()
        .map(|notification| notification_json(&app, notification))
        .collect();
    Ok(Json(Value::Array(shown?)))
}

/// `GET /notifications/{id}`.
pub(super) async fn show(State(app): State<Arc<App>>, Named(id): Named) -> Answer {
    let number = read_id(&id)?;
    let found = app.readers.read(|reader| reader.notification(number))?;
    let found = found.ok_or_else(|| ApiError::not_found("notification", &id))?;
    Ok(Json(notification_json(&app, &found)?))
}

/// `POST /notifications/{id}/resend`: it is sent at once, and the answer shows what came of it.
pub(super) async fn resend(State(app): State<Arc<App>>, Named(id): Named) -> Answer {
    let number = read_id(&id)?;
    let command = Command::Reschedule {
        notification: number,
        at: app.clock.now(),
    };
    let Reply::Notification(decided) = app.engine.submit(command).await? else {
        return Err(ApiError::confused());
    };
    let unknown = || ApiError::not_found("notification", &id);
    let before = decided.map_err(|_| unknown())?;
    notifier::driver::until_sent(&app, number, before.attempts).await;
    let found = app.readers.read(|reader| reader.notification(number))?;
    Ok(Json(notification_json(&app, &found.ok_or_else(unknown)?)?))
}

fn notification_json(app: &App, notification: &Notification) -> Result<Value, ApiError> {
    let deliveries = app
        .readers
        .read(|reader| reader.deliveries(notification.id))?;
    let sent_at = deliveries.last().map(|delivery| delivery.at);
    let state = match notification.state {
        NotificationState::Waiting => "waiting",
        NotificationState::Acknowledged => "acknowledged",
        NotificationState::GivenUp => "given_up",
    };
    let kind = match notification.tidings {
        Tidings::TradePaid | Tidings::TradeClosed => "notify_trade",
        Tidings::RefundDone(_) => "notify_refund",
    };
    let snapshot = app.snapshot.load();
    let partner = snapshot.partner(notification.partner);
    Ok(json!({
        "id": notification.id.as_i64().to_string(),
        "notify_id": app.notifier.notify_id(notification.id).to_string(),
        "kind": kind,
        "partner": partner.map(|entry| entry.partner.name.to_string()),
        "alipay_trans_id": notification.trade.to_string(),
        "url": notification.url,
        "state": state,
        "fields": notifier::fields_at(app, notification, sent_at.unwrap_or(app.clock.now())),
        "next_at": notification.next_at.map(|at| at.to_string()),
        "attempts": deliveries.iter().map(delivery_json).collect::<Vec<_>>(),
    }))
}

fn delivery_json(delivery: &DeliveryRow) -> Value {
    json!({
        "at": delivery.at.to_string(),
        "status": delivery.status,
        "body": delivery.body,
        "next_at": delivery.next_at.map(|at| at.to_string()),
    })
}
