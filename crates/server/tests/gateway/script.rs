//! The language of the tables: `verb arguments name=value… -> outcome name=value !name…`.
//!
//! ```text
//! code C alice                          names a fresh code of alice's; `24` behind it: of 24 digits
//! pay tea-house T1 alice 10.00          with a fresh code of alice's; or `$C`, or digits
//! query tea-house T1                    `-` for the number leaves it out
//! cancel|reverse|spot-cancel tea-house T1
//! refund tea-house T1 R1 5.00           asynchronous unless `is_sync=Y` stands behind it
//! refund-query tea-house T1 R1
//! register tea-house M002 S002          a store in Hong Kong, as an integrator says it
//! store-status tea-house M002 S002
//! review tea-house M002 S002 {json}     what the operator of the scheme decides
//! confirm careful T1 yes|no
//! wallet alice                          what the phone shows
//! bill alice tea-house T1               one payment on it
//! topup alice 10.00
//! patch wallets|partners NAME {json}
//! account tea-house|commission-income HKD   one line of the trial balance
//! clock PT3M                            or an instant to set it to
//! books                                 sums are zero, and wallets equal their entries
//! ```
//!
//! Behind the arguments `name=value` sets a parameter and `name=` takes it away; values with blanks
//! stand in back ticks. Behind the arrow stand the outcome (`SUCCESS`, `UNKNOW`, `FAILED:CODE`,
//! `FAIL:CODE`, `F:CODE`; of a refund that is found `SUCCESS:PROCESSING` or
//! `SUCCESS:FAILED:CODE`; of a store its state; or the status of a call), fields that must be there (`name=value`), that
//! must not (`!name`), and all of them at once (`fields=a,b,c`). `$tea-house/T1` is the gateway's
//! number of that trade, known from its first answer on; `$tea-house/T1` never changes.

use serde_json::{Value, json};

use crate::till::{Params, Till, set, unset};
use crate::world::{Answer, World};

