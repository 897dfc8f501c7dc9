use super::*;
use spotpay_core::money::Currency;

fn amount() -> Amount {
    Amount::new(Money::parse_major("39.30", Currency::HKD).unwrap()).unwrap()
}

fn fact(id: &str, kind: FactKind) -> Fact {
    Fact {
        key: CheckoutKey {
            gateway: "http://127.0.0.1:8080/gateway.do".into(),
            partner: "2088000000000001".parse().unwrap(),
            partner_trans_id: id.parse().unwrap(),
        },
        at: Timestamp::parse_compact("20261123230000").unwrap(),
        kind,
    }
}

fn begin(id: &str) -> Fact {
    fact(id, FactKind::Begin { amount: amount() })
}

fn end(id: &str) -> Fact {
    fact(
        id,
        FactKind::End {
            paid: true,
            alipay_trans_id: Some("2020120722001401701436761112".parse().unwrap()),
            note: "paid".to_owned(),
        },
    )
}

fn open_ids(journal: &FileJournal) -> String {
    let open = journal.unfinished();
    let ids: Vec<String> = open
        .iter()
        .map(|open| {
            let mark = if open.cancelling { "!" } else { "" };
            let stuck = open.stuck.as_deref().unwrap_or_default();
            let refund = open.refund.as_ref().map_or(String::new(), |refund| {
                let mark = if refund.spent { "spent" } else { "sent" };
                format!("({} {} {mark})", refund.partner_refund_id, refund.attempt)
            });
            format!("{}{mark}{stuck}{refund}", open.key.partner_trans_id)
        })
        .collect();
    ids.join(" ")
}

// Goal: what is begun and not ended is found again, with all that is known of it.
#[test]
fn unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let stuck = |id| {
        let note = " nobody knows".to_owned();
        fact(id, FactKind::Stuck { note })
    };
    for (facts, expected) in [
        (vec![], ""),
        (vec![begin("A"), begin("B b"), begin("茶\\")], "A B b 茶\\"),
        (vec![end("A"), fact("B b", FactKind::Cancel)], "B b! 茶\\"),
        (vec![stuck("B b"), end("茶\\")], "B b! nobody knows"),
        (vec![end("B b"), begin("A")], "A"),
    ] {
        let mut journal = FileJournal::open(&path).unwrap();
        for fact in &facts {
            journal.write(fact).unwrap();
        }
        assert_eq!(open_ids(&journal), expected);
        drop(journal);
        let journal = FileJournal::open(&path).unwrap();
        assert_eq!(
            (open_ids(&journal).as_str(), journal.damaged_lines()),
            (expected, 0)
        );
    }
    let journal = FileJournal::open(&path).unwrap();
    let open = journal.unfinished().pop().unwrap();
    assert_eq!((open.amount, open.begun_at), (amount(), begin("A").at));
    assert_eq!(open.key, begin("A").key);
}

fn refund(id: &str, number: &str, attempt: u32) -> Fact {
    let partner_refund_id = number.parse().unwrap();
    fact(
        id,
        FactKind::Refund {
            partner_refund_id,
            attempt,
        },
    )
}

fn refused(id: &str, number: &str) -> Fact {
    let (partner_refund_id, code) = (number.parse().unwrap(), "CODE".to_owned());
    fact(
        id,
        FactKind::RefundRefused {
            partner_refund_id,
            code,
        },
    )
}

