//! A gateway in process: the real router on a real store, its machine's clock standing still.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use spotpay_core::time::{Span, Timestamp};
use spotpay_server::app::{App, Running};
use spotpay_server::clock::Clock;
use spotpay_server::entropy::SystemEntropy;
use spotpay_server::limits::Limits;
use spotpay_server::notifier::courier::{HttpCourier, Reach};
use spotpay_server::notifier::driver::Driver;
use spotpay_server::server;
use spotpay_wire::charset::Charset;
use spotpay_wire::xml::{Accepted, AnswerDoc, read_answer};
use tower::ServiceExt as _;

/// When every world begins: a Monday noon in Hong Kong, at the first instant of a code's slot.
pub(crate) const NOON: &str = "20261123120000";

/// A machine whose clock stands still, so that the last second of a window is not a race; the
/// sandbox clock on it moves as a script says.
struct StillClock {
    offset: AtomicI64,
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        let offset = Span::micros(self.offset.load(Ordering::Relaxed));
        self.real().plus(offset)
    }

    fn real(&self) -> Timestamp {
        Timestamp::parse_compact(NOON).unwrap()
    }

    fn monotonic(&self) -> Span {
        Span::micros(0)
    }

    fn set_offset(&self, offset: Span) {
        self.offset.store(offset.as_micros(), Ordering::Relaxed);
    }
}

/// One gateway with its own data directory; it ends with the test.
pub(crate) struct World {
    pub(crate) router: Router,
    running: Option<Running>,
    /// What a script has named: codes, and the gateway's number of each trade.
    pub(crate) names: Mutex<BTreeMap<String, String>>,
    _data: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_within(Limits::default()).await
    }

    /// The same with other limits.
    pub(crate) async fn start_within(limits: Limits) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = StillClock {
            offset: AtomicI64::new(0),
        };
        let entropy = Box::new(SystemEntropy::default());
        let courier = Box::new(HttpCourier::new(Reach::Anywhere));
        let clock = Arc::new(clock);
        let running = Running::start_within(data.path(), clock, entropy, courier, limits).unwrap();
        running.seed_if_empty(None).await.unwrap();
        Driver::start(&running.app);
        Self {
            router: server::router(Arc::clone(&running.app)),
            running: Some(running),
            names: Mutex::default(),
            _data: data,
        }
    }

    /// What stands behind the router.
    pub(crate) fn app(&self) -> &App {
        &self.running.as_ref().unwrap().app
    }

    /// The sandbox clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.app().clock.now()
    }

    /// One request to the gateway: a POST, or a GET when there is no body.
    pub(crate) async fn send(&self, query: &str, body: impl Into<Vec<u8>>) -> Answer {
        send(self.router.clone(), query.to_owned(), body.into()).await
    }

    /// One call of the sandbox API.
    pub(crate) async fn api(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        api(
            self.router.clone(),
            method.to_owned(),
            path.to_owned(),
            body.to_owned(),
        )
        .await
    }

    /// One call of the sandbox API that must work.
    pub(crate) async fn does(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.api(method, path, body).await;
        assert_eq!(status, 200, "{method} {path} {body}: {answer}");
        answer
    }

    /// A fresh code of a wallet.
    pub(crate) async fn code(&self, wallet: &str) -> String {
        let answer = self
            .does("POST", &format!("/wallets/{wallet}/code"), "")
            .await;
        answer["code"].as_str().unwrap().to_owned()
    }

    /// Many fresh codes of a wallet.
    pub(crate) async fn codes(&self, wallet: &str, count: usize) -> Vec<String> {
        let wish = format!(r#"{{"count":{count}}}"#);
        let answer = self
            .does("POST", &format!("/wallets/{wallet}/code"), &wish)
            .await;
        let codes = answer["codes"].as_array().unwrap().iter();
        codes
            .map(|code| code.as_str().unwrap().to_owned())
            .collect()
    }

    /// What a wallet has.
    pub(crate) async fn balance(&self, wallet: &str) -> String {
        let answer = self.does("GET", &format!("/wallets/{wallet}"), "").await;
        answer["balance"].as_str().unwrap().to_owned()
    }

    /// The books: each currency sums to nothing, and every wallet equals its entries.
    pub(crate) async fn books(&self) {
        let books = self.does("GET", "/ledger/trial-balance", "").await;
        assert_eq!(books["checked"], true, "{books}");
        let sums = books["sums"].as_object().unwrap();
        assert!(!sums.is_empty());
        for (currency, sum) in sums {
            let nothing = sum == "0.00" || sum == "0";
            assert!(nothing, "{currency}: {books}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

/// The gateway's answer as bytes and as what they say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) said: AnswerDoc,
}

impl Answer {
    /// The answer of an accepted request.
    pub(crate) fn accepted(&self) -> &Accepted {
        match &self.said {
            AnswerDoc::Accepted(accepted) => accepted,
            AnswerDoc::Rejected { error } => panic!("rejected: {error}"),
        }
    }

    /// A field; empty when it is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        match &self.said {
            AnswerDoc::Accepted(accepted) => accepted.get(name).unwrap_or_default(),
            AnswerDoc::Rejected { .. } => "",
        }
    }

    /// An echoed parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let params = &self.accepted().params;
        let found = params.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The whole outcome in a word: `SUCCESS`, `UNKNOW`, `FAILED:CODE`, `FAIL:CODE`, `F:CODE`; of a
    /// refund that is found `SUCCESS:PROCESSING` and the like; of a store its state.
    pub(crate) fn outcome(&self) -> String {
        let accepted = match &self.said {
            AnswerDoc::Rejected { error } => return format!("F:{error}"),
            AnswerDoc::Accepted(accepted) => accepted,
        };
        let get = |name| accepted.get(name);
        let result = get("result_code")
            .or(get("response_code"))
            .or(get("status"));
        let error = get("error").or(get("detail_error_code"));
        let said = [
            result,
            get("refund_result_code"),
            get("refund_error_code"),
            // The store calls say the same word twice.
            error.filter(|error| result != Some(error)),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(":")
    }
}

/// Sends to the gateway, and checks what `spec/12` says of every answer.
pub(crate) async fn send(router: Router, query: String, body: Vec<u8>) -> Answer {
    let method = if body.is_empty() {
        Method::GET
    } else {
        Method::POST
    };
    let uri = match query.as_str() {
        "" => "/gateway.do".to_owned(),
        query => format!("/gateway.do?{query}"),
    };
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{query}");
    let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
    let content_type = content_type.to_owned();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let said = read_answer(&bytes, &content_type).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&bytes));
    });
    let answer = Answer {
        content_type,
        bytes: bytes.to_vec(),
        said,
    };
    check_form(&answer);
    answer
}

