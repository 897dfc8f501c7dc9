//! `spotpay serve --sftp`: partners fetch their files with OpenSSH's client.

#![cfg(unix)]

mod process;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use process::{Gateway, Place};
use rustix::process::Signal;
use serde_json::Value;

const TEA_FILE: &str = "2088621900000101_transaction_20261123.txt";
const DIM_FILE: &str = "2088621900000202_transaction_20261123.txt";

/// What sandbox.json says of a partner's login.
fn login(gateway: &Gateway, partner: usize) -> (String, String, String, u16) {
    let sftp = gateway.fetch("/sandbox.json")["partners"][partner]["sftp"].clone();
    let text = |field: &str| sftp[field].as_str().expect("text").to_owned();
    let port = sftp["port"].as_u64().expect("a port");
    let port = port.try_into().expect("a port");
    (text("host"), text("user"), text("password"), port)
}

fn publish(place: &Place) {
    let folder = place.data().join("files");
    std::fs::create_dir_all(&folder).expect("a folder");
    for name in [TEA_FILE, DIM_FILE] {
        std::fs::write(folder.join(name), format!("in {name}\n")).expect("a file");
    }
    std::fs::write(folder.join("other.txt"), "other\n").expect("a file");
    let link = folder.join("2088621900000101_settlement_20261122.txt");
    std::os::unix::fs::symlink(place.data().join("sftp-host-key"), link).expect("a link");
}

/// Runs lines of `sftp`; `None`, and a word about it, where it is not installed.
fn sftp(
    place: &Place,
    (host, user, password, port): &(String, String, String, u16),
    more: &[&str],
    lines: &str,
) -> Option<Output> {
    let askpass = place.file("askpass");
    std::fs::write(&askpass, "#!/bin/sh\necho \"$SPOTPAY_PASSWORD\"\n").expect("a file");
    std::fs::set_permissions(&askpass, std::fs::Permissions::from_mode(0o700)).expect("a program");
    let batch = place.file("batch");
    std::fs::write(&batch, lines).expect("a file");
    let known = place.file("known_hosts").display().to_string();
    let output = Command::new("sftp")
        .env("SSH_ASKPASS", &askpass)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("SPOTPAY_PASSWORD", password)
        .env_remove("SSH_AUTH_SOCK")
        .env("HOME", place.data())
        .args(["-q", "-F", "none", "-o", "BatchMode=no"])
        .args(["-o", "StrictHostKeyChecking=accept-new"])
        .args(["-o", "NumberOfPasswordPrompts=1"])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={known}"))
        .args(more)
        .arg("-b")
        .arg(&batch)
        .args(["-P", &port.to_string(), &format!("{user}@{host}")])
        .current_dir(place.data())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            println!("SKIPPED: install openssh-client to test with sftp: {error}");
            None
        }
    }
}

fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

