//! Calls of the sandbox API, between requests to the gateway.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use spotpay_core::id::PartnerId;
use spotpay_core::partner::Contract;
use spotpay_core::time::Span;
use spotpay_server::sandbox::{parse_instant, parse_span};
use spotpay_server::server::{CallError, InProcess};

use super::requests::{Sent, is_day_over, request_of};
use super::stage::Stage;

/// Lines of one input.
const LINES_MAX: usize = 12;
/// What stands in front of a request to the gateway.
const TO_GATEWAY: u8 = b'~';
/// The furthest that a line moves the clock; each day has its jobs.
const AHEAD_MAX: Span = Span::hours(72);
/// Beyond this the API itself refuses.
const REFUSED_BEYOND: Span = Span::hours(24 * 366 * 5);
/// What one line makes of wallets and codes.
const MANY_MAX: u64 = 20;
/// What the API itself refuses is above.
const MANY_REFUSED_ABOVE: u64 = 10_000;
/// As with an answer's delay in milliseconds.
const DELAY_MAX: u64 = 1;
const DELAY_REFUSED_ABOVE: u64 = 600_000;

/// A seeded gateway with its sandbox, without a socket.
pub struct Sandbox {
    stage: Stage,
    routes: InProcess,
}

impl Sandbox {
    /// Starts one on an empty folder.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data: &Path) -> Self {
        let stage = Stage::start(data);
        let routes = InProcess::new(stage.app());
        Self { stage, routes }
    }

    /// Each line is a call: a method, a path below `/sandbox/v1` and a body with a blank between
    /// them, or `~` and a request as `Gateway::requests` takes it. A `$` in a path is the newest
    /// id that an answer named. Every answer is JSON, a success or a refusal with `error` and
    /// `message`, and both judges of the store find nothing afterwards.
    ///
    /// # Panics
    /// When one of these is not so.
    pub fn calls(&self, data: &[u8]) {
        self.stage.begin_anew();
        let mut bounds = Bounds::default();
        let mut terms = Terms::of(&self.stage);
        let mut id = String::new();
        for line in data.split(|&byte| byte == b'\n').take(LINES_MAX) {
            self.stage.step();
            if let Some(request) = line.strip_prefix(&[TO_GATEWAY]) {
                self.request(request);
                terms.count_from_now(&self.stage);
            } else if let Some(call) = Call::read(line, &id).filter(|call| bounds.hold(self, call))
            {
                let answer = self.call(&call);
                terms.look(&self.stage);
                id = id_of(&answer).unwrap_or(id);
            }
        }
        self.stage.check();
        if terms.are_kept {
            self.stage.audit();
        }
    }

    fn request(&self, line: &[u8]) {
        let Some((head, rest)) = line.split_first_chunk() else {
            return;
        };
        if is_day_over(*head) {
            return self.stage.day_over();
        }
        let Sent { query, body } = request_of(*head, rest, self.stage.now());
        let address = format!("/gateway.do?{query}");
        let answering = self.routes.call("POST", &address, body);
        let answer = self.stage.wait(answering).expect("an answer");
        assert_eq!(answer.status().as_u16(), 200);
    }

    /// The answer; nothing when the line was no HTTP request.
    fn call(&self, call: &Call<'_>) -> Value {
        let address = format!("/sandbox/v1{}", call.path);
        let answering = self
            .routes
            .call(call.method, &address, call.body.to_owned());
        let answer = match self.stage.wait(answering) {
            Ok(answer) => answer,
            Err(CallError::NoRequest(_)) => return Value::Null,
            Err(error) => panic!("{call:?}: {error}"),
        };
        let (status, body) = (answer.status().as_u16(), answer.body());
        let shown = String::from_utf8_lossy(body);
        assert!(
            (200..300).contains(&status) || (400..500).contains(&status),
            "{call:?}: {status} {shown}"
        );
        if status < 300 && call.path.starts_with("/files/") {
            return Value::Null;
        }
        let content_type = answer.headers().get("content-type");
        let is_json = content_type.is_some_and(|value| value.as_bytes() == b"application/json");
        assert!(is_json, "{call:?}: {content_type:?}");
        let said: Value = serde_json::from_slice(body).expect("JSON");
        let has = |name: &str| said[name].as_str().is_some_and(|text| !text.is_empty());
        let explains = has("error") && has("message");
        assert!(status < 300 || explains, "{call:?}: {status} {shown}");
        said
    }
}

