//! Errors of the sandbox API: a status, a word for programs, a sentence for people.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_store::StoreError;

use crate::engine::Fault;

/// A refusal or a fault, as JSON.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error,
            message: message.into(),
        }
    }

    /// 400: the body or a field of it is not what the call takes.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// 400 that names the field, the rule and the value.
    pub fn field(field: &str, rule: &str, value: &str) -> Self {
        let value: String = value.chars().take(80).collect();
        Self::bad(format!("{field} is {value:?}; it must be {rule}"))
    }

    /// 400 for a query string that is not what the call takes.
    pub(super) fn query(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text())
    }

    /// A body that could not be read.
    pub(super) fn body(status: StatusCode, message: String) -> Self {
        Self::new(status, "bad_request", message)
    }

    /// 404.
    pub fn not_found(what: &str, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no {what} named {name:?}"),
        )
    }

    /// 409: it is there already, or not in the state that the call needs.
    pub fn conflict(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error, message)
    }

    /// 500: the engine answered another question, which is a bug of ours.
    pub fn confused() -> Self {
        tracing::error!("the engine answered another question");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "system_error",
            "something is wrong here; see the log",
        )
    }

    /// 422: well formed, and against a rule.
    pub fn rule(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"error": self.error, "message": self.message});
        (self.status, Json(body)).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store could not be read");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "system_error",
            "the store does not answer; try again",
        )
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let message = match fault {
            Fault::NothingDone => "nothing was done; try again",
            Fault::Unknown => "it is not known whether it was done; look before you try again",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "system_error", message)
    }
}

/// Reads a JSON body; an empty one reads as `{}`.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    let bytes: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad(format!("the body is not what this call takes: {error}")))
}

/// What a body of one JSON object, or of CSV, holds.
pub(super) enum Rows<T> {
    /// JSON: one more.
    One(T),
    /// CSV: all there are.
    All(Vec<T>),
}

impl<T> Rows<T> {
    pub(super) fn rows(&self) -> &[T] {
        match self {
            Self::One(row) => std::slice::from_ref(row),
            Self::All(rows) => rows,
        }
    }

    /// Whether it is the whole of what it is about.
    pub(super) const fn is_whole(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::All(_) => true,
        }
    }
}

/// Reads a JSON object, or CSV whose first line names the columns.
pub(super) fn read_rows<T: DeserializeOwned>(body: &Bytes) -> Result<Rows<T>, ApiError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none_or(|byte| *byte == b'{') {
        return read(body).map(Rows::One);
    }
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(body.as_ref());
    let rows: Result<Vec<T>, _> = reader.deserialize().collect();
    rows.map(Rows::All)
        .map_err(|error| ApiError::bad(format!("the CSV is not what this call takes: {error}")))
}

/// Reads an amount above zero.
pub(super) fn amount(field: &str, text: &str, currency: Currency) -> Result<Amount, ApiError> {
    money(field, text, currency).and_then(|money| {
        Amount::new(money).map_err(|_| ApiError::field(field, "an amount above zero", text))
    })
}

/// The most that one call moves, in major units: sums of very many of them fit 64 bits.
const AMOUNT_MAX: &str = "1000000000000";

/// Reads money of zero or more.
pub(super) fn money(field: &str, text: &str, currency: Currency) -> Result<Money, ApiError> {
    let rule = format!(
        "a decimal number of {currency} up to {AMOUNT_MAX} such as {}",
        Money::of_minor(10_000, currency).major()
    );
    let most = Money::parse_major(AMOUNT_MAX, currency).map_or(i64::MAX, Money::minor);
    match Money::parse_major(text, currency) {
        Ok(money) if (0..=most).contains(&money.minor()) => Ok(money),
        Ok(_) | Err(_) => Err(ApiError::field(field, &rule, text)),
    }
}

/// 404 for a path that is no call.
pub async fn no_such_call(uri: Uri) -> ApiError {
    ApiError::not_found("call", uri.path())
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} does not take {method}", uri.path());
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
}
