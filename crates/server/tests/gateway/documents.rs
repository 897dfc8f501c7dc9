//! The OpenAPI document against what is served: the same routes and methods, answers that are what
//! their schemas say, examples that are too.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::receiver::{Receiver, Say};
use crate::world::World;

const SOURCE: &str = include_str!("../../src/sandbox.rs");

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// `METHOD PATH` of every operation that the document names.
fn described(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = METHODS.iter().filter(|method| item[**method].is_object());
        found.extend(methods.map(|method| format!("{method} {path}")));
    }
    found
}

/// `METHOD PATH` of every route in the source: a route begins with its path, and names its methods
/// as functions.
fn routed() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for route in SOURCE.split(".route(").skip(1) {
        let mut quoted = route.split('"');
        let path = quoted.nth(1).unwrap();
        let handlers = quoted.next().unwrap();
        let methods = METHODS
            .iter()
            .filter(|method| handlers.contains(&format!("{method}(")));
        found.extend(methods.map(|method| format!("{method} {path}")));
    }
    found
}

// Goal: the document names every route with its methods, and none besides; each is served, and every
// other method of its path is refused as such.
#[tokio::test]
async fn routes() {
    let world = World::start().await;
    let document = world.does("GET", "/openapi.json", "").await;
    let described = described(&document);
    assert_eq!(described, routed());
    for path in document["paths"].as_object().unwrap().keys() {
        for method in METHODS {
            let asked = path.replace("{id}", "1").replace("{name}", "nobody");
            let (status, answer) = world.api(&method.to_uppercase(), &asked, "{}").await;
            if described.contains(&format!("{method} {path}")) {
                assert_ne!(status, 405, "{method} {path}");
                let message = answer["message"].as_str().unwrap_or_default();
                assert!(!message.contains("no call"), "{method} {path}: {answer}");
            } else {
                assert_eq!(status, 405, "{method} {path}");
            }
        }
    }
}

// Goal: a name that is no text, and a body that is no JSON, are answered as JSON on every route that
// takes one.
#[tokio::test]
async fn odd_names_and_bodies() {
    let world = World::start().await;
    let document = world.does("GET", "/openapi.json", "").await;
    for operation in described(&document) {
        let (method, path) = operation.split_once(' ').unwrap();
        let method = method.to_uppercase();
        if path.contains('{') {
            let parts = path.split('/').map(|part| match part {
                name if name.starts_with('{') => "%FF",
                word => word,
            });
            let odd = parts.collect::<Vec<_>>().join("/");
            let (status, answer) = world.api(&method, &odd, "{}").await;
            assert_eq!(status, 400, "{method} {odd}: {answer}");
            assert_eq!(answer["error"], "bad_request");
        }
        let item = &document["paths"][path][&method.to_lowercase()];
        if item["requestBody"].is_object() {
            let asked = path.replace("{name}", "alice").replace("{id}", "1");
            let (status, answer) = world.api(&method, &asked, "{").await;
            assert_eq!(status, 400, "{method} {asked}: {answer}");
            assert!(
                Checker(&document).fits(&answer, &error_schema()),
                "{answer}"
            );
        }
    }
}

fn error_schema() -> Value {
    json!({"$ref": "#/components/schemas/Error"})
}

/// Enough of JSON Schema for this document. Properties that a schema does not name are not allowed
/// in answers.
struct Checker<'a>(&'a Value);

impl Checker<'_> {
    fn fits(&self, value: &Value, schema: &Value) -> bool {
        self.complaint(value, schema, "").is_none()
    }

    /// Where and why it does not fit.
    fn complaint(&self, value: &Value, schema: &Value, at: &str) -> Option<String> {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.strip_prefix('#').unwrap();
            let found = self.0.pointer(pointer);
            let found = found.unwrap_or_else(|| panic!("{name} is nowhere"));
            return self.complaint(value, found, at);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(schemas) = schema[choice].as_array() {
                let fitting = schemas.iter().filter(|one| self.fits(value, one)).count();
                let wrong = fitting == 0 || (choice == "oneOf" && fitting > 1);
                return wrong.then(|| format!("{at}: {fitting} of {choice} fit {value}"));
            }
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        let is_typed = types.is_empty() || types.iter().any(|name| is_of(value, name));
        let is_listed = schema["enum"]
            .as_array()
            .is_none_or(|all| all.contains(value));
        let is_const = schema["const"].is_null() || schema["const"] == *value;
        if !is_typed || !is_listed || !is_const {
            return Some(format!("{at}: {value} is not {schema}"));
        }
        match value {
            Value::Object(fields) => self.fields_complaint(fields, schema, at),
            Value::Array(items) => items.iter().enumerate().find_map(|(place, item)| {
                let at = format!("{at}[{place}]");
                self.complaint(item, &schema["items"], &at)
            }),
            _ => None,
        }
    }

    fn fields_complaint(
        &self,
        fields: &serde_json::Map<String, Value>,
        schema: &Value,
        at: &str,
    ) -> Option<String> {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut names = required.iter().map(|name| name.as_str().unwrap());
        if let Some(missing) = names.find(|name| !fields.contains_key(*name)) {
            return Some(format!("{at}: {missing} is missing"));
        }
        fields.iter().find_map(|(name, value)| {
            let at = format!("{at}.{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Object(_)) => {
                    self.complaint(value, &schema["additionalProperties"], &at)
                }
                // An object of which nothing is said.
                (Value::Null, _) if schema["properties"].is_null() => None,
                (Value::Null, _) => Some(format!("{at} is not described")),
                (schema, _) => self.complaint(value, schema, &at),
            }
        })
    }
}