/// One call as a line has it.
#[derive(Debug)]
struct Call<'a> {
    method: &'static str,
    path: String,
    body: &'a [u8],
}

impl<'a> Call<'a> {
    fn read(line: &'a [u8], id: &str) -> Option<Self> {
        let mut parts = line.splitn(3, |&byte| byte == b' ');
        let (method, path) = (parts.next()?, parts.next()?);
        let known = ["GET", "POST", "PATCH", "DELETE", "PUT"];
        let method = known.into_iter().find(|name| name.as_bytes() == method)?;
        let path = std::str::from_utf8(path).ok()?.replace('$', id);
        path.starts_with('/').then_some(Self {
            method,
            path,
            body: parts.next().unwrap_or_default(),
        })
    }
}

/// The id or the name in an answer, of a list in its first row.
fn id_of(answer: &Value) -> Option<String> {
    let row = answer.get(0).unwrap_or(answer);
    match (&row["id"], &row["name"]) {
        (Value::String(text), _) | (Value::Null, Value::String(text)) => Some(text.clone()),
        (Value::Number(number), _) => Some(number.to_string()),
        _ => None,
    }
}

/// The contracts as they were when the first request came, for `Books` takes those of the end for
/// those of all trades.
struct Terms {
    contracts: BTreeMap<PartnerId, Contract>,
    do_count: bool,
    are_kept: bool,
}

impl Terms {
    fn of(stage: &Stage) -> Self {
        Self {
            contracts: contracts(stage),
            do_count: false,
            are_kept: true,
        }
    }

    /// Trades may exist from here on.
    fn count_from_now(&mut self, stage: &Stage) {
        if !self.do_count {
            self.contracts = contracts(stage);
            self.do_count = true;
        }
    }

    fn look(&mut self, stage: &Stage) {
        let now = contracts(stage);
        let is_same = |(id, then): (&PartnerId, &Contract)| {
            now.get(id).is_none_or(|now| {
                now.commission == then.commission
                    && now.commission_on_refund == then.commission_on_refund
                    && now.notify_url == then.notify_url
            })
        };
        self.are_kept &= !self.do_count || self.contracts.iter().all(is_same);
    }
}

fn contracts(stage: &Stage) -> BTreeMap<PartnerId, Contract> {
    let snapshot = stage.app().snapshot.load();
    let partners = snapshot.config.partners.values();
    partners
        .map(|partner| (partner.id, partner.contract.clone()))
        .collect()
}

/// What would only take long is left out: the API's own bounds are beyond what an input needs.
#[derive(Default)]
struct Bounds {
    /// A rule makes notifications late.
    is_late: bool,
    /// A rule lets answers wait for notifications: for late ones they would wait in vain.
    is_awaited: bool,
}

impl Bounds {
    fn hold(&mut self, sandbox: &Sandbox, call: &Call<'_>) -> bool {
        let (path, _) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        if path == "/clock" {
            let now = sandbox.stage.now();
            let advance = parse_span(text("advance"));
            let set = parse_instant(text("set")).map(|at| at.since(now));
            let fits = |ahead: Span| ahead <= AHEAD_MAX || ahead > REFUSED_BEYOND;
            return [advance, set].into_iter().flatten().all(fits);
        }
        if path == "/faults" {
            let effect = &body["effect"];
            let is_late = effect["notify"] == "late" && !self.is_awaited;
            let is_awaited = effect["notify"] == "before_answer" && !self.is_late;
            self.is_late |= is_late;
            self.is_awaited |= is_awaited;
            let is_other = effect["notify"] != "late" && effect["notify"] != "before_answer";
            return between(&effect["delay_ms"], DELAY_MAX, DELAY_REFUSED_ABOVE)
                && (is_late || is_awaited || is_other);
        }
        let resends = path.ends_with("/resend");
        self.is_awaited |= resends && !self.is_late;
        between(&body["count"], MANY_MAX, MANY_REFUSED_ABOVE) && !(resends && self.is_late)
    }
}

/// Whether a number is small, or refused.
fn between(number: &Value, most: u64, refused_above: u64) -> bool {
    let number = number.as_u64();
    number.is_none_or(|number| number <= most || number > refused_above)
}
