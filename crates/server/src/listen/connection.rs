//! One connection from its first byte to its last, under one timer.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the listening driver: it gives up on sockets"
)]

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::futures::Notified;
use tokio::time::{Instant, Sleep};
use tower::Service;

use super::body::{AnswerBody, RequestBody};
use super::link::{Link, Phase, Verdict, Watched, millis};
use super::{HangUp, Limits, Peer, Shared};

/// Serves a connection until one side closes it, or it is too slow.
pub(super) async fn converse<T>(stream: T, peer: Peer, shared: Arc<Shared>)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = &shared.limits;
    let link = Arc::new(Link::new());
    let watched = Watched::new(stream, Arc::clone(&link), limits.linger_bytes);
    let service = service_fn({
        // The router's `call` asks for `&mut` and changes nothing; a cell spares a clone a request.
        let router = RefCell::new(shared.router.clone());
        let link = Arc::clone(&link);
        let shared = Arc::clone(&shared);
        move |request| answer(&router, request, peer, &link, &shared.limits)
    });
    let mut http = pin!(shared.http.serve_connection(TokioIo::new(watched), service));
    let mut drain = pin!(shared.drain.notified());
    let mut drain_state = Drain::Unheard;
    let first_look = limits.head_time.min(limits.idle_time);
    let mut timer = pin!(tokio::time::sleep(first_look));
    let mut watch = Watch {
        link: &link,
        limits,
        timer: timer.as_mut(),
        armed_ms: millis(first_look),
    };

    // What has arrived is read before a stop is heard: a connection that has seen no bytes yet
    // would be closed with a request in it.
    let mut is_begun = false;
    poll_fn(|cx| {
        if !is_begun {
            is_begun = true;
            if let Poll::Ready(ended) = http.as_mut().poll(cx) {
                note_end(ended);
                return Poll::Ready(());
            }
        }
        if drain_state.is_told(drain.as_mut(), &shared.is_draining, cx) {
            http.as_mut().graceful_shutdown();
        }
        match watch.poll(cx) {
            Look::Fine => {}
            Look::CloseInPeace => http.as_mut().graceful_shutdown(),
            Look::Cut => {
                shared.traffic.timed_out.fetch_add(1, Ordering::Relaxed);
                return Poll::Ready(());
            }
        }
        match http.as_mut().poll(cx) {
            Poll::Ready(ended) => {
                note_end(ended);
                Poll::Ready(())
            }
            Poll::Pending => {
                watch.tighten(cx);
                Poll::Pending
            }
        }
    })
    .await;
}

fn note_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(fault.source = %error, "a connection broke off");
    }
}

/// How far the word that the server stops has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drain {
    Unheard,
    Heard,
    Told,
}

impl Drain {
    /// Whether the word has just come; once told, it is not told again.
    fn is_told(
        &mut self,
        drain: Pin<&mut Notified<'_>>,
        is_draining: &AtomicBool,
        cx: &mut Context<'_>,
    ) -> bool {
        if *self == Self::Told {
            return false;
        }
        // One poll leaves this task's waker, which stays the same; after that the flag, set before
        // anyone is woken, is cheaper to ask.
        let is_woken = *self == Self::Unheard && drain.poll(cx).is_ready();
        let is_heard = is_woken || is_draining.load(Ordering::Acquire);
        *self = if is_heard { Self::Told } else { Self::Heard };
        is_heard
    }
}

/// Hands one request to the router. Not async before the router's own future, so that nothing is
/// boxed or moved twice.
fn answer(
    router: &RefCell<Router>,
    mut request: Request<Incoming>,
    peer: Peer,
    link: &Arc<Link>,
    limits: &Limits,
) -> impl Future<Output = Result<Response<AnswerBody>, HungUp>> + use<> {
    link.handling();
    let link = Arc::clone(link);
    let routed = if request.headers().len() > limits.headers {
        // hyper's own bound is 100, on the stack; a lower one would cost an allocation a request.
        None
    } else {
        request.extensions_mut().insert(peer);
        let request = request.map(|body| RequestBody::wrap(body, &link, limits));
        Some(router.borrow_mut().call(request))
    };
    async move {
        let response = match routed {
            Some(routed) => match routed.await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            None => too_many_headers(),
        };
        if response.extensions().get::<HangUp>().is_some() {
            return Err(HungUp);
        }
        link.answering();
        Ok(response.map(|body| AnswerBody::new(body, link)))
    }
}

/// Ends a connection in the place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("a fault rule closed the connection")]
struct HungUp;

fn too_many_headers() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// What the connection should do after a look at the watch.
enum Look {
    Fine,
    CloseInPeace,
    Cut,
}

/// The connection's one timer. It is armed for the phase it saw last and only looks at the marks
/// when it fires: a phase that ends later moves it then, one that ends sooner moves it at once,
/// and a request that comes and goes does not touch it.
struct Watch<'a> {
    link: &'a Link,
    limits: &'a Limits,
    timer: Pin<&'a mut Sleep>,
    armed_ms: u64,
}

impl Watch<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Look {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now_ms = self.link.now_ms();
            match self.link.judge(now_ms, self.limits) {
                // At least one millisecond on: the two clocks may differ by a part of one.
                Verdict::Wait(due_ms) => self.arm(now_ms, due_ms.max(now_ms + 1)),
                Verdict::BodyLate(due_ms) => self.arm(now_ms, due_ms),
                Verdict::IdleTooLong => {
                    self.arm(now_ms, now_ms + millis(self.limits.linger_time));
                    return Look::CloseInPeace;
                }
                Verdict::Cut => return Look::Cut,
            }
        }
        Look::Fine
    }

    /// After everything that could be done was done: arms for a deadline that came nearer.
    fn tighten(&mut self, cx: &mut Context<'_>) {
        let is_hurried = match self.link.mark().phase() {
            // A request that came in one piece never ends a poll in one of these.
            Phase::Head | Phase::Body | Phase::Lingering => true,
            Phase::Idle | Phase::Handling | Phase::Answering | Phase::Flushing => false,
        };
        if !is_hurried && !self.link.is_stalled() {
            return;
        }
        let due_ms = self.link.due_ms(self.limits);
        if due_ms < self.armed_ms {
            self.arm(self.link.now_ms(), due_ms);
            if self.timer.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
    }

    fn arm(&mut self, now_ms: u64, due_ms: u64) {
        let wait = Duration::from_millis(due_ms.saturating_sub(now_ms));
        self.armed_ms = due_ms;
        self.timer.as_mut().reset(Instant::now() + wait);
    }
}
