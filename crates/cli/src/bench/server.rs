//! The server under test: our own process on a temporary store, or one that runs already.

#![expect(clippy::disallowed_methods, reason = "a driver: it measures time")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::PayArgs;
use crate::companion::Companion;

/// Wallets of a preloaded store.
const PRELOAD_WALLETS: u64 = 1_000_000;
/// Payments in one commit while preloading.
const PRELOAD_BATCH: u64 = 512;

/// A gateway to drive.
pub(super) struct Target {
    origin: String,
    own: Option<Companion>,
    _folder: Option<tempfile::TempDir>,
    agent: ureq::Agent,
}

impl Target {
    /// A gateway that runs already.
    pub(super) fn running(url: &str) -> anyhow::Result<Self> {
        let origin = url
            .trim_end_matches('/')
            .trim_end_matches("/gateway.do")
            .to_owned();
        if !origin.starts_with("http://") {
            bail!("--gateway is {url:?}; it must be the http URL of a sandbox gateway");
        }
        Ok(Self {
            origin,
            own: None,
            _folder: None,
            agent: agent(),
        })
    }

    /// A gateway of our own on a free port.
    pub(super) fn start(args: &PayArgs) -> anyhow::Result<Self> {
        let (data, folder) = match &args.data {
            Some(data) => (data.clone(), None),
            None => {
                let folder = tempfile::tempdir().context("no temporary folder")?;
                (folder.path().to_path_buf(), Some(folder))
            }
        };
        preload(&data, args.preload, args.random_ids)?;
        let own = Companion::serve(&data, None)?;
        Ok(Self {
            origin: own.origin().to_owned(),
            own: Some(own),
            _folder: folder,
            agent: agent(),
        })
    }

    /// A gateway of our own on a temporary store with trades of three days ago, their partners'
    /// statements filled.
    pub(super) fn preloaded(trades: u64) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let data = folder.path().to_path_buf();
        preload(&data, trades, false)?;
        let own = Companion::serve(&data, None)?;
        Ok(Self {
            origin: own.origin().to_owned(),
            own: Some(own),
            _folder: Some(folder),
            agent: agent(),
        })
    }

    /// The most memory that our own server ever held, in KiB.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        super::days::peak_memory(self.own.as_ref()?.id()?)
    }

    /// `host:port`.
    pub(super) fn authority(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    /// `GET` of a JSON document.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let text = self.text(path)?;
        serde_json::from_str(&text).with_context(|| format!("{path} did not answer JSON"))
    }

    /// `GET` of a text.
    pub(super) fn text(&self, path: &str) -> anyhow::Result<String> {
        let url = format!("{}{path}", self.origin);
        let mut answer = self
            .agent
            .get(&url)
            .call()
            .with_context(|| format!("GET {url}"))?;
        answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_string()
            .with_context(|| format!("GET {url}"))
    }

    /// `POST` of a JSON document.
    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.origin);
        let answer = self
            .agent
            .post(&url)
            .header("content-type", "application/json")
            .send(body.to_string());
        let mut answer = answer.with_context(|| format!("POST {url}"))?;
        let text = answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_string()?;
        if answer.status() != 200 {
            bail!("POST {url}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("POST {url} did not answer JSON"))
    }

    /// CPU time of our own server so far, user and system.
    pub(super) fn cpu(&self) -> Option<Duration> {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.own.as_ref()?.id()?)).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let ticks: u64 =
            fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        // The kernel counts hundredths of a second for user space, whatever its own clock does.
        Some(Duration::from_millis(ticks * 10))
    }

    /// Ends our own server as an operator would.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.own.map_or(Ok(()), |own| own.stop().map(drop))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

/// Fills the store with trades of the last days.
fn preload(data: &PathBuf, trades: u64, random_ids: bool) -> anyhow::Result<()> {
    if trades == 0 || data.join(spotpay_server::bench::STORE_FILE).exists() {
        return Ok(());
    }
    std::fs::create_dir_all(data).with_context(|| format!("{}", data.display()))?;
    let started = std::time::Instant::now();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let start = i64::try_from(now.as_secs())? - 3 * 86_400;
    let start = spotpay_core::time::Timestamp::from_seconds(start);
    let mut store = spotpay_server::bench::StoreAlone::open(
        data,
        PRELOAD_WALLETS.min(trades.max(1_000)),
        start,
    )?;
    while store.made() < trades {
        store.pay(PRELOAD_BATCH.min(trades - store.made()), random_ids)?;
        store.checkpoint()?;
        if store.made() % (PRELOAD_BATCH * 200) == 0 {
            eprint!("\rpreloading {} of {trades}", store.made());
        }
    }
    store.tend()?;
    eprintln!(
        "\rpreloaded {trades} trades in {:.1?}          ",
        started.elapsed()
    );
    Ok(())
}
