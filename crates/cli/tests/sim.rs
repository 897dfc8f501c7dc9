//! `spotpay sim` as a person and a script use it.

use std::process::{Command, Output};

fn sim(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotpay"));
    command.arg("sim").args(arguments.split_whitespace());
    command.output().expect("spotpay starts")
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Goal: worlds that hold end with 0 and say what they came to, the same in another process.
#[test]
fn the_same_seeds_are_the_same_worlds() {
    let arguments = "--seed 7 --seeds 4 --steps 600 --json";
    let (first, second) = (sim(arguments), sim(arguments));
    assert_eq!(first.status.code(), Some(0));
    let report = json(&first);
    assert_eq!(report["seeds"], 4);
    assert!(report["steps"].as_u64() > Some(4 * 600), "{report}");
    assert!(report["failed"].is_null(), "{report}");
    assert_eq!(report, json(&second));
}

/// Goal: a gateway with a mistake is found, with its seed and a trace, and ends with 1.
#[test]
fn a_mistake_is_told_with_its_seed() {
    let found = sim("--broken loses-letters --seeds 20 --json");
    assert_eq!(found.status.code(), Some(1));
    let failed = &json(&found)["failed"];
    let told = String::from_utf8(found.stderr).unwrap();
    let line = format!(
        "seed {} failed at step {}: told once",
        failed["seed"], failed["step"]
    );
    assert!(told.contains(&line), "{told}");
    let seed = failed["seed"].to_string();
    let again = sim(&format!("--broken loses-letters --seed {seed} --json"));
    assert_eq!(&json(&again)["failed"], failed);
}

/// Goal: wrong usage is one line and 2.
#[test]
fn wrong_usage() {
    for arguments in ["--seed x", "--steps -1", "--broken nobody"] {
        let refused = sim(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments}");
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    }
}
