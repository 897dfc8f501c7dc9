use super::*;
use clap::CommandFactory;
use std::fmt::Write as _;
use std::path::Path;

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

/// The help of a command and of those under it; the flags that all share once only.
fn help(command: &mut clap::Command, path: &str, out: &mut String) {
    let own = command.render_long_help().to_string();
    let parts = own
        .split_once("Which gateway")
        .filter(|_| out.contains("Which gateway"));
    let own = match parts {
        Some((before, after)) => {
            let (_, example) = after.split_once("Example:").unwrap_or_default();
            format!("{before}Which gateway, partner and keys: as above\n\nExample:{example}")
        }
        None => own,
    };
    writeln!(out, "$ {path} --help\n{own}").unwrap();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .filter(|name| name != "help")
        .collect();
    for name in names {
        let sub = command.find_subcommand_mut(&name).unwrap();
        help(sub, &format!("{path} {name}"), out);
    }
}

// Goal: what the commands say of themselves changes on purpose only, and each has an example.
#[test]
fn help_is_as_recorded() {
    let mut root = Cli::command();
    root.build();
    let mut text = String::new();
    help(&mut root, "spotpay", &mut text);
    let clean: Vec<&str> = text.lines().map(str::trim_end).collect();
    let text = clean.join("\n") + "\n";
    for part in text.split("$ spotpay ").skip(1) {
        let name = part.lines().next().unwrap_or_default();
        assert!(
            name == "--help" || part.contains("Example:"),
            "{name} has no example"
        );
    }
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help.txt");
    let before = std::fs::read_to_string(&recorded).unwrap_or_default();
    if before != text {
        let new = recorded.with_extension("new.txt");
        std::fs::create_dir_all(recorded.parent().unwrap()).unwrap();
        std::fs::write(&new, &text).unwrap();
        panic!(
            "the help has changed: look at {} and move it to {}",
            new.display(),
            recorded.display()
        );
    }
}

fn usage(line: &str) -> String {
    let error = Cli::try_parse_from(line.split(' ')).err().unwrap();
    first_paragraph(&error.render().to_string())
}

// Goal: bad usage is one line with the flag, the rule and the value.
#[test]
fn bad_usage_is_one_line() {
    for (line, expected) in [
        (
            "spotpay pay --amount 1",
            "error: the following required arguments were not provided: --code <CODE>",
        ),
        (
            "spotpay pay --amount 1 --code 123",
            "error: invalid value '123' for '--code <CODE>': a payment code has 16 to 24 digits and begins with 25 to 30",
        ),
        (
            "spotpay query T1 --gateway host",
            "error: invalid value 'host' for '--gateway <URL>': does not begin with http:// or https://",
        ),
        (
            "spotpay query T1 --sign dsa",
            "error: invalid value 'dsa' for '--sign <TYPE>' [possible values: md5, rsa, rsa2]",
        ),
        (
            "spotpay clock advance soon",
            "error: invalid value 'soon' for '<LENGTH>': a length of time is like 90s, 3m, 2h, 1d, 1h30m or PT3M, at most 3650d",
        ),
        (
            "spotpay serve --limit body-bytes=64k",
            "error: invalid value 'body-bytes=64k' for '--limit <NAME=NUMBER>': body-bytes is a whole number from 4096 to 65536, not 64k",
        ),
        (
            "spotpay refund T1",
            "error: the following required arguments were not provided: --amount <AMOUNT>",
        ),
        (
            "spotpay refund T1 --amount 1 --notify-url http://h/",
            "error: the following required arguments were not provided: --async",
        ),
        (
            "spotpay refund-query T1",
            "error: the following required arguments were not provided: <R>",
        ),
        (
            "spotpay store status M-1! S1",
            "error: invalid value 'M-1!' for '<MERCHANT>': has a character that is not allowed",
        ),
        (
            "spotpay listen --status 99",
            "error: invalid value '99' for '--status <N>': 99 is not in 200..=599",
        ),
        (
            "spotpay notify verify --body - --charset latin1",
            "error: invalid value 'latin1' for '--charset <NAME>': a charset is UTF-8, GBK or GB2312",
        ),
        (
            "spotpay sign explain",
            "error: the following required arguments were not provided: --request <FILE|URL|->",
        ),
        (
            "spotpay sign explain --id 1 --request -",
            "error: the argument '--id <N>' cannot be used with '--request <FILE|URL|->'",
        ),
        ("spotpay pray", "error: unrecognized subcommand 'pray'"),
    ] {
        assert_eq!(usage(line), expected);
    }
}

// Goal: flags may stand before and behind the words of a command.
#[test]
fn flags_are_global() {
    for line in [
        "spotpay clock advance 3m --json --partner dim-sum",
        "spotpay clock --json advance 3m",
        "spotpay clock",
        "spotpay pay --code 288888888888888888 --amount 39.30 --no-wait --sign md5",
        "spotpay resume --paid give-back",
        "spotpay refund T1 --amount 1 --async --notify-url http://127.0.0.1:9000/ --reason tea",
        "spotpay refund-query T1 R1 --json",
        "spotpay store --json status M001 S001",
        "spotpay store register --merchant-id M --merchant-name N --store-id S --store-name N \
         --industry 4121 --address A --driver OP1,Lee --driver OP2,Wu,1 --field cs_no=1 --json",
        "spotpay listen --port 0 --answer fail --delay 3s --status 500 --json",
        "spotpay notify verify --body - --charset gbk --json",
        "spotpay sign explain --request - --key file --json",
        "spotpay sign --json explain --id 3",
    ] {
        let parsed = Cli::try_parse_from(line.split_whitespace());
        assert!(parsed.is_ok(), "{line}");
    }
}
