//! The sandbox API: JSON under `/sandbox/v1`, in sandbox mode only (`contract.md`).

mod control;
mod days;
mod error;
mod faults;
mod file;
mod notifications;
mod partners;
mod sent;
mod stores;
mod wallets;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use crate::app::App;

pub use control::{parse_instant, parse_span};
pub use error::{ApiError, no_such_call};
pub use file::write as write_file;
pub use wallets::GivenCodes;

/// The routes, to be nested at `/sandbox/v1`.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox.json", get(file::show))
        .route("/openapi.json", get(control::openapi))
        .route("/wallets", get(wallets::list).post(wallets::open))
        .route("/wallets/{name}", get(wallets::show).patch(wallets::amend))
        .route("/wallets/{name}/code", post(wallets::code))
        .route("/wallets/{name}/topup", post(wallets::top_up))
        .route("/wallets/{name}/confirm", post(wallets::confirm))
        .route("/partners", get(partners::list).post(partners::create))
        .route("/partners/{name}", patch(partners::amend))
        .route("/partners/{name}/keys", post(partners::put_key))
        .route("/partners/{name}/stores", get(stores::list))
        .route(
            "/partners/{name}/stores/{merchant}/{store}",
            patch(stores::decide),
        )
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/faults/{id}", delete(faults::remove))
        .route("/notifications", get(notifications::list))
        .route("/notifications/{id}", get(notifications::show))
        .route("/notifications/{id}/resend", post(notifications::resend))
        .route("/rates", get(control::rates).post(control::put_rate))
        .route("/holidays", get(days::holidays).post(days::put_holidays))
        .route("/settle", post(days::settle))
        .route("/batches", get(days::batches))
        .route("/files", get(days::files).post(days::make_file))
        .route("/files/{name}", get(days::file))
        .route("/clock", get(control::clock).post(control::move_clock))
        .route("/requests", get(control::requests))
        .route("/requests/{id}", get(control::request))
        .route("/ledger/trial-balance", get(control::trial_balance))
        .route("/stats", get(control::stats))
        .route("/reset", post(control::reset))
        .method_not_allowed_fallback(error::no_such_method)
        .fallback(error::no_such_call)
}
