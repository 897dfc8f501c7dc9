//! Goal: what the fuzz targets promise holds for the committed inputs, for those that once broke
//! it, and for a thousand seeded ones made from them; the same on every machine.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use spotpay_sim::inputs;
use tempfile::TempDir;

/// Inputs made from a target's corpus.
const INPUTS: usize = 1_000;

/// Pieces that bytes alone seldom become.
const TOKENS: &[&[u8]] = &[
    b"&",
    b"=",
    b"%",
    b"%00",
    b"%EF%BF%BE",
    b"sign=",
    b"sign_type=MD5",
    b"_input_charset=GBK",
    b"<",
    b">",
    b"</alipay>",
    b"&amp;",
    b"&#0;",
    b"<![CDATA[",
    b"<!DOCTYPE a>",
    b"\"",
    b"|",
    b",",
    b"\r\n",
    b"\n",
    b"\xb2\xe8",
    b"\x81\x30\x81\x30",
    b"-----",
    b"-9223372036854775808",
    b"0",
];

fn folder(kind: &str, target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    root.join(kind).join(target)
}

/// The inputs of a folder in the order of their names; none when there is no such folder.
fn stored(kind: &str, target: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder(kind, target)) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("an input"))
        .collect()
}

fn mutated(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[rng.usize(..corpus.len())].clone();
    for _ in 0..rng.usize(1..6) {
        let place = rng.usize(..=input.len());
        match rng.u8(..5) {
            0 => input.truncate(place),
            1 => {
                if let Some(byte) = input.get_mut(place) {
                    *byte ^= 1 << rng.u8(..8);
                }
            }
            2 => input.insert(place, rng.u8(..)),
            3 => {
                let token = TOKENS[rng.usize(..TOKENS.len())];
                input.splice(place..place, token.iter().copied());
            }
            _ => {
                let other = &corpus[rng.usize(..corpus.len())];
                let from = rng.usize(..=other.len());
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
    input
}

fn check(target: &str, seed: u64, promise: impl Fn(&[u8])) {
    let corpus = stored("corpus", target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    let mut rng = Rng::with_seed(seed);
    let made: Vec<Vec<u8>> = (0..INPUTS).map(|_| mutated(&mut rng, &corpus)).collect();
    let regressions = stored("regressions", target);
    for input in corpus.iter().chain(&regressions).chain(&made) {
        if catch_unwind(AssertUnwindSafe(|| promise(input))).is_err() {
            panic!(
                "{target} is broken by {:?}",
                input.escape_ascii().to_string()
            );
        }
    }
}

/// A folder in memory where there is one: these stores are thrown away, and need no disk to wait for.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}

#[test]
fn form() {
    check("form", 1, inputs::form);
}

#[test]
fn canonical() {
    check("canonical", 2, inputs::canonical);
}

#[test]
fn xml() {
    check("xml", 3, inputs::xml);
}

#[test]
fn keys() {
    check("keys", 4, inputs::keys);
}

#[test]
fn payment_code() {
    check("payment_code", 5, inputs::payment_code);
}

#[test]
fn files() {
    check("files", 6, inputs::files);
}

#[test]
fn gateway() {
    let data = scratch();
    let gateway = inputs::Gateway::start(data.path());
    let mut trades = 0;
    for input in stored("corpus", "gateway") {
        gateway.requests(&input);
        trades += gateway.trades();
    }
    assert!(trades > 0, "the committed inputs pay");
    check("gateway", 7, |input| gateway.requests(input));
}

#[test]
fn sandbox() {
    let data = scratch();
    let sandbox = inputs::Sandbox::start(data.path());
    check("sandbox", 8, |input| sandbox.calls(input));
}
