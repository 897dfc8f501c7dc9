//! Which crate may depend on which. The table below is the whole truth; `ARCHITECTURE.md` draws it.

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::tree;

/// One row: a crate of the workspace and the crates of the workspace that it may use.
struct Arrow {
    from: &'static str,
    to: &'static [&'static str],
    reason: &'static str,
}

const ARROWS: &[Arrow] = &[
    Arrow {
        from: "core",
        to: &[],
        reason: "the rules know nothing but themselves: same inputs, same answer",
    },
    Arrow {
        from: "wire",
        to: &["core"],
        reason: "bytes become core's values (money, ids, refusals); rows and sockets are elsewhere",
    },
    Arrow {
        from: "store",
        to: &["core"],
        reason: "rows become core's types; a store that knew the wire would keep its shapes for ever",
    },
    Arrow {
        from: "client",
        to: &["wire", "core"],
        reason: "published alone: a merchant's build must not bring a server or a database",
    },
    Arrow {
        from: "server",
        to: &["store", "wire", "core"],
        reason: "puts the rooms together; it must not need the merchant's side",
    },
    Arrow {
        from: "disk",
        to: &[],
        reason: "lies under SQLite and knows nothing of what is kept on it; the one room with unsafe code",
    },
    Arrow {
        from: "sim",
        to: &["server", "client", "store", "wire", "core", "disk"],
        reason: "plays the whole world, so it sees all of it; only the binary sees sim",
    },
    Arrow {
        from: "cli",
        to: &["server", "client", "sim", "wire", "core"],
        reason: "starts things and prints values; it reaches rows only through server",
    },
    Arrow {
        from: "xtask",
        to: &[],
        reason: "checks the others, so it must build when they do not",
    },
];

/// Foreign packages that belong to certain rooms.
struct Kept {
    packages: &'static [&'static str],
    /// Judged only when this feature is asked for.
    feature: Option<&'static str>,
    only_in: &'static [&'static str],
    reason: &'static str,
}

const KEPT: &[Kept] = &[
    Kept {
        packages: &[
            "rusqlite",
            "libsqlite3-sys",
            "tokio-postgres",
            "postgres",
            "sqlx",
            "diesel",
        ],
        feature: None,
        only_in: &["store", "disk", "sim"],
        reason: "SQL drivers live in store; disk lies under one, and the checkers of sim read rows without store's code",
    },
    Kept {
        packages: &[
            "axum",
            "axum-server",
            "tower-http",
            "actix-web",
            "warp",
            "tiny_http",
        ],
        feature: None,
        only_in: &["server"],
        reason: "HTTP servers live in server",
    },
    Kept {
        packages: &["hyper", "hyper-util"],
        feature: Some("server"),
        only_in: &["server"],
        reason: "HTTP servers live in server",
    },
    Kept {
        packages: &[
            "tokio",
            "hyper",
            "hyper-util",
            "ureq",
            "reqwest",
            "rustls",
            "tokio-rustls",
        ],
        feature: None,
        only_in: &["store", "server", "client", "sim", "cli"],
        reason: "core and wire do no I/O and know no async",
    },
    Kept {
        packages: &["russh", "ssh2"],
        feature: None,
        only_in: &["server"],
        reason: "SSH servers live in server",
    },
    Kept {
        packages: &["quick-xml"],
        feature: None,
        only_in: &["wire"],
        reason: "XML is read and written in wire",
    },
    Kept {
        packages: &["anyhow"],
        feature: None,
        only_in: &["cli", "xtask"],
        reason: "libraries name their faults",
    },
];

/// Tests of these crates may use any crate of the workspace: they look at the whole from outside.
const TESTS_MAY_USE_ANY: &[&str] = &["cli", "sim"];

/// One dependency as a manifest declares it.
struct Need {
    package: String,
    features: Vec<String>,
    for_tests: bool,
}

/// A crate of the workspace, without the prefix that all of them share.
struct Member {
    name: String,
    needs: Vec<Need>,
}

/// Compares the workspace with the table.
pub(crate) fn run() -> Result<()> {
    let problems = judge(&members()?);
    if problems.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nthe table is in xtask/src/arrows.rs",
        problems.join("\n")
    )
}

fn short(package: &str) -> &str {
    package.strip_prefix("spotpay-").unwrap_or(package)
}

