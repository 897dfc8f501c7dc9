//! `forex_compare_file` and `forex_liquidation_file`: the files of some days over HTTP (`spec/07`).
//!
//! The answer is no XML but the text that [`crate::files::HttpRow`] writes; only a refusal is XML.

use std::borrow::Cow;

use spotpay_core::id::PartnerId;
use spotpay_core::settlement::FileKind;
use spotpay_core::time::CivilDate;

use crate::field;
use crate::form::Form;
use crate::refusal::ParseRefusal;
use crate::service::Service;

/// The most days of one request; ours, so that an answer has an end.
pub const DAYS_MAX: i32 = 31;

/// Which file, and of which days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller.
    pub partner: PartnerId,
    /// Which of the two.
    pub kind: FileKind,
    /// `start_date`: the first business date of the transactions, or day of the settlements.
    pub first: CivilDate,
    /// `end_date`: the last one; at most [`DAYS_MAX`] days with the first.
    pub last: CivilDate,
}

/// The file of a service; `None` for a service that answers otherwise.
pub const fn kind_of(service: Service) -> Option<FileKind> {
    match service {
        Service::CompareFile => Some(FileKind::Transaction),
        Service::LiquidationFile => Some(FileKind::Settlement),
        Service::Pay
        | Service::Query
        | Service::Cancel
        | Service::Reverse
        | Service::SpotCancel
        | Service::Refund
        | Service::RefundQuery
        | Service::StoreMaintain
        | Service::StoreQuery
        | Service::NotifyVerify => None,
    }
}

/// The service of a file.
const fn service_of(kind: FileKind) -> Service {
    match kind {
        FileKind::Transaction => Service::CompareFile,
        FileKind::Settlement => Service::LiquidationFile,
    }
}

impl Request {
    /// Reads a request whose signature has been verified; values in the order `start_date`,
    /// `end_date`.
    ///
    /// # Errors
    /// A date that is missing or none, or days that are too many or run backwards. Whether they
    /// are over is the clock's to say.
    pub fn parse(kind: FileKind, form: &Form) -> Result<Self, ParseRefusal> {
        let partner = field::partner(form)?;
        let (start, end) = (
            field::required(form, "start_date")?,
            field::required(form, "end_date")?,
        );
        let (first, last) = (date("start_date", start)?, date("end_date", end)?);
        if last < first {
            let rule = "start_date or a later date";
            return Err(ParseRefusal::malformed("end_date", rule, end));
        }
        if last >= first.plus_days(DAYS_MAX) {
            let rule = "so near to start_date that they make 31 days at most";
            return Err(ParseRefusal::malformed("end_date", rule, end));
        }
        Ok(Self {
            partner,
            kind,
            first,
            last,
        })
    }

    /// The parameters, for [`crate::request::sign`].
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        vec![
            ("service", service_of(self.kind).as_str().into()),
            ("partner", self.partner.to_string().into()),
            ("start_date", self.first.compact().into()),
            ("end_date", self.last.compact().into()),
        ]
    }
}

fn date(name: &'static str, value: &str) -> Result<CivilDate, ParseRefusal> {
    CivilDate::parse_compact(value)
        .ok_or_else(|| ParseRefusal::malformed(name, "a date as YYYYMMDD", value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charset::Charset;

    // Goal: both dates are needed, in order and at most 31 of them, in a fixed order of complaints.
    #[test]
    fn requests() {
        for (start, end, said) in [
            ("20261123", "20261123", "2026-11-23 2026-11-23"),
            ("20261101", "20261201", "2026-11-01 2026-12-01"),
            ("20240229", "20240301", "2024-02-29 2024-03-01"),
            ("", "", "start_date is missing"),
            ("20261123", "", "end_date is missing"),
            (
                "2026-11-23",
                "x",
                "start_date is \"2026-11-23\"; it must be a date as YYYYMMDD",
            ),
            (
                "20261123",
                "20261131",
                "end_date is \"20261131\"; it must be a date as YYYYMMDD",
            ),
            (
                "20261123",
                "20261122",
                "end_date is \"20261122\"; it must be start_date or a later date",
            ),
            (
                "20261101",
                "20261202",
                "end_date is \"20261202\"; it must be so near to start_date that they make 31 days at most",
            ),
        ] {
            for kind in FileKind::ALL {
                let pairs = [
                    ("partner", "2088331370005945"),
                    ("start_date", start),
                    ("end_date", end),
                ];
                let parsed = Request::parse(kind, &Form::from_pairs(Charset::Utf8, pairs));
                let text = match &parsed {
                    Ok(Request { first, last, .. }) => format!("{first} {last}"),
                    Err(refusal) => refusal.to_string(),
                };
                assert_eq!(text, said);
                if let Ok(request) = parsed {
                    let back = Form::from_pairs(Charset::Utf8, request.params());
                    let service = back.get("service").unwrap().parse().unwrap();
                    assert_eq!(kind_of(service), Some(kind));
                    assert_eq!(Request::parse(kind, &back), Ok(request));
                }
            }
        }
    }
}
