//! `spotpay bench limits`: the ceilings of this machine, each with one part of a payment alone.

#![expect(clippy::disallowed_methods, reason = "a driver: it measures time")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;
use spotpay_core::time::Timestamp;
use spotpay_server::bench::{StoreAlone, router_without_ledger};
use spotpay_server::notifier::courier::{HttpCourier, Reach};
use spotpay_server::{listen, seed};
use spotpay_wire::signature::{Md5Key, Signer};

use super::LimitsArgs;

/// Measures all of them, one after the other.
pub(super) fn run(args: &LimitsArgs) -> anyhow::Result<ExitCode> {
    let signs = signatures(args.duration)?;
    let http = http(args.duration)?;
    let mut stores = Vec::new();
    for batch in [1, 8, args.batch, 128] {
        stores.push((batch, store(args.duration, batch)?));
    }
    if args.json {
        let stores: Vec<_> = stores
            .iter()
            .map(|(batch, rate)| json!({"batch": batch, "payments_per_s": rate}))
            .collect();
        let all = json!({"rsa2048_signs_per_s": signs, "http_without_ledger_per_s": http, "store_alone": stores});
        println!("{all}");
    } else {
        println!("RSA-2048 signatures, all cores    {signs} per second");
        println!(
            "HTTP and MD5 without the ledger   {http} per second, generator on the same cores"
        );
        for (batch, rate) in stores {
            println!("store alone, {batch:>3} in a commit     {rate} payments per second");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn per_second(count: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000_000) / micros
}

/// Signatures of answers on every core.
fn signatures(limit: Duration) -> anyhow::Result<u64> {
    let key = seed::GATEWAY_KEY.parse()?;
    let signer = Signer::Rsa2(key);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let start = Instant::now();
    let count: u64 = std::thread::scope(|scope| {
        let sign = || {
            let mut count = 0;
            while start.elapsed() < limit {
                std::hint::black_box(
                    signer
                        .sign(b"alipay_trans_id=2026112422001400000000100001&result_code=SUCCESS"),
                );
                count += 1;
            }
            count
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(sign)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or(0))
            .sum()
    });
    Ok(per_second(count, start.elapsed()))
}

/// The gateway's HTTP path, everything but engine and store.
fn http(limit: Duration) -> anyhow::Result<u64> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let clock = Arc::new(spotpay_server::clock::SystemClock::new());
    let entropy = Box::new(spotpay_server::entropy::SystemEntropy::default());
    let courier = Box::new(HttpCourier::new(Reach::PublicOnly));
    let running = spotpay_server::app::Running::start(folder.path(), clock, entropy, courier)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let rate = runtime.block_on(async {
        running.seed_if_empty(None).await?;
        let router = router_without_ledger(Arc::clone(&running.app));
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(listen::serve(
            listener,
            router,
            None,
            listen::Limits::default(),
            async {
                let _ = stopped.await;
            },
        ));
        let driven =
            tokio::task::spawn_blocking(move || drive(&address.to_string(), limit)).await??;
        let _ = stop.send(());
        serving.await??;
        anyhow::Ok(driven)
    })?;
    running.stop();
    Ok(rate)
}

/// The same request over and over on 64 connections.
fn drive(authority: &str, limit: Duration) -> anyhow::Result<u64> {
    let partner = seed::PARTNERS.first().context("no partner")?;
    let key: Md5Key = partner.md5_key.parse()?;
    let bytes = super::prepare::sample(authority, partner.number(), &Signer::Md5(key))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let start = Instant::now();
    let answered = runtime.block_on(super::load::repeat(authority, bytes, 64, limit))?;
    Ok(per_second(answered, start.elapsed()))
}

fn store(limit: Duration, batch: u64) -> anyhow::Result<u64> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let start = Timestamp::from_seconds(i64::try_from(now.as_secs())?);
    let mut store = StoreAlone::open(folder.path(), 50_000, start)?;
    let begin = Instant::now();
    while begin.elapsed() < limit {
        store.pay(batch, false)?;
        store.checkpoint()?;
    }
    Ok(per_second(store.made(), begin.elapsed()))
}