// Goal: the number of a refund is found again, and whether it is spent.
#[test]
fn refunds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    for (facts, expected) in [
        (vec![begin("A"), refund("A", "R1", 1)], "A!(R1 1 sent)"),
        (vec![refused("A", "R9")], "A!(R1 1 sent)"),
        (vec![refused("A", "R1")], "A!(R1 1 spent)"),
        (vec![refund("A", "R2", 2)], "A!(R2 2 sent)"),
        (
            vec![refused("B", "R2"), refund("B", "R2", 2)],
            "A!(R2 2 sent)",
        ),
        (vec![end("A")], ""),
    ] {
        let mut journal = FileJournal::open(&path).unwrap();
        for fact in &facts {
            journal.write(fact).unwrap();
        }
        assert_eq!(open_ids(&journal), expected);
        drop(journal);
        let journal = FileJournal::open(&path).unwrap();
        assert_eq!(
            (open_ids(&journal).as_str(), journal.damaged_lines()),
            (expected, 0)
        );
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(r#""partner_trans_id":"A","#))
        .map(|(_, rest)| rest)
        .collect();
    assert_eq!(lines[1], r#""partner_refund_id":"R1","attempt":1}"#);
    assert_eq!(lines[2], r#""partner_refund_id":"R9","note":"CODE"}"#);
}

// Goal: a journal of a till that knew no refunds is read to its last line.
#[test]
fn an_old_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let line = |fact: &str, id: &str, rest: &str| {
        format!(
            r#"{{"fact":"{fact}","at":"2025-01-01 10:00:00","gateway":"http://g/","partner":"2088000000000001","partner_trans_id":"{id}"{rest}}}"#
        )
    };
    let price = r#","amount":"39.30","currency":"HKD""#;
    let text = [
        line("begin", "A", price),
        line("begin", "B", price),
        line("cancel", "B", ""),
        line("not_paid", "A", r#","note":"cancelled""#),
        line("stuck", "B", r#","note":" too late""#),
    ]
    .join("\n");
    std::fs::write(&path, text + "\n").unwrap();
    let journal = FileJournal::open(&path).unwrap();
    assert_eq!(open_ids(&journal), "B! too late");
    assert_eq!(journal.damaged_lines(), 0);
}

// Goal: the lines are what other programs may read, and hold no payment code.
#[test]
fn lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = FileJournal::open(&path).unwrap();
    journal.write(&begin("A")).unwrap();
    journal.write(&end("A")).unwrap();
    let start = r#"{"fact":"begin","at":"2026-11-23 23:00:00","gateway":"http://127.0.0.1:8080/gateway.do","partner":"2088000000000001","partner_trans_id":"A","amount":"39.30","currency":"HKD"}"#;
    let stop = r#"{"fact":"paid","at":"2026-11-23 23:00:00","gateway":"http://127.0.0.1:8080/gateway.do","partner":"2088000000000001","partner_trans_id":"A","alipay_trans_id":"2020120722001401701436761112","note":"paid"}"#;
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{start}\n{stop}\n"));
}

// Goal: a file that was cut off anywhere gives what was whole, and goes on from there.
#[test]
fn torn() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let mut journal = FileJournal::open(&whole).unwrap();
    for fact in [begin("A"), begin("B"), end("A")] {
        journal.write(&fact).unwrap();
    }
    let bytes = std::fs::read(&whole).unwrap();
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
    // Every cut of the last line, and some of the others: each costs several syncs.
    for length in (0..=bytes.len()).filter(|at| at % 41 == 0 || *at + 60 > bytes.len()) {
        let path = folder.path().join("torn");
        std::fs::write(&path, &bytes[..length]).unwrap();
        // A line that lacks only its end is whole.
        let lines = ends.iter().filter(|end| **end <= length).count();
        let expected = ["", "A", "A B", "B"][lines];
        let mut journal = FileJournal::open(&path).unwrap();
        assert_eq!(open_ids(&journal), expected, "{length}");
        assert!(journal.damaged_lines() <= 1);
        journal.write(&begin("C")).unwrap();
        drop(journal);
        let mut shared = FileJournal::open_shared(&path).unwrap();
        shared.write(&begin("D")).unwrap();
        drop(shared);
        let journal = FileJournal::open(&path).unwrap();
        let expected = format!("{expected} C D");
        assert_eq!(open_ids(&journal), expected.trim(), "{length}");
        drop(journal);
        std::fs::write(&path, &bytes[..length]).unwrap();
        FileJournal::open_shared(&path)
            .unwrap()
            .write(&begin("C"))
            .unwrap();
        let journal = FileJournal::open(&path).unwrap();
        assert!(open_ids(&journal).ends_with('C'), "{length}");
    }
}

// Goal: an id is begun once, the only user is the only one, and users who share do not disturb.
#[test]
fn users() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = FileJournal::open(&path).unwrap();
    journal.write(&begin("A")).unwrap();
    let again = journal.write(&begin("A")).unwrap_err();
    assert!(
        again
            .to_string()
            .starts_with("the checkout A has not ended"),
        "{again}"
    );
    let other = FileJournal::open(&path).unwrap_err();
    assert!(matches!(other, JournalError::InUse { .. }), "{other}");
    drop(journal);
    let mut first = FileJournal::open_shared(&path).unwrap();
    let mut second = FileJournal::open_shared(&path).unwrap();
    first.write(&begin("B")).unwrap();
    second.write(&begin("C")).unwrap();
    assert_eq!(
        (open_ids(&first).as_str(), open_ids(&second).as_str()),
        ("B", "C")
    );
    assert!(FileJournal::open(&path).is_err());
    drop((first, second));
    assert_eq!(open_ids(&FileJournal::open(&path).unwrap()), "A B C");
}

// Goal: a long file is emptied when nothing is open, and never while something is.
#[test]
fn compaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let long = "x".repeat(usize::try_from(COMPACT_BYTES).unwrap());
    let length = || std::fs::metadata(&path).unwrap().len();
    std::fs::write(&path, format!("{long}\n")).unwrap();
    let mut journal = FileJournal::open(&path).unwrap();
    assert_eq!(length(), 0);
    journal.write(&begin("A")).unwrap();
    drop(journal);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str(&long);
    std::fs::write(&path, &text).unwrap();
    let mut journal = FileJournal::open(&path).unwrap();
    assert!(length() > COMPACT_BYTES);
    journal.write(&end("A")).unwrap();
    assert_eq!(length(), 0);
    drop(journal);
    std::fs::write(&path, format!("{long}\n")).unwrap();
    let mut shared = FileJournal::open_shared(&path).unwrap();
    assert_eq!(length(), 0);
    shared.write(&begin("B")).unwrap();
    drop(shared);
    assert_eq!(open_ids(&FileJournal::open(&path).unwrap()), "B");
}

// Goal: a disk that refuses is named.
#[test]
fn no_such_folder() {
    let error = FileJournal::open("no/such/folder/journal").unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the journal no/such/folder/journal: "),
        "{text}"
    );
}
