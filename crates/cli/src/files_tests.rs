use super::*;
use clap::Parser;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;

const NAME: &str = "2088621900000101_transaction_20261123.txt";
const TEXT: &str = "Partner:2088621900000101\n";
/// Of [`TEXT`].
fn sha256() -> String {
    copy(TEXT.as_bytes(), &mut io::sink()).ok().unwrap().1
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    files: Files,
}

fn parse(words: &str) -> Option<Files> {
    let words = std::iter::once("files").chain(words.split_whitespace());
    Line::try_parse_from(words).ok().map(|line| line.files)
}

// Goal: which lines are commands.
#[test]
fn lines() {
    for (words, fits) in [
        ("list", true),
        ("list --partner dim-sum --json", true),
        ("get 2026-11-23 --kind transaction", true),
        ("get 20261123 --kind settlement --out f.txt --json", true),
        ("get 2026-11-23", false),
        ("get 2026-11-31 --kind transaction", false),
        ("get yesterday --kind transaction", false),
        ("get 2026-11-23 --kind both", false),
        ("get --kind transaction", false),
        ("", false),
    ] {
        assert_eq!(parse(words).is_some(), fits, "{words}");
    }
}

fn listed() -> Vec<Value> {
    vec![
        json!({"name": NAME, "partner": "tea-house", "kind": "transaction", "date": "2026-11-23",
            "rows": 12, "bytes": TEXT.len(), "sha256": sha256(), "published_at": "..."}),
        json!({"name": null, "partner": "tea-house", "kind": "settlement", "date": "2026-11-23",
            "rows": 0}),
    ]
}

// Goal: the list for people.
#[test]
fn shown() {
    let lines: Vec<String> = read(listed())
        .ok()
        .unwrap()
        .iter()
        .map(Published::line)
        .collect();
    assert_eq!(
        lines,
        [
            format!("2026-11-23  transaction        12 rows           25 bytes  {NAME}"),
            "2026-11-23  settlement          0 rows, so no file".to_owned(),
        ]
    );
    assert!(read(vec![json!({"name": 1})]).is_err());
}

// Goal: the day and the kind decide, and a name that is no name is not asked for.
#[test]
fn found() {
    let find = |day: &str, kind, files| {
        let (date, out) = (date(day).unwrap(), None);
        Get { date, kind, out }.find(read(files).ok().unwrap())
    };
    let wanted = Wanted {
        name: NAME.to_owned(),
        sha256: sha256(),
    };
    for (day, kind, expected) in [
        ("2026-11-23", Kind::Transaction, Found::File(wanted)),
        ("2026-11-23", Kind::Settlement, Found::Empty),
        ("2026-11-22", Kind::Transaction, Found::Nothing),
    ] {
        assert_eq!(find(day, kind, listed()).ok(), Some(expected), "{day}");
    }
    for name in ["../secret", "", "a b"] {
        let mut files = listed();
        files[0]["name"] = json!(name);
        let failed = find("2026-11-23", Kind::Transaction, files);
        assert!(failed.is_err(), "{name:?}");
    }
}

/// A sandbox with one file in it, and its folder.
#[expect(
    clippy::disallowed_methods,
    reason = "a real socket needs somebody at its other end"
)]
fn sandbox(text: &'static str) -> tempfile::TempDir {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            lines.find(String::is_empty);
            let path = first.split(' ').nth(1).unwrap_or_default();
            let body = match path {
                "/sandbox/v1/files?partner=tea-house" => Value::from(listed()).to_string(),
                "/sandbox/v1/clock" => r#"{"now":"2026-11-24T10:00:00+08:00"}"#.to_owned(),
                path if path == format!("/sandbox/v1/files/{NAME}") => text.to_owned(),
                path => panic!("it asks for {path}"),
            };
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            let _ = write!(&stream, "{head}: {}\r\n\r\n{body}", body.len());
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = json!({
        "gateway_url": format!("{origin}/gateway.do"),
        "sandbox_url": format!("{origin}/sandbox/v1"),
        "partners": [{"name": "tea-house", "partner_id": "2088621900000101"}],
    });
    std::fs::write(folder.path().join("sandbox.json"), file.to_string()).unwrap();
    folder
}

fn run(folder: &tempfile::TempDir, words: &str) -> Result<Exit, Failure> {
    let words = format!("{words} --data {}", folder.path().display());
    parse(&words).unwrap().run()
}

// Goal: a file comes whole, over an older one, and by the partner's number too; what there is not
// is a refusal that says why.
#[test]
fn fetched() {
    let folder = sandbox(TEXT);
    let out = folder.path().join("out.txt");
    std::fs::write(&out, "an older one").unwrap();
    let get = format!("get 2026-11-23 --kind transaction --out {}", out.display());
    let done = run(&folder, &format!("{get} --partner 2088621900000101"));
    assert_eq!(done.ok(), Some(Exit::Success));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), TEXT);
    for (words, expected) in [
        ("get 2026-11-23 --kind settlement", "the day had no rows"),
        ("get 2026-11-24 --kind settlement", "the day is not over"),
        ("get 2026-11-22 --kind transaction", "it is not published"),
        ("get 2026-11-23 --kind transaction --json", "--json needs"),
        ("list --partner ../x", "a partner's name"),
    ] {
        let failure = run(&folder, words).err().unwrap();
        assert!(failure.message().contains(expected), "{words}: {failure:?}");
    }
    let nowhere = run(
        &folder,
        "get 2026-11-23 --kind transaction --out /no/such/place",
    );
    let failure = format!("{:?}", nowhere.err());
    assert!(failure.contains("--out <FILE>"), "{failure}");
}

// Goal: what is not what was published does not get there.
#[test]
fn damaged() {
    let folder = sandbox("Partner:2088621900000102\n");
    let out = folder.path().join("out.txt");
    let get = format!("get 2026-11-23 --kind transaction --out {}", out.display());
    let failure = format!("{:?}", run(&folder, &get).err());
    assert!(failure.contains("wrong_sha256"), "{failure}");
    assert!(failure.contains("Unknown"), "{failure}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "only sandbox.json is there");
}