fn members() -> Result<Vec<Member>> {
    let metadata = MetadataCommand::new()
        .manifest_path(tree::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let member = |package: &cargo_metadata::Package| Member {
        name: short(&package.name).to_owned(),
        needs: package
            .dependencies
            .iter()
            .map(|dependency| Need {
                package: dependency.name.clone(),
                features: dependency.features.clone(),
                for_tests: dependency.kind == DependencyKind::Development,
            })
            .collect(),
    };
    Ok(metadata.packages.iter().map(member).collect())
}

fn judge(members: &[Member]) -> Vec<String> {
    let mut problems = Vec::new();
    for Member { name, needs } in members {
        let Some(arrow) = ARROWS.iter().find(|arrow| arrow.from == name) else {
            problems.push(format!("{name}: no row in the table of arrows"));
            continue;
        };
        for need in needs {
            if need.for_tests && TESTS_MAY_USE_ANY.contains(&name.as_str()) {
                continue;
            }
            let target = short(&need.package);
            // A crate that needs itself under test only turns on its own features.
            let ours = members.iter().any(|member| member.name == target) && target != name;
            if ours && !arrow.to.contains(&target) {
                problems.push(format!(
                    "{name} may not depend on {target}: {}",
                    arrow.reason
                ));
            }
            let broken = KEPT.iter().filter(|kept| {
                kept.packages.contains(&need.package.as_str())
                    && kept
                        .feature
                        .is_none_or(|it| need.features.iter().any(|has| has == it))
                    && !kept.only_in.contains(&name.as_str())
            });
            problems.extend(
                broken.map(|kept| format!("{name} may not use {}: {}", need.package, kept.reason)),
            );
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line is `crate: package package[feature] test:package`.
    fn check(manifests: &[&str], expected: &[&str]) {
        let member = |line: &&str| {
            let (name, needs) = line.split_once(':').expect("a crate and a colon");
            let need = |word: &str| {
                let (word, for_tests) = match word.strip_prefix("test:") {
                    Some(rest) => (rest, true),
                    None => (word, false),
                };
                let (package, feature) = word.split_once('[').unwrap_or((word, "]"));
                let features = feature.trim_end_matches(']').to_owned();
                Need {
                    package: package.to_owned(),
                    features: vec![features],
                    for_tests,
                }
            };
            Member {
                name: name.to_owned(),
                needs: needs.split_whitespace().map(need).collect(),
            }
        };
        let members: Vec<Member> = manifests.iter().map(member).collect();
        let found: Vec<String> = judge(&members)
            .iter()
            .map(|problem| problem.split(": ").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(found, expected, "{manifests:?}");
    }

    /// The real workspace keeps to the table.
    #[test]
    fn the_workspace_keeps_to_the_arrows() {
        if let Err(problems) = run() {
            panic!("{problems:#}");
        }
    }

    /// Every arrow that the table draws is allowed.
    #[test]
    fn drawn_arrows_pass() {
        check(
            &[
                "core: sha2 jiff",
                "wire: spotpay-core quick-xml",
                "store: spotpay-core rusqlite",
            ],
            &[],
        );
        check(
            &[
                "core:",
                "store:",
                "server: spotpay-core spotpay-store axum hyper[server] tokio",
            ],
            &[],
        );
        check(
            &[
                "core:",
                "client: spotpay-core hyper[client]",
                "cli: spotpay-client spotpay-core",
            ],
            &[],
        );
        check(
            &[
                "server:",
                "store:",
                "cli: test:spotpay-store test:rusqlite test:axum",
                "sim: test:axum test:spotpay-cli",
            ],
            &[],
        );
    }

    /// Every kind of wrong dependency is found.
    #[test]
    fn other_arrows_fail() {
        check(
            &["core: spotpay-wire", "wire:"],
            &["core may not depend on wire"],
        );
        check(
            &["wire: spotpay-store", "store:"],
            &["wire may not depend on store"],
        );
        check(
            &["server: test:spotpay-client", "client:"],
            &["server may not depend on client"],
        );
        check(
            &["cli: spotpay-store", "store:"],
            &["cli may not depend on store"],
        );
        check(&["server: rusqlite"], &["server may not use rusqlite"]);
        check(&["client: axum"], &["client may not use axum"]);
        check(&["cli: hyper[server]"], &["cli may not use hyper"]);
        check(
            &["core: tokio anyhow"],
            &["core may not use tokio", "core may not use anyhow"],
        );
        check(&["server: quick-xml"], &["server may not use quick-xml"]);
        check(&["extra:"], &["extra"]);
    }
}