fn is_of(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other} is no type of this document"),
    }
}

// Goal: the examples of the document are what their schemas say.
#[tokio::test]
async fn examples() {
    let world = World::start().await;
    let document = world.does("GET", "/openapi.json", "").await;
    let checker = Checker(&document);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            let complaint = checker.complaint(example, schema, name);
            assert_eq!(complaint, None);
        }
    }
    for operation in described(&document) {
        let (method, path) = operation.split_once(' ').unwrap();
        let responses = document["paths"][path][method]["responses"].as_object();
        for (status, response) in responses.unwrap() {
            let content = &response["content"]["application/json"];
            if content["example"].is_object() {
                let at = format!("{operation} {status}");
                let complaint = checker.complaint(&content["example"], &content["schema"], &at);
                assert_eq!(complaint, None);
            }
        }
    }
}

/// Calls whose answers must be what the document says of them, in a world where something happened.
const CALLS: &str = r#"
GET    /sandbox.json
GET    /openapi.json
GET    /wallets
GET    /wallets?limit=1
POST   /wallets {"name":"eve","payment_inst":"ALIPAYHK","balance":"5"}
POST   /wallets {"name":"eve","payment_inst":"ALIPAYHK","balance":"5"}
POST   /wallets {"name":"crowd","payment_inst":"ALIPAYCN","count":3}
GET    /wallets/alice
GET    /wallets/nobody
PATCH  /wallets/alice {"limit_per_day":"50000"}
PATCH  /wallets/alice {"limit_per_day":"no"}
POST   /wallets/alice/code
POST   /wallets/alice/code {"count":2}
POST   /wallets/alice/topup {"amount":"1"}
POST   /wallets/careful/confirm {"partner_trans_id":"D3","accept":true}
POST   /wallets/careful/confirm {"partner_trans_id":"D9","accept":true}
GET    /partners
POST   /partners {"name":"noodles","product":"HK","store_review":"manual","sync_refund_pause":"after_midnight","services":[]}
POST   /partners {"name":"noodles","product":"HK"}
POST   /partners {"name":"soup","product":"HK","country":"FR"}
PATCH  /partners/noodles {"services":["alipay.acquire.cancel"],"store_review":"instant","sync_refund_pause":"none"}
PATCH  /partners/noodles {"product":"STANDARD"}
PATCH  /partners/noodles {"services":["cancel"]}
POST   /partners/noodles/keys {"rotate":"md5","overlap":"PT1H"}
POST   /partners/noodles/keys {"public_key":"none"}
GET    /partners/tea-house/stores
GET    /partners/nobody/stores
PATCH  /partners/tea-house/stores/M002/S002 {"status":"FAILED","reject_reason":"high-risk merchant refused"}
PATCH  /partners/tea-house/stores/M002/S002 {"status":"SUCCESS"}
PATCH  /partners/tea-house/stores/M002/S002 {"status":"DONE"}
PATCH  /partners/tea-house/stores/M002/S009 {"status":"SUCCESS"}
PATCH  /partners/tea-house/stores/M001/S001 {"status":"FAILED"}
GET    /rates
POST   /rates {"base":"HKD","quote":"CNY","rate":"0.93"}
POST   /rates {"base":"CNY","quote":"CNY","rate":"0.93"}
GET    /clock
POST   /clock {"advance":"PT1S"}
POST   /clock {"set":"2026-01-01T00:00:00Z"}
POST   /clock {"advance":"P9999D"}
GET    /requests
GET    /requests?limit=many
GET    /requests/999999
GET    /notifications
GET    /notifications?limit=1
GET    /notifications/1
GET    /notifications/first
POST   /notifications/1/resend
GET    /faults
POST   /faults {"service":"notify_trade","effect":{"notify":"late","by":"PT5M"}}
POST   /faults {"service":"notify_trade","partner":"nobody","effect":{"notify":"lose"}}
POST   /faults {"service":"notify_refund","effect":{"notify":"before_answer"}}
POST   /faults {"service":"notify_trade","effect":{"notify":"never"}}
GET    /faults
DELETE /faults/1
DELETE /faults/1
DELETE /faults/first
DELETE /faults
GET    /holidays
POST   /holidays {"calendar":"HK","date":"2027-01-01"}
POST   /holidays {"calendar":"FR","date":"2027-01-01"}
POST   /settle {"until":"2026-11-23"}
POST   /clock {"advance":"P1D"}
POST   /settle
GET    /batches
POST   /files {"partner":"tea-house","date":"2026-11-23","kind":"transaction"}
POST   /files {"partner":"tea-house","date":"2026-11-22","kind":"settlement"}
POST   /files {"partner":"tea-house","date":"2027-11-22","kind":"settlement"}
GET    /files
GET    /files?partner=tea-house
GET    /files?partner=nobody
GET    /files/none.txt
POST   /files {"partner":"nobody","date":"2026-11-22","kind":"settlement"}
GET    /ledger/trial-balance
GET    /stats
POST   /reset
"#;

