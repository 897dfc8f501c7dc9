//! `spotpay serve`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use spotpay_server::clock::{Clock, SystemClock};
use spotpay_server::limits::{self, Change, Limits};
use spotpay_server::sandbox::parse_instant;
use spotpay_server::server::{self, Options, Ready};
use spotpay_server::telemetry;

/// How the process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// Seeded, with a movable clock and an inspector.
    Sandbox,
    /// None of these.
    Production,
}

/// Runs the gateway.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: spotpay serve --data ./spotpay-data --listen 127.0.0.1:8080")]
pub(crate) struct Args {
    /// Directory that holds the store; made when it is not there
    #[arg(long, value_name = "DIR", default_value = "./spotpay-data")]
    data: PathBuf,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Serve HTTPS with a certificate made on first start; DIR/ca.pem is the authority to trust
    #[arg(long)]
    tls: bool,
    /// A further name or address that the certificate is valid for
    #[arg(long, value_name = "HOST", requires = "tls")]
    tls_name: Vec<String>,
    /// Serve published files over SFTP there too; port 0 picks a free one
    #[arg(long, value_name = "ADDR")]
    sftp: Option<SocketAddr>,
    /// How to serve
    #[arg(long, value_enum, default_value_t = Mode::Sandbox)]
    mode: Mode,
    /// Where the clock of an empty store starts (RFC 3339); it then runs at normal speed
    #[arg(long, value_name = "RFC3339", value_parser = read_instant)]
    clock: Option<spotpay_core::time::Timestamp>,
    /// Change a limit; may stand several times, and the last of a name counts
    #[arg(long, value_name = "NAME=NUMBER", long_help = limits::help())]
    limit: Vec<Change>,
}

fn read_instant(text: &str) -> Result<spotpay_core::time::Timestamp, String> {
    parse_instant(text)
        .ok_or_else(|| "it must be an instant such as 2026-11-23T12:00:00+08:00".to_owned())
}

/// Serves until SIGTERM or Ctrl-C.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.mode == Mode::Production {
        anyhow::bail!("--mode production is not built yet; the sandbox is");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let _telemetry = telemetry::init_with(Arc::clone(&clock));
    let options = Options {
        data: args.data,
        listen: args.listen,
        tls: args.tls.then_some(args.tls_name),
        sftp: args.sftp,
        clock: args.clock,
        limits: args
            .limit
            .into_iter()
            .fold(Limits::default(), |limits, limit| limit.set(limits)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads left")?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        server::serve(options, clock, announce_all, stop)
            .await
            .map_err(anyhow::Error::from)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn announce_all(ready: &Ready) {
    announce(&ready.origin);
    if let Some(address) = ready.sftp {
        print(&format!("sftp on {address}"));
    }
}

/// The one line that scripts wait for.
pub(crate) fn announce(origin: &str) {
    print(&format!("listening on {origin}"));
}

fn print(line: &str) {
    let mut out = std::io::stdout();
    // Nobody reads it: then nobody waits for it either.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("Ctrl-C cannot be heard")?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