/// `spec/12`, in the answer, 2 to 5 and 7; the signature itself is the till's to check.
fn check_form(answer: &Answer) {
    let label = answer.content_type.strip_prefix("text/xml;charset=");
    let label = label.unwrap_or_else(|| panic!("{}", answer.content_type));
    let charset = Charset::from_label(label).unwrap();
    let text = charset.decode(&answer.bytes).unwrap();
    let declaration = format!(r#"<?xml version="1.0" encoding="{label}"?>"#);
    let root = text
        .strip_prefix(&declaration)
        .unwrap_or_else(|| panic!("{text}"));
    let accepted = match &answer.said {
        AnswerDoc::Rejected { error } => {
            let whole =
                format!("<alipay><is_success>F</is_success><error>{error}</error></alipay>");
            assert_eq!(root, whole);
            return;
        }
        AnswerDoc::Accepted(accepted) => accepted,
    };
    let begin = "<alipay><is_success>T</is_success><request>";
    assert!(root.starts_with(begin), "{root}");
    let (_, response) = root
        .split_once("</request><response><alipay>")
        .unwrap_or_else(|| panic!("{root}"));
    let (fields, end) = response
        .split_once("</alipay></response><sign>")
        .unwrap_or_else(|| panic!("{root}"));
    let (_, sign_type) = end
        .split_once("</sign><sign_type>")
        .unwrap_or_else(|| panic!("{root}"));
    assert_eq!(
        sign_type,
        format!("{}</sign_type></alipay>", accepted.sign_type)
    );
    let names: Vec<&str> = accepted.fields.iter().map(|(name, _)| &**name).collect();
    assert!(
        names.is_sorted_by(|left, right| left < right),
        "ascending, each once: {names:?}"
    );
    for blank in ["> ", " <", "  ", "><"] {
        // Between two fields stands nothing, within one something.
        let bad = match blank {
            "><" => names
                .iter()
                .any(|name| fields.contains(&format!("<{name}></"))),
            _ => fields.contains(blank),
        };
        assert!(!bad, "{blank:?} in {fields}");
    }
}

/// One call of the sandbox API; every answer of it is JSON.
pub(crate) async fn api(
    router: Router,
    method: String,
    path: String,
    body: String,
) -> (u16, Value) {
    let request = Request::builder()
        .method(method.as_str())
        .uri(format!("/sandbox/v1{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        content_type.as_deref(),
        Some("application/json"),
        "{method} {path}: {status} {}",
        String::from_utf8_lossy(&bytes)
    );
    (status, serde_json::from_slice(&bytes).unwrap())
}