/// The operation of a call: its template, with which the document describes it.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> (&'a str, &'a Value) {
    let path = path.split('?').next().unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    let mut all = document["paths"].as_object().unwrap().iter();
    let (template, item) = all
        .find(|(template, _)| {
            let template: Vec<&str> = template.split('/').collect();
            let fits = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
            template.len() == parts.len() && template.iter().zip(&parts).all(fits)
        })
        .unwrap_or_else(|| panic!("{path} is not described"));
    (template, &item[method.to_lowercase()])
}

// Goal: every answer, good or bad, has the status and the fields that the document says, and no
// other; the calls reach every operation.
#[tokio::test]
async fn answers() {
    let world = World::start().await;
    let receiver = Receiver::start(Say::Text(503, "busy")).await;
    world.agree("tea-house", &receiver.url).await;
    for effect in [
        "answer\":\"PAYMENT_FAIL",
        "unknown_after\":\"UNKNOWN",
        "drop\":\"after",
    ] {
        let rule =
            format!(r#"{{"service":"alipay.acquire.refund.query","effect":{{"{effect}"}}}}"#);
        world.does("POST", "/faults", &rule).await;
    }
    for effect in ["delay_ms\":5", "bad_sign\":true"] {
        let rule = format!(r#"{{"service":"alipay.acquire.refund.query","effect":{{"{effect}}}}}"#);
        world.does("POST", "/faults", &rule).await;
    }
    world
        .check(
            "
        pay tea-house D1 alice 10.00 -> SUCCESS
        pay tea-house D2 bob 10.00 -> SUCCESS
        pay tea-house D3 careful 10.00 -> UNKNOW
        refund tea-house D1 D1R 4.00 is_sync=Y -> SUCCESS
        refund tea-house D2 D2R 4.00 -> SUCCESS
        cancel tea-house D1 -> SUCCESS
        query tea-house D9 -> FAIL:TRADE_NOT_EXIST
        register tea-house M002 S002 -> SUCCESS
        ",
        )
        .await;
    let document = world.does("GET", "/openapi.json", "").await;
    let checker = Checker(&document);
    let id = world.notifications().await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = format!("GET /notifications/{id}\nPOST /notifications/{id}/resend\nGET /requests/1");
    let calls = format!("{own}\n{CALLS}");
    let mut left = described(&document);
    // Its answer is the file, and no JSON: `settlement`.
    left.remove("get /files/{name}");
    for line in calls.lines().filter(|line| !line.is_empty()) {
        let mut words = line.splitn(2, ' ');
        let method = words.next().unwrap();
        let (path, body) = words
            .next()
            .unwrap()
            .trim()
            .split_once(' ')
            .unwrap_or((line.rsplit(' ').next().unwrap(), ""));
        let (status, answer) = world.api(method, path, body).await;
        let (template, operation) = operation(&document, method, path);
        if status == 200 {
            left.remove(&format!("{} {template}", method.to_lowercase()));
        }
        let mut response = &operation["responses"][status.to_string()];
        if let Some(name) = response["$ref"].as_str() {
            response = document.pointer(name.strip_prefix('#').unwrap()).unwrap();
        }
        assert!(
            response.is_object(),
            "{line}: {status} is not described: {answer}"
        );
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{line}: {status} has no schema");
        let complaint = checker.complaint(&answer, schema, line);
        assert_eq!(complaint, None, "{answer}");
    }
    assert_eq!(left, BTreeSet::new(), "never answered with 200");
}
