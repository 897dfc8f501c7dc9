//! `spotpay sign explain`: what is signed, byte for byte, and which known mistake a wrong signature
//! is.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use spotpay_wire::autopsy::{Autopsy, Evidence, Verdict, examine};
use spotpay_wire::charset::Charset;
use spotpay_wire::form::{Form, INPUT_CHARSET, encode_pair};

use crate::merchant::Merchant;
use crate::output::{self, Exit, Failure};
use crate::raw_request::{self, RawRequest};

/// Look into signatures
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay sign explain --request request.txt")]
pub(crate) struct Sign {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    merchant: Merchant,
}

#[derive(Subcommand, Debug)]
enum Action {
    Explain(Explain),
}

/// Show what a request's signature covers, and why it does not verify
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay sign explain --request request.txt\n  \
    spotpay sign explain --request 'http://127.0.0.1:8080/gateway.do?service=...&sign=...'\n  \
    spotpay sign explain --request - --key merchant.pem < body.txt\n  spotpay sign explain --id 17\n\n\
    A file holds a URL, the body of a form, or a whole request as it was sent.\n\
    Exit 0 when the signature is right, 1 when it is wrong."
)]
struct Explain {
    /// The request: a file, a URL, or - for standard input
    #[arg(
        long,
        value_name = "FILE|URL|-",
        required_unless_present = "id",
        conflicts_with = "id"
    )]
    request: Option<String>,
    /// The number of a request that the sandbox keeps
    #[arg(long, value_name = "N")]
    id: Option<u64>,
}

/// What is printed with `--json`.
#[derive(Serialize)]
struct Explained {
    verifies: bool,
    sign_type: Option<&'static str>,
    findings: Vec<Found>,
    /// The same for people, with the bytes; keys are masked in it.
    report: String,
}

#[derive(Serialize)]
struct Found {
    mistake: String,
    certainty: Option<&'static str>,
    sentence: String,
    first_difference: Option<usize>,
}

impl From<&Autopsy> for Explained {
    fn from(autopsy: &Autopsy) -> Self {
        let findings = match &autopsy.verdict {
            Verdict::Mistake(findings) => findings.as_slice(),
            Verdict::Verifies(_) | Verdict::Unexplained => &[],
        };
        let findings = findings.iter().map(|finding| Found {
            mistake: finding.mistake.as_str().to_owned(),
            certainty: Some(finding.certainty.as_str()),
            sentence: finding.mistake.sentence().to_owned(),
            first_difference: finding.first_difference,
        });
        Self {
            verifies: matches!(autopsy.verdict, Verdict::Verifies(_)),
            sign_type: autopsy.sign_type.map(|sign_type| sign_type.as_str()),
            findings: findings.collect(),
            report: autopsy.report(),
        }
    }
}

impl Explained {
    fn print(&self, json: bool) -> Exit {
        if json {
            output::print_json(self);
        } else {
            output::print(self.report.trim_end());
        }
        if self.verifies {
            Exit::Success
        } else {
            Exit::Refused
        }
    }
}

impl Sign {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let Action::Explain(explain) = &self.action;
        let explained = match (&explain.request, explain.id) {
            (_, Some(id)) => self.kept(id)?,
            (Some(request), None) => {
                let flag = "--request <FILE|URL|->";
                let bytes = if raw_request::is_url(request) {
                    request.as_bytes().to_vec()
                } else {
                    raw_request::read_bytes(flag, request)?
                };
                let found = RawRequest::read(&bytes);
                let found = found.map_err(|rule| Failure::usage(flag, &shown(request), rule))?;
                Explained::from(&self.examine(&found)?)
            }
            (None, None) => return Err(Failure::missing("give --request or --id")),
        };
        Ok(explained.print(self.merchant.json))
    }

    fn examine(&self, raw: &RawRequest) -> Result<Autopsy, Failure> {
        let form = Form::read(&raw.query, &raw.body);
        let keys = self.merchant.request_keys(form.get("partner"))?;
        let evidence = Evidence::request(&raw.query, &raw.body);
        Ok(examine(&evidence, &keys.ring()))
    }

    /// What the sandbox saw, when the bytes were still there; its finding comes first.
    fn kept(&self, id: u64) -> Result<Explained, Failure> {
        let record = self.merchant.sandbox()?.fetch(&format!("/requests/{id}"))?;
        let explained = Explained::from(&self.examine(&rebuilt(&record))?);
        Ok(explained.of_record(&record))
    }
}

/// A URL may hold a payment code, and is long.
fn shown(request: &str) -> String {
    let end = request.find('?').unwrap_or(request.len());
    request.get(..end).unwrap_or(request).to_owned()
}

fn seen_by_sandbox(sentence: &str) -> Found {
    Found {
        mistake: "seen_by_sandbox".to_owned(),
        certainty: None,
        sentence: sentence.to_owned(),
        first_difference: None,
    }
}

/// The parameters as they were understood; how they were written on the way is not kept.
fn rebuilt(record: &Value) -> RawRequest {
    let mut body = String::new();
    let mut query = String::new();
    if let Some(params) = record.get("params").and_then(Value::as_object) {
        let label = params.get(INPUT_CHARSET).and_then(Value::as_str);
        let charset = label.and_then(Charset::from_label);
        let charset = charset.unwrap_or(Charset::Gbk);
        for (name, value) in params {
            let value = value.as_str().unwrap_or_default();
            let out = if name == INPUT_CHARSET {
                &mut query
            } else {
                &mut body
            };
            encode_pair(charset, name, value, out);
        }
    }
    RawRequest {
        query: query.into_bytes(),
        body: body.into_bytes(),
    }
}

impl Explained {
    /// From what was kept, corrected by what the sandbox saw.
    fn of_record(mut self, record: &Value) -> Self {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let shown = |name: &str| text(name).unwrap_or_default();
        let mut report = format!("{} at {}\n", shown("service"), shown("at"));
        let seen = record.get("sign_ok").and_then(Value::as_bool);
        match (seen, text("likely_mistake")) {
            (None, _) => {
                let error = shown("error");
                report.push_str(&format!(
                    "The gateway did not look at the signature ({error}); from what it keeps:\n{}",
                    self.report
                ));
            }
            (Some(true), _) => {
                self.verifies = true;
                self.findings.clear();
                let canonical = shown("canonical");
                report.push_str(&format!(
                    "Signed by the rule:\n  {canonical}\nVerdict: the signature is right."
                ));
            }
            (Some(false), mistake) => {
                self.verifies = false;
                if let Some(mistake) = mistake {
                    self.findings.insert(0, seen_by_sandbox(mistake));
                    report.push_str(&format!("The gateway says: {mistake}\n"));
                }
                report.push_str(&format!("From what it keeps:\n{}", self.report));
            }
        }
        self.report = report;
        self
    }
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
