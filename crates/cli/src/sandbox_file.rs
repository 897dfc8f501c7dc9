//! `sandbox.json`: where a sandbox is, and the keys of its partners.

use std::path::Path;

use serde::Deserialize;
use spotpay_client::{Gateway, HttpTransport};

use crate::output::Failure;

/// What `spotpay serve` writes into its folder in sandbox mode. Without `Debug`: keys are inside.
#[derive(Deserialize)]
pub(crate) struct SandboxFile {
    pub(crate) gateway_url: String,
    pub(crate) sandbox_url: String,
    pub(crate) partners: Vec<Partner>,
}

/// One seeded partner.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Partner {
    pub(crate) name: String,
    pub(crate) partner_id: String,
    #[serde(default)]
    pub(crate) settlement_currency: Option<String>,
    #[serde(default)]
    pub(crate) md5_key: Option<String>,
    #[serde(default)]
    pub(crate) rsa_private_key: Option<String>,
    #[serde(default)]
    pub(crate) gateway_rsa_public_key: Option<String>,
}

impl SandboxFile {
    /// Of the folder of a sandbox on this machine.
    pub(crate) fn read(data: &Path) -> Result<Self, Failure> {
        let shown = data.display().to_string();
        let text = std::fs::read_to_string(data.join("sandbox.json")).map_err(|error| {
            let hint = "start `spotpay serve` with this --data, or give --gateway URL";
            Failure::usage(
                "--data <DIR>",
                &shown,
                &format!("its sandbox.json: {error}; {hint}"),
            )
        })?;
        Self::parse(&text).map_err(|error| Failure::usage("--data <DIR>", &shown, &error))
    }

    /// Of a sandbox elsewhere, which hands it out beside its gateway.
    pub(crate) fn fetch(gateway: &Gateway, http: &HttpTransport) -> Result<Self, Failure> {
        let sandbox_url = format!("{}/sandbox/v1", gateway.origin());
        let url = format!("{sandbox_url}/sandbox.json");
        let answer = http
            .fetch(&url)
            .map_err(|failure| Failure::unknown("not_sent", format!("{url}: {failure}")))?;
        let none = |why: &str| {
            let rule = format!(
                "{url} {why}; outside a sandbox give --partner ID with --key FILE and \
                 --gateway-key FILE, or with --md5-key-env VAR"
            );
            Failure::usage("--gateway <URL>", gateway.url(), &rule)
        };
        if answer.status != 200 {
            return Err(none(&format!("answers {}", answer.status)));
        }
        let text = String::from_utf8(answer.body).map_err(|_| none("is not text"))?;
        let file = Self::parse(&text).map_err(|error| none(&error))?;
        // The sandbox may know itself by another name than the one that reached it.
        Ok(Self {
            gateway_url: gateway.url().to_owned(),
            sandbox_url,
            ..file
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("is no sandbox.json: {error}"))
    }

    /// By name or by id.
    pub(crate) fn partner(&self, wanted: &str) -> Result<&Partner, Failure> {
        let mut all = self.partners.iter();
        all.find(|partner| partner.name == wanted || partner.partner_id == wanted)
            .ok_or_else(|| {
                let names: Vec<&str> = self.partners.iter().map(|it| it.name.as_str()).collect();
                let rule = format!("the sandbox has {}", names.join(", "));
                Failure::usage("--partner <NAME|ID>", wanted, &rule)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"gateway_url": "http://127.0.0.1:8080/gateway.do",
        "sandbox_url": "http://127.0.0.1:8080/sandbox/v1", "more": 1,
        "partners": [{"name": "tea-house", "product": "HK", "partner_id": "2088000000000001",
            "settlement_currency": "HKD", "md5_key": "k", "rsa_private_key": "r",
            "gateway_rsa_public_key": "g"},
          {"name": "bare", "partner_id": "2088000000000002"}],
        "wallets": []}"#;

    // Goal: partners are found by either name, and who is not there is told who is.
    #[test]
    fn partners() {
        let file = SandboxFile::parse(TEXT).ok().unwrap();
        for wanted in ["tea-house", "2088000000000001"] {
            let partner = file.partner(wanted).ok().unwrap();
            assert_eq!(partner.md5_key.as_deref(), Some("k"));
        }
        assert!(file.partner("bare").ok().unwrap().rsa_private_key.is_none());
        assert!(file.partner("coffee").is_err());
        assert!(SandboxFile::parse("{}").is_err());
    }
}
