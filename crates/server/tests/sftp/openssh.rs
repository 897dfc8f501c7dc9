//! The same from OpenSSH's own client, which partners have.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use russh::keys::ssh_key::LineEnding;

use crate::world::{DIM_FILE, PASSWORD, TEA, TEA_FILE, TEA_TEXT, World, tea_key};

/// Whether there is a client to test with.
fn is_installed() -> bool {
    let found = Command::new("sftp").arg("-h").output().is_ok();
    if !found {
        println!("SKIPPED: install openssh-client to test with sftp");
    }
    found
}

impl World {
    fn own_file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path().join(name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file = options.open(&path).expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        path
    }

    fn command(&self, program: &str, password: &str) -> Command {
        let script = "#!/bin/sh\necho asked >>\"$SPOTPAY_ASKED\"\necho \"$SPOTPAY_PASSWORD\"\n";
        let askpass = self.own_file("askpass", script, 0o700);
        let mut command = Command::new(program);
        command.env("SSH_ASKPASS", askpass);
        command.env("SSH_ASKPASS_REQUIRE", "force");
        command.env("SPOTPAY_PASSWORD", password);
        command.env("SPOTPAY_ASKED", self.path().join("asked"));
        command.env_remove("SSH_AUTH_SOCK").env("HOME", self.path());
        let known = self.path().join("known_hosts");
        command.args(["-F", "none", "-o", "StrictHostKeyChecking=accept-new"]);
        command
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()));
        command.args(["-o", "BatchMode=no", "-o", "IdentitiesOnly=yes"]);
        command.stdin(Stdio::null()).current_dir(self.path());
        command
    }

    /// Runs lines of `sftp` in batch mode: it stops at the first that fails.
    async fn sftp(&self, password: &str, more: &[&str], lines: &str) -> Output {
        let batch = self.own_file("batch", lines, 0o600);
        let mut command = self.command("sftp", password);
        command.args(more).arg("-b").arg(batch);
        command.arg("-P").arg(self.address.port().to_string());
        command.arg(format!("{TEA}@127.0.0.1"));
        run(command).await
    }
}

async fn run(mut command: Command) -> Output {
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.expect("no panic").expect("it starts")
}

fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

// Goal: the usual evening: look, get, leave.
#[tokio::test(flavor = "multi_thread")]
async fn look_and_fetch() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let lines = "pwd\nls\ncd download\nls -l\nget 2088*.txt got.txt\nls ..\ncd ..\npwd\n";
    let output = world.sftp(PASSWORD, &["-q"], lines).await;
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Remote working directory: /\n"), "{said}");
    assert!(said.contains("download"), "{said}");
    assert!(
        said.contains(TEA_FILE) && !said.contains(DIM_FILE),
        "{said}"
    );
    assert!(said.contains("-r--r--r--"), "{said}");
    let got = std::fs::read_to_string(world.path().join("got.txt")).unwrap();
    assert_eq!(got, TEA_TEXT);
    let known = std::fs::read_to_string(world.path().join("known_hosts")).unwrap();
    assert!(known.contains("ssh-ed25519"), "{known}");
}

// Goal: each thing that is not allowed fails, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn refusals() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let before = world.contents();
    world.own_file("mine", "mine", 0o600);
    let own = format!("/download/{TEA_FILE}");
    for (line, why) in [
        (format!("get /download/{DIM_FILE} x"), "not found"),
        ("get ../../../etc/passwd x".to_owned(), "not found"),
        ("get /etc/passwd x".to_owned(), "not found"),
        ("cd /etc".to_owned(), "No such file"),
        ("put mine /download/mine".to_owned(), "Permission denied"),
        (format!("put mine {own}"), "Permission denied"),
        ("mkdir /download/new".to_owned(), "Permission denied"),
        ("rmdir /download".to_owned(), "Permission denied"),
        (format!("rm {own}"), "Permission denied"),
        (format!("rename {own} /download/x"), "Permission denied"),
        (format!("ln -s {own} /download/x"), "Permission denied"),
        (format!("ln {own} /download/x"), "not support"),
        (format!("chmod 600 {own}"), "Permission denied"),
        ("df /download".to_owned(), "not support"),
    ] {
        let output = world.sftp(PASSWORD, &["-q"], &format!("{line}\n")).await;
        let said = said(&output);
        assert!(!output.status.success(), "{line}: {said}");
        assert!(said.contains(why), "{line}: {said}");
        assert!(!world.path().join("x").exists(), "{line}");
    }
    assert_eq!(world.contents(), before);
    let mut ssh = world.command("ssh", PASSWORD);
    ssh.arg("-p").arg(world.address.port().to_string());
    ssh.arg(format!("{TEA}@127.0.0.1")).arg("id");
    let output = run(ssh).await;
    assert!(!output.status.success(), "{}", said(&output));
}

// Goal: a wrong password is asked for three times and no more; a key needs none.
#[tokio::test(flavor = "multi_thread")]
async fn logins() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let many = ["-o", "NumberOfPasswordPrompts=9"];
    let output = world.sftp("wrong", &many, "ls\n").await;
    assert!(!output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("Permission denied"),
        "{}",
        said(&output)
    );
    let asked = std::fs::read_to_string(world.path().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 3);

    let text = tea_key().to_openssh(LineEnding::LF).unwrap();
    let key = world.own_file("key", &text, 0o600);
    let key = key.display().to_string();
    let only_key = ["-q", "-i", &key, "-o", "PasswordAuthentication=no"];
    let lines = "get download/2088621900000101_transaction_20261123.txt got\n";
    let output = world.sftp("", &only_key, lines).await;
    assert!(output.status.success(), "{}", said(&output));
    let got = std::fs::read_to_string(world.path().join("got")).unwrap();
    assert_eq!(got, TEA_TEXT);
}

// Goal: a client without Curve25519 and Ed25519 gets in as well, as JSch 0.1 would.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_client() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    for exchange in ["ecdh-sha2-nistp256", "diffie-hellman-group-exchange-sha256"] {
        let exchange = format!("KexAlgorithms={exchange}");
        let old = [
            ["-o", &exchange],
            ["-o", "HostKeyAlgorithms=ecdsa-sha2-nistp256"],
            ["-o", "Ciphers=aes128-ctr"],
            ["-o", "MACs=hmac-sha2-256"],
        ];
        let output = world
            .sftp(PASSWORD, old.as_flattened(), "ls download\n")
            .await;
        assert!(output.status.success(), "{}", said(&output));
    }
}

// Goal: a large file arrives whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let path = world.files().join(format!("{TEA}_settlement_20261123.txt"));
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(200_000_000).unwrap();
    drop(file);
    let lines = "get /download/2088621900000101_settlement_20261123.txt large\n";
    let output = world.sftp(PASSWORD, &["-q"], lines).await;
    assert!(output.status.success(), "{}", said(&output));
    let got = std::fs::metadata(world.path().join("large")).unwrap().len();
    assert_eq!(got, 200_000_000);
}
