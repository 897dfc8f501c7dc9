//! What every merchant command begins with: which gateway, which partner, which keys.

mod keys;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;
use spotpay_client::{
    Client, Currency, Gateway, HttpSettings, HttpTransport, PartnerId, Settings, SettingsError,
};

use crate::machine;
use crate::output::Failure;
use crate::sandbox_file::{Partner, SandboxFile};

pub(crate) use keys::Keys;

/// The longest list that is read.
const LIST_BYTES_MAX: u64 = 64_000_000;

/// The flags that all merchant commands take.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which gateway, partner and keys")]
pub(crate) struct Merchant {
    /// The gateway; a sandbox is asked for its sandbox.json [default: that of --data DIR]
    #[arg(long, value_name = "URL", global = true)]
    gateway: Option<Gateway>,
    /// The sandbox's folder, with sandbox.json, and ca.pem to trust when the gateway is https
    #[arg(
        long,
        value_name = "DIR",
        default_value = "./spotpay-data",
        global = true
    )]
    data: PathBuf,
    /// Who calls: a name of sandbox.json, or a partner id
    #[arg(
        long,
        value_name = "NAME|ID",
        default_value = "tea-house",
        global = true
    )]
    partner: String,
    /// The merchant's private key, PEM or Base64 [default: that of sandbox.json]
    #[arg(long, value_name = "FILE", global = true)]
    key: Option<PathBuf>,
    /// The gateway's public key, PEM or Base64 [default: that of sandbox.json]
    #[arg(long, value_name = "FILE", global = true)]
    gateway_key: Option<PathBuf>,
    /// The environment variable that holds the MD5 key; implies --sign md5
    #[arg(long, value_name = "VAR", global = true)]
    md5_key_env: Option<String>,
    /// How requests are signed [default: rsa2]
    #[arg(long, value_name = "TYPE", value_enum, global = true)]
    sign: Option<Sign>,
    /// Print one JSON object on standard output, and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Sign {
    Md5,
    Rsa,
    Rsa2,
}

/// A partner at its till.
pub(crate) struct Till {
    pub(crate) client: Client,
    /// What it prices in.
    pub(crate) currency: Currency,
}

/// The API of a sandbox.
pub(crate) struct Sandbox {
    http: HttpTransport,
    url: String,
}

impl Merchant {
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    fn http(&self, https: bool) -> Result<HttpTransport, Failure> {
        let path = self.data.join("ca.pem");
        let ca_pem = if https {
            std::fs::read(&path).ok()
        } else {
            None
        };
        let settings = HttpSettings {
            ca_pem,
            ..HttpSettings::default()
        };
        HttpTransport::new(&settings).map_err(|error| {
            let path = path.display().to_string();
            Failure::usage("--data <DIR>", &path, &error.to_string())
        })
    }

    /// Whether the flags say everything, so that no sandbox has to be asked.
    fn is_complete(&self) -> bool {
        let id = self.partner.parse::<PartnerId>().is_ok();
        let keys = self.md5_key_env.is_some() || (self.key.is_some() && self.gateway_key.is_some());
        id && keys
    }

    fn sandbox_file(&self) -> Result<(SandboxFile, HttpTransport), Failure> {
        if let Some(gateway) = &self.gateway {
            let http = self.http(gateway.url().starts_with("https:"))?;
            return Ok((SandboxFile::fetch(gateway, &http)?, http));
        }
        let file = SandboxFile::read(&self.data)?;
        let http = self.http(file.gateway_url.starts_with("https:"))?;
        Ok((file, http))
    }

    /// The API of the sandbox.
    pub(crate) fn sandbox(&self) -> Result<Sandbox, Failure> {
        let (file, http) = self.sandbox_file()?;
        let url = file.sandbox_url.trim_end_matches('/').to_owned();
        Ok(Sandbox { http, url })
    }

