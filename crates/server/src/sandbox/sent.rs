//! What a call was sent, with errors in the API's own form.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The name in the path, or the names.
pub(super) struct Named<T = String>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name))
            .map_err(|rejection| ApiError::bad(rejection.body_text()))
    }
}

/// The body, within the bound.
pub(super) struct Sent(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body: Result<Bytes, BytesRejection> = Bytes::from_request(request, state).await;
        body.map(Self)
            .map_err(|rejection| ApiError::body(rejection.status(), rejection.body_text()))
    }
}
