use super::*;

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

fn said(text: &str) -> String {
    match text.parse::<Change>() {
        Ok(change) => format!("{}={}", change.limit.name, change.to),
        Err(error) => error.to_string(),
    }
}

// Goal: the table in docs/operations.md is the table of the code, row by row.
#[test]
fn the_document_lists_every_limit() {
    let rows: Vec<&str> = OPERATIONS
        .lines()
        .filter(|line| {
            ALL.iter()
                .any(|limit| line.starts_with(&format!("| `{}` |", limit.name)))
        })
        .collect();
    assert_eq!(rows.len(), ALL.len(), "{rows:#?}");
    for (row, limit) in rows.iter().zip(ALL) {
        let Limit {
            name,
            min,
            max,
            bounds,
            ..
        } = limit;
        let default = limit.default_value();
        let begin = format!("| `{name}` | {default} | {min} to {max} | {bounds} |");
        assert!(row.starts_with(&begin), "{row}\nshould begin\n{begin}");
    }
}

// Goal: each limit takes its ends and its default, changes its own place only, and names itself,
// its rule and the value when it does not take one.
#[test]
fn every_limit_has_ends() {
    for limit in ALL {
        let Limit { name, min, max, .. } = limit;
        assert!((*min..=*max).contains(&limit.default_value()), "{name}");
        for fits in [*min, *max, limit.default_value()] {
            let change: Change = format!("{name}={fits}").parse().unwrap();
            let mut limits = change.set(Limits::default());
            for other in ALL {
                let now = match (other.slot)(&mut limits) {
                    Slot::Count(count) => u64::try_from(*count).unwrap(),
                    Slot::Seconds(time) => time.as_secs(),
                };
                let expected = if other.name == *name {
                    fits
                } else {
                    other.default_value()
                };
                assert_eq!(now, expected, "{} after {name}={fits}", other.name);
            }
        }
        let outside = [min.checked_sub(1), max.checked_add(1)];
        for given in outside.into_iter().flatten() {
            let rule = format!("{name} is a whole number from {min} to {max}, not {given}");
            assert_eq!(said(&format!("{name}={given}")), rule);
        }
    }
}

// Goal: what is no limit at all is said, in one line.
#[test]
fn what_is_no_limit() {
    for (text, expected) in [
        ("parameters=40", "parameters=40"),
        ("parameters=0040", "parameters=40"),
        (
            "parameters",
            "a limit is written NAME=NUMBER, such as body-bytes=32000",
        ),
        (
            "",
            "a limit is written NAME=NUMBER, such as body-bytes=32000",
        ),
        (
            "bodies=1",
            "there is no limit bodies; `spotpay serve --help` lists them",
        ),
        (
            "=1",
            "there is no limit ; `spotpay serve --help` lists them",
        ),
        (
            "parameters=",
            "parameters is a whole number from 40 to 1000, not ",
        ),
        (
            "parameters=+50",
            "parameters is a whole number from 40 to 1000, not +50",
        ),
        (
            "parameters=5e1",
            "parameters is a whole number from 40 to 1000, not 5e1",
        ),
        (
            "parameters=99999999999999999999999",
            "parameters is a whole number from 40 to 1000, not 99999999999999999999999",
        ),
    ] {
        assert_eq!(said(text), expected);
    }
}

// Goal: a partner gets a second's worth at once, then one for each gap; others have their own, and
// nothing saved up is more than a second's worth. Without a limit nothing is counted.
#[test]
fn pace() {
    let partner =
        |number: u64| -> PartnerId { format!("20886219000001{number:02}").parse().unwrap() };
    let pace = Pace::new(4);
    for (at_ms, who, fits) in [
        (0, 1, true),
        (0, 1, true),
        (0, 1, true),
        (0, 1, true),
        (0, 1, false),
        (0, 2, true),
        (249, 1, false),
        (250, 1, true),
        (250, 1, false),
        (10_000, 1, true),
        (10_000, 1, true),
        (10_000, 1, true),
        (10_000, 1, true),
        (10_000, 1, false),
    ] {
        let now = Span::micros(at_ms * 1_000);
        assert_eq!(pace.allows(partner(who), now), fits, "{who} at {at_ms}");
    }
    assert_eq!(pace.refused(), 4);
    let pace = Pace::new(0);
    assert!((0..10_000).all(|_| pace.allows(partner(1), Span::micros(0))));
    assert_eq!(pace.refused(), 0);
}
