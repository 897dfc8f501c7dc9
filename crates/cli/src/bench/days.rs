//! `spotpay bench settle`, `files` and `reconcile`: what a day costs at its end.

#![expect(clippy::disallowed_methods, reason = "a driver: it measures time")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use spotpay_core::money::{Currency, Money};
use spotpay_core::partner::WalletColumn;
use spotpay_core::time::{CivilDate, Span};
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::files::{Pricing, StoreColumns, Style, TransactionRow, TransactionType};

use super::DayArgs;
use super::server::Target;

/// Settlement of all trades of a day, which belong to two partners.
pub(super) fn settle(args: &DayArgs) -> anyhow::Result<ExitCode> {
    let server = Target::preloaded(args.rows)?;
    let started = Instant::now();
    let batches = server.post("/sandbox/v1/settle", &json!({}))?;
    let took = started.elapsed();
    let count = |batch: &Value| batch["count"].as_u64().unwrap_or(0);
    let settled: u64 = batches.as_array().into_iter().flatten().map(count).sum();
    let books = server.get("/sandbox/v1/ledger/trial-balance")?;
    let is_right = books["checked"] == true && settled == args.rows;
    let memory = server.peak_memory();
    server.stop()?;
    report(args, "settled", settled, took, memory, is_right)
}

/// The transaction file of one partner, who has half of the trades.
pub(super) fn files(args: &DayArgs) -> anyhow::Result<ExitCode> {
    let server = Target::preloaded(args.rows.saturating_mul(2))?;
    let now = server.get("/sandbox/v1/clock")?;
    let today = now["now"].as_str().and_then(|now| now.get(..10));
    let today = today.and_then(CivilDate::parse_dashed);
    let today = today.context("the clock shows no time")?;
    let (mut rows, mut took) = (0, Duration::ZERO);
    // The trades begin three days ago; a day's end may lie between them.
    for days in [-3, -2] {
        let date = today.plus_days(days).to_string();
        let wish = json!({"partner": "tea-house", "date": date, "kind": "transaction"});
        let started = Instant::now();
        let file = server.post("/sandbox/v1/files", &wish)?;
        took += started.elapsed();
        rows += file["rows"].as_u64().unwrap_or(0);
    }
    let memory = server.peak_memory();
    server.stop()?;
    report(args, "written", rows, took, memory, rows == args.rows)
}

/// A merchant's orders against a file of the same day: equal but for a few planted breaks.
pub(super) fn reconcile(args: &DayArgs) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let (orders, file) = (
        folder.path().join("orders.csv"),
        folder.path().join("file.txt"),
    );
    write_orders(&orders, args.rows)?;
    write_file(&file, args.rows)?;
    let program = std::env::current_exe().context("our own program is not found")?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(["reconcile", "--json", "--orders"])
        .arg(&orders)
        .arg("--file")
        .arg(&file)
        .arg("--temp")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .context("it did not start")?;
    let mut memory = None;
    while child.try_wait()?.is_none() {
        memory = peak_memory(child.id()).or(memory);
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    let told = child.wait_with_output()?.stdout;
    let told: Value = serde_json::from_slice(&told).context("it said no JSON")?;
    let planted = args.rows.div_ceil(PLANTED);
    let breaks = told["breaks"].as_array().map_or(0, Vec::len);
    let is_right = u64::try_from(breaks).ok() == Some(planted)
        && told["matched"].as_u64() == Some(args.rows - planted);
    report(args, "matched", args.rows, took, memory, is_right)
}

/// Every so many orders one has another amount.
const PLANTED: u64 = 1_000_003;

fn amount(number: u64, currency: Currency) -> Money {
    let minor = 1_000 + i64::try_from(number % 90_000).unwrap_or(0);
    Money::of_minor(minor, currency)
}

fn write_orders(path: &Path, rows: u64) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "type,id,amount,currency")?;
    for number in 0..rows {
        let wrong = u64::from(number % PLANTED == 0);
        let amount = amount(number + wrong, Currency::HKD).major();
        writeln!(out, "PAYMENT,TILL-{number:012},{amount},HKD")?;
    }
    out.flush().context("the orders could not be written")
}

fn write_file(path: &Path, rows: u64) -> anyhow::Result<()> {
    let date = CivilDate::new(2026, 11, 23).context("a date")?;
    let style = Style::Hk(WalletColumn::PaymentInst);
    let mut out = BufWriter::new(File::create(path)?);
    let mut text = String::new();
    style.transaction_head("2088621900000101".parse()?, date, rows, &mut text);
    // Another order than that of the orders: by a step that shares no factor with their number.
    let step = (7_919..)
        .find(|step| gcd(*step, rows) == 1)
        .context("a step")?;
    for place in 0..rows {
        let number = u128::from(place) * u128::from(step) % u128::from(rows);
        let number = u64::try_from(number)?;
        let amount = amount(number, Currency::HKD);
        let seconds = i64::try_from(number % 86_400)?;
        style.transaction(
            &TransactionRow {
                partner_transaction_id: &format!("TILL-{number:012}"),
                transaction_id: &format!("20261123220014432{number:011}"),
                amount,
                fee: Money::of_minor(amount.minor() * 12 / 1_000, Currency::HKD),
                payment_time: date.start().plus(Span::seconds(seconds)),
                kind: TransactionType::Payment,
                remark: "",
                store: StoreColumns::default(),
                order_scene: "",
                pricing: Some(Pricing::equal(amount)),
                wallet: Some(PaymentInst::AlipayHk),
                rmb: None,
            },
            &mut text,
        );
        if text.len() > 64 * 1_024 {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    out.write_all(text.as_bytes())?;
    out.flush().context("the file could not be written")
}

const fn gcd(one: u64, other: u64) -> u64 {
    let (mut one, mut other) = (one, other);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// The most that a process ever held, in KiB.
pub(super) fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn report(
    args: &DayArgs,
    what: &str,
    rows: u64,
    took: Duration,
    memory: Option<u64>,
    is_right: bool,
) -> anyhow::Result<ExitCode> {
    let millis = u64::try_from(took.as_millis())?.max(1);
    let per_second = rows.saturating_mul(1_000) / millis;
    let memory = memory.map(|kib| kib / 1_024);
    if args.json {
        let told = json!({
            "rows": rows, "ms": millis, "rows_per_s": per_second,
            "peak_memory_mb": memory, "right": is_right,
        });
        println!("{told}");
    } else {
        println!("{what:<8} {rows} rows in {millis} ms, {per_second} per second");
        if let Some(memory) = memory {
            println!("memory   {memory} MB at the most");
        }
    }
    if !is_right {
        bail!("what came out is not what went in");
    }
    Ok(ExitCode::SUCCESS)
}
