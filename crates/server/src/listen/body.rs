//! Bodies with a bound and a deadline, whoever reads them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::Limits;
use super::link::Link;

/// Why the body of a request could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the bound.
    #[error("the body is longer than the bound")]
    TooLong,
    /// It did not arrive whole in time.
    #[error("the body did not arrive in time")]
    Late,
    /// It ended early, or its chunks mean nothing.
    #[error("the body broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl BodyError {
    /// The HTTP status to answer with.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        (self.status(), format!("{self}\n")).into_response()
    }
}

/// The whole body of a request, within the bound; one that says it is longer is not awaited.
///
/// A body that came over a socket also has its deadline ([`Limits::body_time`]) behind it.
///
/// # Errors
/// The body is too long, late or broken.
pub async fn read_body(mut body: Body, limits: &Limits) -> Result<Bytes, BodyError> {
    let bytes_max = limits.body_bytes;
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLong);
    }
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(sort)?.into_data() else {
            continue;
        };
        if parts.len() + whole.len() + data.len() > bytes_max {
            return Err(BodyError::TooLong);
        }
        // Nearly every body is one piece, which is then handed on as it is.
        if whole.is_empty() && parts.is_empty() {
            whole = data;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&data);
        }
    }
    Ok(if parts.is_empty() {
        whole
    } else {
        parts.freeze()
    })
}

/// Finds our own reason again under the wrapping of axum.
fn sort(error: axum::Error) -> BodyError {
    match error.into_inner().downcast::<BodyError>() {
        Ok(ours) => *ours,
        Err(other) => BodyError::Broken(other),
    }
}

/// The body of a request from a socket: bounded, with the deadline of its connection's watch.
pub(super) struct RequestBody {
    incoming: Incoming,
    link: Arc<Link>,
    /// Bytes that may still come.
    left: usize,
    is_done: bool,
}

impl RequestBody {
    /// As axum takes it; a request without a body costs nothing.
    pub(super) fn wrap(incoming: Incoming, link: &Arc<Link>, limits: &Limits) -> Body {
        if incoming.is_end_stream() {
            return Body::empty();
        }
        Body::new(Self {
            incoming,
            link: Arc::clone(link),
            left: limits.body_bytes,
            is_done: false,
        })
    }

    fn refuse(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.link.body_done();
        Poll::Ready(Some(Err(error)))
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Pending if self.link.is_body_late() => self.refuse(BodyError::Late),
            Poll::Pending => {
                self.link.body_awaited();
                Poll::Pending
            }
            Poll::Ready(None) => {
                self.is_done = true;
                self.link.body_done();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => self.refuse(BodyError::Broken(error.into())),
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let Some(left) = self.left.checked_sub(length) else {
                    return self.refuse(BodyError::TooLong);
                };
                self.left = left;
                if self.incoming.is_end_stream() {
                    self.is_done = true;
                    self.link.body_done();
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.is_done {
            self.link.body_left_unread();
        }
    }
}

/// The body of an answer, which says when it is through.
pub(super) struct AnswerBody {
    body: Body,
    link: Arc<Link>,
}

impl AnswerBody {
    pub(super) fn new(body: Body, link: Arc<Link>) -> Self {
        Self { body, link }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.link.answered();
    }
}