    /// The API of the sandbox, and the name there of who calls; a partner that was made later
    /// stands in no sandbox.json.
    pub(crate) fn sandbox_and_name(&self) -> Result<(Sandbox, String), Failure> {
        let (file, http) = self.sandbox_file()?;
        let url = file.sandbox_url.trim_end_matches('/').to_owned();
        let known = file.partner(&self.partner).ok();
        let name = known.map_or(&self.partner, |partner| &partner.name);
        if !is_plain(name) {
            let rule = "a partner's name here has letters, digits, '-', '_' and '.'";
            return Err(Failure::usage("--partner <NAME|ID>", name, rule));
        }
        Ok((Sandbox { http, url }, name.clone()))
    }

    /// The partner's till.
    pub(crate) fn till(&self) -> Result<Till, Failure> {
        let (gateway, partner, http) = match &self.gateway {
            Some(gateway) if self.is_complete() => {
                let http = self.http(gateway.url().starts_with("https:"))?;
                let partner = Partner {
                    partner_id: self.partner.clone(),
                    ..Partner::default()
                };
                (gateway.clone(), partner, http)
            }
            Some(_) | None => {
                let (file, http) = self.sandbox_file()?;
                let gateway = file.gateway_url.parse().map_err(|error| {
                    let rule = format!("gateway_url of sandbox.json {error}");
                    Failure::usage("--data <DIR>", &file.gateway_url, &rule)
                })?;
                (gateway, file.partner(&self.partner)?.clone(), http)
            }
        };
        let id = partner.partner_id.parse().map_err(|_| {
            let rule = "a partner id has 16 digits and begins with 2088";
            Failure::usage("--partner <NAME|ID>", &partner.partner_id, rule)
        })?;
        let currency = partner.settlement_currency.as_deref().unwrap_or("HKD");
        let currency = currency.parse().map_err(|_| {
            Failure::missing(format!("{currency}, in sandbox.json, is no known currency"))
        })?;
        let settings = self.settings(gateway, id, &partner)?;
        Ok(Till {
            client: Client::new(settings, http),
            currency,
        })
    }

    fn settings(
        &self,
        gateway: Gateway,
        id: PartnerId,
        partner: &Partner,
    ) -> Result<Settings, Failure> {
        let sign = match (self.sign, &self.md5_key_env) {
            (Some(Sign::Rsa | Sign::Rsa2), Some(variable)) => {
                let rule = "an MD5 key goes with --sign md5 only";
                return Err(Failure::usage("--md5-key-env <VAR>", variable, rule));
            }
            (Some(sign), _) => sign,
            (None, Some(_)) => Sign::Md5,
            (None, None) => Sign::Rsa2,
        };
        let settings = match sign {
            Sign::Md5 => Settings::md5(gateway, id, &self.md5_key(partner)?),
            Sign::Rsa | Sign::Rsa2 => {
                let make = if sign == Sign::Rsa {
                    Settings::rsa
                } else {
                    Settings::rsa2
                };
                let ours = key_text(
                    "--key <FILE>",
                    self.key.as_deref(),
                    &partner.rsa_private_key,
                )?;
                let theirs = key_text(
                    "--gateway-key <FILE>",
                    self.gateway_key.as_deref(),
                    &partner.gateway_rsa_public_key,
                )?;
                make(gateway, id, &ours, &theirs)
            }
        };
        settings.map_err(|error| {
            let path = |path: &Option<PathBuf>| match path {
                Some(path) => path.display().to_string(),
                None => "sandbox.json".to_owned(),
            };
            let (flag, value) = match error {
                SettingsError::Md5Key(_) => {
                    let variable = self.md5_key_env.clone();
                    let value = variable.unwrap_or_else(|| "sandbox.json".to_owned());
                    ("--md5-key-env <VAR>", value)
                }
                SettingsError::PrivateKey(_) => ("--key <FILE>", path(&self.key)),
                SettingsError::GatewayKey(_) => ("--gateway-key <FILE>", path(&self.gateway_key)),
            };
            Failure::usage(flag, &value, &error.to_string())
        })
    }

