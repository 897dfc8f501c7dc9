//! The autopsy as text for a terminal.

use super::{Autopsy, Verdict};
use crate::canonical::Spelling;

/// Bytes shown on each side of the first difference.
const SURROUNDINGS: usize = 24;

/// The whole of it; secrets are masked.
pub(super) fn render(autopsy: &Autopsy, note: Option<&str>, secrets: &[&str]) -> String {
    let masked = |bytes: &[u8]| mask(bytes, secrets);
    let signed = masked(&autopsy.signed);
    let mut out = format!(
        "Signed by the rule, {} bytes:\n  {}\n",
        signed.len(),
        show(&signed)
    );
    let sign_type = autopsy
        .sign_type
        .map_or("none of MD5, RSA, RSA2", |sign_type| sign_type.as_str());
    out.push_str(&format!("sign_type: {sign_type}\n"));
    match &autopsy.verdict {
        Verdict::Verifies(Spelling::Usual) => out.push_str("Verdict: the signature is right.\n"),
        Verdict::Verifies(Spelling::EmptiesKept) => {
            out.push_str(
                "Verdict: the signature is right, with empty values kept, which is taken.\n",
            );
        }
        Verdict::Unexplained => {
            out.push_str("Verdict: the signature is wrong, and no known mistake explains it.\n");
        }
        Verdict::Mistake(findings) => {
            let differing = findings.iter().find_map(|finding| {
                Some((
                    masked(finding.theirs.as_deref()?),
                    finding.first_difference?,
                ))
            });
            if let Some((theirs, at)) = differing {
                out.push_str(&format!(
                    "What was signed, {} bytes:\n  {}\n",
                    theirs.len(),
                    show(&theirs)
                ));
                out.push_str(&difference(&signed, &theirs, at));
            }
            out.push_str("Verdict: the signature is wrong.\n");
            for finding in findings {
                let detail = masked(finding.detail.as_bytes());
                let (name, certainty) = (finding.mistake, finding.certainty);
                out.push_str(&format!(
                    "  {name} ({certainty}): {}\n",
                    finding.mistake.sentence()
                ));
                out.push_str(&format!("    {}\n", String::from_utf8_lossy(&detail)));
            }
        }
    }
    if let Some(note) = note {
        out.push_str(&format!("Note: {note}\n"));
    }
    out
}

/// The bytes with each secret as stars of the same length, so that offsets stay true.
fn mask(bytes: &[u8], secrets: &[&str]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for secret in secrets.iter().map(|secret| secret.as_bytes()) {
        let mut at = 0;
        while let Some(window) = masked.get_mut(at..at + secret.len()) {
            if window == secret {
                window.fill(b'*');
            }
            at += 1;
        }
    }
    masked
}

/// Visible ASCII as it is, all else in hex: `\xE8\x8C\xB6`, with `\n`, `\r` and `\t`.
fn show(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b' ' | b'!'..=b'[' | b']'..=b'~' => out.push(char::from(byte)),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => out.push_str(&format!("\\x{other:02X}")),
        }
    }
    out
}

/// Both texts around the first byte that differs, with a mark under it.
fn difference(signed: &[u8], theirs: &[u8], at: usize) -> String {
    let start = at.saturating_sub(SURROUNDINGS);
    let part = |text: &[u8], from: usize, to: usize| {
        let to = to.min(text.len());
        show(text.get(from.min(to)..to).unwrap_or_default())
    };
    let lead = if start > 0 { "..." } else { "" };
    let common = format!("{lead}{}", part(signed, start, at));
    let tail = |text: &[u8]| {
        let more = if text.len() > at + SURROUNDINGS {
            "..."
        } else {
            ""
        };
        format!("{}{more}", part(text, at, at + SURROUNDINGS))
    };
    let byte = |text: &[u8]| match text.get(at) {
        Some(byte) => format!("{byte:02X}"),
        None => "the end".to_owned(),
    };
    format!(
        "First difference at byte {at}: {} by the rule, {} in what was signed\n  rule   {common}{}\n  signed {common}{}\n         {}^\n",
        byte(signed),
        byte(theirs),
        tail(signed),
        tail(theirs),
        " ".repeat(common.chars().count()),
    )
}