// Goal: with what sandbox.json says, each partner fetches its own files and no others, also after a
// restart, which the client does not take for another server.
#[test]
fn each_its_own() {
    let place = Place::new();
    let gateway = place.launch().arg("--sftp").arg("127.0.0.1:0").start();
    publish(&place);
    let (tea, dim) = (login(&gateway, 0), login(&gateway, 1));
    assert_eq!((&*tea.0, &*tea.1), ("127.0.0.1", "2088621900000101"));
    assert!(tea.2.len() == 24 && tea.2 != dim.2);
    let lines = "cd download\nls -1\nget *\n";
    let Some(output) = sftp(&place, &tea, &[], lines) else {
        return;
    };
    let heard = said(&output);
    assert!(output.status.success(), "{heard}");
    assert!(heard.contains(TEA_FILE), "{heard}");
    for other in [DIM_FILE, "other.txt", "settlement"] {
        assert!(!heard.contains(other), "{heard}");
    }
    let got = std::fs::read_to_string(place.data().join(TEA_FILE)).expect("fetched");
    assert_eq!(got, format!("in {TEA_FILE}\n"));
    for (who, line) in [
        (&dim, format!("get download/{TEA_FILE} stolen")),
        (
            &tea,
            "get download/2088621900000101_settlement_20261122.txt stolen".to_owned(),
        ),
    ] {
        let output = sftp(&place, who, &[], &line).expect("installed");
        assert!(!output.status.success(), "{line}: {}", said(&output));
        assert!(!place.data().join("stolen").exists());
    }
    let wrong = (tea.0.clone(), tea.1.clone(), dim.2.clone(), tea.3);
    let output = sftp(&place, &wrong, &[], "ls\n").expect("installed");
    assert!(!output.status.success(), "{}", said(&output));
    let mode = std::fs::metadata(place.data().join("sftp-host-key"));
    assert_eq!(mode.expect("a key").permissions().mode() & 0o777, 0o600);
    assert!(gateway.stop(Signal::TERM).success());

    let again = place
        .launch()
        .arg("--sftp")
        .arg(&format!("127.0.0.1:{}", tea.3))
        .start();
    assert_eq!(login(&again, 0), tea);
    let output = sftp(&place, &tea, &[], lines).expect("installed");
    assert!(output.status.success(), "{}", said(&output));
}

// Goal: a key that the operator has written down opens the door as well.
#[test]
fn a_key() {
    let place = Place::new();
    let gateway = place.launch().arg("--sftp").arg("127.0.0.1:0").start();
    publish(&place);
    let key = place.file("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    if made.is_err() {
        println!("SKIPPED: install openssh-client to test with ssh-keygen");
        return;
    }
    let text = |path: PathBuf| std::fs::read_to_string(path).expect("a file");
    let tea = login(&gateway, 0);
    let more = [
        "-i",
        &key.display().to_string(),
        "-o",
        "PasswordAuthentication=no",
    ];
    let Some(output) = sftp(&place, &tea, &more, "ls\n") else {
        return;
    };
    assert!(!output.status.success(), "{}", said(&output));
    let folder = place.data().join("sftp-keys");
    std::fs::create_dir(&folder).expect("a folder");
    let lines = format!("# till\n{}", text(place.file("key.pub")));
    std::fs::write(folder.join(&tea.1), lines).expect("a file");
    let output = sftp(&place, &tea, &more, "ls download\n").expect("installed");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains(TEA_FILE), "{}", said(&output));
    let dim = login(&gateway, 1);
    let output = sftp(&place, &dim, &more, "ls\n").expect("installed");
    assert!(!output.status.success(), "{}", said(&output));
}

// Goal: the second line tells where it is; a host key that is none, or a taken port, keeps it from
// starting; and without --sftp there is no word of it.
#[test]
fn the_start() {
    let place = Place::new();
    let mut command = place.launch().arg("--sftp").arg("127.0.0.1:0").command();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let out = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let second = lines.next().unwrap_or_default();
    let file = std::fs::read(place.data().join("sandbox.json")).expect("sandbox.json");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert!(
        first.starts_with("listening on http://127.0.0.1:"),
        "{first}"
    );
    let address = second.strip_prefix("sftp on 127.0.0.1:").expect("a port");
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    for partner in file["partners"].as_array().expect("partners") {
        assert_eq!(partner["sftp"]["port"].to_string(), address);
        assert_eq!(partner["sftp"]["user"], partner["partner_id"]);
    }

    let gateway = place.start();
    let file = gateway.fetch("/sandbox.json");
    assert!(file["partners"][0].get("sftp").is_none());
    let busy = Place::new();
    let at = gateway.address().to_string();
    let taken = busy.launch().arg("--sftp").arg(&at).command();
    let broken = Place::new();
    std::fs::create_dir(broken.data()).expect("a folder");
    std::fs::write(broken.data().join("sftp-host-key"), "none").expect("a file");
    let broken = broken.launch().arg("--sftp").arg("127.0.0.1:0").command();
    for mut command in [taken, broken] {
        let output = command.output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(output.stdout.is_empty(), "{}", said(&output));
    }
}