impl World {
    /// Runs a script.
    pub(crate) async fn check(&self, script: &str) {
        let lines = script.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.check_line(line).await;
        }
    }

    async fn check_line(&self, line: &str) {
        let (asked, expected) = line.split_once("->").unwrap_or((line, ""));
        let (asked, expected) = (words(asked), words(expected));
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        match asked.as_slice() {
            ["code", name, wallet, digits @ ..] => {
                let digits: u32 = digits.first().map_or(18, |digits| digits.parse().unwrap());
                let wish = format!(r#"{{"digits":{digits}}}"#);
                let path = format!("/wallets/{wallet}/code");
                let answer = self.does("POST", &path, &wish).await;
                self.name(name, answer["code"].as_str().unwrap());
            }
            other => match self.request(other).await {
                Some(request) => self.ask_line(line, request, &expected).await,
                None => self.check_call(line, other, &expected).await,
            },
        }
    }

    /// The lines that ask the gateway, without what their `name=value` change.
    async fn request<'a>(&self, asked: &'a [&'a str]) -> Option<Request<'a>> {
        let [verb, partner, rest @ ..] = asked else {
            return None;
        };
        let arguments = match *verb {
            "query" | "cancel" | "reverse" | "spot-cancel" => 1,
            "refund-query" | "register" | "store-status" => 2,
            "pay" | "refund" => 3,
            _ => return None,
        };
        let till = self.till(partner).await;
        let (arguments, changes) = rest.split_at(arguments);
        let params = match (*verb, arguments) {
            ("pay", [id, code, amount]) => till.pay(id, &self.resolve_code(code).await, amount),
            ("query", [id]) => till.query(id),
            ("cancel", [id]) => till.cancel(id),
            (old, [id]) => {
                let name = old.strip_prefix("spot-").unwrap_or(old);
                let mut params = till.query(id);
                let service = format!("alipay.acquire.overseas.spot.{name}");
                set(&mut params, "service", &service);
                params
            }
            ("refund", [id, refund, amount]) => till.refund(id, refund, amount),
            ("refund-query", [id, refund]) => till.refund_query(id, refund),
            ("register", [merchant, store]) => till.register(merchant, store, self.now()),
            ("store-status", [merchant, store]) => till.store_status(merchant, store, self.now()),
            other => panic!("{other:?} is no request"),
        };
        // Stores have no number of the gateway's.
        let id = match *verb {
            "register" | "store-status" => "-",
            _ => arguments.first()?,
        };
        Some(Request {
            till,
            partner,
            id,
            params,
            changes,
        })
    }

    /// The lines that are calls of the sandbox API.
    async fn check_call(&self, line: &str, asked: &[&str], expected: &[&str]) {
        let (method, path, body) = match asked {
            ["wallet", name] => ("GET", format!("/wallets/{name}"), String::new()),
            ["confirm", wallet, id, answer, partner @ ..] => {
                let mut body = json!({"partner_trans_id": id, "accept": *answer == "yes"});
                if let Some(partner) = partner.first() {
                    body["partner"] = (*partner).into();
                }
                (
                    "POST",
                    format!("/wallets/{wallet}/confirm"),
                    body.to_string(),
                )
            }
            ["patch", kind, name, body] => ("PATCH", format!("/{kind}/{name}"), (*body).to_owned()),
            ["clock", to] => {
                let word = if to.starts_with('P') {
                    "advance"
                } else {
                    "set"
                };
                ("POST", "/clock".to_owned(), json!({word: to}).to_string())
            }
            ["topup", wallet, amount] => (
                "POST",
                format!("/wallets/{wallet}/topup"),
                json!({"amount": amount}).to_string(),
            ),
            ["review", partner, merchant, store, body] => (
                "PATCH",
                format!("/partners/{partner}/stores/{merchant}/{store}"),
                (*body).to_owned(),
            ),
            ["bill", wallet, partner, id] => {
                let found = self.bill(wallet, partner, id).await;
                return check_call_fields(line, &found, expected);
            }
            ["account", name, currency] => {
                let found = self.account(name, currency).await;
                return check_call_fields(line, &found, expected);
            }
            ["books"] => return self.books().await,
            other => panic!("{other:?} is no line of a script"),
        };
        let (status, answer) = self.api(method, &path, &body).await;
        let (wanted, fields) = expected.split_first().unwrap_or((&"200", &[]));
        let outcome = match answer["error"].as_str() {
            Some(error) if status != 200 => format!("{status}:{error}"),
            _ => status.to_string(),
        };
        assert_eq!(&outcome, wanted, "{line}\n{answer}");
        check_call_fields(line, &answer, fields);
    }

    /// What a wallet's owner reads of one payment.
    async fn bill(&self, wallet: &str, partner: &str, id: &str) -> Value {
        let page = self.does("GET", &format!("/wallets/{wallet}"), "").await;
        let mut trades = page["trades"].as_array().unwrap().iter();
        let found =
            trades.find(|trade| trade["partner"] == partner && trade["partner_trans_id"] == id);
        found.unwrap_or_else(|| panic!("{page}")).clone()
    }

    /// One line of the trial balance; an account that never moved has zeros. A partner's is named
    /// as the partner.
    async fn account(&self, name: &str, currency: &str) -> Value {
        let books = self.does("GET", "/ledger/trial-balance", "").await;
        let partners = self.does("GET", "/partners", "").await;
        let mut partners = partners.as_array().unwrap().iter();
        let name = match partners.find(|partner| partner["name"] == name) {
            Some(partner) => format!(
                "partner-payable:{}",
                partner["partner_id"].as_str().unwrap()
            ),
            None => name.to_owned(),
        };
        let mut lines = books["accounts"].as_array().unwrap().iter();
        let found = lines.find(|line| line["account"] == *name && line["currency"] == currency);
        let nothing = json!({"debits": "0.00", "credits": "0.00", "balance": "0.00"});
        found.cloned().unwrap_or(nothing)
    }

    async fn ask_line(&self, line: &str, request: Request<'_>, expected: &[&str]) {
        let Request {
            till,
            partner,
            id,
            mut params,
            changes,
        } = request;
        if id == "-" {
            params.retain(|(_, value)| value != "-");
        }
        for change in changes {
            match change.split_once('=').unwrap() {
                (name, "") => unset(&mut params, name),
                (name, value) => set(&mut params, name, &self.resolve(value)),
            }
        }
        let answer = till.ask(self, &params).await;
        if id != "-" {
            self.check_number(line, &format!("{partner}/{id}"), &answer);
        }
        let (outcome, fields) = expected
            .split_first()
            .unwrap_or_else(|| panic!("{line}: what is expected?"));
        assert_eq!(&answer.outcome(), outcome, "{line}\n{answer:?}");
        for field in fields {
            self.check_field(line, field, &answer);
        }
    }

    fn check_field(&self, line: &str, field: &str, answer: &Answer) {
        if let Some(name) = field.strip_prefix('!') {
            assert_eq!(answer.field(name), "", "{line}: {name}\n{answer:?}");
            return;
        }
        match field.split_once('=').unwrap() {
            ("fields", names) => {
                let fields = &answer.accepted().fields;
                let given: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
                assert_eq!(given.join(","), names, "{line}");
            }
            (name, value) => {
                let value = self.resolve(value);
                assert_eq!(answer.field(name), value, "{line}: {name}\n{answer:?}");
            }
        }
    }

    /// `alipay_trans_id` is one to one with partner and `partner_trans_id` (`spec/02`).
    fn check_number(&self, line: &str, name: &str, answer: &Answer) {
        let number = match answer.field("alipay_trans_id") {
            "" => answer.field("trade_no"),
            number => number,
        };
        if number.is_empty() {
            return;
        }
        let mut names = self.names.lock().unwrap();
        let known = names
            .entry(name.to_owned())
            .or_insert_with(|| number.to_owned());
        assert_eq!(known, number, "{line}: another number for {name}");
    }

    pub(crate) fn name(&self, name: &str, value: &str) {
        let mut names = self.names.lock().unwrap();
        names.insert(name.to_owned(), value.to_owned());
    }

    fn resolve(&self, word: &str) -> String {
        match word.strip_prefix('$') {
            None => word.to_owned(),
            Some(name) => {
                let names = self.names.lock().unwrap();
                let value = names.get(name);
                value
                    .unwrap_or_else(|| panic!("nothing is named {name}"))
                    .clone()
            }
        }
    }

    async fn resolve_code(&self, word: &str) -> String {
        let first = word.chars().next().unwrap();
        if first == '$' || first.is_ascii_digit() {
            self.resolve(word)
        } else {
            self.code(word).await
        }
    }
}

/// What a line asks the gateway.
struct Request<'a> {
    till: Till,
    partner: &'a str,
    /// The partner's number of the trade; `-` without one.
    id: &'a str,
    params: Params,
    changes: &'a [&'a str],
}

fn check_call_fields(line: &str, answer: &Value, fields: &[&str]) {
    for field in fields {
        let (name, value) = field.split_once('=').unwrap();
        let shown = match &answer[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(shown, value, "{line}: {name}\n{answer}");
    }
}

/// Words between blanks; back ticks keep blanks together.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '`' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