    fn md5_key(&self, partner: &Partner) -> Result<String, Failure> {
        match (&self.md5_key_env, &partner.md5_key) {
            (Some(name), _) => machine::variable(name).ok_or_else(|| {
                Failure::usage("--md5-key-env <VAR>", name, "there is no such variable")
            }),
            (None, Some(key)) => Ok(key.clone()),
            (None, None) => Err(Failure::missing(
                "--sign md5 needs --md5-key-env VAR outside a sandbox",
            )),
        }
    }
}

fn key_text(flag: &str, file: Option<&Path>, known: &Option<String>) -> Result<String, Failure> {
    match (file, known) {
        (Some(path), _) => std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(flag, &path.display().to_string(), &error.to_string())),
        (None, Some(key)) => Ok(key.clone()),
        (None, None) => Err(Failure::missing(format!(
            "--sign rsa and rsa2 need '{flag}' outside a sandbox"
        ))),
    }
}

impl Sandbox {
    /// Reads from the API.
    pub(crate) fn fetch(&self, path: &str) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.url);
        read(&url, self.http.fetch(&url))
    }

    /// Reads a list, which may be a long one.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let (url, mut body) = self.open(path)?;
        let mut text = Vec::new();
        let read = body.by_ref().take(LIST_BYTES_MAX).read_to_end(&mut text);
        read.map_err(|error| Failure::unknown("no_answer", format!("{url}: {error}")))?;
        serde_json::from_slice(&text).map_err(|_| {
            let message = format!("{url} answers with something that is no list");
            Failure::unknown("unreadable_answer", message)
        })
    }

    /// Opens a body of any length.
    pub(crate) fn open(&self, path: &str) -> Result<(String, Box<dyn Read + Send>), Failure> {
        let url = format!("{}{path}", self.url);
        let answer = self.http.open(&url);
        let answer = answer.map_err(|failure| not_answered(&url, &failure))?;
        if (200..=299).contains(&answer.status) {
            return Ok((url, answer.body));
        }
        let mut body = Vec::new();
        // What cannot be read says nothing more.
        let _ = answer.body.take(LIST_BYTES_MAX).read_to_end(&mut body);
        let object = serde_json::from_slice::<Value>(&body).ok();
        Err(not_done(&url, answer.status, object.as_ref()))
    }

    /// Asks the API for something.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.url);
        read(&url, self.http.post_json(&url, &body.to_string()))
    }
}

/// An object, or the sandbox's own words for why there is none.
fn read(
    url: &str,
    answer: Result<spotpay_client::HttpAnswer, spotpay_client::TransportFailure>,
) -> Result<Value, Failure> {
    let answer = answer.map_err(|failure| not_answered(url, &failure))?;
    let object = serde_json::from_slice::<Value>(&answer.body).ok();
    let object = object.filter(Value::is_object);
    match (answer.status, object) {
        (200..=299, Some(object)) => Ok(object),
        (status, object) => Err(not_done(url, status, object.as_ref())),
    }
}

fn not_answered(url: &str, failure: &spotpay_client::TransportFailure) -> Failure {
    let word = match failure.arrival() {
        spotpay_client::Arrival::Never => "not_sent",
        spotpay_client::Arrival::Maybe => "no_answer",
    };
    Failure::unknown(word, format!("{url}: {failure}"))
}

/// Of an answer that is not what was asked for.
fn not_done(url: &str, status: u16, object: Option<&Value>) -> Failure {
    if !(400..=499).contains(&status) {
        let message = format!("{url} answers {status} with something that cannot be read");
        return Failure::unknown("unreadable_answer", message);
    }
    let word = |name: &str| object.and_then(|object| object.get(name)?.as_str());
    let message = format!("{url} answers {status}");
    let error = word("error").unwrap_or("refused");
    Failure::refused(error, word("message").unwrap_or(&message))
}

/// What fits into a URL as it is.
pub(crate) fn is_plain(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty() && text.chars().all(fits) && text.chars().any(|letter| letter != '.')
}

#[cfg(test)]
#[path = "merchant_tests.rs"]
mod tests;
