//! `spotpay demo` as people and scripts run it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn demo(folder: &Path, args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_spotpay");
    let mut command = Command::new(program);
    command.arg("demo").args(args).env("TMPDIR", folder);
    let ran = command.current_dir(folder).output();
    ran.expect("our own program does not start")
}

// Goal: the whole day comes out as expected, in one object, and leaves nothing behind.
#[test]
fn the_day_comes_out_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let ran = demo(folder.path(), &["--json"]);
    let (out, err) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8(ran.stderr).unwrap(),
    );
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}"));
    let wrong = |list: &str| -> Vec<String> {
        let rows = report[list].as_array().unwrap().iter();
        let wrong = rows.filter(|row| row["as_expected"] != true);
        wrong.map(Value::to_string).collect()
    };
    assert_eq!(wrong("steps"), Vec::<String>::new());
    assert_eq!(wrong("closing"), Vec::<String>::new());
    assert_eq!(report["outcome"], "as_expected");
    assert_eq!(report["stopped"], serde_json::json!([]));
    assert_eq!(report["steps"].as_array().unwrap().len(), 42);
    assert_eq!(report["steps"][0]["got"]["wallet"], "-39.30 HKD");
    assert_eq!(err, "");
    assert_eq!(out.lines().count(), 1);
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

// Goal: people get a line a step; no colours where no terminal is.
#[test]
fn it_reads_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let ran = demo(folder.path(), &[]);
    let out = String::from_utf8(ran.stdout).unwrap();
    let first = "09:00:00  tea-house  alice pays from a HKD wallet     39.30 HKD  \
                 paid with ALIPAYHK            -39.30 HKD   +0.47 HKD  ok";
    assert!(out.lines().any(|line| line == first), "{out}");
    assert!(out.contains("All 42 steps came out as expected, and the books balance."));
    assert!(!out.contains('\x1b'));
    assert_eq!(ran.status.code(), Some(0));
}

// Goal: a demo that cannot begin says why, and exits 1.
#[test]
fn it_says_why_it_does_not_begin() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let program = env!("CARGO_BIN_EXE_spotpay");
    let mut command = Command::new(program);
    let ran = command.args(["demo", "--json"]).env("TMPDIR", &nowhere);
    let ran = ran.output().unwrap();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(report["error"], "not_begun");
    let err = String::from_utf8(ran.stderr).unwrap();
    assert!(err.contains("no temporary folder"), "{err}");
    assert_eq!(ran.status.code(), Some(1));
}
