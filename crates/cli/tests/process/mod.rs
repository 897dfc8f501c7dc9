//! The real binary as a child process: started on a free port, talked to over plain sockets, and
//! never left behind.

#![allow(dead_code, reason = "each file of tests uses its own part")]
#![expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it waits for a real process and its real answers"
)]

pub(crate) mod books;
pub(crate) mod line;
pub(crate) mod load;
pub(crate) mod receiver;
pub(crate) mod shopper;
pub(crate) mod thief;
pub(crate) mod till;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use line::{HttpAnswer, Line};

/// The binary under test.
const SPOTPAY: &str = env!("CARGO_BIN_EXE_spotpay");
/// Nothing that is waited for takes this long, also on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at something that will change.
const LOOK: Duration = Duration::from_millis(5);

/// A folder of a test: the gateway's data, and its log beside it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A further file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// How to start `spotpay serve` here.
    pub(crate) fn launch(&self) -> Launch {
        Launch {
            data: self.data(),
            log: self.file("log"),
            listen: "127.0.0.1:0".to_owned(),
            args: Vec::new(),
            envs: Vec::new(),
            shell: None,
        }
    }

    pub(crate) fn start(&self) -> Gateway {
        self.launch().start()
    }

    /// A merchant's command, with this sandbox's folder.
    pub(crate) fn spotpay(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary starts")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(SPOTPAY);
        command.args(args).arg("--data").arg(self.data());
        command.stdin(Stdio::null());
        command
    }
}

/// How to start a gateway.
pub(crate) struct Launch {
    data: PathBuf,
    log: PathBuf,
    listen: String,
    args: Vec<String>,
    envs: Vec<(&'static str, String)>,
    shell: Option<&'static str>,
}

impl Launch {
    /// On another folder.
    pub(crate) fn on(mut self, data: PathBuf) -> Self {
        self.data = data;
        self
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: &Path) -> Self {
        self.envs.push((name, value.display().to_string()));
        self
    }

    /// Only warnings in the log: for load.
    pub(crate) fn quiet(mut self) -> Self {
        self.envs.push(("SPOTPAY_LOG", "warn".to_owned()));
        self
    }

    pub(crate) fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address.to_string();
        self
    }

    /// Words of a shell before it becomes the gateway.
    pub(crate) fn under(mut self, shell: &'static str) -> Self {
        self.shell = Some(shell);
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = match self.shell {
            None => Command::new(SPOTPAY),
            Some(words) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("{words}; exec \"$0\" \"$@\""));
                shell.arg(SPOTPAY);
                shell
            }
        };
        command.arg("serve").arg("--data").arg(&self.data);
        command.arg("--listen").arg(&self.listen).args(&self.args);
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> Gateway {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a log");
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the gateway starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (heard, hears) = sync_channel(1);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            // Whoever waited may have given up.
            let _ = heard.send(first);
            lines.map_while(Result::ok).count()
        });
        let mut gateway = Gateway {
            child,
            origin: String::new(),
            log: self.log,
        };
        gateway.origin = match hears.recv_timeout(PATIENCE) {
            Ok(line) => line
                .strip_prefix("listening on ")
                .unwrap_or_else(|| panic!("it says {line:?}\n{}", gateway.log()))
                .to_owned(),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("it does not listen\n{}", gateway.log())
            }
        };
        gateway
    }
}

/// A gateway that runs; it is killed when it is dropped.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) origin: String,
    log: PathBuf,
}

impl Gateway {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let (_, authority) = self.origin.split_once("://").expect("an origin");
        authority.parse().expect("an address")
    }

    pub(crate) fn line(&self) -> Line {
        Line::open(self.address()).expect("a connection")
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> HttpAnswer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = self.line().ask(request.as_bytes());
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.log()))
    }

    /// Reads from the sandbox API.
    pub(crate) fn fetch(&self, path: &str) -> Value {
        self.ask("GET", &format!("/sandbox/v1{path}"), "").json()
    }

    /// Asks the sandbox API for something.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/sandbox/v1{path}"), &body.to_string())
            .json()
    }

    /// Whether it says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.ask("GET", "/readyz", "").status == 200
    }

    /// The books balance, by the gateway's own account.
    pub(crate) fn assert_balanced(&self) {
        let balance = self.fetch("/ledger/trial-balance");
        assert_eq!(balance["checked"], true, "{balance}");
        let sums = balance["sums"].as_object().expect("sums");
        assert!(sums.values().all(|sum| sum == "0.00"), "{balance}");
    }

    /// Memory that it has in RAM, in KiB; `None` where the system does not tell.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// A signal, and how the process ends by it.
    pub(crate) fn stop(mut self, signal: rustix::process::Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).expect("it hears");
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        until("the gateway ends", || {
            ended = self.child.try_wait().expect("it is ours");
            ended.is_some()
        });
        ended.expect("it ended")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log());
        }
    }
}

/// Looks again and again until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        pause(LOOK);
    }
}

pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The same random numbers on every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A number from the environment: how `cargo xtask crash` speaks to its test.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => default,
    }
}

/// A library of `tests/programs` to preload into a gateway; `None`, and a word about it, without
/// a C compiler.
pub(crate) fn compile(place: &Place, name: &str) -> Option<PathBuf> {
    let library = place.file(&format!("{name}.so"));
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library);
    match compiler.arg(programs.join(format!("{name}.c"))).status() {
        Ok(status) => assert!(status.success(), "{name}.c does not compile"),
        Err(error) => {
            println!("SKIPPED: no C compiler for {name}.c: {error}");
            return None;
        }
    }
    Some(library)
}
