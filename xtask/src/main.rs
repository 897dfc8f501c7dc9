//! The one toolbox: everything that CI, the README and a laptop run is `cargo xtask test`.

mod arrows;
mod docs;
mod lexer;
mod rust;
mod tidy;
mod tree;
mod words;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const HELP: &str = "\
cargo xtask <what>

  test    everything: format, tidy, arrows, lints, tests, docs; stops at the first failure
  ci      the same, under the name that CI uses
  tidy    only the house rules that no compiler knows (lengths, words, links, modules, ...)
  arrows  only the table of which crate may depend on which
  crash   kills the real process under load [--kills 100] [--seed 7], a line per kill
  codegen writes docs/error-codes.md anew, from the code tables
  help    this text

Example: cargo xtask test
Needed: Rust and a C compiler, nothing else.";

/// What a step does.
enum Work {
    /// Runs cargo with these arguments and environment variables.
    Cargo(
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
    ),
    /// Runs a function of this program.
    Inside(fn() -> Result<()>),
}

/// One line of `cargo xtask test`.
struct Step {
    name: &'static str,
    work: Work,
}

/// Cheap steps first, so that a slip shows in seconds.
const STEPS: &[Step] = &[
    Step {
        name: "tools",
        work: Work::Inside(tools),
    },
    Step {
        name: "format",
        work: Work::Cargo(&["fmt", "--all", "--check"], &[]),
    },
    Step {
        name: "tidy",
        work: Work::Inside(tidy::run),
    },
    Step {
        name: "arrows",
        work: Work::Inside(arrows::run),
    },
    Step {
        name: "lints",
        work: Work::Cargo(
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
            &[],
        ),
    },
    Step {
        name: "tests",
        work: Work::Cargo(&["test", "--workspace"], &[]),
    },
    Step {
        name: "docs",
        work: Work::Cargo(
            &["doc", "--workspace", "--no-deps"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    },
];

/// The test that keeps the page fresh writes it when it is told to.
const CODEGEN: Step = Step {
    name: "codegen",
    work: Work::Cargo(
        &[
            "test",
            "-p",
            "spotpay-server",
            "--test",
            "gateway",
            "the_page_is_fresh",
        ],
        &[("SPOTPAY_CODEGEN", "1")],
    ),
};

fn main() -> ExitCode {
    let asked = std::env::args().nth(1);
    let outcome = match asked.as_deref() {
        Some("test" | "ci") => all_steps(),
        Some("tidy") => tidy::run(),
        Some("arrows") => arrows::run(),
        Some("crash") => crash(std::env::args().skip(2)),
        Some("codegen") => CODEGEN.run(),
        Some("help" | "--help" | "-h") => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => {
            eprintln!("there is no `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
        None => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The test of `cargo xtask test` that kills the gateway, for longer.
fn crash(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let (mut kills, mut seed) = ("100".to_owned(), "7".to_owned());
    while let Some(name) = arguments.next() {
        let given = arguments.next().context("a number is missing")?;
        given
            .parse::<u64>()
            .with_context(|| format!("{name} {given}"))?;
        match name.as_str() {
            "--kills" => kills = given,
            "--seed" => seed = given,
            other => bail!("there is no {other}; --kills and --seed"),
        }
    }
    let status = Command::new("cargo")
        .args(["test", "-p", "spotpay-cli", "--test", "crash"])
        .args(["killed_under_load", "--", "--nocapture"])
        .envs([("SPOTPAY_CRASH_KILLS", kills), ("SPOTPAY_CRASH_SEED", seed)])
        .current_dir(tree::root())
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        bail!("it did not survive; the seed repeats what was asked of it");
    }
    Ok(())
}

fn all_steps() -> Result<()> {
    let mut total = Duration::ZERO;
    for step in STEPS {
        eprintln!("== {}", step.name);
        let (outcome, taken) = timed(|| step.run());
        outcome.with_context(|| format!("{} failed after {taken:.1?}", step.name))?;
        eprintln!("== {} ok, {taken:.1?}", step.name);
        total += taken;
    }
    eprintln!("== all ok, {total:.1?}");
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "shows a person how long a step took"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

impl Step {
    fn run(&self) -> Result<()> {
        match self.work {
            Work::Inside(work) => work(),
            Work::Cargo(arguments, variables) => {
                let status = Command::new("cargo")
                    .args(arguments)
                    .envs(variables.iter().copied())
                    .current_dir(tree::root())
                    .status()
                    .context("cargo does not start")?;
                if status.success() {
                    return Ok(());
                }
                let set: String = variables
                    .iter()
                    .map(|(name, value)| format!("{name}=\"{value}\" "))
                    .collect();
                bail!("only this step: {set}cargo {}", arguments.join(" "))
            }
        }
    }
}

/// Says what to install before a long build finds out that it is missing.
fn tools() -> Result<()> {
    let c_compiler = c_compiler();
    // The Microsoft compiler is not on the path; the build scripts find it by themselves.
    if !cfg!(windows) && !starts(&c_compiler, &["--version"]) {
        bail!(
            "no C compiler (`{c_compiler}`): install gcc or clang, \
             for example `apt-get install gcc` or `xcode-select --install`"
        );
    }
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !starts("cargo", &[command, "--version"]) {
            bail!("cargo {command} is missing: `rustup component add {component}`");
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "build scripts read the same variable"
)]
fn c_compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".to_owned())
}

fn starts(program: &str, arguments: &[&str]) -> bool {
    let mut words = program.split_whitespace();
    let Some(first) = words.next() else {
        return false;
    };
    Command::new(first)
        .args(words)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::starts;

    /// A missing compiler or component must be noticed.
    #[test]
    fn a_missing_program_does_not_start() {
        assert!(starts("cargo", &["--version"]));
        assert!(!starts("no-such-compiler", &["--version"]));
        assert!(!starts("cargo", &["no-such-component", "--version"]));
        assert!(!starts("", &[]));
    }
}
